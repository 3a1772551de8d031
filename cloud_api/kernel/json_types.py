"""What a request says in JSON is taken as it is said: no `false` for 0, no `"7"` for 7, no 0 for the year 1970.

The document promises each field's JSON type; pydantic by itself takes more. Its strict mode would take less than JSON
can say, which has no word for ids, dates and decimals: so the types are made strict one by one.
"""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, SecretStr, WithJsonSchema
from pydantic_core import CoreSchema, core_schema

_A_NUMBER = re.compile(r"\s*[+-]?[0-9.]+\s*")


def as_said(schema: CoreSchema) -> CoreSchema:
    """The schema with numbers and truth values strict, and with moments and ids that are written as strings."""
    made: CoreSchema = _strict(schema)
    return made


def _strict(node: Any) -> Any:
    if isinstance(node, list | tuple):
        return type(node)(_strict(inner) for inner in node)
    if not isinstance(node, dict):
        return node
    made = {key: inner if key in {"metadata", "serialization"} else _strict(inner) for key, inner in node.items()}
    match made.get("type"):  # of a mapping of fields it is a field, and no word
        case "int" | "float" | "bool":
            return {**made, "strict": True}
        case "datetime" | "date" | "time" | "timedelta" | "uuid":
            return core_schema.no_info_before_validator_function(_written, made)
        case "decimal":
            return core_schema.no_info_before_validator_function(_no_truth, made)
    return made


def _written(value: object) -> object:
    """A number would be taken for seconds since 1970."""
    if isinstance(value, bool | int | float) or (isinstance(value, str) and _A_NUMBER.fullmatch(value)):
        raise ValueError("must be written as a string in ISO 8601 or as a UUID, not as a number")
    return value


def _no_truth(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("must be a number")
    return value


def storable(value: object) -> object:
    """`value`, if every database can keep it, whatever is within it.

    Raises:
        ValueError: for the character NUL, for halves of characters, for numbers that are not finite, and for instants
            that no calendar has in UTC.
    """
    match value:
        case str():
            _check_text(value)
        case SecretStr():
            _check_text(value.get_secret_value())
        case float() if not math.isfinite(value):
            raise ValueError("must be a finite number")
        case datetime():
            in_utc(value)
        case Mapping():
            storable([*value.keys(), *value.values()])
        case list() | tuple() | set():
            for inner in value:
                storable(inner)
    return value


def _check_text(text: str) -> None:
    """PostgreSQL keeps every character but NUL; a lone surrogate can stand in JSON, and in no encoding."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("must not contain half a character") from None
    if "\0" in text:
        raise ValueError("must not contain the character NUL")


def in_utc(instant: datetime) -> datetime:
    """`instant`, if it has a place in UTC.

    Raises:
        ValueError: when it is before the year 1 or after 9999 there.
    """
    try:
        instant.astimezone(UTC)
    except (OverflowError, ValueError):
        raise ValueError("must be an instant between the years 1 and 9999, in UTC too") from None
    return instant


#: an instant in a query, with its zone
Instant = Annotated[AwareDatetime, AfterValidator(in_utc)]


def _local(at: time) -> time:
    if at.tzinfo is not None:
        raise ValueError("must be a local time, without a zone")
    return at


#: a time of the day where it happens; JSON Schema's own `time` has a zone
LocalTime = Annotated[
    time,
    AfterValidator(_local),
    WithJsonSchema({"type": "string", "pattern": r"^\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?$", "examples": ["07:30:00"]}),
]
