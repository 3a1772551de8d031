"""`/api/v1/media/uploads`: large files in parts, over lines that break."""

import uuid

from fastapi import APIRouter, Request
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel.body_limit import takes_up_to
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.media import uploads
from cloud_api.media.arrivals import PART_BODY, JoinedFile, Part, PartNumber
from cloud_api.media.models import Media, MediaPart, MediaUpload
from cloud_api.media.schemas import MediaRead, PartRead, UploadBegin, UploadRead

router = APIRouter(prefix="/media/uploads", tags=["media"], route_class=ApiRoute)

_MEGABYTE = 1_000_000


@router.post("", response_model=UploadRead, status_code=201, dependencies=[require("media:write")])
async def begin_upload(request: Request, db: Db, principal: CurrentPrincipal, body: UploadBegin) -> UploadRead:
    """Announce a file; the answer says how many parts of which size to send."""
    at_most_bytes = request.app.state.settings.media_parts_max_mb * _MEGABYTE
    return await _read(db, await uploads.begin_upload(db, new=body, by=principal.id, at_most_bytes=at_most_bytes))


@router.get("/{id}", response_model=UploadRead, dependencies=[require("media:write")])
async def get_upload(db: Db, id: uuid.UUID) -> UploadRead:
    """Which parts are there: whoever was interrupted sends the others."""
    return await _read(db, await uploads.get_upload(db, id))


@router.put(
    "/{id}/parts/{part_number}",
    response_model=PartRead,
    dependencies=[require("media:write")],
    openapi_extra=PART_BODY,
)
@takes_up_to(uploads.PART_BYTES)
async def upload_part(part: Part, db: Db, id: uuid.UUID, part_number: PartNumber) -> MediaPart:
    """The bytes of one part as the body. A part that is sent again replaces what was there."""
    kept = await uploads.add_part(db, id, number=part.number, incoming=part.incoming, key=part.key)
    part.used = True
    return kept


@router.post("/{id}/complete", response_model=MediaRead, dependencies=[require("media:write")])
async def complete_upload(joined: JoinedFile, db: Db, principal: CurrentPrincipal, id: uuid.UUID) -> Media:
    """Put the parts together, when the whole has the SHA-256 that its sender says."""
    return await uploads.complete(db, id, landed=joined, by=principal.id)


async def _read(db: AsyncSession, upload: MediaUpload) -> UploadRead:
    there = [PartRead.model_validate(part) for part in await uploads.parts(db, upload)]
    known = {name: getattr(upload, name) for name in UploadRead.model_fields if name != "parts"}
    return UploadRead(**known, parts=there)
