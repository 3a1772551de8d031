"""What proof operations need: the pictures' rows, in a unit of work that is over when their bytes are read."""

import hashlib
import uuid
from typing import Annotated, Literal

from fastapi import Depends, Request

from cloud_api.kernel.errors import NotFound
from cloud_api.kernel.permissions import CurrentPrincipal
from cloud_api.logistics.deliveries import service
from cloud_api.logistics.deliveries.schemas import ProofFileRead, ProofRead
from cloud_api.logistics.deliveries.visibility import visible_routes
from cloud_api.media.models import Media
from cloud_api.media.storage import Files

_PATH = "/api/v1/warehouse/deliveries"
Kind = Literal["photo", "signature"]


async def _known_proof(request: Request, principal: CurrentPrincipal, id: uuid.UUID) -> service.Pictures:
    async with request.app.state.database.unit_of_work(principal.scope, read_only=True) as db:
        seen = await visible_routes(db, principal, "deliveries:read")
        return await service.pictures_of(db, id, seen=seen)


KnownProof = Annotated[service.Pictures, Depends(_known_proof)]


async def _known_picture(pictures: KnownProof, kind: Kind) -> Media:
    picture = pictures.photo if kind == "photo" else pictures.signature
    if picture is None:
        raise NotFound(f"delivery {pictures.delivery.number} has no {kind}")
    return picture


KnownPicture = Annotated[Media, Depends(_known_picture)]


async def proof_read(files: Files, pictures: service.Pictures) -> ProofRead:
    """A proof, with its pictures' bytes read again."""
    delivery = pictures.delivery
    assert delivery.delivered_at is not None  # noqa: S101 - `pictures_of` refuses others
    return ProofRead(
        delivery_id=delivery.id,
        order_id=delivery.order_id,
        delivered_at=delivery.delivered_at,
        delivered_by=delivery.delivered_by,
        delivered_by_name=_name(pictures, delivery.delivered_by),
        recipient_name=delivery.recipient_name,
        latitude=delivery.latitude,
        longitude=delivery.longitude,
        cargo_temperature_c=delivery.cargo_temperature_c,
        cargo_temperature_source=delivery.cargo_temperature_source,
        otp_status=delivery.otp_status,
        otp_verified_at=delivery.otp_verified_at,
        otp_override_by=delivery.otp_override_by,
        otp_override_by_name=_name(pictures, delivery.otp_override_by),
        otp_override_reason=delivery.otp_override_reason,
        photo=await _file(files, pictures.photo, f"{_PATH}/{delivery.id}/proof/photo"),
        signature=await _file(files, pictures.signature, f"{_PATH}/{delivery.id}/proof/signature"),
    )


def _name(pictures: service.Pictures, user_id: uuid.UUID | None) -> str | None:
    return None if user_id is None else pictures.people[user_id]


async def _file(files: Files, media: Media | None, url: str) -> ProofFileRead | None:
    if media is None:
        return None
    return ProofFileRead(
        sha256=media.sha256,
        size_bytes=media.size_bytes,
        mime=media.mime,
        url=url,
        intact=await is_intact(files, media),
    )


async def is_intact(files: Files, media: Media) -> bool:
    """Whether the store still has the bytes that a hash is of."""
    try:
        content = await files.read(media.key)
    except NotFound:
        return False
    return hashlib.sha256(content).hexdigest() == media.sha256
