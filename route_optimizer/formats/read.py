"""Any instance file: which format is it in, and what does it state."""

from enum import StrEnum
from pathlib import Path

from route_optimizer.formats import solomon, vrplib
from route_optimizer.formats.instance import Convention, FormatError, Instance, text_of


class Format(StrEnum):
    """What a file may be in."""

    AUTO = "auto"
    SOLOMON = "solomon"
    VRPLIB = "vrplib"


def read(path: Path, format_: Format = Format.AUTO, convention: Convention | None = None) -> Instance:
    """Read a file in a format, or in the one it looks like.

    Raises:
        FormatError: when it is in neither, or malformed.
    """
    text = text_of(path)
    if format_ is Format.SOLOMON or (format_ is Format.AUTO and solomon.looks_like(text)):
        return solomon.read(path, convention)
    if format_ is Format.VRPLIB or vrplib.looks_like(text):
        return vrplib.read(path, convention)
    raise FormatError(path, None, "is neither a Solomon nor a VRPLIB file", "name its format with --format")
