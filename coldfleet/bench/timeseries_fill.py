"""A month of readings for `coldfleet bench timeseries`: cold rooms with days, doors, and now and then a breach.

A sensor says every five minutes, with two decimals, how warm it is: a curve over the day, the compressor's noise, doors
that are opened in working hours and whose warmth is gone after half an hour, and sometimes hours that are too warm.
Readings go in by the store's own way; their hours and days are added up here.
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from sqlalchemy import Table, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.cold_chain.excursions.models import Excursion
from cloud_api.cold_chain.rules import service as rules
from cloud_api.cold_chain.rules.schemas import RuleCreate
from cloud_api.devices.models import Gateway, Sensor
from cloud_api.identity.organizations.models import Organization
from cloud_api.kernel import clock
from cloud_api.kernel.db import Database, insert_missing
from cloud_api.kernel.tenancy import OrganizationScope, SystemScope
from cloud_api.places.models import Location, Warehouse
from cloud_api.telemetry.models import ReadingDay, ReadingHour, SensorSeries, SeriesCounter
from cloud_api.telemetry.stores.port import NewReadings
from cloud_api.telemetry.stores.writing import append_rows
from cloud_api.telemetry.zones import zone_called

STEP_MS = 300_000
ZONE = "Asia/Kolkata"
LIMIT_C = 8.0
#: of a sensor
READINGS = 10_000
_SENSORS_A_ROOM = 10
_SENSORS_AT_ONCE = 10
_DAY_STEPS = 288
#: of the hours' and days' tables in one statement
_ROWS_AT_ONCE = 5_000

Numbers = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Filled:
    """What there is to ask for."""

    scope: OrganizationScope
    sensor_ids: Sequence[uuid.UUID]
    #: of the first reading, and behind the last
    from_ms: int
    until_ms: int


async def fill(database: Database, slug: str, *, readings: int) -> Filled:
    """Fill an organisation that has nothing with sensors, their readings and their excursions."""
    async with database.unit_of_work(SystemScope("benchmark"), read_only=True) as db:
        organization_id = (await db.scalars(select(Organization.id).where(Organization.slug == slug))).one()
    scope = OrganizationScope(organization_id)
    count = max(1, min(1_000, readings // READINGS))
    each = readings // count
    until_ms = clock.now_ms() // STEP_MS * STEP_MS
    times_ms = until_ms - STEP_MS * np.arange(each, 0, -1, dtype=np.int64)
    async with database.unit_of_work(scope) as db:
        sensors, rooms = await _build(db, count)
        first = await _take_numbers(db, count)
    noise = np.random.default_rng(20_260_131)
    for at in range(0, count, _SENSORS_AT_ONCE):
        ids = sensors[at : at + _SENSORS_AT_ONCE]
        values = temperatures(noise, len(ids), times_ms)
        async with database.unit_of_work(scope) as db:
            await _add(db, scope, ids, first + at, times_ms, values)
            excursions = [
                _excursion(sensor_id, *rooms[at + index], number=f"EXC-BENCH-{at + index}-{begin}", span=span)
                for index, sensor_id in enumerate(ids)
                for begin, span in enumerate(_too_warm(times_ms, values[index]))
            ]
            db.add_all(excursions)
    return Filled(scope, sensors, int(times_ms[0]), until_ms)


def temperatures(noise: np.random.Generator, sensors: int, times_ms: Integers) -> Numbers:
    """Degrees Celsius; shape (sensors, times)."""
    steps = len(times_ms)
    hours = (times_ms / 3_600_000 + 5.5) % 24
    phase = noise.uniform(-1, 1, (sensors, 1))
    values = 4.0 + noise.uniform(-0.7, 0.7, (sensors, 1)) + 0.8 * np.sin((hours - 9 + phase) * np.pi / 12)
    values += noise.normal(0, 0.15, (sensors, steps))
    working = (hours > 7) & (hours < 19)
    doors = (noise.random((sensors, steps)) < 0.02) & working
    opened = doors * noise.uniform(1.0, 3.0, (sensors, steps))
    for after in range(6):
        values[:, after:] += opened[:, : steps - after] * 0.5**after
    for sensor in range(sensors):
        for begin in np.flatnonzero(noise.random(steps) < 1 / (_DAY_STEPS * 15)):
            values[sensor, begin : begin + noise.integers(12, 40)] += noise.uniform(4, 9)
    rounded: Numbers = np.round(values, 2)
    return rounded


def _too_warm(times_ms: Integers, values: Numbers) -> Iterator[tuple[int, int, float]]:
    """(began, ended, worst) of each stretch above the limit that lasted half an hour."""
    marks = np.flatnonzero(np.diff(np.concatenate([[0], values > LIMIT_C, [0]])))
    for begin, end in zip(marks[::2], marks[1::2], strict=True):
        if end - begin >= 6 and end < len(times_ms):
            yield int(times_ms[begin]), int(times_ms[end]), float(values[begin:end].max())


def _excursion(
    sensor_id: uuid.UUID, location_id: uuid.UUID, rule_id: uuid.UUID, *, number: str, span: tuple[int, int, float]
) -> Excursion:
    began_ms, ended_ms, worst = span
    return Excursion(
        number=number,
        incident=uuid.uuid4().hex,
        location_id=location_id,
        sensor_id=sensor_id,
        rule_id=rule_id,
        quantity="temperature",
        unit="Cel",
        kind="high",
        set_at=LIMIT_C,
        clear_at=LIMIT_C - 1,
        severity="critical",
        status="recovered",
        started_at=clock.from_ms(began_ms),
        raised_at=clock.from_ms(began_ms + 600_000),
        ended_at=clock.from_ms(ended_ms),
        peak_value=worst,
        raised_by="cloud",
    )


async def _build(db: AsyncSession, count: int) -> tuple[list[uuid.UUID], list[tuple[uuid.UUID, uuid.UUID]]]:
    """Rooms of ten sensors each, with a gateway and a limit: the sensors, and of each (room, rule)."""
    warehouse = Warehouse(code="BENCH", name="Bench", created_at=clock.now())
    db.add(warehouse)
    await db.flush()
    sensors: list[uuid.UUID] = []
    rooms: list[tuple[uuid.UUID, uuid.UUID]] = []
    for number in range(-(-count // _SENSORS_A_ROOM)):
        gateway = Gateway(
            name=f"Bench {number}",
            status="active",
            claim_code_sha256=uuid.uuid4().hex,
            claim_expires_at=clock.now(),
            created_at=clock.now(),
        )
        room = Location(
            warehouse_id=warehouse.id,
            code=f"BENCH-{number}",
            name=f"Bench {number}",
            location_type="room",
            storage_type="cold_storage",
            temperature_min_c=0.0,
            temperature_max_c=LIMIT_C,
            created_at=clock.now(),
        )
        db.add_all([gateway, room])
        await db.flush()
        limit = RuleCreate(name=room.code, location_id=room.id, kind="high", set_at=LIMIT_C, clear_at=LIMIT_C - 1)
        rule = await rules.create_rule(db, new=limit)
        made = [
            Sensor(
                gateway_id=gateway.id,
                location_id=room.id,
                code=f"bench:{number}-{index}",
                quantity="temperature",
                unit="Cel",
                gain=1.0,
                offset=0.1,
                interval_s=86_400,  # they fall silent when the last is in: nobody is to be told
                created_at=clock.now(),
            )
            for index in range(min(_SENSORS_A_ROOM, count - number * _SENSORS_A_ROOM))
        ]
        db.add_all(made)
        await db.flush()
        sensors += [sensor.id for sensor in made]
        rooms += [(room.id, rule.id)] * len(made)
    return sensors, rooms


async def _take_numbers(db: AsyncSession, count: int) -> int:
    """The first of `count` numbers of series."""
    await insert_missing(db, SeriesCounter, {"id": 1, "last": 0})
    taken = (
        update(SeriesCounter)
        .where(SeriesCounter.id == 1)
        .values(last=SeriesCounter.last + count)
        .returning(SeriesCounter.last)
        .execution_options(synchronize_session=False)
    )
    return (await db.scalars(taken)).one() - count + 1


async def _add(
    db: AsyncSession,
    scope: OrganizationScope,
    sensors: Sequence[uuid.UUID],
    first: int,
    times_ms: Integers,
    values: Numbers,
) -> None:
    """Readings of some sensors, their series, hours and days."""
    steps = len(times_ms)
    numbers = first + np.arange(len(sensors), dtype=np.int64)
    hours_ms, dates = zone_called(ZONE).hours(times_ms)
    days_ms = zone_called(ZONE).day_begins(dates)
    open_ = {}
    for name, model, begins_ms in (("hour", ReadingHour, hours_ms), ("day", ReadingDay, days_ms)):
        starts = np.flatnonzero(np.concatenate([[True], begins_ms[1:] != begins_ms[:-1]]))
        columns = (
            np.diff(np.concatenate([starts, [steps]])) * np.ones((len(sensors), 1), np.int64),
            np.add.reduceat(values, starts, axis=1),
            np.minimum.reduceat(values, starts, axis=1),
            np.maximum.reduceat(values, starts, axis=1),
        )
        open_[name] = (int(begins_ms[-1]), *(column[:, -1].tolist() for column in columns))
        rows = [
            {
                "organization_id": scope.organization_id,
                "series": number,
                "begins_ms": begin_ms,
                "count": count,
                "total": total,
                "minimum": least,
                "maximum": most,
            }
            for index, number in enumerate(numbers.tolist())
            for begin_ms, count, total, least, most in zip(
                begins_ms[starts[:-1]].tolist(), *(column[index, :-1].tolist() for column in columns), strict=True
            )
        ]
        await _insert(db, cast(Table, model.__table__), rows)
    db.add_all(
        _series(sensor_id, index, first + index, times_ms, values, open_) for index, sensor_id in enumerate(sensors)
    )
    await db.flush()
    await append_rows(
        db,
        NewReadings(
            np.repeat(numbers, steps),
            np.tile(times_ms, len(sensors)),
            np.tile((1 << 40) + np.arange(1, steps + 1, dtype=np.int64), len(sensors)),
            values.reshape(-1),
            np.zeros(steps * len(sensors), np.int8),
        ),
    )


async def _insert(db: AsyncSession, table: Table, rows: Sequence[dict[str, object]]) -> None:
    connection = await db.connection()
    for at in range(0, len(rows), _ROWS_AT_ONCE):
        await connection.execute(insert(table), rows[at : at + _ROWS_AT_ONCE])


def _series(
    sensor_id: uuid.UUID,
    index: int,
    number: int,
    times_ms: Integers,
    values: Numbers,
    open_: Mapping[str, Sequence[Any]],
) -> SensorSeries:
    fields = {
        f"{name}_{field}": told[index] if isinstance(told, list) else told
        for name, bucket in open_.items()
        for field, told in zip(("begins_ms", "count", "total", "minimum", "maximum"), bucket, strict=True)
    }
    return SensorSeries(
        number=number,
        sensor_id=sensor_id,
        zone=ZONE,
        last_recorded_at_ms=int(times_ms[-1]),
        last_value=float(values[index, -1]),
        last_quality="good",
        heard_at_ms=int(times_ms[-1]),
        cadence_ms=STEP_MS,
        **fields,
    )
