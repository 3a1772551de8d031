"""Promising stock: first expired, first out; never what is on hold, never what has expired, never twice.

Whoever touches several levels locks all of them first, in key order, in one statement, after the places they lie in:
two promises wait for each other and never deadlock. A unit of work that calls more than one of these verbs, or one of
them for more than one order, calls `lock_all` before the first. What is promised is moved (loading a van) and at last
leaves (delivery) as a promise, so that nobody else can have it in between.

Promised stock that goes on hold is promised anew from elsewhere in the same warehouse, unless it stands packed already:
what is in the box is what would leave. Where that is not possible the promise stays, and is at risk.
"""

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.inventory.errors import NotEnoughStock, ReservationExpired, StockOnHold
from cloud_api.inventory.holds import service as holds
from cloud_api.inventory.ledger import service as ledger
from cloud_api.inventory.ledger.models import Lot, StockLevel, StockMovement, StockReservation
from cloud_api.inventory.reservations.exact import adjust as adjust
from cloud_api.inventory.reservations.exact import give_back as give_back
from cloud_api.inventory.reservations.exact import last_day as last_day
from cloud_api.inventory.reservations.exact import promises_to as promises_to
from cloud_api.inventory.reservations.exact import reserve_what_there_is as reserve_what_there_is
from cloud_api.inventory.reservations.exact import settle
from cloud_api.inventory.reservations.exact import take as take
from cloud_api.inventory.reservations.promising import Request, serve
from cloud_api.inventory.reservations.promising import Wish as Wish
from cloud_api.inventory.reservations.promising import reserve as reserve
from cloud_api.kernel import clock
from cloud_api.kernel.ids import new_id
from cloud_api.places import service as places


async def pick(db: AsyncSession, sources: Collection[str]) -> None:
    """What is promised to these stands packed: from now on it is this stock and no other, and lapses no more.

    Raises:
        ReservationExpired: when any of it has lapsed.
    """
    locked = await promises_to(db, sources)
    _refuse_lapsed(reservation for reservation, _, _ in locked)
    for reservation, _, _ in locked:
        reservation.picked_at, reservation.expires_at = clock.now(), None
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
        for reservation, level, _ in await promises_to(db, sources)
        if level.status == "on_hold" and level.id in set(level_ids)
    ]
    wanted = [one for one in held if one[0].picked_at is None]
    requests = [
        Request(
            [Wish(level.product_id, reservation.quantity, reservation.source)],
            max(reservation.needed_on or today, today),
            reservation.expires_at,
        )
        for reservation, level in wanted
    ]
    answers = await serve(db, requests, location_ids=elsewhere)
    replaced = {
        one[0].id for one, answer in zip(wanted, answers, strict=True) if not isinstance(answer, NotEnoughStock)
    }
    at_risk = []
    for reservation, level in held:
        if reservation.id in replaced:
            level.reserved -= reservation.quantity
            settle(reservation, "released")
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
    product_ids: Collection[uuid.UUID] = (),
) -> None:
    """Take every lock that moving, releasing or replacing these promises will take.

    Args:
        to_location_id: where they will be moved.
        or_else: the places from which they may be promised anew.
        product_ids: what else may be promised from there.
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
                and_(
                    StockLevel.location_id.in_(or_else),
                    StockLevel.product_id.in_({row.product_id for row in rows} | set(product_ids)),
                ),
            )
        )
        .order_by(StockLevel.id)
        .with_for_update()
    )


async def release(db: AsyncSession, sources: Collection[str]) -> None:
    """Take promises back: the stock is free again. What is settled stays settled."""
    for reservation, level, _ in await promises_to(db, sources):
        level.reserved -= reservation.quantity
        settle(reservation, "released")
    await db.flush()


async def release_one(db: AsyncSession, reservation_id: uuid.UUID) -> None:
    """Take one promise back; of one that is settled, or not there, nothing."""
    for reservation, level, _ in await promises_to(db, StockReservation.id == reservation_id):
        level.reserved -= reservation.quantity
        settle(reservation, "released")
    await db.flush()


async def held(db: AsyncSession, sources: Collection[str]) -> set[str]:
    """Those of `sources` whose promised stock is on hold now."""
    return {reservation.source for reservation, level, _ in await promises_to(db, sources) if level.status == "on_hold"}


async def move(
    db: AsyncSession,
    sources: Collection[str],
    *,
    to_location_id: uuid.UUID,
    reference: str,
    moved_by: uuid.UUID | None,
    even_held: bool = False,
) -> list[StockMovement]:
    """Move promised stock to another place, where it stays promised: two movements of the ledger each.

    Args:
        even_held: what is on hold comes along, and is held there too: goods that come back have to lie somewhere.

    Raises:
        StockOnHold: when any of it may not leave; then nothing moves.
        ReservationExpired: when any of it has lapsed; likewise.
    """
    await lock_all(db, sources, to_location_id=to_location_id)
    promised = await _free_to_leave(db, sources, even_held=even_held)
    group_id = new_id()
    entries: list[ledger.Entry] = []
    for reservation, level, lot in promised:
        left = ledger.Entry(
            movement_type="transfer",
            lot=lot,
            location_id=level.location_id,
            quantity=-reservation.quantity,
            reserved=-reservation.quantity,
            reference=reference,
            source="system",
            group_id=group_id,
            recorded_by=moved_by,
        )
        arrived = replace(
            left,
            location_id=to_location_id,
            quantity=reservation.quantity,
            reserved=reservation.quantity,
            mirrors_last=True,
        )
        entries += (left, arrived)
    written = await ledger.append_all(db, entries)
    ways: dict[tuple[uuid.UUID, uuid.UUID], tuple[StockLevel, StockLevel]] = {}
    for (reservation, _, _), (_, from_level), (_, to_level) in zip(promised, written[::2], written[1::2], strict=True):
        reservation.stock_level_id = to_level.id
        ways[from_level.id, to_level.id] = from_level, to_level
    for from_level, to_level in ways.values():
        await holds.carry(db, from_level=from_level, to_level=to_level)
        await holds.hold_arrival(db, to_level)
    await db.flush()
    return [movement for movement, _ in written]


async def consume(
    db: AsyncSession, sources: Collection[str], *, reference: str, consumed_by: uuid.UUID | None
) -> list[StockMovement]:
    """Let promised stock leave for good: outbound movements.

    Raises:
        StockOnHold: when any of it may not leave; then nothing does.
        ReservationExpired: when any of it has lapsed; likewise.
    """
    return await consume_each(db, dict.fromkeys(sources, reference), consumed_by=consumed_by)


async def consume_each(
    db: AsyncSession, references: Mapping[str, str], *, consumed_by: uuid.UUID | None
) -> list[StockMovement]:
    """The same of several sources at once, each with a reference of its own: all of them, or nothing leaves.

    Raises:
        StockOnHold: when any of it may not leave.
        ReservationExpired: when any of it has lapsed.
    """
    await lock_all(db, references.keys())
    promised = await _free_to_leave(db, references.keys())
    written = await ledger.append_all(
        db,
        [
            ledger.Entry(
                movement_type="outbound",
                lot=lot,
                location_id=level.location_id,
                quantity=-reservation.quantity,
                reserved=-reservation.quantity,
                reference=references[reservation.source],
                source="system",
                recorded_by=consumed_by,
            )
            for reservation, level, lot in promised
        ],
    )
    for reservation, _, _ in promised:
        settle(reservation, "consumed")
    await db.flush()
    return [movement for movement, _ in written]


async def _free_to_leave(
    db: AsyncSession, sources: Collection[str], *, even_held: bool = False
) -> Sequence[tuple[StockReservation, StockLevel, Lot]]:
    locked = await promises_to(db, sources)
    _refuse_lapsed(reservation for reservation, _, _ in locked)
    for _, level, lot in locked:
        if level.status == "on_hold" and not even_held:
            raise StockOnHold(
                f"lot {lot.lot_number} is on hold there: it may not leave before its excursion is closed",
                field="lot_id",
            )
    return locked


def _refuse_lapsed(promised: Iterable[StockReservation]) -> None:
    """What has lapsed may be anybody's by now, whether or not somebody has written that down yet."""
    now = clock.now()
    for reservation in promised:
        if reservation.expires_at is not None and reservation.expires_at <= now:
            raise ReservationExpired(
                f"what was promised to {reservation.source} lapsed at {reservation.expires_at.isoformat()}: "
                "reserve it again",
                field="source",
            )
