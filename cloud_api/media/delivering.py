"""Answers that carry a file's bytes: all of them, a range, or none because the caller has them."""

import re
from collections.abc import Mapping
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from cloud_api.media import service
from cloud_api.media.content import PICTURES
from cloud_api.media.errors import RangeUnsatisfiable
from cloud_api.media.models import Media
from cloud_api.media.pictures import Shape, shaped
from cloud_api.media.storage import Files

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
#: keep it, but ask each time whether it is still so and still allowed
REVALIDATED = "private, no-cache"


async def deliver(files: Files, media: Media, request: Request) -> Response:
    """A file's bytes as the request wants them (RFC 9110: `Range`, `If-Range`, `If-None-Match`).

    Raises:
        RangeUnsatisfiable: when none of the bytes asked for exist.
        NotFound: when the store has lost them.
    """
    etag = f'"{media.sha256}"'
    headers = {"ETag": etag, "Accept-Ranges": "bytes", "Cache-Control": REVALIDATED}
    if has_it(request, etag):
        return Response(status_code=304, headers=headers)
    headers["Content-Disposition"] = _disposition(media)
    span = _span(request.headers, media.size_bytes, etag)
    start, end = span or (0, media.size_bytes)
    headers["Content-Length"] = str(end - start)
    if span is not None:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{media.size_bytes}"
    pieces = await service.open_stream(files, media, start=start, end=None if span is None else end)
    return StreamingResponse(pieces, 200 if span is None else 206, headers=headers, media_type=media.mime)


async def deliver_shaped(files: Files, media: Media, shape: Shape, request: Request) -> Response:
    """A picture in a size and format, or that the caller has it (`If-None-Match`).

    Raises:
        NoPicture: when the file is none.
        NotFound: when the store has lost it.
    """
    etag = f'"{media.sha256}-{shape.name}"'
    headers = {"ETag": etag, "Cache-Control": REVALIDATED}
    if has_it(request, etag):
        return Response(status_code=304, headers=headers)
    return Response(await shaped(files, media, shape), media_type=shape.mime, headers=headers)


def has_it(request: Request, etag: str) -> bool:
    """Whether the caller says that it has what this tag names."""
    known = request.headers.get("if-none-match", "")
    return known.strip() == "*" or etag in [tag.strip().removeprefix("W/") for tag in known.split(",")]


def _span(headers: Mapping[str, str], size_bytes: int, etag: str) -> tuple[int, int] | None:
    """The bytes asked for, as (from, to), `to` exclusive; None: all. Several ranges at once are answered with all."""
    asked = _RANGE.fullmatch(headers.get("range", "").strip())
    if asked is None or asked.group() == "bytes=-" or headers.get("if-range", etag) != etag:
        return None
    first, last = asked.groups()
    if not first:
        start, end = max(0, size_bytes - int(last)), size_bytes
    else:
        start, end = int(first), min(int(last) + 1 if last else size_bytes, size_bytes)
        if last and int(last) < start:
            return None
    if start >= size_bytes or start >= end:
        raise RangeUnsatisfiable(size_bytes)
    return start, end


def _disposition(media: Media) -> str:
    """Pictures are shown, everything else is saved: nothing that people sent runs in our name."""
    how = "inline" if media.mime in PICTURES else "attachment"
    name = media.name or media.sha256[:16]
    return f"{how}; filename*=UTF-8''{quote(name, safe='')}"
