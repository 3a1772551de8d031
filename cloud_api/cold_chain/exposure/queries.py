"""What lay where and when, by the ledger, and which sensors watched it."""

import itertools
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.devices.models import Sensor, SensorPlacement
from cloud_api.devices.sensors.known import KnownSensor, known_sensors
from cloud_api.inventory.ledger.models import StockLevel, StockMovement
from cloud_api.kernel import clock
from cloud_api.places.models import Location
from cloud_api.telemetry.models import SensorSeries

TEMPERATURE = "temperature"


@dataclass(frozen=True, slots=True)
class Stay:
    """A lot lay in a place over [from_ms, to_ms); None: it lies there still."""

    lot_id: uuid.UUID
    location_id: uuid.UUID
    from_ms: int
    to_ms: int | None


@dataclass(frozen=True, slots=True)
class Watch:
    """A sensor watched a place over [from_ms, to_ms)."""

    sensor: KnownSensor
    #: where the sensor was: the place itself, one inside it, or the nearest around it
    location_id: uuid.UUID
    from_ms: int
    to_ms: int


async def stays_in(db: AsyncSession, location_ids: Collection[uuid.UUID], *, from_ms: int, to_ms: int) -> list[Stay]:
    """Which lots lay in these places at any moment of [from_ms, to_ms), as far as they did so in it.

    What lay there at the beginning is what lies there now less what was moved since: one statement, so that a movement
    of this moment is in both or in neither.
    """
    since = clock.from_ms(from_ms)
    moved_since = and_(
        StockMovement.lot_id == StockLevel.lot_id,
        StockMovement.location_id == StockLevel.location_id,
        StockMovement.recorded_at > since,
    )
    rows = await db.execute(
        select(
            StockLevel.lot_id,
            StockLevel.location_id,
            StockLevel.on_hand,
            StockMovement.quantity,
            StockMovement.recorded_at,
        )
        .select_from(StockLevel)
        .outerjoin(StockMovement, moved_since)
        .where(
            StockLevel.location_id.in_(location_ids),
            or_(StockLevel.on_hand > 0, StockMovement.recorded_at.is_not(None)),
        )
        .order_by(StockLevel.id, StockMovement.recorded_at, StockMovement.id)
    )
    found: list[Stay] = []
    for (lot_id, location_id), group in itertools.groupby(rows, key=lambda row: (row[0], row[1])):
        changes = [row[2:] for row in group]
        moved = [(recorded_at, quantity) for _, quantity, recorded_at in changes if quantity is not None]
        opening = changes[0][0] - sum((quantity for _, quantity in moved), Decimal(0))
        found += _stays(lot_id, location_id, moved, opening=opening, from_ms=from_ms)
    return [
        Stay(stay.lot_id, stay.location_id, stay.from_ms, _sooner(stay.to_ms, to_ms))
        for stay in found
        if stay.from_ms < to_ms
    ]


async def stays_of(db: AsyncSession, lot_ids: Collection[uuid.UUID]) -> list[Stay]:
    """Where lots have lain, by place and time."""
    rows = await db.execute(
        select(StockMovement.lot_id, StockMovement.location_id, StockMovement.recorded_at, StockMovement.quantity)
        .where(StockMovement.lot_id.in_(lot_ids))
        .order_by(StockMovement.recorded_at, StockMovement.id)
    )
    moved: dict[tuple[uuid.UUID, uuid.UUID], list[tuple[datetime, Decimal]]] = defaultdict(list)
    for lot_id, location_id, recorded_at, quantity in rows:
        moved[lot_id, location_id].append((recorded_at, quantity))
    stays = [stay for at, its in moved.items() for stay in _stays(*at, its, opening=Decimal(0))]
    return sorted(stays, key=lambda stay: (stay.from_ms, stay.location_id))


def _stays(
    lot_id: uuid.UUID,
    location_id: uuid.UUID,
    moved: Sequence[tuple[datetime, Decimal]],
    *,
    opening: Decimal,
    from_ms: int = 0,
) -> Iterable[Stay]:
    """The stretches in which there was something; what is over in the same millisecond was none."""
    balance, began_ms = opening, from_ms
    for recorded_at, quantity in moved:
        after, at_ms = balance + quantity, clock.to_ms(recorded_at)
        if balance <= 0 < after:
            began_ms = at_ms
        elif after <= 0 < balance and at_ms > began_ms:
            yield Stay(lot_id, location_id, began_ms, at_ms)
        balance = after
    if balance > 0:
        yield Stay(lot_id, location_id, began_ms, None)


def _sooner(ended_ms: int | None, to_ms: int) -> int | None:
    return None if ended_ms is None or ended_ms > to_ms else ended_ms


async def paths_of(db: AsyncSession, location_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, list[uuid.UUID]]:
    """Each place with everything it lies in, innermost first."""
    upward = select(Location.id, Location.parent_id).where(Location.id.in_(location_ids)).cte(recursive=True)
    upward = upward.union(select(Location.id, Location.parent_id).join(upward, Location.id == upward.c.parent_id))
    inside = select(Location.id, Location.parent_id).where(Location.id.in_(select(upward.c.id)))
    parents = {location_id: parent_id for location_id, parent_id in await db.execute(inside)}
    paths: dict[uuid.UUID, list[uuid.UUID]] = {}
    for location_id in location_ids:
        at: uuid.UUID | None = location_id
        paths[location_id] = []
        while at is not None:
            paths[location_id].append(at)
            at = parents.get(at)
    return paths


async def sensors_ever_in(
    db: AsyncSession, location_ids: Collection[uuid.UUID], *, quantities: Collection[str] = (TEMPERATURE,)
) -> list[KnownSensor]:
    """The sensors that are or were in one of these places, in the order of their codes."""
    placed = select(SensorPlacement.sensor_id).where(SensorPlacement.location_id.in_(location_ids))
    found = set(
        await db.scalars(
            select(Sensor.id).where(
                Sensor.quantity.in_(quantities), or_(Sensor.location_id.in_(location_ids), Sensor.id.in_(placed))
            )
        )
    )
    known = await known_sensors(db, sensor_ids=found) if found else {}
    return sorted(known.values(), key=lambda sensor: (sensor.code, sensor.quantity, sensor.id))


def watches(sensors: Iterable[KnownSensor], places: Collection[uuid.UUID], *, from_ms: int, to_ms: int) -> list[Watch]:
    """When each sensor was in one of these places, within [from_ms, to_ms)."""
    found = []
    for sensor in sensors:
        begins = [from_ms, *(placement.from_ms for placement in sensor.placements[1:])]
        ends = [*begins[1:], to_ms]
        for placement, begin, end in zip(sensor.placements, begins, ends, strict=True):
            place, since, until = placement.location_id, max(begin, from_ms), min(end, to_ms)
            if place is not None and place in places and since < until:
                found.append(Watch(sensor, place, since, until))
    return found


def nearest_watches(
    sensors: Sequence[KnownSensor], path: Sequence[uuid.UUID], *, from_ms: int, to_ms: int
) -> list[Watch]:
    """The same of the first place on the way outward that had a sensor then."""
    for location_id in path:
        found = watches(sensors, {location_id}, from_ms=from_ms, to_ms=to_ms)
        if found:
            return found
    return []


async def cadences_ms(db: AsyncSession, sensors: Iterable[KnownSensor]) -> Mapping[uuid.UUID, int | None]:
    """How far the readings of each sensor lie apart: as somebody said, or as they have."""
    said = {sensor.id: sensor.interval_s for sensor in sensors}
    heard = await db.execute(
        select(SensorSeries.sensor_id, SensorSeries.cadence_ms).where(SensorSeries.sensor_id.in_(said))
    )
    found: dict[uuid.UUID, int | None] = dict.fromkeys(said)
    found.update({sensor_id: cadence_ms for sensor_id, cadence_ms in heard})
    return {**found, **{sensor_id: interval_s * 1000 for sensor_id, interval_s in said.items() if interval_s}}
