"""Holding stock by lot and place: a warm room holds what lies in it, not the same lot elsewhere.

A hold locks its places, then their levels, and sees what arrived; an arrival keeps its place from being locked
(`ledger.append`) before it looks for holds. So neither can miss the other.
"""

import uuid
from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.inventory.events import StockHeld
from cloud_api.inventory.models import HeldLevel, StockHold, StockLevel
from cloud_api.kernel import clock, outbox
from cloud_api.kernel.db import insert_missing
from cloud_api.kernel.errors import NotFound
from cloud_api.places import service as places


async def hold(db: AsyncSession, *, location_id: uuid.UUID, reason: str, source: str) -> Sequence[StockLevel]:
    """Keep what lies in a place, and in everything inside it, from being sold. Returns what is held now.

    The same `source` twice is one hold.
    """
    await insert_missing(
        db,
        StockHold,
        {
            "location_id": location_id,
            "reason": reason,
            "source": source,
            "covers_arrivals": True,
            "held_at": clock.now(),
        },
    )
    held = (await db.scalars(select(StockHold).where(StockHold.source == source))).one()
    inside = await places.within(db, location_id)
    await places.lock(db, inside)
    levels = (
        await db.scalars(
            select(StockLevel)
            .where(StockLevel.location_id.in_(inside), StockLevel.on_hand > 0)
            .order_by(StockLevel.id)
            .with_for_update()
        )
    ).all()
    for level in levels:
        await _cover(db, held, level)
    await db.flush()
    outbox.emit(db, StockHeld(held.id, location_id, tuple(level.id for level in levels)))
    return levels


async def hold_arrival(db: AsyncSession, level: StockLevel) -> None:
    """Put what arrived in a place under the holds that lie on the place or around it."""
    around = await places.around(db, level.location_id)
    holds = await db.scalars(
        select(StockHold)
        .where(StockHold.location_id.in_(around), StockHold.covers_arrivals, StockHold.released_at.is_(None))
        .order_by(StockHold.id)
    )
    for held in holds:
        await _cover(db, held, level)


async def stop_covering_arrivals(db: AsyncSession, *, source: str) -> None:
    """The place is well again: what arrives from now on is free; what is held stays held."""
    await db.execute(update(StockHold).where(StockHold.source == source).values(covers_arrivals=False))


async def release(db: AsyncSession, *, source: str) -> Sequence[StockLevel]:
    """End a hold. Returns the levels that may be sold again: those that no other hold covers.

    Raises:
        NotFound: when nothing was held for `source`.
    """
    held = (await db.scalars(select(StockHold).where(StockHold.source == source).with_for_update())).one_or_none()
    if held is None:
        raise NotFound(f"nothing is held for {source}")
    if held.released_at is not None:
        return []
    held.released_at = clock.now()
    await db.execute(
        update(HeldLevel)
        .where(HeldLevel.hold_id == held.id, HeldLevel.released_at.is_(None))
        .values(released_at=held.released_at)
    )
    covered = select(HeldLevel.stock_level_id).where(HeldLevel.hold_id == held.id)
    levels = (
        await db.scalars(select(StockLevel).where(StockLevel.id.in_(covered)).order_by(StockLevel.id).with_for_update())
    ).all()
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
    return freed


async def _cover(db: AsyncSession, held: StockHold, level: StockLevel) -> None:
    await insert_missing(db, HeldLevel, {"hold_id": held.id, "stock_level_id": level.id})
    level.status = "on_hold"
