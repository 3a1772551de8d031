"""Holding stock by lot and place: a warm room holds what lies in it, not the same lot elsewhere; a recall holds a lot
wherever it lies.

Somebody decides about all of a hold or about single levels of it: released, or rejected for good. What is rejected
under one hold stays on hold whatever becomes of the others, and wherever the goods are taken (`carry`).

A hold locks its places, then their levels, and sees what arrived; an arrival keeps its place from being locked
(`ledger.append`) before it looks for holds. So neither can miss the other. A lot may arrive anywhere: a hold of one
locks every place of the organisation for as long as its unit of work lasts.
"""

import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.inventory.errors import NotHeld
from cloud_api.inventory.events import StockHeld
from cloud_api.inventory.holds.models import HeldLevel, StockHold
from cloud_api.inventory.holds.queries import visible_holds
from cloud_api.inventory.ledger import service as ledger
from cloud_api.inventory.ledger.models import StockLevel, StockReservation
from cloud_api.kernel import clock, outbox
from cloud_api.kernel.db import insert_missing
from cloud_api.kernel.errors import NotFound
from cloud_api.places import service as places
from cloud_api.places.queries import EVERYWHERE, Visible


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody decided about held stock, and why."""

    #: one of `models.DISPOSITIONS`
    disposition: str
    reason: str
    #: None: a room above, in somebody's name
    decided_by: uuid.UUID | None = None


async def hold(
    db: AsyncSession,
    *,
    location_id: uuid.UUID | None = None,
    lot_id: uuid.UUID | None = None,
    kind: str = "hold",
    reason: str,
    source: str,
) -> Sequence[StockLevel]:
    """Keep stock from being sold: what lies in a place and in everything inside it, a lot wherever it lies, or a lot
    in a place. What arrives there is held as well. Returns what is held now.

    The same `source` twice is one hold.

    Args:
        kind: one of `models.HOLD_KINDS`.
        source: what asks for it, as `excursion:<id>`.
    """
    await insert_missing(
        db,
        StockHold,
        {
            "location_id": location_id,
            "lot_id": lot_id,
            "kind": kind,
            "reason": reason,
            "source": source,
            "covers_arrivals": True,
            "held_at": clock.now(),
        },
    )
    held = (await db.scalars(select(StockHold).where(StockHold.source == source))).one()
    if location_id is None:
        its = StockLevel.lot_id == lot_id
        await places.lock_everywhere(db)
    else:
        await places.lock(db, await places.within(db, location_id))
        inside = await places.within(db, location_id)  # asked again: something may have been moved into it meanwhile
        its = StockLevel.location_id.in_(inside)
        if lot_id is not None:
            its &= StockLevel.lot_id == lot_id
    levels = (
        await db.scalars(
            select(StockLevel)
            .where(its, StockLevel.on_hand > 0)
            .order_by(StockLevel.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    ).all()
    await _cover(db, held, levels)
    await db.flush()
    if location_id is not None:
        outbox.emit(db, StockHeld(held.id, location_id, tuple(level.id for level in levels)))
    else:
        _tell_each_place(db, held, levels)
    return levels


async def lock_lots(db: AsyncSession, lot_ids: Collection[uuid.UUID]) -> None:
    """Take every lock that holding these lots will take: whoever holds several calls this before the first."""
    await places.lock_everywhere(db)
    its = select(StockLevel.id).where(StockLevel.lot_id.in_(lot_ids)).order_by(StockLevel.id)
    await db.execute(its.with_for_update())


async def hold_arrival(db: AsyncSession, level: StockLevel) -> None:
    """Put what arrived in a place under the holds that lie on the place, around it, or on its lot."""
    around = await places.around(db, level.location_id)
    holds = await db.scalars(
        select(StockHold)
        .where(
            or_(StockHold.location_id.is_(None), StockHold.location_id.in_(around)),
            or_(StockHold.lot_id.is_(None), StockHold.lot_id == level.lot_id),
            StockHold.covers_arrivals,
            StockHold.released_at.is_(None),
        )
        .order_by(StockHold.id)
    )
    for held in holds:
        await _cover(db, held, [level])
        if level.reserved > 0:  # promised stock was brought here
            outbox.emit(db, StockHeld(held.id, level.location_id, (level.id,)))


async def carry(db: AsyncSession, *, from_level: StockLevel, to_level: StockLevel) -> None:
    """Goods were taken from one level to another: what holds the one comes to hold the other, with what somebody
    decided about it, and `keeps_until` becomes the earlier of both. Both levels are locked.
    """
    days = [day for day in (from_level.keeps_until, to_level.keeps_until) if day is not None]
    to_level.keeps_until = min(days, default=None)
    rows = await db.execute(
        select(HeldLevel, StockHold)
        .join(StockHold, StockHold.id == HeldLevel.hold_id)
        .where(HeldLevel.stock_level_id == from_level.id, HeldLevel.released_at.is_(None))
        .order_by(StockHold.id)
    )
    for before, held in rows.tuples().all():
        after = await _cover(db, held, [to_level])
        for row in after:
            row.disposition = row.disposition or before.disposition
            row.reason = row.reason or before.reason
            row.decided_at = row.decided_at or before.decided_at
            row.decided_by = row.decided_by or before.decided_by
        if to_level.reserved > 0:
            outbox.emit(db, StockHeld(held.id, to_level.location_id, (to_level.id,)))
    await db.flush()


async def stop_covering_arrivals(db: AsyncSession, *, source: str) -> None:
    """The place is well again: what arrives from now on is free; what is held stays held."""
    await db.execute(update(StockHold).where(StockHold.source == source).values(covers_arrivals=False))


async def release(
    db: AsyncSession, *, source: str, reason: str = "", decided_by: uuid.UUID | None = None
) -> Sequence[StockLevel]:
    """End a hold. Returns the levels that may be sold again: those that no other hold covers, and nobody rejected.

    Raises:
        NotFound: when nothing was held for `source`.
    """
    held = await _lock_source(db, source)
    if held.released_at is not None:
        return []
    held.released_at = clock.now()
    return await _decide(db, held, Decision("release", reason, decided_by), level_ids=None)


async def reject(
    db: AsyncSession, *, source: str, disposition: str, reason: str, decided_by: uuid.UUID | None = None
) -> Sequence[StockLevel]:
    """Keep what a hold covers from ever being sold. Returns what is rejected now; what was released stays so.

    Raises:
        NotFound: when nothing was held for `source`.
    """
    held = await _lock_source(db, source)
    held.covers_arrivals = False
    return await _decide(db, held, Decision(disposition, reason, decided_by), level_ids=None)


async def decide(
    db: AsyncSession,
    hold_id: uuid.UUID,
    decision: Decision,
    *,
    level_ids: Collection[uuid.UUID] | None = None,
    seen: Visible = EVERYWHERE,
) -> StockHold:
    """Release or reject all that a hold covers, or some levels of it: a lot in a place each.

    A place that is too warm still goes on holding what arrives.

    Raises:
        NotFound: when there is no such hold to be seen.
        NotHeld: naming a level that the hold does not cover, or about which somebody has decided.
    """
    held = await get_hold(db, hold_id, seen=seen, locked=True)
    await _decide(db, held, decision, level_ids=level_ids)
    return held


async def get_hold(
    db: AsyncSession, hold_id: uuid.UUID, *, seen: Visible = EVERYWHERE, locked: bool = False
) -> StockHold:
    """One hold; locked until the unit of work ends when it is to change.

    Raises:
        NotFound: when there is none to be seen.
    """
    its = select(StockHold).where(StockHold.id == hold_id, visible_holds(seen))
    held = (await db.scalars(its.with_for_update() if locked else its)).one_or_none()
    if held is None:
        raise NotFound(f"no hold with id {hold_id}")
    return held


async def _lock_source(db: AsyncSession, source: str) -> StockHold:
    held = (await db.scalars(select(StockHold).where(StockHold.source == source).with_for_update())).one_or_none()
    if held is None:
        raise NotFound(f"nothing is held for {source}")
    return held


async def _decide(
    db: AsyncSession, held: StockHold, decision: Decision, *, level_ids: Collection[uuid.UUID] | None
) -> Sequence[StockLevel]:
    """Write a decision down. Returns the levels that it frees, or that it rejects."""
    undecided = select(HeldLevel).where(
        HeldLevel.hold_id == held.id, HeldLevel.released_at.is_(None), HeldLevel.disposition.is_(None)
    )
    if level_ids is not None:
        undecided = undecided.where(HeldLevel.stock_level_id.in_(level_ids))
    covered = {row.stock_level_id: row for row in await db.scalars(undecided.with_for_update())}
    for missing in sorted(set(level_ids or ()) - set(covered)):
        raise NotHeld(
            f"this hold does not cover stock level {missing}, or somebody has decided about it: "
            "read the hold again, and name the levels that it says are held",
            field="stock_level_ids",
        )
    released = decision.disposition == "release"
    for row in covered.values():
        row.disposition, row.reason, row.decided_by = decision.disposition, decision.reason, decision.decided_by
        row.decided_at = clock.now()
        row.released_at = row.decided_at if released else None
    await db.flush()
    levels = (
        await db.scalars(select(StockLevel).where(StockLevel.id.in_(covered)).order_by(StockLevel.id).with_for_update())
    ).all()
    return await _free(db, levels) if released else levels


async def _free(db: AsyncSession, levels: Sequence[StockLevel]) -> Sequence[StockLevel]:
    """Let locked levels be sold again that nothing holds."""
    # asked only now: another hold may have covered a level while we waited for it
    still_held = set(
        await db.scalars(
            select(HeldLevel.stock_level_id).where(
                HeldLevel.released_at.is_(None), HeldLevel.stock_level_id.in_(level.id for level in levels)
            )
        )
    )
    freed = [level for level in levels if level.id not in still_held]
    for level in freed:
        level.status = "available"
    ledger.announce_change(db, {level.location_id for level in freed})
    await db.execute(
        update(StockReservation)
        .where(
            StockReservation.stock_level_id.in_(level.id for level in freed),
            StockReservation.at_risk_since.is_not(None),
        )
        .values(at_risk_since=None)
    )
    return freed


def _tell_each_place(db: AsyncSession, held: StockHold, levels: Sequence[StockLevel]) -> None:
    """What was promised is promised anew from the warehouse it lies in: so each place is told by itself."""
    lying_in = defaultdict[uuid.UUID, list[uuid.UUID]](list)
    for level in levels:
        lying_in[level.location_id].append(level.id)
    for location_id, level_ids in sorted(lying_in.items()):
        outbox.emit(db, StockHeld(held.id, location_id, tuple(level_ids)))


async def _cover(db: AsyncSession, held: StockHold, levels: Sequence[StockLevel]) -> Sequence[HeldLevel]:
    """Put levels under a hold; one that was released comes under it again, one that was rejected still is."""
    for level in levels:
        await insert_missing(db, HeldLevel, {"hold_id": held.id, "stock_level_id": level.id, "reason": ""})
        level.status = "on_hold"
    ledger.announce_change(db, {level.location_id for level in levels})
    its = select(HeldLevel).where(
        HeldLevel.hold_id == held.id, HeldLevel.stock_level_id.in_(level.id for level in levels)
    )
    covered = (await db.scalars(its)).all()
    for row in covered:
        if row.released_at is not None:
            row.released_at = row.disposition = row.decided_at = row.decided_by = None
            row.reason = ""
    return covered
