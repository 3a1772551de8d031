"""Reusable reads of holds."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import ColumnElement, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.inventory.holds.models import HeldLevel, StockHold
from cloud_api.inventory.ledger.models import StockLevel
from cloud_api.places.queries import Visible


def visible_holds(seen: Visible) -> ColumnElement[bool]:
    """Whether a hold is of a place where somebody may look, or of a lot that lies, or has lain, in one."""
    if seen.warehouse_ids is None:
        return true()
    lying_there = select(StockLevel.lot_id).where(seen.locations(StockLevel.location_id))
    return or_(
        seen.locations(StockHold.location_id), StockHold.location_id.is_(None) & StockHold.lot_id.in_(lying_there)
    )


async def held_levels(
    db: AsyncSession, hold_ids: Collection[uuid.UUID], seen: Visible
) -> Mapping[uuid.UUID, Sequence[tuple[HeldLevel, StockLevel]]]:
    """What each hold covers or has covered, by the hold's id."""
    found: dict[uuid.UUID, list[tuple[HeldLevel, StockLevel]]] = defaultdict(list)
    rows = await db.execute(
        select(HeldLevel, StockLevel)
        .join(StockLevel, StockLevel.id == HeldLevel.stock_level_id)
        .where(HeldLevel.hold_id.in_(hold_ids), seen.locations(StockLevel.location_id))
        .order_by(HeldLevel.id)
    )
    for held, level in rows:
        found[held.hold_id].append((held, level))
    return found
