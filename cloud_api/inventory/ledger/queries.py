"""Reusable reads of lots and levels."""

import uuid
from collections.abc import Collection, Mapping

from sqlalchemy import ColumnElement, Select, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.products.models import Product
from cloud_api.inventory.ledger.models import Lot, StockLevel
from cloud_api.places.queries import Visible

#: of what somebody searches for; more are left out
_MOST_WORDS = 6


def words_of(search: str | None) -> list[str]:
    """The words that somebody searches for."""
    return (search or "").split()[:_MOST_WORDS]


def products_named(word: str) -> Select[tuple[uuid.UUID]]:
    """Products with a word in their name or number."""
    called = (column.icontains(word, autoescape=True) for column in (Product.name, Product.sku))
    return select(Product.id).where(or_(*called))


def visible_lots(seen: Visible) -> ColumnElement[bool]:
    """Whether a lot lies, or has lain, where somebody may look."""
    if seen.warehouse_ids is None:
        return true()
    return Lot.id.in_(select(StockLevel.lot_id).where(seen.locations(StockLevel.location_id)))


async def levels_of(db: AsyncSession, level_ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, StockLevel]:
    """These levels, by id."""
    return {level.id: level for level in await db.scalars(select(StockLevel).where(StockLevel.id.in_(level_ids)))}
