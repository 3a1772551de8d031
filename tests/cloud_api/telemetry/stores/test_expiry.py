"""What has been kept for its time goes, and nothing else; what is held stays."""

import asyncio
import uuid
from collections.abc import Sequence
from datetime import datetime

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from cloud_api.audit.models import AuditEntry
from cloud_api.kernel import clock
from cloud_api.kernel.db import Database
from cloud_api.telemetry.models import ReadingDay, ReadingHour
from cloud_api.telemetry.retention import service
from cloud_api.telemetry.retention.expiry import ReadingExpiry
from cloud_api.telemetry.retention.models import LegalHold
from cloud_api.telemetry.retention.schemas import LegalHoldCreate, RetentionClassWrite
from cloud_api.telemetry.stores.pieces import DAY_MS
from cloud_api.telemetry.stores.port import Readings
from cloud_api.telemetry.stores.sealing import ReadingSealer
from cloud_api.telemetry.stores.sql import SqlStore
from cloud_api.telemetry.stores.writing import forget_months
from tests.cloud_api.kernel.rows import add_organization
from tests.cloud_api.telemetry.stores.kept import seal_all
from tests.factories.streams import Stream, cut, make_place, make_stream, new_readings, readings_of, rows_of

#: 2024-10-04; "now" is a hundred days later
BEGIN_MS = 20_000 * DAY_MS
NOW_MS = BEGIN_MS + 100 * DAY_MS + 3_600_000
STORE = SqlStore()


@pytest.fixture(autouse=True)
def a_hundred_days_later() -> None:
    clock.use(lambda: clock.from_ms(NOW_MS))


def a_day_apart(days: int) -> Readings:
    """A reading at six o'clock of each day."""
    return readings_of(range(BEGIN_MS + 6 * 3_600_000, BEGIN_MS + days * DAY_MS, DAY_MS), [4.0] * days)


async def keep_for(stream: Stream, **days: int | None) -> uuid.UUID:
    """Give the sensor a class of its own."""
    async with stream.database.unit_of_work(stream.scope) as db:
        name = f"class {stream.number}"
        made = await service.create_class(db, new=RetentionClassWrite.model_validate({"name": name, **days}))
        await service.set_retention(db, stream.sensor_id, class_id=made.id)
        return made.id


async def hold(stream: Stream, **what: object) -> LegalHold:
    async with stream.database.unit_of_work(stream.scope) as db:
        new = LegalHoldCreate.model_validate({"reason": "claim 17", **what})
        return await service.hold(db, new=new, by=uuid.uuid4())


async def add_rollups(stream: Stream, days: int) -> None:
    """An hour and a day for each day."""
    async with stream.database.unit_of_work(stream.scope) as db:
        for day in range(days):
            of_all = {"series": stream.number, "count": 1, "total": 4.0, "minimum": 4.0, "maximum": 4.0}
            db.add(ReadingHour(begins_ms=BEGIN_MS + day * DAY_MS + 6 * 3_600_000, **of_all))
            db.add(ReadingDay(begins_ms=BEGIN_MS + day * DAY_MS, **of_all))


async def rollups(stream: Stream) -> tuple[int, int]:
    """How many hours and days there are."""
    async with stream.database.unit_of_work(stream.scope, read_only=True) as db:
        of_series = [
            await db.scalar(select(func.count()).select_from(tier).where(tier.series == stream.number))
            for tier in (ReadingHour, ReadingDay)
        ]
        return of_series[0] or 0, of_series[1] or 0


async def days_left(stream: Stream) -> Sequence[int]:
    """The days that still have a reading."""
    times_ms = (await stream.read(STORE)).times_ms
    return [(at - BEGIN_MS) // DAY_MS for at in times_ms.tolist()]


@pytest.fixture
async def stream(database: Database) -> Stream:
    """A sensor of an organisation, in a database that nobody else uses."""
    return await make_stream(database, await add_organization(database))


@pytest.mark.parametrize("sealed", [False, True])
async def test_readings_go_after_their_time_and_their_hours_and_days_stay(stream: Stream, sealed: bool) -> None:
    await stream.append(STORE, a_day_apart(100))
    await add_rollups(stream, 100)
    if sealed:
        await seal_all(stream)
    await keep_for(stream, raw_days=30, hours_days=60)
    assert await ReadingExpiry(stream.database).expire_due() == 70 + 40
    assert list(await days_left(stream)) == list(range(70, 100))
    assert await rollups(stream) == (60, 100)
    assert await ReadingExpiry(stream.database).expire_due() == 0


async def test_without_a_class_of_its_own_a_sensor_keeps_its_readings_for_400_days(stream: Stream) -> None:
    await stream.append(STORE, a_day_apart(100))
    assert await ReadingExpiry(stream.database).expire_due() == 0
    clock.use(lambda: clock.from_ms(NOW_MS + 305 * DAY_MS))
    assert await ReadingExpiry(stream.database).expire_due() == 5


async def test_what_was_deleted_stands_in_the_audit_trail(stream: Stream) -> None:
    await stream.append(STORE, a_day_apart(100))
    await keep_for(stream, raw_days=90)
    await ReadingExpiry(stream.database).expire_due()
    async with stream.database.unit_of_work(stream.scope, read_only=True) as db:
        [entry] = await db.scalars(select(AuditEntry).where(AuditEntry.action == "readings.expired"))
    assert (entry.entity_id, entry.actor_name) == (f"class {stream.number}", "telemetry.expiry")
    assert entry.old == {
        "readings": 10,
        "hours": 0,
        "days": 0,
        "sensors": 1,
        "from": clock.from_ms(BEGIN_MS).isoformat(),
        "to": clock.from_ms(BEGIN_MS + 10 * DAY_MS).isoformat(),
    }


def day(number: int) -> datetime:
    return clock.from_ms(BEGIN_MS + number * DAY_MS)


@pytest.mark.parametrize("sealed", [False, True])
async def test_nothing_under_a_legal_hold_is_deleted_until_it_is_released(stream: Stream, sealed: bool) -> None:
    await stream.append(STORE, a_day_apart(100))
    await add_rollups(stream, 100)
    if sealed:
        await seal_all(stream)
    await keep_for(stream, raw_days=10, hours_days=10, days_days=10)
    held = await hold(stream, sensor_id=stream.sensor_id, from_at=day(20), to_at=day(25))
    await ReadingExpiry(stream.database).expire_due()
    left = list(await days_left(stream))
    assert set(range(20, 25)) <= set(left)
    assert left == [*range(19, 27), *range(90, 100)]  # a day more on both sides, for local days
    assert await rollups(stream) == (len(left), len(left))
    async with stream.database.unit_of_work(stream.scope) as db:
        await service.release(db, held.id, by=uuid.uuid4())
    await ReadingExpiry(stream.database).expire_due()
    assert list(await days_left(stream)) == list(range(90, 100))


async def test_a_place_is_held_with_all_that_is_or_was_in_it(database: Database) -> None:
    scope = await add_organization(database)
    room = await make_place(database, scope)
    rack = await make_place(database, scope, parent_id=room)
    inside, elsewhere = [await make_stream(database, scope, location_id=place) for place in (rack, None)]
    for stream in (inside, elsewhere):
        await stream.append(STORE, a_day_apart(50))
        await keep_for(stream, raw_days=10)
    await hold(inside, location_id=room)
    await ReadingExpiry(database).expire_due()
    assert len(await days_left(inside)) == 50
    assert len(await days_left(elsewhere)) == 0


async def test_a_hold_of_everything_concerns_ones_own_organisation_only(database: Database) -> None:
    ours, theirs = [await make_stream(database, await add_organization(database)) for _ in range(2)]
    for stream in (ours, theirs):
        await stream.append(STORE, a_day_apart(50))
        await keep_for(stream, raw_days=10)
    await hold(ours)
    await ReadingExpiry(database).expire_due()
    assert (len(await days_left(ours)), len(await days_left(theirs))) == (50, 0)


async def test_readings_come_in_while_others_are_sealed_and_deleted(stream: Stream) -> None:
    old, new = a_day_apart(90), readings_of([NOW_MS + index for index in range(60)], [5.0] * 60, first_sequence=5000)
    await stream.append(STORE, old)
    await keep_for(stream, raw_days=30)

    async def take_in() -> None:
        for index in range(len(new)):
            await stream.append(STORE, cut(new, slice(index, index + 1)))

    async def clear() -> int:
        sealer, gone = ReadingSealer(stream.database, after_days=80, rest=0), 0
        for _ in range(10):
            await sealer.seal_due()
            gone += await ReadingExpiry(stream.database).expire_due()
        return gone

    gone, _ = await asyncio.wait_for(asyncio.gather(clear(), take_in()), 60)
    assert gone == 70
    expected = [*rows_of(cut(old, slice(70, None))), *rows_of(new)]
    assert rows_of(await stream.read(STORE)) == expected


async def test_who_makes_a_hold_waits_for_the_piece_that_is_being_deleted(postgres_url: str) -> None:
    database = Database(postgres_url)
    stream = await make_stream(database, await add_organization(database))
    async with database.unit_of_work(stream.scope) as db:
        assert await service.lock_deletion(db, unless_busy=True)
        holding = asyncio.create_task(hold(stream))
        async with database.unit_of_work(stream.scope) as other:
            assert not await service.lock_deletion(other, unless_busy=True)
        done, _ = await asyncio.wait({holding}, timeout=0.05)
        assert not done
    await holding
    await database.close()


async def test_a_month_that_is_over_and_empty_is_dropped_and_made_again_when_needed(postgres_url: str) -> None:
    database = Database(postgres_url)
    stream = await make_stream(database, await add_organization(database))
    whole = a_day_apart(99)  # from 2024-10-04 to 2025-01-10
    await stream.append(STORE, whole)
    expiry = ReadingExpiry(database)
    assert await expiry.drop_months() == []
    await seal_all(stream)
    assert await expiry.drop_months() == ["readings_2024_10"]
    assert await expiry.drop_months() == []
    assert rows_of(await stream.read(STORE)) == rows_of(whole)
    await database.close()
    forget_months()
    database = Database(postgres_url)
    late = Stream(database, stream.scope, stream.gateway_id, stream.sensor_id, stream.number)
    await late.append(STORE, readings_of([BEGIN_MS + 1], [4.0], first_sequence=9000))
    assert len(await late.read(STORE)) == 100
    await database.close()


async def test_a_month_is_not_dropped_while_somebody_adds_to_it(postgres_url: str) -> None:
    database = Database(postgres_url)
    stream = await make_stream(database, await add_organization(database))
    await stream.append(STORE, a_day_apart(1))
    await seal_all(stream)
    async with database.unit_of_work(stream.scope) as db:
        await STORE.append(db, new_readings(stream.number, readings_of([NOW_MS], [4.0], first_sequence=9000)))
        with pytest.raises(DBAPIError, match="lock timeout"):
            await ReadingExpiry(database).drop_months()
    assert len(await stream.read(STORE)) == 2
    await database.close()
