"""Lots as they are found: in every warehouse in which they lie, or have lain."""

import uuid
from collections.abc import Collection, Sequence

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.products.models import Product
from cloud_api.inventory.ledger.models import Lot, StockLevel
from cloud_api.places.models import Location
from cloud_api.search import service as search
from cloud_api.search.service import Entry

_AT_ONCE = 300


async def put_lots(db: AsyncSession, levels: Collection[StockLevel]) -> None:
    """Let the lots of these levels be found where they lie."""
    if levels:
        for entry in await _entries(db, _placed().where(StockLevel.id.in_([level.id for level in levels]))):
            await search.put(db, entry)


async def everything(db: AsyncSession, after: uuid.UUID | None) -> Sequence[Entry]:
    """Lots that have ever lain anywhere, in the order of their ids."""
    following = select(StockLevel.lot_id).distinct().order_by(StockLevel.lot_id).limit(_AT_ONCE)
    if after is not None:
        following = following.where(StockLevel.lot_id > after)
    lot_ids = (await db.scalars(following)).all()
    return await _entries(db, _placed().where(Lot.id.in_(lot_ids))) if lot_ids else []


def _placed() -> Select[tuple[Lot, str, str, uuid.UUID | None]]:
    return (
        select(Lot, Product.sku, Product.name, Location.warehouse_id)
        .join(StockLevel, StockLevel.lot_id == Lot.id)
        .join(Product, Product.id == Lot.product_id)
        .join(Location, Location.id == StockLevel.location_id)
    )


async def _entries(db: AsyncSession, placed: Select[tuple[Lot, str, str, uuid.UUID | None]]) -> list[Entry]:
    rows = (await db.execute(placed)).all()
    by_place = {(lot.id, warehouse_id): (lot, sku, name) for lot, sku, name, warehouse_id in rows}
    return [
        Entry(
            kind="lot",
            id=lot.id,
            title=f"{name} {lot.lot_number}",
            code=lot.lot_number,
            text=sku,
            facets={"sku": sku},
            permission="stock:read",
            warehouse_id=warehouse_id,
        )
        for (_, warehouse_id), (lot, sku, name) in by_place.items()
    ]
