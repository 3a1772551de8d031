"""JSON from a file, checked against a type; what is wrong is told by line or by field."""

import re
from pathlib import Path
from typing import TypeVar

import msgspec

from route_optimizer.formats.source import FormatError, text_of

T = TypeVar("T")

_BYTE = re.compile(r"\(byte (\d+)\)")


def decoded(path: Path, type_: type[T], remedy: str) -> T:
    """What a file holds.

    Raises:
        FormatError: naming the line where it is no JSON, or the field that is not as it should be.
    """
    text = text_of(path)
    try:
        return msgspec.json.decode(text, type=type_)
    except msgspec.ValidationError as error:
        wrong, _, at = str(error).partition(" - at `")
        field = at.rstrip("`").removeprefix("$").removeprefix(".") or None
        raise FormatError(path, field, wrong[:1].lower() + wrong[1:], remedy) from None
    except msgspec.DecodeError as error:
        found = _BYTE.search(str(error))
        line = text.encode()[: int(found[1])].count(b"\n") + 1 if found else max(1, len(text.splitlines()))
        raise FormatError(path, line, "is no JSON here", "correct it with an editor that knows JSON") from None
    except RecursionError:
        raise FormatError(path, None, "is nested too deeply", remedy) from None
