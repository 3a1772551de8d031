"""The verbs of places."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.organizations import service as organizations
from cloud_api.identity.people import service as people
from cloud_api.kernel import clock, versions
from cloud_api.kernel.db import insert_missing
from cloud_api.kernel.errors import Forbidden, Invalid, NotFound
from cloud_api.kernel.permissions import Principal
from cloud_api.kernel.registers import flush_unique
from cloud_api.places.errors import PlaceClosed, PlaceFull, PlaceInUse, WrongStorage
from cloud_api.places.models import FITS, Location, Warehouse, WarehouseMember
from cloud_api.places.queries import EVERYWHERE, Visible
from cloud_api.places.schemas import LocationCreate, LocationUpdate, WarehouseCreate, WarehouseScope, WarehouseUpdate
from cloud_api.places.states import LEADS_TO, LOCATION, LocationStatus

#: what cannot be taken from a warehouse or a place by sending null
_NEVER_EMPTY = frozenset({"code", "name", "address", "is_active", "storage_type"})


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
    return await who_may_see_warehouse(db, user_ids, warehouse_id=warehouse_id)


async def who_may_see_warehouse(
    db: AsyncSession, user_ids: Collection[uuid.UUID], *, warehouse_id: uuid.UUID | None
) -> Sequence[uuid.UUID]:
    """Those of these people who may see a warehouse, in the order given; all of them where there is none to see."""
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
    db: AsyncSession, user_id: uuid.UUID, *, scope: WarehouseScope, seen: Visible
) -> tuple[Sequence[uuid.UUID], int]:
    """Confine a person to these warehouses instead of those before; to none: open all to them.

    Returns:
        The warehouses, in key order, and the person's version.

    Raises:
        NotFound: when there is no such person.
        Invalid: naming a warehouse that is not there, or that `seen` does not show.
        Forbidden: when somebody who is confined would open all warehouses to a person.
        StaleVersion: when `scope` was made of another version of the person than there is now.
    """
    person = await people.get_user(db, user_id, locked=True)
    if not scope.warehouse_ids and seen.warehouse_ids is not None:
        raise Forbidden("you are confined to some warehouses yourself: you cannot open all of them to anybody")
    await versions.count(db, person, seen=scope.version, what=person.full_name)
    wanted = set(scope.warehouse_ids)
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
    return sorted(wanted), person.version


async def create_warehouse(db: AsyncSession, *, new: WarehouseCreate, seen: Visible = EVERYWHERE) -> Warehouse:
    """Add a site.

    Raises:
        Forbidden: when the caller is confined to other warehouses, and would not see it.
        NotFound: when its manager is not there.
        AlreadyExists: when its code is taken.
    """
    if seen.warehouse_ids is not None:
        raise Forbidden("you are confined to some warehouses, and would not see a new one: ask somebody who is not")
    if new.manager_id is not None:
        await people.get_user(db, new.manager_id)
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


async def update_warehouse(
    db: AsyncSession, warehouse_id: uuid.UUID, *, changes: WarehouseUpdate, seen: Visible = EVERYWHERE
) -> Warehouse:
    """Change what is sent.

    Raises:
        NotFound: when there is none to be seen, or its manager is not there.
        StaleVersion: when `changes` was made of another version than there is now.
        AlreadyExists: when its code is taken.
    """
    warehouse = await get_warehouse(db, warehouse_id, seen=seen)
    await versions.count(db, warehouse, seen=changes.version, what=f"warehouse {warehouse.code}")
    if changes.manager_id is not None:
        await people.get_user(db, changes.manager_id)
    for field, value in _sent(changes.model_dump(exclude_unset=True)).items():
        setattr(warehouse, field, value)
    await flush_unique(db, f"warehouse code {warehouse.code!r} is taken", field="code")
    return warehouse


async def today_in(db: AsyncSession, warehouse_id: uuid.UUID | None) -> date:
    """The calendar day in a warehouse; where it names no time zone, and in no warehouse, the organisation's."""
    return clock.now().astimezone(await zone_of(db, warehouse_id)).date()


async def zone_of(db: AsyncSession, warehouse_id: uuid.UUID | None) -> ZoneInfo:
    """The time zone of a warehouse; where it names none, and in no warehouse, the organisation's."""
    warehouse = None if warehouse_id is None else await db.get(Warehouse, warehouse_id)
    if warehouse is None or warehouse.timezone is None:
        return await organizations.zone(db)
    return ZoneInfo(warehouse.timezone)


async def create_location(db: AsyncSession, *, new: LocationCreate, seen: Visible = EVERYWHERE) -> Location:
    """Add a place.

    Raises:
        Invalid: when the limits are the wrong way round, warehouse and type do not go together, or the parent stands
            in another warehouse.
        NotFound: when the warehouse or the parent is not there.
        AlreadyExists: when its code is taken.
    """
    _check_limits(new.temperature_min_c, new.temperature_max_c, field="temperature_min_c")
    _check_limits(new.humidity_min_pct, new.humidity_max_pct, field="humidity_min_pct")
    if (new.location_type == "vehicle") != (new.warehouse_id is None):
        raise Invalid("a vehicle has no warehouse_id; every other place needs one", field="warehouse_id")
    if new.warehouse_id is not None:
        await get_warehouse(db, new.warehouse_id, seen=seen)
    if new.parent_id is not None:
        parent = await get_present(db, new.parent_id, seen=seen)
        if parent.warehouse_id != new.warehouse_id:
            raise Invalid("a place and its parent stand in the same warehouse", field="parent_id")
    location = Location(**new.model_dump(), created_at=clock.now())
    db.add(location)
    await flush_unique(db, f"location code {new.code!r} is taken", field="code")
    return location


async def update_location(
    db: AsyncSession, location_id: uuid.UUID, *, changes: LocationUpdate, seen: Visible = EVERYWHERE
) -> Location:
    """Change what is sent: limits, capacity, where it lies, whether it takes stock.

    Limits are those of the place from now on; what is judged by rules goes on being judged by them.

    Raises:
        NotFound: when the place or its new parent is not there to be seen.
        Invalid: when limits are the wrong way round, or the place would lie in itself or in another warehouse.
        PlaceInUse: when it would be kept otherwise than what lies in it must be.
        InvalidTransition: when the status cannot follow the present one.
        StaleVersion: when `changes` was made of another version than there is now.
        AlreadyExists: when its code is taken.
    """
    location = await get_present(db, location_id, seen=seen)
    if location.location_type == "transit":
        raise Invalid("a place for goods on their way is kept by the platform: it cannot be changed", field="id")
    await versions.count(db, location, seen=changes.version, what=f"place {location.code}")
    sent = _sent(changes.model_dump(exclude_unset=True, exclude={"status"}))
    if changes.parent_id is not None:
        await _check_parent(db, location, changes.parent_id, seen=seen)
    if changes.status is not None and changes.status != location.status:
        action = LEADS_TO[LocationStatus(changes.status)]
        location.status = LOCATION.apply(LocationStatus(location.status), action)
    for field, value in sent.items():
        setattr(location, field, value)
    _check_limits(location.temperature_min_c, location.temperature_max_c, field="temperature_min_c")
    _check_limits(location.humidity_min_pct, location.humidity_max_pct, field="humidity_min_pct")
    await flush_unique(db, f"location code {location.code!r} is taken", field="code")
    return location


async def remove_location(db: AsyncSession, location_id: uuid.UUID, *, seen: Visible = EVERYWHERE) -> Location:
    """Take a place away; what happened in it still names it. Rooms above ask first what lies and hangs there.

    Raises:
        NotFound: when it is not there to be seen.
        PlaceInUse: naming what lies within it.
    """
    location = await get_present(db, location_id, seen=seen)
    its = select(Location.code).where(Location.parent_id == location.id, Location.removed_at.is_(None))
    inside = (await db.scalars(its.order_by(Location.code).limit(3))).all()
    if inside:
        raise PlaceInUse(f"{', '.join(inside)} lie within it: move or remove them first", field="id")
    if location.location_type in {"vehicle", "transit"}:
        raise PlaceInUse("this place goes with a vehicle, or with what is on its way: it stays", field="id")
    location.removed_at, location.status = clock.now(), "inactive"
    await db.flush()
    return location


async def check_put_away(db: AsyncSession, location: Location, *, storage_type: str | None, quantity_kg: float) -> None:
    """Whether goods may be put into a place.

    What lies there is known to rooms above: `inventory.occupancy.check_put_away` counts it, with the place locked.

    Args:
        storage_type: how the goods must be kept; None: nobody said.
        quantity_kg: what the place would hold then, with everything inside it.

    Raises:
        PlaceClosed: when the place or its warehouse takes nothing in.
        WrongStorage: when it is kept otherwise.
        PlaceFull: when that is more than it can carry.
    """
    its = select(Warehouse.code).where(Warehouse.id == location.warehouse_id, Warehouse.is_active.is_(False))
    closed = None if location.warehouse_id is None else await db.scalar(its)
    if location.removed_at is not None or location.status != "active":
        raise PlaceClosed(
            f"{location.code} is {location.status}: put the goods elsewhere, or open it", field="location_id"
        )
    if closed is not None:
        raise PlaceClosed(f"warehouse {closed} is not active: put the goods elsewhere", field="location_id")
    if storage_type is not None and location.storage_type not in FITS[storage_type]:
        raise WrongStorage(
            f"goods for {storage_type} may not lie in {location.code}, which is {location.storage_type}: "
            f"choose a place that is {' or '.join(sorted(FITS[storage_type]))}",
            field="location_id",
        )
    check_capacity(location, quantity_kg)


def check_capacity(location: Location, quantity_kg: float) -> None:
    """Whether a place can carry that much.

    Raises:
        PlaceFull: saying how much it can.
    """
    if location.capacity_kg is not None and quantity_kg > location.capacity_kg:
        raise PlaceFull(
            f"{location.code} would hold {quantity_kg:.3f} kg of at most {location.capacity_kg:g} kg: "
            "put less there, or choose another place",
            field="quantity",
        )


async def transit_to(db: AsyncSession, warehouse_id: uuid.UUID) -> Location:
    """The place of what is on its way to a warehouse; it stands in none, so nobody can promise what lies there."""
    its = select(Location).where(Location.transit_to_id == warehouse_id)
    found = (await db.scalars(its)).one_or_none()
    if found is None:
        warehouse = await get_warehouse(db, warehouse_id)
        values = {
            "code": f"TRANSIT-{warehouse.id}",
            "name": f"On the way to {warehouse.name}",
            "location_type": "transit",
            "storage_type": "ambient",
            "status": "active",
            "transit_to_id": warehouse.id,
            "created_at": clock.now(),
        }
        await insert_missing(db, Location, values)
        found = (await db.scalars(its)).one()
    return found


async def _check_parent(db: AsyncSession, location: Location, parent_id: uuid.UUID, *, seen: Visible) -> None:
    """Moves within one warehouse wait for each other: two at once could make a ring."""
    if location.warehouse_id is None:
        raise Invalid("a vehicle lies in no other place", field="parent_id")
    its = select(Warehouse.id).where(Warehouse.id == location.warehouse_id).with_for_update(key_share=True)
    await db.execute(its)
    parent = await get_present(db, parent_id, seen=seen)
    if parent.warehouse_id != location.warehouse_id:
        raise Invalid("a place and its parent stand in the same warehouse", field="parent_id")
    if location.id in await around(db, parent_id):
        raise Invalid(f"{parent.code} lies within {location.code}: choose a place outside of it", field="parent_id")


def _sent(fields: Mapping[str, object]) -> dict[str, object]:
    """What a partial body changes: null empties what may be empty, and leaves the rest as it is."""
    return {name: value for name, value in fields.items() if value is not None or name not in _NEVER_EMPTY}


def _check_limits(low: float | None, high: float | None, *, field: str) -> None:
    if low is not None and high is not None and low >= high:
        raise Invalid(f"{field} must be below {field.replace('min', 'max')}", field=field)


async def get_present(db: AsyncSession, location_id: uuid.UUID, *, seen: Visible = EVERYWHERE) -> Location:
    """One place that has not been removed.

    Raises:
        NotFound: when there is none to be seen.
    """
    location = await get_location(db, location_id, seen=seen)
    if location.removed_at is not None:
        raise NotFound(f"no location with id {location_id}", field="location_id")
    return location


async def get_location(db: AsyncSession, location_id: uuid.UUID, *, seen: Visible = EVERYWHERE) -> Location:
    """One place, even one that has been removed: its history is still asked for.

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


async def lock_everywhere(db: AsyncSession) -> None:
    """`lock` every place of the organisation: what is to be found may lie, or be on its way, anywhere."""
    await db.execute(select(Location.id).order_by(Location.id).with_for_update(key_share=True))


async def keep_all(db: AsyncSession, location_ids: Collection[uuid.UUID]) -> None:
    """`keep` several places, in key order."""
    places = select(Location.id).where(Location.id.in_(location_ids)).order_by(Location.id)
    await db.execute(places.with_for_update(read=True))


async def of_warehouse(db: AsyncSession, warehouse_id: uuid.UUID) -> Sequence[uuid.UUID]:
    """Every place of a warehouse, in key order."""
    return (
        await db.scalars(select(Location.id).where(Location.warehouse_id == warehouse_id).order_by(Location.id))
    ).all()


async def around(db: AsyncSession, location_id: uuid.UUID) -> Sequence[uuid.UUID]:
    """The place itself and everything it lies in, innermost first."""
    path = select(Location.id, Location.parent_id, literal(0).label("depth")).where(Location.id == location_id)
    outward = path.cte(recursive=True)
    outward = outward.union_all(
        select(Location.id, Location.parent_id, outward.c.depth + 1).join(outward, Location.id == outward.c.parent_id)
    )
    # from the rows as they stand: a place that is kept in memory may have been moved meanwhile
    its = select(Location.id).join(outward, Location.id == outward.c.id).order_by(outward.c.depth)
    return (await db.scalars(its)).all()
