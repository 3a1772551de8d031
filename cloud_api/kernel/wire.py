"""Bodies that machines send: msgspec types, gzip allowed, never larger than they may be.

Their schemas stand in the OpenAPI document beside those of people's bodies.
"""

import re
import zlib
from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec
from fastapi import Request, Response

from cloud_api.kernel.errors import AppError, Invalid

T = TypeVar("T")

MAX_BODY_BYTES = 1_000_000
MAX_UNPACKED_BYTES = 8_000_000
_AT_PATH = re.compile(r"^(?P<message>.*?) - at `\$\.?(?P<field>[^`]*)`$")
_REFERENCES = "#/components/schemas/{name}"

_documented: list[type] = []


class TooLarge(AppError):
    """Send less at a time."""

    status, code = 413, "TOO_LARGE"


async def read_body(request: Request) -> bytes:
    """The request's body, unpacked.

    Raises:
        TooLarge: when it is larger than allowed, packed or unpacked.
        Invalid: when it is not what `Content-Encoding` says.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise TooLarge(f"a body may have at most {MAX_BODY_BYTES} bytes: send fewer rows at a time")
    encoding = request.headers.get("content-encoding", "identity").lower()
    if encoding == "identity":
        return bytes(body)
    if encoding != "gzip":
        raise Invalid(f"Content-Encoding {encoding!r} is not understood: send gzip or none", field="Content-Encoding")
    unpacker = zlib.decompressobj(wbits=31)
    try:
        unpacked = unpacker.decompress(bytes(body), MAX_UNPACKED_BYTES)
    except zlib.error as error:
        raise Invalid(f"the body is not gzip: {error}", field="body") from None
    if unpacker.unconsumed_tail:
        raise TooLarge(f"a body may unpack to at most {MAX_UNPACKED_BYTES} bytes: send fewer rows at a time")
    if not unpacker.eof:
        raise Invalid("the gzip body ends too early: send it again", field="body")
    if unpacker.unused_data:
        raise Invalid("more follows the gzip body: send one gzip member", field="body")
    return unpacked


def decode(body: bytes, kind: type[T]) -> T:
    """`body` as `kind`.

    Raises:
        Invalid: naming the field.
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        field, message = explain(error)
        raise Invalid(f"{field}: {message}", field=field) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid(f"the body is not JSON: {error}", field="body") from None


def explain(error: msgspec.ValidationError) -> tuple[str, str]:
    """(field, message) of a msgspec error."""
    match = _AT_PATH.match(str(error))
    return (match["field"], match["message"]) if match else ("body", str(error))


def answer(data: msgspec.Struct) -> Response:
    """`data` in the success envelope."""
    return Response(msgspec.json.encode({"success": True, "data": data}), media_type="application/json")


def documented(*, body: type | None = None, answer: type) -> dict[str, Any]:
    """Route options that put a machine's body and answer into the OpenAPI document."""
    _documented.extend(kind for kind in (body, answer) if kind is not None)
    envelope = {
        "type": "object",
        "required": ["success", "data"],
        "properties": {"success": {"const": True}, "data": {"$ref": _REFERENCES.format(name=answer.__name__)}},
    }
    extra: dict[str, Any] = {
        "responses": {"200": {"description": "Done", "content": {"application/json": {"schema": envelope}}}}
    }
    if body is not None:
        schema = {"$ref": _REFERENCES.format(name=body.__name__)}
        extra["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return {"openapi_extra": extra, "response_model": None, "response_class": Response}


def schemas(kinds: Sequence[type] | None = None) -> dict[str, Any]:
    """JSON schemas of the documented types, by name."""
    _, components = msgspec.json.schema_components(kinds or _documented, ref_template=_REFERENCES)
    return components
