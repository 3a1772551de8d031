"""`/ws/warehouse/sightings`: what readers and scales see, and what becomes of it, as it happens."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast, get_args

import msgspec
from fastapi import APIRouter, WebSocket
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.inventory.sightings.models import TagSighting, Weight
from cloud_api.inventory.sightings.portals.models import Passage
from cloud_api.inventory.sightings.portals.queries import visible_passages
from cloud_api.inventory.sightings.queries import visible_sightings
from cloud_api.inventory.sightings.telling import Kind, sightings_topic
from cloud_api.inventory.sightings.weighing.models import WeightUse
from cloud_api.kernel.db import Database
from cloud_api.kernel.errors import Invalid
from cloud_api.kernel.permissions import Principal, watcher
from cloud_api.kernel.tenancy import OrganizationScope
from cloud_api.places import service as places
from cloud_api.places.queries import Visible
from cloud_api.realtime.feeds import Pace, Picture
from cloud_api.realtime.sockets import follow

live = APIRouter()

_PACE = Pace(gather_s=0.1)
#: as many as a screen shows
_NEWEST = 50
#: who may read the list of the same name
_NEEDED: Mapping[Kind, str] = {"passages": "stock:read", "tags": "telemetry:read", "weights": "telemetry:read"}


class LivePassage(msgspec.Struct, frozen=True, gc=False):
    """A tag that passed a reader."""

    id: uuid.UUID
    reader_id: uuid.UUID
    location_id: uuid.UUID | None
    epc: str
    direction: str
    status: str
    action: str
    began_at: datetime
    ended_at: datetime


class LiveTag(msgspec.Struct, frozen=True, gc=False):
    """A tag that a reader saw."""

    id: uuid.UUID
    reader_id: uuid.UUID
    location_id: uuid.UUID | None
    epc: str
    direction: str
    seen_at: datetime


class LiveWeight(msgspec.Struct, frozen=True, gc=False):
    """What a scale showed standing still."""

    id: uuid.UUID
    scale_id: uuid.UUID
    location_id: uuid.UUID | None
    weight_g: int
    weighed_at: datetime
    #: what it was used for; None: nothing yet
    applied_as: str | None


@dataclass(frozen=True)
class SightingsView:
    """What was seen last in the places to be seen."""

    scope: OrganizationScope
    seen: Visible
    kind: Kind
    pace: Pace = _PACE

    async def look(self, db: AsyncSession) -> Picture:
        """The newest by their ids, newest first."""
        items = {str(one.id): msgspec.json.encode(one) for one in await self._newest(db)}
        return Picture(items, frozenset({sightings_topic(self.scope.organization_id, self.kind)}))

    async def _newest(self, db: AsyncSession) -> Sequence[LivePassage | LiveTag | LiveWeight]:
        if self.kind == "passages":
            return await _passages(db, self.seen)
        return await _tags(db, self.seen) if self.kind == "tags" else await _weights(db, self.seen)


async def _passages(db: AsyncSession, seen: Visible) -> Sequence[LivePassage]:
    its = select(Passage).where(visible_passages(seen), Passage.merged_into_id.is_(None))
    rows = await db.scalars(its.order_by(Passage.id.desc()).limit(_NEWEST))
    return [
        LivePassage(
            row.id,
            row.reader_id,
            row.location_id,
            row.epc,
            row.direction,
            row.status,
            row.action,
            row.began_at,
            row.ended_at,
        )
        for row in rows
    ]


async def _tags(db: AsyncSession, seen: Visible) -> Sequence[LiveTag]:
    its = select(TagSighting).where(visible_sightings(TagSighting, seen))
    rows = await db.scalars(its.order_by(TagSighting.id.desc()).limit(_NEWEST))
    return [LiveTag(row.id, row.reader_id, row.location_id, row.epc, row.direction, row.seen_at) for row in rows]


async def _weights(db: AsyncSession, seen: Visible) -> Sequence[LiveWeight]:
    its = (
        select(Weight, WeightUse.kind)
        .outerjoin(WeightUse, WeightUse.weight_id == Weight.id)
        .where(visible_sightings(Weight, seen))
    )
    rows = await db.execute(its.order_by(Weight.id.desc()).limit(_NEWEST))
    return [LiveWeight(row.id, row.scale_id, row.location_id, row.weight_g, row.weighed_at, kind) for row, kind in rows]


@live.websocket("/ws/warehouse/sightings")
async def follow_sightings(socket: WebSocket) -> None:
    """With `?kind=passages` tags that pass portals, with `tags` what readers see, with `weights` what scales show.

    The token is the second subprotocol, after `bearer`. What is sent, and how a refusal looks, `realtime.sockets` says.
    """

    async def entitle() -> tuple[Principal, SightingsView]:
        kind = _kind_of(socket.query_params.get("kind", ""))
        principal = await watcher(socket, _NEEDED[kind])
        database: Database = socket.app.state.database
        async with database.unit_of_work(principal.scope, read_only=True) as db:
            seen = await places.visible_to(db, principal)
        return principal, SightingsView(principal.scope, seen, kind)

    await follow(socket, entitle)


def _kind_of(text: str) -> Kind:
    if text not in get_args(Kind):
        raise Invalid("name what to watch as in ?kind=passages: passages, tags or weights", field="kind")
    return cast(Kind, text)
