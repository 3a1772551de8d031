"""What seals the trail, and the check of an exported one. Standard library only: `python verify.py FILE` works alone.

Each entry's digest is HMAC-SHA256, under the key `COLDFLEET_AUDIT_KEY`, over the canonical JSON of the entry, its
sequence and the digest before it. An export has a line of what it holds, a line for each entry, and a closing line
whose HMAC covers the first line, the count and the last digest. Whoever has not got the key can therefore not change,
leave out, exchange or add anything without the first such place being named here.

An export shows what it held when it was made: keep exports where those who run the database cannot write.
"""

import hashlib
import hmac
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

FORMAT = "coldfleet-audit-1"
#: stands before the first entry of every organisation
FIRST = ""
_KEY_VARIABLE = "COLDFLEET_AUDIT_KEY"
_FIELDS = {
    "export": {"format", "organization_id", "from_sequence", "to_sequence", "previous", "head"},
    "entry": {"sequence", "digest", "entry"},
    "closing": {"count", "digest", "hmac"},
}


class Broken(ValueError):
    """The first place where an export is not what was sealed."""


@dataclass(frozen=True)
class Verified:
    """What an intact export holds."""

    organization_id: str
    count: int
    from_sequence: int
    to_sequence: int
    #: of the last entry; a later export must have it at `to_sequence`
    head: str


def canonical(value: object) -> str:
    """JSON that has one form only: sorted keys, no spaces, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def seal(key: bytes, *, sequence: int, previous: str, entry: Mapping[str, object]) -> str:
    """The digest of one entry of a chain; `previous` is the one before it, or `FIRST`."""
    return _hmac(key, {"entry": entry, "previous": previous, "sequence": sequence})


def close(key: bytes, *, opening: Mapping[str, object], count: int, digest: str) -> str:
    """The HMAC of an export's closing line; `opening` is its first line."""
    return _hmac(key, {"closes": opening, "count": count, "digest": digest})


def _hmac(key: bytes, value: object) -> str:
    return hmac.new(key, canonical(value).encode("ascii"), hashlib.sha256).hexdigest()


def verify(lines: Iterable[str], key: bytes) -> Verified:
    """Check an export, line by line, in constant memory.

    Raises:
        Broken: naming the first edited, deleted, reordered or cut-off entry.
    """
    numbered = iter(enumerate(lines, 1))
    opening, first, last = _opening(numbered)
    digest, expected = str(opening["previous"]), first
    for number, line in numbered:
        said = _parse(number, line)
        if "hmac" in said:
            _check_closing(key, said, opening, number, expected=expected, digest=digest)
            if next(numbered, None) is not None:
                raise Broken(f"line {number + 1}: something was added after the closing line")
            return Verified(str(opening["organization_id"]), expected - first, first, last, digest)
        digest = _check_entry(key, said, number, expected=expected, last=last, previous=digest)
        expected += 1
    raise Broken(f"cut off: entry {expected} was to follow" if expected <= last else "cut off: no closing line")


def _opening(numbered: Iterator[tuple[int, str]]) -> tuple[dict[str, object], int, int]:
    number, line = next(numbered, (1, ""))
    if not line:
        raise Broken("cut off: the file is empty")
    opening = _parse(number, line)
    if set(opening) != _FIELDS["export"] or opening["format"] != FORMAT:
        raise Broken(f"line 1: not the first line of a {FORMAT} export")
    first, last = opening["from_sequence"], opening["to_sequence"]
    if type(first) is not int or type(last) is not int:
        raise Broken("line 1: edited, its sequences are no numbers")
    return opening, first, last


def _parse(number: int, line: str) -> dict[str, object]:
    if not line.endswith("\n"):
        raise Broken(f"line {number}: cut off, its end is missing")
    try:
        said = json.loads(line)
        unchanged = isinstance(said, dict) and canonical(said) == line[:-1]
    except (ValueError, RecursionError):
        unchanged = False
    if not unchanged:
        raise Broken(f"line {number}: edited, it is not what an export writes")
    return dict(said)


def _check_entry(
    key: bytes, said: Mapping[str, object], number: int, *, expected: int, last: int, previous: str
) -> str:
    """The entry's digest, when it stands where it belongs and is what was sealed."""
    entry, sequence = said.get("entry"), said.get("sequence")
    if set(said) != _FIELDS["entry"] or not isinstance(entry, dict) or type(sequence) is not int:
        raise Broken(f"line {number}: edited, where entry {expected} should be")
    if sequence != expected:
        what = "deleted" if sequence > expected else "reordered or repeated"
        raise Broken(f"line {number}: entry {expected} is {what}: entry {sequence} stands in its place")
    if sequence > last:
        raise Broken(f"line {number}: entry {sequence} is more than the export held")
    digest = seal(key, sequence=sequence, previous=previous, entry=entry)
    if not _same(digest, said["digest"]):
        named = ", ".join(f"{name} {canonical(entry[name])}" for name in ("id", "action") if name in entry)
        raise Broken(f"line {number}: entry {sequence} is edited ({named}), or another key sealed it")
    return digest


def _check_closing(
    key: bytes,
    said: Mapping[str, object],
    opening: Mapping[str, object],
    number: int,
    *,
    expected: int,
    digest: str,
) -> None:
    if set(said) != _FIELDS["closing"]:
        raise Broken(f"line {number}: edited, where the closing line should be")
    if expected != int(str(opening["to_sequence"])) + 1:
        raise Broken(f"line {number}: cut off: entry {expected} was to follow")
    count = expected - int(str(opening["from_sequence"]))
    if not _same([count, digest, digest], [said["count"], said["digest"], opening["head"]]):
        raise Broken(f"line {number}: the closing line does not name what the export holds")
    if not _same(close(key, opening=opening, count=count, digest=digest), said["hmac"]):
        raise Broken("line 1 or the closing line is edited, or another key closed the export")


def _same(ours: object, theirs: object) -> bool:
    """Of one type and value: 1 is not 1.0 here."""
    return hmac.compare_digest(canonical(ours), canonical(theirs))


def main(arguments: list[str]) -> int:
    """`python verify.py FILE`: 0 when intact, 1 when broken, 2 when it cannot be checked."""
    key = os.environ.get(_KEY_VARIABLE, "")
    if len(arguments) != 1 or not key:
        sys.stderr.write(f"usage: {_KEY_VARIABLE}=... python verify.py FILE\n")
        return 2
    try:
        # newline="\n": a changed line end is a change
        with open(arguments[0], encoding="utf-8", newline="\n") as lines:
            found = verify(lines, key.encode())
    except Broken as broken:
        sys.stdout.write(f"BROKEN: {broken}\n")
        return 1
    except UnicodeDecodeError:
        sys.stdout.write("BROKEN: edited, an export is ASCII\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(
        f"intact: {found.count} entries, {found.from_sequence} to {found.to_sequence}, "
        f"of organisation {found.organization_id}; head {found.head}\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
