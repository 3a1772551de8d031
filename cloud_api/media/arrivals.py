"""What routes ask for to have a request's bytes in the store before their unit of work begins."""

import hashlib
import re
import uuid
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Depends, Header, Path, Query, Request

from cloud_api.kernel import wire
from cloud_api.kernel.permissions import CurrentPrincipal
from cloud_api.kernel.settings import Settings
from cloud_api.kernel.unit_of_work import pass_gates
from cloud_api.media import uploads
from cloud_api.media.content import KINDS, PICTURES, Looks, check_name
from cloud_api.media.errors import BrokenUpload, FileRefused
from cloud_api.media.landing import Incoming, Landed, arriving, check_hash, in_one_piece, landing, stored
from cloud_api.media.schemas import FileName, UploadComplete
from cloud_api.media.storage import Files

_MEGABYTE = 1_000_000
#: what a photo's first bytes must be
_SIGNATURES = {"image/jpeg": b"\xff\xd8\xff", "image/png": b"\x89PNG\r\n\x1a\n"}
_BYTES = {"schema": {"type": "string", "format": "binary"}}
#: what an operation that takes a photo says of its body, for the OpenAPI document
PHOTO_BODY: dict[str, Any] = {"requestBody": {"required": True, "content": dict.fromkeys(_SIGNATURES, _BYTES)}}
FILE_BODY: dict[str, Any] = {"requestBody": {"required": True, "content": dict.fromkeys(KINDS, _BYTES)}}
#: what an operation that takes a picture as a camera writes it says of its body; it `@takes_up_to` so many bytes
PICTURE_BODY: dict[str, Any] = {"requestBody": {"required": True, "content": dict.fromkeys(PICTURES, _BYTES)}}
MOST_PICTURE_BYTES = 25 * _MEGABYTE
PART_BODY: dict[str, Any] = {"requestBody": {"required": True, "content": {"application/octet-stream": _BYTES}}}
PHOTO_HASH_HEADER = "X-Content-SHA256"


def check_photo(content: bytes, mime: str) -> None:
    """Whether bytes begin as a photo does.

    Raises:
        BrokenUpload: when they do not.
    """
    if mime not in _SIGNATURES or not content.startswith(_SIGNATURES[mime]):
        raise BrokenUpload("send a photo as image/jpeg or image/png", field="Content-Type")


async def _photo(
    request: Request,
    principal: CurrentPrincipal,
    declared: Annotated[str | None, Header(alias=PHOTO_HASH_HEADER, include_in_schema=False)] = None,
) -> AsyncIterator[Landed]:
    """A small photo, whose hash may be declared."""
    await pass_gates(request, principal)
    content = await wire.read_body(request)
    mime = request.headers.get("content-type", "")
    check_hash(hashlib.sha256(content).hexdigest(), declared)
    check_photo(content, mime)
    _say_what_came(request, hashlib.sha256(content).hexdigest())
    settings, organization_id = _settings(request), principal.organization_id
    async with (
        arriving(in_one_piece(content), folder=settings.media_folder, at_most_bytes=len(content)) as incoming,
        stored(Files.of(settings), incoming, organization_id=organization_id, looks=Looks(mime)) as landed,
    ):
        yield landed


async def _file(
    request: Request,
    principal: CurrentPrincipal,
    name: Annotated[FileName, Query()],
    declared: Annotated[str | None, Header(alias=PHOTO_HASH_HEADER)] = None,
) -> AsyncIterator[Landed]:
    """A file in one request."""
    await pass_gates(request, principal)
    settings, mime = _settings(request), request.headers.get("content-type", "")
    check_name(name, mime)
    async with arriving(
        request.stream(), folder=settings.media_folder, at_most_bytes=settings.media_max_mb * _MEGABYTE
    ) as incoming:
        _say_what_came(request, incoming.sha256)
        async with landing(
            Files.of(settings), incoming, organization_id=principal.organization_id, mime=mime, sha256=declared
        ) as landed:
            yield landed


async def _picture(
    request: Request,
    principal: CurrentPrincipal,
    declared: Annotated[str | None, Header(alias=PHOTO_HASH_HEADER)] = None,
) -> AsyncIterator[Landed]:
    """A picture, as large as cameras write them."""
    await pass_gates(request, principal)
    settings, mime = _settings(request), request.headers.get("content-type", "")
    if mime not in PICTURES:
        raise FileRefused(
            f"send a picture as {', '.join(PICTURES)}: this is {mime or 'nothing'!r}", field="Content-Type"
        )
    at_most_bytes = min(settings.media_max_mb * _MEGABYTE, MOST_PICTURE_BYTES)
    async with arriving(request.stream(), folder=settings.media_folder, at_most_bytes=at_most_bytes) as incoming:
        _say_what_came(request, incoming.sha256)
        async with landing(
            Files.of(settings), incoming, organization_id=principal.organization_id, mime=mime, sha256=declared
        ) as landed:
            yield landed


#: looked at after the upload: of an upload that is not there no part is
PartNumber = Annotated[str, Path(max_length=40, json_schema_extra={"pattern": "^[0-9]{1,6}$"})]
_NUMBER = re.compile(r"[0-9]{1,6}")


class ArrivedPart:
    """One part, in the store."""

    def __init__(self, number: int, incoming: Incoming, key: str) -> None:
        self.number = number
        self.incoming = incoming
        self.key = key
        #: a row of this unit of work speaks of it
        self.used = False


async def _part(
    request: Request, principal: CurrentPrincipal, id: uuid.UUID, part_number: PartNumber
) -> AsyncIterator[ArrivedPart]:
    """One part of an upload; refused before it is stored when it cannot be one."""
    await pass_gates(request, principal)
    settings = _settings(request)
    files = Files.of(settings)
    async with request.app.state.database.unit_of_work(principal.scope, read_only=True) as db:
        upload = await uploads.get_upload(db, id)
    number = int(part_number) if _NUMBER.fullmatch(part_number) else 0
    uploads.check_part(upload, number)
    async with arriving(request.stream(), folder=settings.media_folder, at_most_bytes=uploads.PART_BYTES) as incoming:
        _say_what_came(request, incoming.sha256)
        uploads.check_part(upload, number, size_bytes=incoming.size_bytes)
        arrived = ArrivedPart(number, incoming, uploads.key_of_part(upload, number))
        await files.put(arrived.key, incoming.path)
        try:
            yield arrived
        finally:
            if not arrived.used:
                await files.remove(arrived.key)


async def _joined(
    request: Request, principal: CurrentPrincipal, id: uuid.UUID, body: UploadComplete
) -> AsyncIterator[Landed | None]:
    """All parts of an upload, put together; None when that was done before."""
    await pass_gates(request, principal)
    settings = _settings(request)
    files = Files.of(settings)
    async with request.app.state.database.unit_of_work(principal.scope, read_only=True) as db:
        upload, parts = await uploads.parts_to_join(db, id)
    if upload.media_id is not None:
        yield None
        return
    async with (
        arriving(
            uploads.joined(files, parts), folder=settings.media_folder, at_most_bytes=upload.size_bytes
        ) as incoming,
        landing(
            files, incoming, organization_id=principal.organization_id, mime=upload.mime, sha256=body.sha256
        ) as landed,
    ):
        yield landed


def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


def _say_what_came(request: Request, sha256: str) -> None:
    """For whoever compares this request with an earlier one: the body has gone by."""
    request.state.body_sha256 = sha256


ArrivedPhoto = Annotated[Landed, Depends(_photo, scope="function")]
ArrivedPicture = Annotated[Landed, Depends(_picture, scope="function")]
ArrivedFile = Annotated[Landed, Depends(_file, scope="function")]
Part = Annotated[ArrivedPart, Depends(_part, scope="function")]
JoinedFile = Annotated[Landed | None, Depends(_joined, scope="function")]
