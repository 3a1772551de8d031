"""Whether levels, promises and undoings are what the ledger says: read in streams, for ledgers larger than memory."""

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass

from sqlalchemy import BigInteger, func, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from cloud_api.inventory.ledger.models import Lot, StockLevel, StockMovement, StockReservation
from cloud_api.kernel.quantity import from_thousandths
from cloud_api.places.models import Location

_AT_ONCE = 2000


@dataclass(frozen=True)
class Difference:
    """Two numbers that ought to be one."""

    organization_id: uuid.UUID
    #: which numbers, and of what
    what: str
    #: as it is kept, and as the ledger has it
    kept: str
    booked: str

    def __str__(self) -> str:
        return f"organisation {self.organization_id}: {self.what}: {self.kept}, the ledger says {self.booked}"


async def check(db: AsyncSession) -> AsyncIterator[Difference]:
    """Every difference, of the session's organisation or of all of them."""
    async for found in _levels(db):
        yield found
    async for found in _promises(db):
        yield found
    async for found in _undoings(db):
        yield found
    async for found in _transfers(db):
        yield found


async def _levels(db: AsyncSession) -> AsyncIterator[Difference]:
    """On hand and weight: of each lot in each place, the level against the sum of its movements."""
    booked = (
        select(
            StockMovement.organization_id,
            StockMovement.lot_id,
            StockMovement.location_id,
            func.sum(type_coerce(StockMovement.quantity, BigInteger)).label("quantity"),
            func.sum(func.coalesce(StockMovement.weight_g, 0)).label("weight_g"),
        )
        .group_by(StockMovement.organization_id, StockMovement.lot_id, StockMovement.location_id)
        .subquery()
    )
    on_hand = func.coalesce(type_coerce(StockLevel.on_hand, BigInteger), 0)
    weight_g = func.coalesce(StockLevel.weight_g, 0)
    quantity = func.coalesce(booked.c.quantity, 0)
    grams = func.coalesce(booked.c.weight_g, 0)
    lot_id = func.coalesce(StockLevel.lot_id, booked.c.lot_id)
    location_id = func.coalesce(StockLevel.location_id, booked.c.location_id)
    organization_id = func.coalesce(StockLevel.organization_id, booked.c.organization_id)
    rows = await db.stream(
        select(organization_id, Lot.lot_number, Location.code, on_hand, quantity, weight_g, grams)
        .select_from(StockLevel)
        .join(
            booked,
            (booked.c.lot_id == StockLevel.lot_id) & (booked.c.location_id == StockLevel.location_id),
            full=True,
        )
        .join(Lot, Lot.id == lot_id)
        .join(Location, Location.id == location_id)
        .where((on_hand != quantity) | (weight_g != grams))
        .order_by(lot_id, location_id)
        .execution_options(yield_per=_AT_ONCE)
    )
    async for owner, lot_number, code, kept, summed, kept_g, summed_g in rows:
        if kept != summed:
            what = f"lot {lot_number} in {code}"
            yield Difference(owner, what, f"the level says {_amount(kept)} on hand", _amount(summed))
        if kept_g != summed_g:
            what = f"lot {lot_number} in {code}"
            yield Difference(owner, what, f"the level says {kept_g} g", f"{summed_g} g")


async def _promises(db: AsyncSession) -> AsyncIterator[Difference]:
    """Reserved: of each level, against the sum of what is promised of it."""
    promised = (
        select(
            StockReservation.stock_level_id,
            func.sum(type_coerce(StockReservation.quantity, BigInteger)).label("quantity"),
        )
        .where(StockReservation.status == "active")
        .group_by(StockReservation.stock_level_id)
        .subquery()
    )
    reserved, quantity = type_coerce(StockLevel.reserved, BigInteger), func.coalesce(promised.c.quantity, 0)
    rows = await db.stream(
        select(StockLevel.organization_id, Lot.lot_number, Location.code, reserved, quantity)
        .join(Lot, Lot.id == StockLevel.lot_id)
        .join(Location, Location.id == StockLevel.location_id)
        .outerjoin(promised, promised.c.stock_level_id == StockLevel.id)
        .where(reserved != quantity)
        .order_by(StockLevel.id)
        .execution_options(yield_per=_AT_ONCE)
    )
    async for owner, lot_number, code, kept, summed in rows:
        what = f"lot {lot_number} in {code}"
        yield Difference(owner, what, f"the level says {_amount(kept)} reserved", f"{_amount(summed)} are promised")


async def _undoings(db: AsyncSession) -> AsyncIterator[Difference]:
    """An entry and the one that undoes it cancel each other out."""
    undone = aliased(StockMovement)
    rows = await db.stream(
        select(StockMovement, undone)
        .join(undone, undone.id == StockMovement.reverses_id)
        .where(
            (StockMovement.quantity + undone.quantity != 0)
            | (func.coalesce(StockMovement.weight_g, 0) + func.coalesce(undone.weight_g, 0) != 0)
            | (StockMovement.lot_id != undone.lot_id)
            | (StockMovement.location_id != undone.location_id)
        )
        .order_by(StockMovement.id)
        .execution_options(yield_per=_AT_ONCE)
    )
    async for undoing, entry in rows:
        what = f"{undoing.number} undoes {entry.number} and does not cancel it"
        yield Difference(undoing.organization_id, what, str(undoing.quantity), str(entry.quantity))


async def _transfers(db: AsyncSession) -> AsyncIterator[Difference]:
    """What was carried from place to place in one group neither grows nor shrinks, lot by lot."""
    quantity = func.sum(type_coerce(StockMovement.quantity, BigInteger))
    grams = func.sum(func.coalesce(StockMovement.weight_g, 0))
    rows = await db.stream(
        select(StockMovement.organization_id, StockMovement.group_id, Lot.lot_number, quantity, grams)
        .join(Lot, Lot.id == StockMovement.lot_id)
        .where(StockMovement.movement_type == "transfer", StockMovement.group_id.is_not(None))
        .group_by(StockMovement.organization_id, StockMovement.group_id, StockMovement.lot_id, Lot.lot_number)
        .having((quantity != 0) | (grams != 0))
        .order_by(StockMovement.group_id, StockMovement.lot_id)
        .execution_options(yield_per=_AT_ONCE)
    )
    async for owner, group_id, lot_number, more, heavier in rows:
        what = f"transfer {group_id} of lot {lot_number}"
        yield Difference(owner, what, "its ends cancel out", f"{_amount(more)} and {heavier} g more arrived than left")


def _amount(thousandths: int) -> str:
    return str(from_thousandths(thousandths))
