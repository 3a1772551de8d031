"""Streams of readings straight into a store: a gateway, a sensor and its series, without HTTP."""

import itertools
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from sqlalchemy import update

from cloud_api.devices.models import Gateway, Sensor, SensorPlacement
from cloud_api.kernel import clock
from cloud_api.kernel.db import Database, insert_missing
from cloud_api.kernel.ids import new_id
from cloud_api.kernel.tenancy import OrganizationScope
from cloud_api.places.models import Location
from cloud_api.telemetry.models import LaneCursor, SensorSeries, SeriesCounter
from cloud_api.telemetry.stores.port import NewReadings, Readings, ReadingStore

_numbers = itertools.count(1)
#: sequences of a lane
SEQUENCES = 1 << 40


@dataclass(frozen=True)
class Stream:
    """A sensor with its series, and the lane that its readings come by."""

    database: Database
    scope: OrganizationScope
    gateway_id: uuid.UUID
    sensor_id: uuid.UUID
    #: `SensorSeries.number`
    number: int
    #: `LaneCursor.number`
    lane: int = 1

    async def append(self, store: ReadingStore, readings: Readings) -> None:
        """Add them, in a unit of work of their own."""
        async with self.database.unit_of_work(self.scope) as db:
            await store.append(db, new_readings(self.number, readings))

    async def read(self, store: ReadingStore, from_ms: int = 0, to_ms: int = 1 << 45) -> Readings:
        """What the store has of the sensor."""
        async with self.database.unit_of_work(self.scope, read_only=True) as db:
            return await store.read(db, self.sensor_id, from_ms=from_ms, to_ms=to_ms)


async def make_stream(database: Database, scope: OrganizationScope, *, location_id: uuid.UUID | None = None) -> Stream:
    """A stream of an organisation, with a gateway of its own."""
    name = f"stream-{next(_numbers)}-{new_id()}"
    async with database.unit_of_work(scope) as db:
        gateway = Gateway(
            id=new_id(), name=name, claim_code_sha256=name, claim_expires_at=clock.now(), created_at=clock.now()
        )
        sensor = Sensor(
            id=new_id(),
            gateway_id=gateway.id,
            location_id=location_id,
            code="z2m:cold-room-1",
            quantity="temperature",
            unit="Cel",
            created_at=clock.now(),
        )
        db.add(gateway)
        await db.flush()
        db.add(sensor)
        await db.flush()
        if location_id is not None:
            db.add(SensorPlacement(sensor_id=sensor.id, from_ms=0, location_id=location_id))
        db.add(LaneCursor(gateway_id=gateway.id, epoch="0" * 32, lane="readings", number=1))
        await insert_missing(db, SeriesCounter, {"id": 1, "last": 0})
        counted = update(SeriesCounter).where(SeriesCounter.id == 1).values(last=SeriesCounter.last + 1)
        number = await db.scalar(counted.returning(SeriesCounter.last).execution_options(synchronize_session=False))
        assert number is not None
        db.add(SensorSeries(sensor_id=sensor.id, number=number))
        return Stream(database, scope, gateway.id, sensor.id, number)


async def make_place(database: Database, scope: OrganizationScope, *, parent_id: uuid.UUID | None = None) -> uuid.UUID:
    """A cold room in no warehouse, or something within one."""
    name = f"ROOM-{next(_numbers)}"
    async with database.unit_of_work(scope) as db:
        place = Location(
            id=new_id(),
            parent_id=parent_id,
            code=name,
            name=name,
            location_type="room",
            storage_type="cold_storage",
            created_at=clock.now(),
        )
        db.add(place)
        return place.id


def readings_of(
    times_ms: Sequence[int], values: Sequence[float], *, first_sequence: int = 1, qualities: Sequence[int] = ()
) -> Readings:
    """Readings with sequences that count up, of lane 1."""
    sequences = SEQUENCES + first_sequence + np.arange(len(times_ms), dtype=np.int64)
    return Readings(
        np.array(times_ms, np.int64),
        sequences,
        np.array(values, np.float64),
        np.array(qualities or [0] * len(times_ms), np.int8),
    )


def new_readings(number: int, readings: Readings) -> NewReadings:
    """The same, for a store."""
    return NewReadings(
        np.full(len(readings), number, np.int64),
        readings.times_ms,
        readings.sequences,
        readings.values,
        readings.qualities,
    )


def cut(readings: Readings, part: slice) -> Readings:
    """A part of them."""
    return replace(
        readings,
        times_ms=readings.times_ms[part],
        sequences=readings.sequences[part],
        values=readings.values[part],
        qualities=readings.qualities[part],
    )


def rows_of(readings: Readings) -> list[tuple[int, int, bytes, int]]:
    """(time, sequence, value bit by bit, quality) of each."""
    return [
        *zip(
            readings.times_ms.tolist(),
            readings.sequences.tolist(),
            [value.tobytes() for value in readings.values],
            readings.qualities.tolist(),
            strict=True,
        )
    ]
