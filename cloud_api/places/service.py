"""The verbs of places."""

import uuid
from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel import clock
from cloud_api.kernel.errors import Invalid, NotFound
from cloud_api.kernel.registers import flush_unique
from cloud_api.places.models import Location, Warehouse
from cloud_api.places.schemas import LocationCreate, WarehouseCreate


async def create_warehouse(db: AsyncSession, *, new: WarehouseCreate) -> Warehouse:
    """Add a site.

    Raises:
        AlreadyExists: when its code is taken.
    """
    warehouse = Warehouse(**new.model_dump(), created_at=clock.now())
    db.add(warehouse)
    await flush_unique(db, f"warehouse code {new.code!r} is taken", field="code")
    return warehouse


async def get_warehouse(db: AsyncSession, warehouse_id: uuid.UUID) -> Warehouse:
    """One site.

    Raises:
        NotFound: when there is none.
    """
    warehouse = await db.get(Warehouse, warehouse_id)
    if warehouse is None:
        raise NotFound(f"no warehouse with id {warehouse_id}", field="warehouse_id")
    return warehouse


async def create_location(db: AsyncSession, *, new: LocationCreate) -> Location:
    """Add a place.

    Raises:
        Invalid: when the limits are the wrong way round, warehouse and type do not go together, or the parent stands
            in another warehouse.
        NotFound: when the warehouse or the parent is not there.
        AlreadyExists: when its code is taken.
    """
    low, high = new.temperature_min_c, new.temperature_max_c
    if low is not None and high is not None and low >= high:
        raise Invalid("temperature_min_c must be below temperature_max_c", field="temperature_min_c")
    if (new.location_type == "vehicle") != (new.warehouse_id is None):
        raise Invalid("a vehicle has no warehouse_id; every other place needs one", field="warehouse_id")
    if new.warehouse_id is not None:
        await get_warehouse(db, new.warehouse_id)
    if new.parent_id is not None:
        parent = await get_location(db, new.parent_id)
        if parent.warehouse_id != new.warehouse_id:
            raise Invalid("a place and its parent stand in the same warehouse", field="parent_id")
    location = Location(**new.model_dump(), created_at=clock.now())
    db.add(location)
    await flush_unique(db, f"location code {new.code!r} is taken", field="code")
    return location


async def get_location(db: AsyncSession, location_id: uuid.UUID) -> Location:
    """One place.

    Raises:
        NotFound: when there is none.
    """
    location = await db.get(Location, location_id)
    if location is None:
        raise NotFound(f"no location with id {location_id}", field="location_id")
    return location


async def within(db: AsyncSession, location_id: uuid.UUID) -> Sequence[uuid.UUID]:
    """The place itself and everything inside it, in key order."""
    inside = select(Location.id).where(Location.id == location_id).cte(recursive=True)
    inside = inside.union_all(select(Location.id).join(inside, Location.parent_id == inside.c.id))
    return (
        await db.scalars(select(Location.id).where(Location.id.in_(select(inside.c.id))).order_by(Location.id))
    ).all()


async def lock(db: AsyncSession, location_ids: Collection[uuid.UUID]) -> None:
    """Let nobody `keep` these places until the unit of work ends, and wait for those who do."""
    places = select(Location.id).where(Location.id.in_(location_ids)).order_by(Location.id)
    await db.execute(places.with_for_update(key_share=True))


async def keep(db: AsyncSession, location_id: uuid.UUID) -> None:
    """Let nobody `lock` this place until the unit of work ends. Any number may keep one."""
    await db.execute(select(Location.id).where(Location.id == location_id).with_for_update(read=True))


async def of_warehouse(db: AsyncSession, warehouse_id: uuid.UUID) -> Sequence[uuid.UUID]:
    """Every place of a warehouse, in key order."""
    return (
        await db.scalars(select(Location.id).where(Location.warehouse_id == warehouse_id).order_by(Location.id))
    ).all()


async def around(db: AsyncSession, location_id: uuid.UUID) -> Sequence[uuid.UUID]:
    """The place itself and everything it lies in, innermost first."""
    path: list[uuid.UUID] = []
    at: uuid.UUID | None = location_id
    while at is not None:
        path.append(at)
        at = (await get_location(db, at)).parent_id
    return path
