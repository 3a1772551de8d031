"""Warehouses and places as people look at them: how full they are, and what it is like there."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.devices.models import Sensor
from cloud_api.inventory.ledger.models import StockLevel
from cloud_api.inventory.occupancy import service
from cloud_api.places import service as places
from cloud_api.places.models import Location, Warehouse
from cloud_api.places.queries import EVERYWHERE, Visible
from cloud_api.telemetry.series import service as series
from cloud_api.telemetry.series.service import Latest

Climate = Literal["in_range", "out_of_range", "unknown"]


@dataclass(frozen=True, slots=True)
class Use:
    """How much lies somewhere, of how much."""

    used_kg: float
    capacity_kg: float | None

    @property
    def percent(self) -> float | None:
        """0 to 100, and above when it is overfull; None without a capacity."""
        return None if self.capacity_kg is None else round(100 * self.used_kg / self.capacity_kg, 1)


@dataclass(frozen=True, slots=True)
class Fill:
    """What a place has inside it, at any depth."""

    used_kg: float
    places: int


@dataclass(frozen=True, slots=True)
class Area:
    """A place on the floor plan."""

    location: Location
    use: Use
    sensors: Sequence[Latest]
    climate: Climate
    on_hold: bool


async def use_of(db: AsyncSession, warehouse: Warehouse) -> tuple[Use, Mapping[str, Use]]:
    """How full a warehouse is: as a whole, and its places of each storage class."""
    return await use_of_all(db, [warehouse])


async def use_of_all(db: AsyncSession, warehouses: Collection[Warehouse]) -> tuple[Use, Mapping[str, Use]]:
    """How full warehouses are together; the whole has no capacity unless each of them has one."""
    locations = await _present(db, [warehouse.id for warehouse in warehouses])
    used = await service.used_kg(db, [location.id for location in locations])
    by_id = {location.id: location for location in locations}
    there, room = defaultdict[str, float](float), defaultdict[str, float](float)
    for location in locations:
        there[location.storage_type] += used.get(location.id, 0.0)
        if location.capacity_kg is not None and not any(outer.capacity_kg for outer in _outside(location, by_id)):
            room[location.storage_type] += location.capacity_kg
    classes = {name: Use(round(kg, 3), room.get(name)) for name, kg in sorted(there.items())}
    limits = [warehouse.capacity_limit_kg for warehouse in warehouses]
    capacity = sum(limit for limit in limits if limit is not None) if limits and None not in limits else None
    return Use(round(sum(there.values()), 3), capacity), classes


async def climate_of(
    db: AsyncSession, location_ids: Collection[uuid.UUID], *, seen: Visible = EVERYWHERE
) -> Mapping[uuid.UUID, Sequence[Latest]]:
    """What the sensors of each place itself said last."""
    found = defaultdict[uuid.UUID, list[Latest]](list)
    for one in await series.latest(db, seen=seen, location_ids=location_ids):
        if one.location_id is not None:
            found[one.location_id].append(one)
    return found


async def fill_of(db: AsyncSession, location_ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, Fill]:
    """How much lies in each of these places and in everything inside it."""
    inside = select(Location.id.label("outer"), Location.id).where(Location.id.in_(location_ids)).cte(recursive=True)
    its = select(inside.c.outer, Location.id).join(inside, Location.parent_id == inside.c.id)
    inside = inside.union_all(its.where(Location.removed_at.is_(None)))
    pairs = [(outer, place) for outer, place in (await db.execute(select(inside.c.outer, inside.c.id))).tuples()]
    used = await service.used_kg(db, {place for _, place in pairs})
    kg, count = defaultdict[uuid.UUID, float](float), defaultdict[uuid.UUID, int](int)
    for outer, place in pairs:
        kg[outer] += used.get(place, 0.0)
        count[outer] += place != outer
    return {place: Fill(round(kg[place], 3), count[place]) for place in count}


def is_measured() -> ColumnElement[bool]:
    """Whether a sensor that is in use hangs in a place itself."""
    return exists(select(Sensor.id).where(Sensor.location_id == Location.id, Sensor.status == "active"))


def newest(said: Iterable[Latest], quantity: str) -> Latest | None:
    """What was said last of a quantity."""
    return max((one for one in said if one.quantity == quantity), key=lambda one: one.recorded_at_ms, default=None)


async def floor_map(db: AsyncSession, warehouse_id: uuid.UUID, *, seen: Visible = EVERYWHERE) -> list[Area]:
    """The places of a warehouse that have been drawn on its floor plan, by code.

    Raises:
        NotFound: when the warehouse is not there to be seen.
    """
    await places.get_warehouse(db, warehouse_id, seen=seen)
    locations = await _present(db, [warehouse_id])
    by_id = {location.id: location for location in locations}
    used, inside = await service.used_kg(db, list(by_id)), defaultdict[uuid.UUID, float](float)
    held = set(
        await db.scalars(
            select(StockLevel.location_id)
            .where(StockLevel.location_id.in_(by_id), StockLevel.on_hand > 0, StockLevel.status == "on_hold")
            .distinct()
        )
    )
    on_hold = set(held)
    for location in locations:
        inside[location.id] += used.get(location.id, 0.0)
        for outer in _outside(location, by_id):
            inside[outer.id] += used.get(location.id, 0.0)
            if location.id in held:
                on_hold.add(outer.id)
    said = await climate_of(db, list(by_id), seen=seen)
    return [
        Area(
            location,
            Use(round(inside[location.id], 3), location.capacity_kg),
            said.get(location.id, ()),
            _climate(location, said.get(location.id, ())),
            location.id in on_hold,
        )
        for location in locations
        if location.map is not None
    ]


async def _present(db: AsyncSession, warehouse_ids: Collection[uuid.UUID]) -> Sequence[Location]:
    its = select(Location).where(Location.warehouse_id.in_(warehouse_ids), Location.removed_at.is_(None))
    return (await db.scalars(its.order_by(Location.code, Location.id))).all()


def _outside(location: Location, by_id: Mapping[uuid.UUID, Location]) -> Iterable[Location]:
    """What a place lies in, innermost first."""
    at = location.parent_id
    while at is not None and at in by_id:
        yield by_id[at]
        at = by_id[at].parent_id


def _climate(location: Location, said: Sequence[Latest]) -> Climate:
    """Against the place's own limits; what is stale, or limited by nothing, says nothing."""
    verdicts = [
        _lies_in(one.value, low, high)
        for quantity, low, high in (
            ("temperature", location.temperature_min_c, location.temperature_max_c),
            ("humidity", location.humidity_min_pct, location.humidity_max_pct),
        )
        for one in said
        if one.quantity == quantity and not one.stale and (low is not None or high is not None)
    ]
    if not verdicts:
        return "unknown"
    return "in_range" if all(verdicts) else "out_of_range"


def _lies_in(value: float, low: float | None, high: float | None) -> bool:
    return (low is None or value >= low) and (high is None or value <= high)
