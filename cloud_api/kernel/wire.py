"""Bodies that machines send: msgspec types, gzip and zstd allowed, never larger than they may be.

Their schemas stand in the OpenAPI document beside those of people's bodies.
"""

import io
import re
import zlib
from collections.abc import Sequence
from types import UnionType
from typing import Any, TypeVar, get_args

import msgspec
import zstandard
from fastapi import Request, Response

from cloud_api.kernel.errors import AppError, Invalid

T = TypeVar("T")

MAX_BODY_BYTES = 1_000_000
MAX_UNPACKED_BYTES = 8_000_000
#: what unpacking may look back on: an ordinary packer stays far below, a hostile one could name gigabytes
_MAX_WINDOW_BYTES = 8 * 2**20
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
    match encoding:
        case "identity":
            return bytes(body)
        case "gzip":
            return _gunzip(bytes(body))
        case "zstd":
            return _unzstd(bytes(body))
    raise Invalid(f"Content-Encoding {encoding!r} is not understood: send gzip, zstd or none", field="Content-Encoding")


def _gunzip(body: bytes) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)
    try:
        unpacked = unpacker.decompress(body, MAX_UNPACKED_BYTES)
    except zlib.error as error:
        raise Invalid(f"the body is not gzip: {error}", field="body") from None
    if unpacker.unconsumed_tail:
        raise _unpacks_too_large()
    if not unpacker.eof:
        raise Invalid("the gzip body ends too early: send it again", field="body")
    if unpacker.unused_data:
        raise Invalid("more follows the gzip body: send one gzip member", field="body")
    return unpacked


def _unzstd(body: bytes) -> bytes:
    """As gzip. A frame need not say how large it is; so it is read up to the limit before it is believed."""
    unpacker = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW_BYTES)
    try:
        with unpacker.stream_reader(io.BytesIO(body), read_across_frames=False) as reader:
            if len(reader.read(MAX_UNPACKED_BYTES + 1)) > MAX_UNPACKED_BYTES:
                raise _unpacks_too_large()
        frame = unpacker.decompressobj()
        unpacked = frame.decompress(body)
    except zstandard.ZstdError as error:
        raise Invalid(f"the body is not zstd: {error}", field="body") from None
    if not frame.eof:
        raise Invalid("the zstd body ends too early: send it again", field="body")
    if frame.unused_data:
        raise Invalid("more follows the zstd body: send one frame", field="body")
    return unpacked


def _unpacks_too_large() -> TooLarge:
    return TooLarge(f"a body may unpack to at most {MAX_UNPACKED_BYTES} bytes: send fewer rows at a time")


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


def documented(*, body: type | UnionType | None = None, answer: type | UnionType) -> dict[str, Any]:
    """Route options that put a machine's body and answer, or each of several, into the OpenAPI document."""
    data = _schema(answer)
    envelope = {
        "type": "object",
        "required": ["success", "data"],
        "properties": {"success": {"const": True}, "data": data},
    }
    extra: dict[str, Any] = {
        "responses": {"200": {"description": "Done", "content": {"application/json": {"schema": envelope}}}}
    }
    if body is not None:
        extra["requestBody"] = {"required": True, "content": {"application/json": {"schema": _schema(body)}}}
    return {"openapi_extra": extra, "response_model": None, "response_class": Response}


def _schema(kind: type | UnionType) -> dict[str, Any]:
    kinds = get_args(kind) or (kind,)
    _documented.extend(kinds)
    named = [{"$ref": _REFERENCES.format(name=one.__name__)} for one in kinds]
    return named[0] if len(named) == 1 else {"anyOf": named}


def schemas(kinds: Sequence[type] | None = None) -> dict[str, Any]:
    """JSON schemas of the documented types, by name."""
    _, components = msgspec.json.schema_components(kinds or _documented, ref_template=_REFERENCES)
    return components
