"""People, as they travel over HTTP."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr

Username = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")]
FullName = Annotated[str, Field(min_length=1, max_length=120)]
#: E.164, or empty
Phone = Annotated[str, Field(pattern=r"^(\+[1-9][0-9]{6,14})?$", description="E.164: +919812345678; or empty")]


def _as_typed(value: object) -> object:
    """A password keeps its blanks at both ends, which other texts lose."""
    return SecretStr(value) if isinstance(value, str) else value


Password = Annotated[SecretStr, Field(min_length=1, max_length=256), BeforeValidator(_as_typed)]
Locale = Annotated[str, Field(min_length=2, max_length=35, pattern=r"^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$")]
Theme = Literal["light", "dark", "system"]
