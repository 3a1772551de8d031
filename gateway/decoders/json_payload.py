"""Reading JSON that somebody else wrote: what is not of the expected kind is told, never raised as anything else."""

import binascii

import msgspec

from gateway.decoders.decoded import DecodeError


def parse(payload: bytes) -> object:
    """Any JSON. Raises DecodeError when it is none."""
    try:
        return msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:  # the second for a key of an object
        raise DecodeError(f"not JSON: {error}") from None


def parse_object(payload: bytes) -> dict[str, object]:
    """A JSON object. Raises DecodeError when it is none."""
    message = parse(payload)
    if not isinstance(message, dict):
        raise DecodeError(f"a JSON object was expected, not {message!r:.60}")
    return message


def parse_objects(payload: bytes) -> list[dict[str, object]]:
    """A JSON object, or an array of them. Raises DecodeError when it is neither."""
    message = parse(payload)
    records: list[dict[str, object]] = []
    for record in message if isinstance(message, list) else [message]:
        if not isinstance(record, dict):
            raise DecodeError(f"a JSON object was expected, not {record!r:.60}")
        records.append(record)
    return records


def objects(raw: object) -> list[dict[str, object]]:
    """The objects of an array; nothing when it is no array."""
    return [item for item in raw if isinstance(item, dict)] if isinstance(raw, list) else []


def table(raw: object) -> dict[str, object]:
    """The object itself; an empty one when it is none."""
    return raw if isinstance(raw, dict) else {}


def number(raw: object) -> float | None:
    """A JSON number as a float; None for everything else, true and false included."""
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        return None
    try:
        return float(raw)
    except OverflowError:  # JSON has integers of any length
        return None


def whole(raw: object) -> int | None:
    """A whole number from 0 to 2^31-1; None for everything else."""
    return raw if isinstance(raw, int) and not isinstance(raw, bool) and 0 <= raw < 2**31 else None


def text(raw: object) -> str | None:
    """A text that is not empty; None for everything else."""
    return raw if isinstance(raw, str) and raw else None


def from_base64(raw: object, *, is_url_safe: bool = False) -> bytes:
    """The bytes behind base64, strict, its padding optional. Raises DecodeError when it is none."""
    if not isinstance(raw, str):
        raise DecodeError(f"base64 was expected, not {raw!r:.60}")
    padded = (raw.replace("-", "+").replace("_", "/") if is_url_safe else raw) + "=" * (-len(raw) % 4)
    try:
        return binascii.a2b_base64(padded, strict_mode=True)
    except ValueError as error:
        raise DecodeError(f"not base64: {error}") from None
