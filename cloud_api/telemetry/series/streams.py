"""Of which sensors something is asked, and when their readings belong to the answer.

A reading belongs to the place where its sensor was then: who asks for a place gets what sensors measured while they
were in it or inside it, wherever they are now. Who asks for sensors gets all of theirs; somebody who is confined to
warehouses, those from what they may see.
"""

import uuid
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sqlalchemy import Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.devices.models import Sensor, SensorPlacement
from cloud_api.devices.queries import visible_sensors
from cloud_api.devices.sensors.known import EVER, KnownSensor, Placement, corrections_of, with_history
from cloud_api.kernel.errors import Invalid, NotFound
from cloud_api.places import service as places
from cloud_api.places.models import Location
from cloud_api.places.queries import Visible
from cloud_api.telemetry.models import SensorSeries

#: after all time
FOREVER = 1 << 62
#: of one answer
MOST_SENSORS = 200


@dataclass(frozen=True, slots=True)
class Stream:
    """What is asked of one sensor."""

    sensor: KnownSensor
    #: whose hours and days its roll-ups count
    zone: str
    #: how far its readings should be apart; None: nobody knows
    expected_ms: int | None
    #: [from, to) in milliseconds, in order and apart: when its readings belong to the answer
    stays: tuple[tuple[int, int], ...] = ((EVER, FOREVER),)

    @property
    def is_whole(self) -> bool:
        """Whether all its readings belong."""
        return self.stays == ((EVER, FOREVER),)

    def within(self, from_ms: int, to_ms: int) -> list[tuple[int, int]]:
        """The stays, as far as they lie in [from, to)."""
        cut = [(max(begin, from_ms), min(end, to_ms)) for begin, end in self.stays]
        return [(begin, end) for begin, end in cut if begin < end]

    def belongs(self, times_ms: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Whether what was measured at these times belongs to the answer; same shape."""
        inside = np.zeros(len(times_ms), dtype=np.bool_)
        for begin, end in self.stays:
            inside |= (times_ms >= begin) & (times_ms < end)
        return inside

    def changes_ms(self, from_ms: int, to_ms: int) -> list[int]:
        """When in (from, to) a calibration begins, or the sensor comes or goes."""
        marks = [correction.from_ms for correction in self.sensor.corrections[1:]]
        marks += [mark for stay in self.stays for mark in stay]
        return sorted({mark for mark in marks if from_ms < mark < to_ms})


def expected_ms(interval_s: int | None, cadence_ms: int | None) -> int | None:
    """How far a sensor's readings should be apart: as somebody said, or as they have been."""
    return cadence_ms if interval_s is None else interval_s * 1000


async def streams_of(
    db: AsyncSession, sensor_ids: Sequence[uuid.UUID], *, seen: Visible, quantity: str | None = None
) -> list[Stream]:
    """These sensors, in the order asked for.

    Raises:
        NotFound: when one of them is not there to be seen.
        Invalid: when they are too many.
    """
    wanted = list(dict.fromkeys(sensor_ids))
    if len(wanted) > MOST_SENSORS:
        raise Invalid(f"{len(wanted)} sensors are too many: ask for {MOST_SENSORS} at a time", field="sensor_id")
    found = await _found(db, select(Sensor.id).where(Sensor.id.in_(wanted), visible_sensors(seen)))
    for sensor_id in wanted:
        if sensor_id not in found:
            raise NotFound(f"no sensor with id {sensor_id}", field="sensor_id")
    shown = _everything if seen.warehouse_ids is None else _one_of({None, *await _visible_places(db, seen)})
    streams = [_stream(*found[sensor_id], shown) for sensor_id in wanted]
    return [stream for stream in streams if quantity is None or stream.sensor.quantity == quantity]


async def streams_in(
    db: AsyncSession, location_id: uuid.UUID, *, seen: Visible, quantity: str | None = None
) -> list[Stream]:
    """The sensors that have been heard and are or were in a place or inside it, by code and quantity.

    Raises:
        NotFound: when the place is not there to be seen.
        Invalid: when they are too many.
    """
    await places.get_location(db, location_id, seen=seen)
    inside = await places.within(db, location_id)
    were_there = select(SensorPlacement.sensor_id).where(SensorPlacement.location_id.in_(inside))
    heard = select(SensorSeries.sensor_id).where(SensorSeries.last_recorded_at_ms.is_not(None))
    ids = select(Sensor.id).where(or_(Sensor.location_id.in_(inside), Sensor.id.in_(were_there)), Sensor.id.in_(heard))
    if quantity is not None:
        ids = ids.where(Sensor.quantity == quantity)
    ids = ids.order_by(Sensor.code, Sensor.quantity).limit(MOST_SENSORS + 1)
    found = await _found(db, ids)
    if len(found) > MOST_SENSORS:
        raise Invalid(
            f"more than {MOST_SENSORS} sensors are or were there: name a quantity or a smaller place",
            field="location_id",
        )
    shown = _one_of(inside)
    streams = [_stream(*facts, shown) for facts in found.values()]
    return [stream for stream in streams if stream.stays]


async def _found(
    db: AsyncSession, ids: Select[tuple[uuid.UUID]]
) -> dict[uuid.UUID, tuple[KnownSensor, str, int | None]]:
    rows = await db.execute(
        select(Sensor, SensorSeries.zone, SensorSeries.cadence_ms, SensorPlacement.from_ms, SensorPlacement.location_id)
        .outerjoin(SensorSeries, SensorSeries.sensor_id == Sensor.id)
        .outerjoin(SensorPlacement, SensorPlacement.sensor_id == Sensor.id)
        .where(Sensor.id.in_(ids))
        .order_by(Sensor.code, Sensor.quantity, Sensor.id, SensorPlacement.from_ms)
    )
    sensors: dict[uuid.UUID, tuple[Sensor, str, int | None]] = {}
    placements: dict[uuid.UUID, list[Placement]] = defaultdict(list)
    for sensor, zone, cadence_ms, from_ms, location_id in rows:
        sensors[sensor.id] = (sensor, zone or "UTC", cadence_ms)
        if from_ms is not None:
            placements[sensor.id].append(Placement(from_ms, location_id))
    corrections = await corrections_of(db, list(sensors))
    return {
        key: (with_history(sensor, corrections=corrections[key], placements=placements[key]), zone, cadence_ms)
        for key, (sensor, zone, cadence_ms) in sensors.items()
    }


async def _visible_places(db: AsyncSession, seen: Visible) -> Collection[uuid.UUID]:
    return (await db.scalars(select(Location.id).where(seen.warehouses(Location.warehouse_id)))).all()


def _everything(_location_id: uuid.UUID | None) -> bool:
    return True


def _one_of(places_: Collection[uuid.UUID | None]) -> Callable[[uuid.UUID | None], bool]:
    return frozenset(places_).__contains__


def _stream(
    sensor: KnownSensor, zone: str, cadence_ms: int | None, shown: Callable[[uuid.UUID | None], bool]
) -> Stream:
    stays: list[tuple[int, int]] = []
    placements = sensor.placements
    for index, placement in enumerate(placements):
        begin = EVER if index == 0 else placement.from_ms
        end = placements[index + 1].from_ms if index + 1 < len(placements) else FOREVER
        if not shown(placement.location_id) or begin >= end:
            continue
        if stays and stays[-1][1] == begin:
            begin = stays.pop()[0]
        stays.append((begin, end))
    return Stream(sensor, zone, expected_ms(sensor.interval_s, cadence_ms), tuple(stays))
