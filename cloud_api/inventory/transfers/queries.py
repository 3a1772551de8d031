"""Reusable reads of transfers."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.inventory.ledger.models import StockLevel
from cloud_api.inventory.transfers.models import StockTransfer, StockTransferLine
from cloud_api.places.models import Location
from cloud_api.places.queries import Visible


def visible_transfers(seen: Visible) -> ColumnElement[bool]:
    """Whether a transfer leaves, or reaches, a warehouse that somebody may see."""
    return or_(seen.warehouses(StockTransfer.from_warehouse_id), seen.warehouses(StockTransfer.to_warehouse_id))


async def lines_of(
    db: AsyncSession, transfer_ids: Collection[uuid.UUID]
) -> Mapping[uuid.UUID, Sequence[StockTransferLine]]:
    """The lines of each transfer, in the order they were entered."""
    found = defaultdict[uuid.UUID, list[StockTransferLine]](list)
    its = select(StockTransferLine).where(StockTransferLine.transfer_id.in_(transfer_ids))
    for line in await db.scalars(its.order_by(StockTransferLine.id)):
        found[line.transfer_id].append(line)
    return found


def in_transit(seen: Visible) -> Select[tuple[uuid.UUID | None, uuid.UUID, Decimal, int]]:
    """What is on its way: (to which warehouse, product, quantity, grams)."""
    return (
        select(
            Location.transit_to_id,
            StockLevel.product_id,
            func.sum(StockLevel.on_hand),
            func.sum(StockLevel.weight_g),
        )
        .join(Location, Location.id == StockLevel.location_id)
        .where(Location.transit_to_id.is_not(None), StockLevel.on_hand > 0, seen.warehouses(Location.transit_to_id))
        .group_by(Location.transit_to_id, StockLevel.product_id)
        .order_by(Location.transit_to_id, StockLevel.product_id)
    )
