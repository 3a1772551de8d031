"""Any instance file: which format is it in, and what does it state."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

import msgspec

from route_optimizer.formats import lilim, problem_json, solomon, vroom, vrplib, vrplib_text
from route_optimizer.formats.instance import Convention, Instance
from route_optimizer.formats.source import FormatError, text_of


class Format(StrEnum):
    """What a file may be in."""

    AUTO = "auto"
    VRPLIB = "vrplib"
    SOLOMON = "solomon"
    LILIM = "lilim"
    VROOM = "vroom"
    JSON = "json"


def read(path: Path, format_: Format = Format.AUTO, convention: Convention | None = None) -> Instance:
    """Read a file in a format, or in the one it looks like.

    Raises:
        FormatError: when it is in none, or malformed.
    """
    chosen = _looks_like(path) if format_ is Format.AUTO else format_
    benchmark: dict[Format, Callable[[Path, Convention | None], Instance]] = {
        Format.VRPLIB: vrplib.read,
        Format.SOLOMON: solomon.read,
        Format.LILIM: lilim.read,
    }
    if chosen in benchmark:
        return benchmark[chosen](path, convention)
    if convention is not None:
        raise FormatError(path, None, "counts metres and seconds as they are", "leave --convention out")
    return vroom.read(path) if chosen is Format.VROOM else problem_json.read(path)


def _looks_like(path: Path) -> Format:
    text = text_of(path)
    if not text.strip():
        raise FormatError(path, None, "is empty", "give an instance")
    if text.lstrip()[0] == "{":
        return _json(text)
    for format_, looks_like in (
        (Format.SOLOMON, solomon.looks_like),
        (Format.LILIM, lilim.looks_like),
        (Format.VRPLIB, vrplib_text.looks_like),
    ):
        if looks_like(text):
            return format_
    raise FormatError(path, None, "is in no format that can be told from its text", "name its format with --format")


def _json(text: str) -> Format:
    """VROOM's, if it has vehicles and no stops; what is no JSON at all is told by its reader."""
    try:
        keys = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    except (msgspec.MsgspecError, RecursionError):
        return Format.JSON
    return Format.VROOM if vroom.looks_like(keys) else Format.JSON
