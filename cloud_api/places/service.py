"""The verbs of places."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.people import service as people
from cloud_api.kernel import clock
from cloud_api.kernel.errors import Forbidden, Invalid, NotFound
from cloud_api.kernel.permissions import Principal
from cloud_api.kernel.registers import flush_unique
from cloud_api.places.models import Location, Warehouse, WarehouseMember
from cloud_api.places.queries import EVERYWHERE, Visible
from cloud_api.places.schemas import LocationCreate, WarehouseCreate


async def visible_to(db: AsyncSession, principal: Principal) -> Visible:
    """The places that somebody may see; machines see all."""
    if principal.kind != "user":
        return EVERYWHERE
    return Visible(frozenset(await warehouses_of(db, principal.id)) or None)


async def warehouses_of(db: AsyncSession, user_id: uuid.UUID) -> Sequence[uuid.UUID]:
    """The warehouses that a person is confined to, in key order; none: all are open to them."""
    mine = select(WarehouseMember.warehouse_id).where(WarehouseMember.user_id == user_id)
    return (await db.scalars(mine.order_by(WarehouseMember.warehouse_id))).all()


async def who_may_see(
    db: AsyncSession, user_ids: Collection[uuid.UUID], *, location_id: uuid.UUID | None
) -> Sequence[uuid.UUID]:
    """Those of these people who may see a place, in the order given; all of them where it lies in no warehouse."""
    its = select(Location.warehouse_id).where(Location.id == location_id)
    warehouse_id = None if location_id is None else await db.scalar(its)
    if warehouse_id is None:
        return [*user_ids]
    rows = await db.execute(
        select(WarehouseMember.user_id, WarehouseMember.warehouse_id).where(WarehouseMember.user_id.in_(user_ids))
    )
    confined_to = defaultdict[uuid.UUID, set[uuid.UUID]](set)
    for user_id, its_warehouse in rows:
        confined_to[user_id].add(its_warehouse)
    return [one for one in user_ids if one not in confined_to or warehouse_id in confined_to[one]]


async def confine(
    db: AsyncSession, user_id: uuid.UUID, *, warehouse_ids: Collection[uuid.UUID], seen: Visible
) -> Sequence[uuid.UUID]:
    """Confine a person to these warehouses instead of those before; to none: open all to them. Returns what holds now.

    Raises:
        NotFound: when there is no such person.
        Invalid: naming a warehouse that is not there, or that `seen` does not show.
        Forbidden: when somebody who is confined would open all warehouses to a person.
    """
    await people.get_user(db, user_id, locked=True)
    if not warehouse_ids and seen.warehouse_ids is not None:
        raise Forbidden("you are confined to some warehouses yourself: you cannot open all of them to anybody")
    wanted = set(warehouse_ids)
    there = set(await db.scalars(select(Warehouse.id).where(Warehouse.id.in_(wanted), seen.warehouses(Warehouse.id))))
    for missing in sorted(wanted - there):
        raise Invalid(f"no warehouse with id {missing}", field="warehouse_ids")
    rows = (await db.scalars(select(WarehouseMember).where(WarehouseMember.user_id == user_id))).all()
    for row in rows:
        if row.warehouse_id not in wanted:
            await db.delete(row)
    present = {row.warehouse_id for row in rows}
    db.add_all(WarehouseMember(user_id=user_id, warehouse_id=added) for added in sorted(wanted - present))
    await db.flush()
    return sorted(wanted)


async def create_warehouse(db: AsyncSession, *, new: WarehouseCreate, seen: Visible = EVERYWHERE) -> Warehouse:
    """Add a site.

    Raises:
        Forbidden: when the caller is confined to other warehouses, and would not see it.
        AlreadyExists: when its code is taken.
    """
    if seen.warehouse_ids is not None:
        raise Forbidden("you are confined to some warehouses, and would not see a new one: ask somebody who is not")
    warehouse = Warehouse(**new.model_dump(), created_at=clock.now())
    db.add(warehouse)
    await flush_unique(db, f"warehouse code {new.code!r} is taken", field="code")
    return warehouse


async def get_warehouse(db: AsyncSession, warehouse_id: uuid.UUID, *, seen: Visible = EVERYWHERE) -> Warehouse:
    """One site.

    Raises:
        NotFound: when there is none to be seen.
    """
    warehouse = await db.get(Warehouse, warehouse_id)
    if warehouse is None or not seen.shows(warehouse.id):
        raise NotFound(f"no warehouse with id {warehouse_id}", field="warehouse_id")
    return warehouse


async def create_location(db: AsyncSession, *, new: LocationCreate, seen: Visible = EVERYWHERE) -> Location:
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
        await get_warehouse(db, new.warehouse_id, seen=seen)
    if new.parent_id is not None:
        parent = await get_location(db, new.parent_id, seen=seen)
        if parent.warehouse_id != new.warehouse_id:
            raise Invalid("a place and its parent stand in the same warehouse", field="parent_id")
    location = Location(**new.model_dump(), created_at=clock.now())
    db.add(location)
    await flush_unique(db, f"location code {new.code!r} is taken", field="code")
    return location


async def get_location(db: AsyncSession, location_id: uuid.UUID, *, seen: Visible = EVERYWHERE) -> Location:
    """One place.

    Raises:
        NotFound: when there is none to be seen.
    """
    location = await db.get(Location, location_id)
    if location is None or not seen.shows(location.warehouse_id):
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
