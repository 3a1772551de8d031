"""Promising stock: first expired, first out; never what is on hold, never what has expired, never twice.

Whoever touches several levels locks all of them first, in key order, in one statement, after the places they lie in:
two promises wait for each other and never deadlock. A unit of work that calls more than one of these verbs, or one of
them for more than one order, calls `lock_all` before the first. What is promised is moved (loading a van) and at last
leaves (delivery) as a promise, so that nobody else can have it in between.
"""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.inventory import holds, ledger
from cloud_api.inventory.errors import NotEnoughStock, StockOnHold
from cloud_api.inventory.models import Lot, StockLevel, StockMovement, StockReservation
from cloud_api.kernel import clock
from cloud_api.places import service as places


@dataclass(frozen=True)
class Wish:
    """What somebody wants of a product."""

    product_id: uuid.UUID
    quantity: Decimal
    #: for whom, as `order_line:<id>`
    source: str


async def reserve(
    db: AsyncSession, wishes: Sequence[Wish], *, location_ids: Collection[uuid.UUID], on: date
) -> list[StockReservation]:
    """Promise every wish in full from these places, or none of them.

    Args:
        on: the day by which nothing promised may have expired.

    Raises:
        NotEnoughStock: naming the first wish that cannot be met, and what there is.
    """
    product_ids = {wish.product_id for wish in wishes}
    rows = await db.execute(
        select(StockLevel, Lot)
        .join(Lot, Lot.id == StockLevel.lot_id)
        .where(StockLevel.product_id.in_(product_ids), StockLevel.location_id.in_(location_ids))
        .order_by(StockLevel.id)
        .with_for_update(of=StockLevel)
        .execution_options(populate_existing=True)
    )
    levels = sorted(
        ((level, lot) for level, lot in rows if _may_be_promised(level, lot, on)),
        key=lambda pair: (pair[1].expires_on or date.max, pair[1].id, pair[0].id),
    )
    made: list[StockReservation] = []
    for wish in wishes:
        made += _promise(wish, [level for level, _ in levels if level.product_id == wish.product_id])
    db.add_all(made)
    await db.flush()
    return made


async def lock_all(
    db: AsyncSession,
    sources: Collection[str],
    *,
    to_location_id: uuid.UUID | None = None,
    or_else: Collection[uuid.UUID] = (),
) -> None:
    """Take every lock that moving, releasing or replacing these promises will take.

    Args:
        to_location_id: where they will be moved.
        or_else: the places from which they may be promised anew.
    """
    promised = (
        select(StockLevel.id, StockLevel.lot_id, StockLevel.product_id, StockLevel.location_id)
        .join(StockReservation, StockReservation.stock_level_id == StockLevel.id)
        .where(StockReservation.source.in_(sources), StockReservation.status == "active")
    )
    rows = (await db.execute(promised)).all()
    kept = {row.location_id for row in rows} | ({to_location_id} if to_location_id else set())
    for location_id in sorted(kept):
        await places.keep(db, location_id)  # before any level, as whoever holds a place does
    if to_location_id is not None:
        for lot_id, product_id in sorted({(row.lot_id, row.product_id) for row in rows}):
            await ledger.open_level(db, product_id=product_id, lot_id=lot_id, location_id=to_location_id)
    await db.execute(
        select(StockLevel.id)
        .where(
            or_(
                StockLevel.id.in_(row.id for row in rows),
                and_(StockLevel.location_id == to_location_id, StockLevel.lot_id.in_(row.lot_id for row in rows)),
                and_(StockLevel.location_id.in_(or_else), StockLevel.product_id.in_(row.product_id for row in rows)),
            )
        )
        .order_by(StockLevel.id)
        .with_for_update()
    )


async def release(db: AsyncSession, sources: Collection[str]) -> None:
    """Take promises back: the stock is free again. What is settled stays settled."""
    for reservation, level, _ in await _locked(db, sources):
        level.reserved -= reservation.quantity
        _settle(reservation, "released")
    await db.flush()


async def held(db: AsyncSession, sources: Collection[str]) -> set[str]:
    """Those of `sources` whose promised stock is on hold now."""
    return {reservation.source for reservation, level, _ in await _locked(db, sources) if level.status == "on_hold"}


async def move(
    db: AsyncSession, sources: Collection[str], *, to_location_id: uuid.UUID, reference: str, moved_by: uuid.UUID | None
) -> list[StockMovement]:
    """Move promised stock to another place, where it stays promised: two movements of the ledger each.

    Raises:
        StockOnHold: when any of it may not leave; then nothing moves.
    """
    await lock_all(db, sources, to_location_id=to_location_id)
    movements: list[StockMovement] = []
    for reservation, level, lot in await _free_to_leave(db, sources):
        left, _ = await ledger.append(
            db,
            movement_type="transfer",
            lot=lot,
            location_id=level.location_id,
            quantity=-reservation.quantity,
            reserved=-reservation.quantity,
            reference=reference,
            recorded_by=moved_by,
        )
        arrived, there = await ledger.append(
            db,
            movement_type="transfer",
            lot=lot,
            location_id=to_location_id,
            quantity=reservation.quantity,
            reserved=reservation.quantity,
            reference=reference,
            recorded_by=moved_by,
        )
        reservation.stock_level_id = there.id
        await holds.hold_arrival(db, there)
        movements += (left, arrived)
    await db.flush()
    return movements


async def consume(
    db: AsyncSession, sources: Collection[str], *, reference: str, consumed_by: uuid.UUID | None
) -> list[StockMovement]:
    """Let promised stock leave for good: outbound movements.

    Raises:
        StockOnHold: when any of it may not leave; then nothing does.
    """
    await lock_all(db, sources)
    movements: list[StockMovement] = []
    for reservation, level, lot in await _free_to_leave(db, sources):
        movement, _ = await ledger.append(
            db,
            movement_type="outbound",
            lot=lot,
            location_id=level.location_id,
            quantity=-reservation.quantity,
            reserved=-reservation.quantity,
            reference=reference,
            recorded_by=consumed_by,
        )
        _settle(reservation, "consumed")
        movements.append(movement)
    await db.flush()
    return movements


def _may_be_promised(level: StockLevel, lot: Lot, on: date) -> bool:
    return (
        level.status == "available"
        and level.on_hand > level.reserved
        and (lot.expires_on is None or lot.expires_on >= on)
    )


def _promise(wish: Wish, levels: Sequence[StockLevel]) -> list[StockReservation]:
    missing = wish.quantity
    made = []
    for level in levels:
        taken = min(missing, level.on_hand - level.reserved)
        if taken > 0:
            level.reserved += taken
            missing -= taken
            made.append(
                StockReservation(stock_level_id=level.id, quantity=taken, source=wish.source, reserved_at=clock.now())
            )
    if missing > 0:
        raise NotEnoughStock(
            f"of product {wish.product_id} {wish.quantity} are wanted and {wish.quantity - missing} may be sold: "
            "order less, or wait for the next receipt",
            field="quantity",
        )
    return made


async def _locked(db: AsyncSession, sources: Collection[str]) -> Sequence[tuple[StockReservation, StockLevel, Lot]]:
    """The active promises to `sources`, their levels locked in key order."""
    rows = await db.execute(
        select(StockReservation, StockLevel, Lot)
        .join(StockLevel, StockLevel.id == StockReservation.stock_level_id)
        .join(Lot, Lot.id == StockLevel.lot_id)
        .where(StockReservation.source.in_(sources), StockReservation.status == "active")
        .order_by(StockLevel.id, StockReservation.id)
        .with_for_update(of=(StockLevel, StockReservation))
        .execution_options(populate_existing=True)
    )
    return [(reservation, level, lot) for reservation, level, lot in rows]


async def _free_to_leave(
    db: AsyncSession, sources: Collection[str]
) -> Sequence[tuple[StockReservation, StockLevel, Lot]]:
    locked = await _locked(db, sources)
    for _, level, lot in locked:
        if level.status == "on_hold":
            raise StockOnHold(
                f"lot {lot.lot_number} is on hold there: it may not leave before its excursion is closed",
                field="lot_id",
            )
    return locked


def _settle(reservation: StockReservation, status: str) -> None:
    reservation.status = status
    reservation.settled_at = clock.now()
