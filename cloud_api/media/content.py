"""What kinds of files are kept, told by their bytes and never by their name alone."""

import codecs
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from cloud_api.media.errors import FileRefused
from cloud_api.media.zips import parts_of

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: mime of the pictures that are kept, and what Pillow calls them
PICTURES = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP", "image/gif": "GIF", "image/avif": "AVIF"}
#: a picture with more is no photo of goods but an attack on memory: 4 bytes each once it is unpacked
MOST_PIXELS = 50_000_000
#: what the parts of a workbook may unpack to
_MOST_UNPACKED_BYTES = 500_000_000
_READ_AT_ONCE = 1_000_000
#: control characters that text has
_IN_TEXT = frozenset(b"\t\n\v\f\r")
_CONTROLS = bytes(code for code in range(32) if code not in _IN_TEXT) + b"\x7f"
#: extensions are no proof, but one that contradicts the bytes misleads whoever opens the file
_ENDINGS = {
    "image/jpeg": {"jpg", "jpeg", "jpe", "jfif"},
    "image/png": {"png"},
    "image/webp": {"webp"},
    "image/gif": {"gif"},
    "image/avif": {"avif"},
    "application/pdf": {"pdf"},
    "text/csv": {"csv", "txt"},
    "text/plain": {"txt", "csv", "log", "md"},
    XLSX: {"xlsx"},
}


@dataclass(frozen=True)
class Looks:
    """What a file is."""

    mime: str
    #: pixels; of pictures only
    width: int | None = None
    height: int | None = None


def look_at(path: Path, mime: str) -> Looks:
    """What the file is, when it is what its sender says. Reads it: call it on a thread.

    Raises:
        FileRefused: when it is of no kind that is kept, or its bytes are not of the kind declared.
    """
    kind = mime.partition(";")[0].strip().lower()
    if path.stat().st_size == 0:
        raise FileRefused("the file is empty: send its bytes as the body", field="body")
    if kind in PICTURES:
        return _picture(path, kind)
    look = _OTHERS.get(kind)
    if look is None:
        kept = ", ".join((*PICTURES, *_OTHERS))
        raise FileRefused(f"files of the type {kind or 'none'!r} are not kept: send {kept}", field="Content-Type")
    look(path)
    return Looks(kind)


def check_name(name: str, mime: str) -> str:
    """The file's name, when its ending says what its bytes say.

    Raises:
        FileRefused: when it does not.
    """
    kind = mime.partition(";")[0].strip().lower()
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    if kind in _ENDINGS and ending not in _ENDINGS[kind]:
        endings = ", ".join(sorted(_ENDINGS[kind]))
        raise FileRefused(f"{name!r} is not named as {kind} is: end it in {endings}", field="name")
    return name


def _picture(path: Path, mime: str) -> Looks:
    try:
        with Image.open(path, formats=(PICTURES[mime],)) as picture:
            width, height = picture.size
            if width * height > MOST_PIXELS:
                raise FileRefused(
                    f"the picture has {width} × {height} pixels, at most {MOST_PIXELS:,} are taken: make it smaller",
                    field="body",
                )
            picture.verify()
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise FileRefused(f"the picture has more than {MOST_PIXELS:,} pixels: make it smaller", field="body") from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError, RuntimeError):  # the last: AVIF's
        raise FileRefused(f"these bytes are no {mime}: say what they are, or send the picture", field="body") from None
    return Looks(mime, width, height)


def _pdf(path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(1024)
        file.seek(max(0, path.stat().st_size - 2048))
        tail = file.read()
    if not head.startswith(b"%PDF-") or b"%%EOF" not in tail:
        raise FileRefused("these bytes are no PDF, or not all of one: send the document", field="body")


def _text(path: Path) -> None:
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    with path.open("rb") as file:
        while chunk := file.read(_READ_AT_ONCE):
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                raise _binary() from None
            if len(chunk.translate(None, _CONTROLS)) != len(chunk):
                raise _binary()
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise _binary() from None


def _binary() -> FileRefused:
    return FileRefused("these bytes are no text: export the table as CSV in UTF-8, or send it as xlsx", field="body")


def _workbook(path: Path) -> None:
    parts = parts_of(path)
    if parts is None:
        raise FileRefused("these bytes are no workbook: save it as .xlsx", field="body")
    names = {part.filename for part in parts}
    unpacked = sum(part.file_size for part in parts)
    if not {"[Content_Types].xml", "xl/workbook.xml"} <= names:
        raise FileRefused("these bytes are a zip, but no workbook: save it as .xlsx", field="body")
    if "xl/vbaProject.bin" in names:
        raise FileRefused("the workbook carries macros: save it as .xlsx without them", field="body")
    if unpacked > _MOST_UNPACKED_BYTES:
        raise FileRefused(f"the workbook unpacks to {unpacked:,} bytes: send a smaller one", field="body")


_OTHERS: dict[str, Callable[[Path], None]] = {
    "application/pdf": _pdf,
    "text/csv": _text,
    "text/plain": _text,
    XLSX: _workbook,
}
#: every mime that is kept
KINDS = (*PICTURES, *_OTHERS)
