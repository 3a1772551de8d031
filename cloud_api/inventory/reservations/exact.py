"""Promises made exact: what was really taken from which shelf, and what takes the place of what was not there.

Whoever calls more than one of these calls `service.lock_all` before the first, with every product that may be touched.
"""

import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.inventory.errors import NotEnoughStock, StockOnHold
from cloud_api.inventory.ledger.models import Lot, StockLevel, StockReservation
from cloud_api.inventory.reservations import queries
from cloud_api.inventory.reservations.promising import Request, Wish, reserve_request
from cloud_api.kernel import clock
from cloud_api.kernel.errors import NotFound
from cloud_api.kernel.ids import new_id

#: a promise, the level it is of, and the lot that lies there
Promise = tuple[StockReservation, StockLevel, Lot]


async def promises_to(db: AsyncSession, which: Collection[str] | ColumnElement[bool]) -> Sequence[Promise]:
    """Active promises, to these sources or such ones, their levels locked in key order."""
    wanted = which if isinstance(which, ColumnElement) else StockReservation.source.in_(which)
    rows = await db.execute(
        select(StockReservation, StockLevel, Lot)
        .join(StockLevel, StockLevel.id == StockReservation.stock_level_id)
        .join(Lot, Lot.id == StockLevel.lot_id)
        .where(wanted, StockReservation.status == "active")
        .order_by(StockLevel.id, StockReservation.id)
        .with_for_update(of=(StockLevel, StockReservation))
        .execution_options(populate_existing=True)
    )
    return [(reservation, level, lot) for reservation, level, lot in rows]


def last_day(level: StockLevel, lot: Lot) -> date:
    """The last day on which it may be sold from there; of what never expires, the last there is."""
    return level.keeps_until or lot.expires_on or date.max


async def adjust(db: AsyncSession, source: str, quantities: Mapping[uuid.UUID, Decimal]) -> None:
    """Promise of these levels exactly so much, more or less than before; of levels not named nothing changes.

    Args:
        quantities: level -> what is promised of it from now on; zero gives back all of it.

    Raises:
        NotFound: when nothing of a level is promised to the source.
        NotEnoughStock: when the lot has no more there that is free.
        StockOnHold: when more is to be promised of what may not leave.
    """
    rows = await promises_to(db, [source])
    for level_id, quantity in sorted(quantities.items()):
        its = [row for row in rows if row[1].id == level_id]
        if not its:
            raise NotFound(f"nothing of stock level {level_id} is promised to {source}", field="lot_id")
        _grow(its, quantity - sum(reservation.quantity for reservation, _, _ in its))
    await db.flush()


async def take(db: AsyncSession, source: str, *, level_id: uuid.UUID, quantity: Decimal) -> None:
    """So much of what is promised there stands picked; the rest stays promised. The promise grows when it was less.

    Raises:
        NotFound: when nothing that is not picked yet is promised to the source there.
        NotEnoughStock: when more was taken than is promised and free there.
        StockOnHold: when it may not leave.
    """
    rows = [row for row in await promises_to(db, [source]) if row[1].id == level_id and row[0].picked_at is None]
    if not rows:
        raise NotFound(f"nothing of stock level {level_id} is promised to {source}", field="lot_id")
    _refuse_held(rows[0])
    more = quantity - sum(reservation.quantity for reservation, _, _ in rows)
    if more > 0:
        _grow(rows, more)
    left = quantity
    for reservation, _, _ in rows:
        part = min(left, reservation.quantity)
        if part == 0:
            continue
        if part < reservation.quantity:
            db.add(_rest_of(reservation, reservation.quantity - part))
            reservation.quantity = part
        reservation.picked_at, reservation.expires_at = clock.now(), None
        left -= part
    await db.flush()


async def give_back(
    db: AsyncSession,
    source: str,
    quantity: Decimal,
    *,
    level_ids: Collection[uuid.UUID] | None = None,
    held_as_well: bool = False,
) -> Decimal:
    """Free so much of what is promised and not picked yet, the last to expire first.

    Args:
        level_ids: only of these; None: of any.
        held_as_well: before that what is picked and has gone on hold since.

    Returns:
        What was freed: less when there is no more.
    """
    rows = []
    for row in await promises_to(db, [source]):
        reservation, level, lot = row
        from_the_box = reservation.picked_at is not None
        if from_the_box and not (held_as_well and level.status == "on_hold"):
            continue
        if level_ids is None or level.id in level_ids:
            rows.append(((from_the_box, level.status == "on_hold", last_day(level, lot), level.id), row))
    left = quantity
    for _, row in sorted(rows, key=lambda one: one[0], reverse=True):
        part = min(left, row[0].quantity)
        if part > 0:
            _grow([row], -part)
            left -= part
    await db.flush()
    return quantity - left


async def reserve_what_there_is(
    db: AsyncSession,
    wish: Wish,
    *,
    location_ids: Collection[uuid.UUID],
    through: date,
    without: Collection[uuid.UUID] = (),
    whole: bool = False,
) -> Decimal:
    """Promise as much of a wish as these places have, first expired first. Returns how much that is.

    Args:
        through: the day through which it must keep.
        without: levels of which nothing is taken, whatever the books say.
        whole: only whole units.
    """
    levels = await db.scalars(
        select(StockLevel)
        .join(Lot, Lot.id == StockLevel.lot_id)
        .where(
            StockLevel.product_id == wish.product_id,
            StockLevel.location_id.in_(location_ids),
            StockLevel.id.not_in(without),
            StockLevel.status == "available",
            StockLevel.on_hand > StockLevel.reserved,
            queries.keeps_through(StockLevel, through),
        )
        .order_by(*queries.first_to_expire(StockLevel))
        .execution_options(populate_existing=True)
    )
    parts, left = list[Wish](), wish.quantity
    for level in levels:
        part = min(left, level.on_hand - level.reserved)
        if whole:
            part = Decimal(int(part))
        if part > 0:
            parts.append(Wish(wish.product_id, part, wish.source, level.id))
            left -= part
    if parts:
        await reserve_request(db, Request(parts, through), location_ids=location_ids)
    return wish.quantity - left


def _grow(rows: Sequence[Promise], more: Decimal) -> None:
    """Promise so much more, or less, of one level: the last promise changes first."""
    _, level, lot = rows[0]
    if more > 0:
        _refuse_held(rows[0])
        if more > level.on_hand - level.reserved:
            raise NotEnoughStock(
                f"{more} more than promised are taken of lot {lot.lot_number}, and {level.on_hand - level.reserved} "
                "are free there: weigh again, or take the rest from another lot",
                field="quantity",
            )
    level.reserved += more
    for reservation, _, _ in reversed(rows):
        left = reservation.quantity + more
        if left > 0:
            reservation.quantity = left
            return
        settle(reservation, "released")
        more = left


def _refuse_held(row: Promise) -> None:
    _, level, lot = row
    if level.status == "on_hold":
        raise StockOnHold(
            f"lot {lot.lot_number} is on hold there: leave it, and take another lot instead", field="lot_id"
        )


def _rest_of(reservation: StockReservation, quantity: Decimal) -> StockReservation:
    """What of a promise is not picked yet, as a promise of its own."""
    return StockReservation(
        id=new_id(),
        stock_level_id=reservation.stock_level_id,
        quantity=quantity,
        source=reservation.source,
        status="active",
        reserved_at=reservation.reserved_at,
        expires_at=reservation.expires_at,
        needed_on=reservation.needed_on,
    )


def settle(reservation: StockReservation, status: str) -> None:
    """End a promise."""
    reservation.status = status
    reservation.settled_at = clock.now()
    reservation.at_risk_since = None
