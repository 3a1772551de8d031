"""What was picked of a promise, as it was weighed: the promise becomes exactly that."""

import uuid
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.inventory.errors import NotEnoughStock
from cloud_api.inventory.ledger.models import StockLevel, StockReservation
from cloud_api.inventory.sightings.weighing.errors import AlreadyPicked
from cloud_api.kernel.errors import NotFound
from cloud_api.places.queries import EVERYWHERE, Visible


class Promise(NamedTuple):
    """A promise and the level that it is of, both locked."""

    reservation: StockReservation
    level: StockLevel


async def lock_promise(db: AsyncSession, reservation_id: uuid.UUID, *, seen: Visible = EVERYWHERE) -> Promise:
    """A promise that may still be picked; locked as whoever packs locks it.

    Raises:
        NotFound: when there is none to be seen.
        AlreadyPicked: when it stands packed, or is settled.
    """
    rows = await db.execute(
        select(StockReservation, StockLevel)
        .join(StockLevel, StockLevel.id == StockReservation.stock_level_id)
        .where(StockReservation.id == reservation_id, seen.locations(StockLevel.location_id))
        .with_for_update(of=(StockLevel, StockReservation))
        .execution_options(populate_existing=True)
    )
    found = rows.tuples().one_or_none()
    if found is None:
        raise NotFound(f"no reservation with id {reservation_id}", field="reservation_id")
    reservation, level = found
    if reservation.status != "active" or reservation.picked_at is not None:
        raise AlreadyPicked("it stands packed, or is not promised any more", field="reservation_id")
    return Promise(reservation, level)


async def pick_exactly(db: AsyncSession, promise: Promise, quantity: Decimal) -> None:
    """Promise exactly what was weighed, more or less than was promised before.

    Raises:
        NotEnoughStock: when that much is not free there.
    """
    more = quantity - promise.reservation.quantity
    if promise.level.on_hand < promise.level.reserved + more:
        free = promise.level.on_hand - promise.level.reserved
        raise NotEnoughStock(f"{quantity} were weighed, and beyond the promise only {free} are free there", field="id")
    promise.level.reserved += more
    promise.reservation.quantity = quantity
    await db.flush()
