"""A piece of evidence as a file: a ZIP that whoever has it can check without us (`verify.py`, which lies in it)."""

import hashlib
import json
import tempfile
import zipfile
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import IO

from cloud_api.cold_chain.evidence import tables, verify
from cloud_api.cold_chain.evidence.gathering import Case
from cloud_api.cold_chain.evidence.report import load_typst, pdf
from cloud_api.kernel import clock

#: what stays in memory before it goes to disk
_IN_MEMORY = 8 << 20


class Bundle:
    """A ZIP in the making. Slow, and without any waiting: for a thread of its own."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self.file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - the answer closes it
        self._zip = zipfile.ZipFile(self.file, "w", zipfile.ZIP_DEFLATED, compresslevel=6)
        self._files: dict[str, dict[str, object]] = {}

    def write(self, key_url: str) -> bytes:
        """Everything but the signature. Returns the manifest, which is to be signed.

        Args:
            key_url: where the platform publishes its public key.

        Raises:
            NotInstalled: when PDFs cannot be written here.
        """
        compiler = load_typst()
        self._add("report.pdf", [pdf(self._case, compiler)])
        chain = self._add_readings()
        self._add("excursions.csv", [tables.excursions(self._case.excursions).encode()])
        self._add("calibrations.csv", [tables.calibrations(self._case.calibrations).encode()])
        self._add(verify.PROGRAM, [Path(verify.__file__).read_bytes()])
        manifest = {
            "format": verify.FORMAT,
            "subject": self._case.subject,
            "title": self._case.title,
            "organization": self._case.organization,
            "since": _stamp(clock.from_ms(self._case.from_ms)),
            "until": _stamp(clock.from_ms(self._case.to_ms)),
            "made_at": _stamp(self._case.made_at),
            "public_key_at": key_url,
            "files": self._files,
            "chain": chain,
        }
        return json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False).encode() + b"\n"

    def seal(self, manifest: bytes, *, public_key: str, signature: str) -> int:
        """Put the signature (hexadecimal digits) to it. Returns the length of the whole in bytes."""
        self._add(verify.MANIFEST, [manifest])
        self._add(verify.SIGNATURE, [verify.signature_file(public_key, signature)])
        self._zip.close()
        length = self.file.tell()
        self.file.seek(0)
        return length

    def _add_readings(self) -> dict[str, object]:
        """The readings, day by day; what the manifest says of them."""
        days: list[dict[str, object]] = []
        previous, total = verify.FIRST, 0

        def pieces() -> Iterable[bytes]:
            nonlocal previous, total
            yield tables.READINGS_HEADER.encode()
            for day, rows in tables.ReadingRows(self._case.series).days():
                previous = verify.link(previous, rows)
                total += len(rows)
                days.append({"day": day, "rows": len(rows), "digest": previous})
                yield "".join(rows).encode()

        self._add(verify.READINGS, pieces())
        return {"header": tables.READINGS_HEADER, "rows": total, "days": days}

    def _add(self, name: str, pieces: Iterable[bytes]) -> None:
        digest, length = hashlib.sha256(), 0
        info = zipfile.ZipInfo(name, self._case.made_at.timetuple()[:6])
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = 0o644 << 16
        with self._zip.open(info, "w", force_zip64=True) as opened:
            for piece in pieces:
                opened.write(piece)
                digest.update(piece)
                length += len(piece)
        self._files[name] = {"sha256": digest.hexdigest(), "bytes": length}


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
