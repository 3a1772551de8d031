"""Levels locked before anything is booked, for those who must look at them first."""

import uuid
from collections.abc import Collection, Mapping

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.inventory.ledger import service as ledger
from cloud_api.inventory.ledger.models import StockLevel

#: a lot in a place
At = tuple[uuid.UUID, uuid.UUID]
#: bound parameters of a statement are limited
_AT_ONCE = 2_000


async def lock_levels(db: AsyncSession, products: Mapping[At, uuid.UUID]) -> dict[At, StockLevel]:
    """Lock the levels of lots in places, in key order; begun at nothing where there were none.

    Whoever calls this keeps or has locked the places (`places.keep_all`).

    Args:
        products: of each (lot, place) the lot's product.
    """
    found = await _locked(db, products)
    missing = sorted(set(products) - set(found), key=lambda at: (at[1], at[0]))
    for lot_id, location_id in missing:
        await ledger.open_level(db, product_id=products[lot_id, location_id], lot_id=lot_id, location_id=location_id)
    return await _locked(db, products) if missing else found


async def _locked(db: AsyncSession, wanted: Collection[At]) -> dict[At, StockLevel]:
    found: dict[At, StockLevel] = {}
    its = sorted(wanted)
    ids: list[uuid.UUID] = []
    for begin in range(0, len(its), _AT_ONCE):
        part = tuple_(StockLevel.lot_id, StockLevel.location_id).in_(its[begin : begin + _AT_ONCE])
        ids += await db.scalars(select(StockLevel.id).where(part))
    ids.sort()
    for begin in range(0, len(ids), _AT_ONCE):
        levels = await db.scalars(
            select(StockLevel)
            .where(StockLevel.id.in_(ids[begin : begin + _AT_ONCE]))
            .order_by(StockLevel.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        found.update({(level.lot_id, level.location_id): level for level in levels})
    return found
