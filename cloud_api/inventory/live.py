"""`/ws/inventory/stock`: what lies in a place as it changes, or what is booked anywhere."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime

import msgspec
from fastapi import APIRouter, WebSocket
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.inventory.ledger.models import Lot, StockLevel, StockMovement
from cloud_api.kernel.db import Database
from cloud_api.kernel.permissions import Principal, watcher
from cloud_api.kernel.tenancy import OrganizationScope
from cloud_api.places import service as places
from cloud_api.places.queries import Visible
from cloud_api.realtime.feeds import Pace, Picture
from cloud_api.realtime.hub import topic_of
from cloud_api.realtime.sockets import follow, id_of

live = APIRouter()

#: that something was promised is announced by nobody
_PACE = Pace(gather_s=0.05, look_every_s=5.0)
#: of the ledger, as many as a screen shows
_NEWEST = 100


class LiveLevel(msgspec.Struct, frozen=True, gc=False):
    """What lies of a lot in a place; quantities in the product's unit, as text."""

    id: uuid.UUID
    product_id: uuid.UUID
    lot_id: uuid.UUID
    lot_number: str
    location_id: uuid.UUID
    on_hand: str
    reserved: str
    status: str
    #: the last day on which it may be sold from here
    keeps_until: date | None


class LiveMovement(msgspec.Struct, frozen=True, gc=False):
    """An entry of the ledger."""

    id: uuid.UUID
    number: str
    movement_type: str
    product_id: uuid.UUID
    lot_id: uuid.UUID
    location_id: uuid.UUID
    quantity: str
    reference: str
    recorded_at: datetime


@dataclass(frozen=True)
class LevelsView:
    """What lies in one place and in everything inside it. Who sees the place sees it all."""

    scope: OrganizationScope
    location_id: uuid.UUID
    pace: Pace = _PACE

    async def look(self, db: AsyncSession) -> Picture:
        """Each level that is not empty, by its id."""
        inside = await places.within(db, self.location_id)
        rows = await db.execute(
            select(StockLevel, Lot.lot_number, Lot.expires_on)
            .join(Lot, Lot.id == StockLevel.lot_id)
            .where(StockLevel.location_id.in_(inside), StockLevel.on_hand > 0)
            .order_by(StockLevel.id)
        )
        items = {
            str(level.id): msgspec.json.encode(
                LiveLevel(
                    level.id,
                    level.product_id,
                    level.lot_id,
                    lot_number,
                    level.location_id,
                    str(level.on_hand),
                    str(level.reserved),
                    level.status,
                    level.keeps_until or expires_on,
                )
            )
            for level, lot_number, expires_on in rows
        }
        organization_id = self.scope.organization_id
        return Picture(items, frozenset(topic_of("stock", organization_id, place) for place in inside))


@dataclass(frozen=True)
class MovementsView:
    """What was booked last in the places to be seen."""

    scope: OrganizationScope
    seen: Visible
    pace: Pace = _PACE

    async def look(self, db: AsyncSession) -> Picture:
        """The newest entries of the ledger, by their ids, newest first."""
        newest = (
            select(StockMovement)
            .where(self.seen.locations(StockMovement.location_id))
            .order_by(StockMovement.id.desc())
            .limit(_NEWEST)
        )
        items = {
            str(entry.id): msgspec.json.encode(
                LiveMovement(
                    entry.id,
                    entry.number,
                    entry.movement_type,
                    entry.product_id,
                    entry.lot_id,
                    entry.location_id,
                    str(entry.quantity),
                    entry.reference,
                    entry.recorded_at,
                )
            )
            for entry in await db.scalars(newest)
        }
        organization_id = self.scope.organization_id
        return Picture(items, frozenset({topic_of("stock", organization_id, organization_id)}))


@live.websocket("/ws/inventory/stock")
async def follow_stock(socket: WebSocket) -> None:
    """With `?location_id=` what lies there and in everything inside it, as it changes; else the newest bookings.

    The token is the second subprotocol, after `bearer`. What is sent, and how a refusal looks, `realtime.sockets` says.
    """

    async def entitle() -> tuple[Principal, LevelsView | MovementsView]:
        principal = await watcher(socket, "stock:read")
        database: Database = socket.app.state.database
        async with database.unit_of_work(principal.scope, read_only=True) as db:
            seen = await places.visible_to(db, principal)
            named = socket.query_params.get("location_id")
            if named is None:
                return principal, MovementsView(principal.scope, seen)
            place = await places.get_location(
                db, id_of(named, what="a place", example="?location_id=0198...", field="location_id"), seen=seen
            )
        return principal, LevelsView(principal.scope, place.id)

    await follow(socket, entitle)
