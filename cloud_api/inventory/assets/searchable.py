"""Items as they are found: where they are; archived ones are not."""

import uuid
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.inventory.assets.models import Item
from cloud_api.inventory.assets.states import ItemStatus
from cloud_api.places.models import Location
from cloud_api.search import service as search
from cloud_api.search.service import Entry

KIND = "item"
_AT_ONCE = 300


async def put_item(db: AsyncSession, item: Item, *, moved: bool) -> None:
    """Let an item be found as it is now, and where it is now."""
    if moved or item.status == ItemStatus.ARCHIVED:
        await search.forget(db, KIND, item.id)
    if item.status != ItemStatus.ARCHIVED:
        warehouse_id = await db.scalar(select(Location.warehouse_id).where(Location.id == item.location_id))
        await search.put(db, _entry(item, warehouse_id))


async def everything(db: AsyncSession, after: uuid.UUID | None) -> Sequence[Entry]:
    """Items, in the order of their ids."""
    following = (
        select(Item, Location.warehouse_id)
        .outerjoin(Location, Location.id == Item.location_id)
        .where(Item.status != ItemStatus.ARCHIVED)
        .order_by(Item.id)
        .limit(_AT_ONCE)
    )
    if after is not None:
        following = following.where(Item.id > after)
    return [_entry(item, warehouse_id) for item, warehouse_id in await db.execute(following)]


def _entry(item: Item, warehouse_id: uuid.UUID | None) -> Entry:
    return Entry(
        kind=KIND,
        id=item.id,
        title=item.name,
        code=item.asset_code,
        text=" ".join(filter(None, (item.serial_number, item.barcode, item.description))),
        facets={"status": str(item.status)},
        permission="items:read",
        warehouse_id=warehouse_id,
    )
