"""Promising stock: first expired, first out; never what is on hold, never what has expired, never twice.

Whoever touches several levels locks all of them first, in key order, in one statement, after the places they lie in:
two promises wait for each other and never deadlock. A unit of work that calls more than one of these verbs, or one of
them for more than one order, calls `lock_all` before the first. What is promised is moved (loading a van) and at last
leaves (delivery) as a promise, so that nobody else can have it in between.

Promised stock that goes on hold is promised anew from elsewhere in the same warehouse, unless it stands packed already:
what is in the box is what would leave. Where that is not possible the promise stays, and is at risk.
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
    free = await _free_levels(db, {wish.product_id for wish in wishes}, location_ids)
    levels = [level for level, lot in free if _keeps(lot, on)]
    made: list[StockReservation] = []
    for wish in wishes:
        made += _promise(wish, [level for level in levels if level.product_id == wish.product_id], on)
    db.add_all(made)
    await db.flush()
    return made


async def pick(db: AsyncSession, sources: Collection[str]) -> None:
    """What is promised to these stands packed: from now on it is this stock and no other."""
    for reservation, _, _ in await _locked(db, sources):
        reservation.picked_at = clock.now()
    await db.flush()


async def replace_held(
    db: AsyncSession, level_ids: Collection[uuid.UUID], *, location_id: uuid.UUID, today: date
) -> list[StockReservation]:
    """Promise anew, from other places of the same warehouse, what is promised of levels that are on hold now.

    Each promise is replaced whole or not at all; first expired, first out. Of what stands in no warehouse (a van), or
    is packed, nothing is replaced. Asked again, it changes nothing more.

    Args:
        location_id: where they lie.
        today: nothing that has expired is promised, whatever the promise was made for.

    Returns:
        What is at risk now and was not before.
    """
    promised = await db.scalars(
        select(StockReservation.source)
        .join(StockLevel, StockLevel.id == StockReservation.stock_level_id)
        .where(StockLevel.id.in_(level_ids), StockLevel.status == "on_hold", StockReservation.status == "active")
    )
    sources = set(promised)
    if not sources:
        return []
    warehouse_id = (await places.get_location(db, location_id)).warehouse_id
    elsewhere = [] if warehouse_id is None else await places.of_warehouse(db, warehouse_id)
    await lock_all(db, sources, or_else=elsewhere)
    held = [
        (reservation, level)
        for reservation, level, _ in await _locked(db, sources)
        if level.status == "on_hold" and level.id in set(level_ids)
    ]
    free = await _free_levels(db, {level.product_id for _, level in held}, elsewhere)
    at_risk = []
    for reservation, level in held:
        on = max(reservation.needed_on or today, today)
        usable = [other for other, lot in free if other.product_id == level.product_id and _keeps(lot, on)]
        if reservation.picked_at is None and reservation.quantity <= sum(
            (other.on_hand - other.reserved for other in usable), Decimal(0)
        ):
            wish = Wish(level.product_id, reservation.quantity, reservation.source)
            db.add_all(_promise(wish, usable, reservation.needed_on))
            level.reserved -= reservation.quantity
            _settle(reservation, "released")
        elif reservation.at_risk_since is None:
            reservation.at_risk_since = clock.now()
            at_risk.append(reservation)
    await db.flush()
    return at_risk


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


async def _free_levels(
    db: AsyncSession, product_ids: Collection[uuid.UUID], location_ids: Collection[uuid.UUID]
) -> list[tuple[StockLevel, Lot]]:
    """The levels that have something to promise, all of these products locked, first to expire first."""
    rows = await db.execute(
        select(StockLevel, Lot)
        .join(Lot, Lot.id == StockLevel.lot_id)
        .where(StockLevel.product_id.in_(product_ids), StockLevel.location_id.in_(location_ids))
        .order_by(StockLevel.id)
        .with_for_update(of=StockLevel)
        .execution_options(populate_existing=True)
    )
    return sorted(
        ((level, lot) for level, lot in rows if level.status == "available" and level.on_hand > level.reserved),
        key=lambda pair: (pair[1].expires_on or date.max, pair[1].id, pair[0].id),
    )


def _keeps(lot: Lot, on: date) -> bool:
    """Whether a lot will not have expired by then."""
    return lot.expires_on is None or lot.expires_on >= on


def _promise(wish: Wish, levels: Sequence[StockLevel], needed_on: date | None) -> list[StockReservation]:
    missing = wish.quantity
    made = []
    for level in levels:
        taken = min(missing, level.on_hand - level.reserved)
        if taken > 0:
            level.reserved += taken
            missing -= taken
            made.append(
                StockReservation(
                    stock_level_id=level.id,
                    quantity=taken,
                    source=wish.source,
                    reserved_at=clock.now(),
                    needed_on=needed_on,
                )
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
    reservation.at_risk_since = None
