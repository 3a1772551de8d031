"""Reusable reads of lots and levels."""

import uuid
from collections.abc import Collection, Mapping

from sqlalchemy import ColumnElement, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.inventory.ledger.models import Lot, StockLevel
from cloud_api.places.queries import Visible


def visible_lots(seen: Visible) -> ColumnElement[bool]:
    """Whether a lot lies, or has lain, where somebody may look."""
    if seen.warehouse_ids is None:
        return true()
    return Lot.id.in_(select(StockLevel.lot_id).where(seen.locations(StockLevel.location_id)))


async def levels_of(db: AsyncSession, level_ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, StockLevel]:
    """These levels, by id."""
    return {level.id: level for level in await db.scalars(select(StockLevel).where(StockLevel.id.in_(level_ids)))}
