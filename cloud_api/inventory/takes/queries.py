"""Reusable reads of stock takes."""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.inventory.ledger.models import StockMovement
from cloud_api.inventory.takes.models import StockTakeCount, StockTakeLine


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a take has come."""

    lines: int = 0
    counted: int = 0
    #: of those that were counted, what is not as the books say; as far as that has been reckoned
    differing: int = 0


async def progress_of(db: AsyncSession, take_ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, Progress]:
    """How far each of these takes has come; one without lines is not named."""
    differs = case(((StockTakeLine.difference != 0) | (StockTakeLine.difference_weight_g != 0), 1))
    rows = await db.execute(
        select(StockTakeLine.take_id, func.count(), func.count(StockTakeLine.counted), func.count(differs))
        .where(StockTakeLine.take_id.in_(take_ids))
        .group_by(StockTakeLine.take_id)
    )
    return {take_id: Progress(lines, counted, differing) for take_id, lines, counted, differing in rows.tuples()}


async def written_later(db: AsyncSession, which: ColumnElement[bool]) -> Mapping[uuid.UUID, tuple[Decimal, int]]:
    """Of each line that was counted: what entries add up to that tell of the time before the count, and were written
    later than what they tell; (quantity, grams). A line without any is not named.

    An entry that was written when it happened is not among them: whether it is in `booked` the level's lock decided,
    not a clock.
    """
    rows = await db.execute(
        select(StockTakeLine.id, func.sum(StockMovement.quantity), func.sum(func.coalesce(StockMovement.weight_g, 0)))
        .join(
            StockMovement,
            and_(StockMovement.lot_id == StockTakeLine.lot_id, StockMovement.location_id == StockTakeLine.location_id),
        )
        .where(
            which,
            StockMovement.effective_at < StockTakeLine.counted_at,
            StockMovement.effective_at < StockMovement.recorded_at,
        )
        .group_by(StockTakeLine.id)
    )
    return {line_id: (quantity, int(weight_g)) for line_id, quantity, weight_g in rows.tuples()}


async def counters_of(db: AsyncSession, take_id: uuid.UUID) -> set[uuid.UUID]:
    """Everybody who has counted for a take."""
    its = select(StockTakeCount.counted_by).where(StockTakeCount.take_id == take_id).distinct()
    return {person for person in await db.scalars(its) if person is not None}
