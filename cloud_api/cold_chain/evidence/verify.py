"""The check of a piece of evidence: `python3 verify.py`, beside the other files. Standard library only.

Without an argument it checks the folder that it stands in; with one, a folder or the ZIP as it was downloaded. It says
"intact", or names the file, and in the readings the day and the row, that is not as it was signed.

`manifest.json` has the SHA-256 of every file, and a digest for each day of the readings, each over the one before it.
`signature.json` has the platform's public key and its Ed25519 signature (RFC 8032) over the manifest. Whoever changes
anything would have to sign with another key: compare the key that this program prints with the one that the platform
publishes at the address in the manifest, or pass it: `python3 verify.py --key HEX`.
"""

import hashlib
import json
import sys
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

FORMAT = "coldfleet-evidence-1"
MANIFEST, SIGNATURE, READINGS, PROGRAM = "manifest.json", "signature.json", "readings.csv", "verify.py"
#: stands before what is signed, so that no signature of the platform for something else can be shown here
DOMAIN = b"coldfleet-evidence-1\n"
#: stands before the first day
FIRST = ""
#: how much of a row's digest stands at its end
MARK = 16


class Changed(ValueError):
    """The first place where a piece of evidence is not what was signed."""


@dataclass(frozen=True)
class Intact:
    """What an intact piece of evidence holds."""

    subject: str
    rows: int
    files: int
    public_key: str


# --- Ed25519, RFC 8032 section 5.1: the curve -x^2 + y^2 = 1 + d x^2 y^2 over the field of 2^255 - 19

_P = 2**255 - 19
_ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
_ROOT_OF_MINUS_1 = pow(2, (_P - 1) // 4, _P)

#: (X, Y, Z, T): x = X/Z, y = Y/Z, x y = T/Z
_Point = tuple[int, int, int, int]
_NEUTRAL: _Point = (0, 1, 1, 0)


def _add(one: _Point, other: _Point) -> _Point:
    a = (one[1] - one[0]) * (other[1] - other[0]) % _P
    b = (one[1] + one[0]) * (other[1] + other[0]) % _P
    c = 2 * one[3] * other[3] * _D % _P
    d = 2 * one[2] * other[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _times(factor: int, point: _Point) -> _Point:
    found = _NEUTRAL
    while factor:
        if factor & 1:
            found = _add(found, point)
        point = _add(point, point)
        factor >>= 1
    return found


def _same(one: _Point, other: _Point) -> bool:
    return (one[0] * other[2] - other[0] * one[2]) % _P == 0 and (one[1] * other[2] - other[1] * one[2]) % _P == 0


def _x_of(y: int, odd: int) -> int | None:
    """The x of a point with this y and parity; None when there is none."""
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _ROOT_OF_MINUS_1 % _P
    if (x * x - square) % _P or (x == 0 and odd):
        return None
    return x if x & 1 == odd else _P - x


def _point(encoded: bytes) -> _Point | None:
    number = int.from_bytes(encoded, "little")
    y, odd = number & ((1 << 255) - 1), number >> 255
    x = _x_of(y, odd) if y < _P else None
    return None if x is None else (x, y, 1, x * y % _P)


_BASE_Y = 4 * pow(5, -1, _P) % _P
_BASE = _point(_BASE_Y.to_bytes(32, "little"))


def is_signature(signature: bytes, message: bytes, public_key: bytes) -> bool:
    """Whether `signature` (64 bytes) is one of `message` by the owner of `public_key` (32 bytes)."""
    if len(signature) != 64 or len(public_key) != 32 or _BASE is None:
        return False
    owner, commitment = _point(public_key), _point(signature[:32])
    scalar = int.from_bytes(signature[32:], "little")
    if owner is None or commitment is None or scalar >= _ORDER:
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + public_key + message).digest(), "little") % _ORDER
    return _same(_times(scalar, _BASE), _add(commitment, _times(challenge, owner)))


# --- the chain of days


def mark(previous: str, row: str) -> str:
    """What stands at the end of a row of readings: over the row, and over the mark of the row before it."""
    return hashlib.sha256(f"{previous}{row}".encode()).hexdigest()[:MARK]


def link(previous: str, rows: Iterable[str]) -> str:
    """The digest of a day: over its rows, marks and line ends included, and over the digest of the day before."""
    return hashlib.sha256((previous + "".join(rows)).encode()).hexdigest()


# --- the check


def verify(files: Mapping[str, bytes], *, expected_key: str | None = None) -> Intact:
    """Check what a piece of evidence consists of: file name -> contents.

    Raises:
        Changed: naming the first file, day and row that is not as it was signed.
    """
    for name in (MANIFEST, SIGNATURE):
        if name not in files:
            raise Changed(f"{name} is missing")
    key = _check_signature(files[SIGNATURE], files[MANIFEST], expected_key)
    manifest = json.loads(files[MANIFEST])
    if manifest["format"] != FORMAT:
        raise Changed(f"{MANIFEST} is of another format: {manifest['format']}")
    listed = manifest["files"]
    for name in sorted(set(listed) - set(files)):
        raise Changed(f"{name} is missing")
    for name in sorted(set(files) - set(listed) - {MANIFEST, SIGNATURE}):
        raise Changed(f"{name} does not belong to this piece of evidence")
    for name, said in sorted(listed.items(), key=lambda item: item[0] == READINGS):
        if hashlib.sha256(files[name]).hexdigest() != said["sha256"]:
            if name == READINGS:
                _name_the_row(files[name], manifest["chain"])
            raise Changed(f"{name} was changed")
    return Intact(manifest["subject"], manifest["chain"]["rows"], len(listed), key)


def _check_signature(signature: bytes, manifest: bytes, expected_key: str | None) -> str:
    try:
        said = json.loads(signature)
        key, signed = bytes.fromhex(said["public_key"]), bytes.fromhex(said["signature"])
    except (ValueError, KeyError, TypeError):
        raise Changed(f"{SIGNATURE} was changed: it is no signature") from None
    if signature != signature_file(key.hex(), signed.hex()):
        raise Changed(f"{SIGNATURE} was changed")
    if expected_key is not None and key.hex() != expected_key.lower():
        raise Changed(f"{SIGNATURE} names another key than the one you passed: somebody else signed this")
    if not is_signature(signed, DOMAIN + manifest, key):
        raise Changed(f"{MANIFEST} or {SIGNATURE} was changed: the signature does not fit the manifest")
    return key.hex()


def signature_file(public_key: str, signature: str) -> bytes:
    """What stands in `signature.json`."""
    said = {"algorithm": "Ed25519", "public_key": public_key, "signature": signature}
    return json.dumps(said, sort_keys=True, indent=1).encode() + b"\n"


def _name_the_row(contents: bytes, chain: Mapping[str, object]) -> None:
    """Raise with the first day and row that does not follow from the one before, or is not in the signed digests."""
    lines = [f"{line}\r\n" for line in contents.decode(errors="replace").split("\r\n")]
    last = lines.pop().removesuffix("\r\n")
    lines += [last] if last else []  # behind the last line end stands nothing
    if lines[:1] != [chain["header"]]:
        raise Changed(f"{READINGS} was changed in row 1, its heading")
    at, previous_mark, previous_link = 1, FIRST, FIRST
    days = chain["days"]
    if not isinstance(days, list):
        raise Changed(f"{MANIFEST} has no days")
    for day in days:
        rows = lines[at : at + day["rows"]]
        for number, row in enumerate(rows, at + 1):
            text, _, its_mark = row.removesuffix("\r\n").rpartition(",")
            expected = mark(previous_mark, text)
            if f"{text},{expected}\r\n" != row or not row.startswith(day["day"]):
                raise Changed(f"{READINGS} was changed on {day['day']}, in row {number}: {row.strip()[:80]}")
            previous_mark = its_mark
        if len(rows) < day["rows"]:
            raise Changed(f"{READINGS} was cut off on {day['day']}, after row {at + len(rows)}")
        previous_link = link(previous_link, rows)
        if previous_link != day["digest"]:
            raise Changed(f"{READINGS} was written anew on {day['day']}, rows {at + 1} to {at + day['rows']}")
        at += day["rows"]
    if lines[at:]:
        raise Changed(f"{READINGS} has rows that were not in it, from row {at + 1}")


def read(path: Path) -> dict[str, bytes]:
    """The files of a ZIP, or of a folder.

    Raises:
        Changed: when the ZIP is damaged.
    """
    if path.is_dir():
        return {file.name: file.read_bytes() for file in path.iterdir() if file.is_file() and file.name[0] != "."}
    try:
        with zipfile.ZipFile(path) as opened:
            return {name: opened.read(name) for name in opened.namelist()}
    except (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError, OSError) as error:
        raise Changed(f"{path.name} is damaged: {error}") from None


def main(arguments: list[str]) -> int:
    """`python3 verify.py [--key HEX] [FOLDER or ZIP]`: 0 when intact, 1 when changed, 2 when it cannot be checked."""
    expected = None
    if arguments[:1] == ["--key"] and len(arguments) > 1:
        expected, arguments = arguments[1], arguments[2:]
    path = Path(arguments[0]) if arguments else Path(__file__).resolve().parent
    if len(arguments) > 1 or not path.exists():
        sys.stderr.write("usage: python3 verify.py [--key HEX] [FOLDER or ZIP]\n")
        return 2
    try:
        found = verify(read(path), expected_key=expected)
    except Changed as changed:
        sys.stdout.write(f"CHANGED: {changed}\n")
        return 1
    sys.stdout.write(
        f"intact: {found.subject}; {found.rows} readings, {found.files} files\nsigned with {found.public_key}\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
