"""Batches that wait are stored together: exactly, each answered for itself, and never more than there is room for."""

import asyncio
import json
import uuid
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.devices.models import Gateway
from cloud_api.devices.sensors.service import retire_sensor
from cloud_api.identity.organizations import service as organizations
from cloud_api.kernel.db import Database
from cloud_api.kernel.errors import AppError
from cloud_api.kernel.tenancy import OrganizationScope, SystemScope
from cloud_api.telemetry.intake.door import Intake, Overloaded, Room
from cloud_api.telemetry.intake.ingest import Means
from cloud_api.telemetry.intake.parcels import Parcel, open_parcel
from cloud_api.telemetry.intake.reading_rows import Window
from cloud_api.telemetry.judges import StoredBatch
from cloud_api.telemetry.models import SensorReading, SensorSeries
from cloud_api.telemetry.stores.sql import SqlStore
from gateway.contract import BatchAnswer
from tests.factories.batches import EPOCH, Row, make_batch, make_column_batch, make_series, post, send, stored_rows
from tests.factories.farms import plant_gateway
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.stores import ColdStore
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

ALWAYS = Window(0, 2**50)


class Bench:
    """A process's intake without the web around it, and a note of who was stored with whom."""

    def __init__(self, database: Database, scope: OrganizationScope, *, broken: str = "") -> None:
        self.database = database
        self.scope = scope
        self.broken = broken
        self.groups: list[list[str]] = []
        self._sessions: list[AsyncSession] = []
        self.intake = Intake(Means([self._judge], SqlStore()), waiting_bytes=10_000_000)

    async def _judge(self, db: AsyncSession, batch: StoredBatch) -> None:
        if not self._sessions or self._sessions[-1] is not db:
            self._sessions.append(db)
            self.groups.append([])
        self.groups[-1].append(str(batch.gateway_id))
        if str(batch.gateway_id) == self.broken:
            raise LookupError("a judge that trips over one gateway")

    async def take(self, gateway_id: str, batch: Row, *, secret_sha256: str | None = None) -> BatchAnswer:
        return await self.intake.store(
            self.database, self.scope.organization_id, parcel(gateway_id, batch, secret_sha256=secret_sha256)
        )


def parcel(gateway_id: str, batch: Row, *, secret_sha256: str | None = None) -> Parcel:
    body = json.dumps(batch).encode()
    return open_parcel(uuid.UUID(gateway_id), body, window=ALWAYS, secret_sha256=secret_sha256)


async def boxes(farm: Platform, count: int) -> list[str]:
    return [(await plant_gateway(farm, farm.tenant))[0] for _ in range(count)]


async def count_readings(farm: Platform) -> int:
    async with farm.database.unit_of_work(farm.tenant.organization, read_only=True) as db:
        return await db.scalar(select(func.count()).select_from(SensorReading)) or 0


async def test_what_waits_is_stored_in_one_transaction(farm: Platform) -> None:
    gateways, bench = await boxes(farm, 6), Bench(farm.database, farm.tenant.organization)
    answers = await asyncio.gather(
        *(bench.take(gateway, make_column_batch(make_series([4.0, 5.0]))) for gateway in gateways)
    )
    assert [(answer.acked_through, answer.accepted) for answer in answers] == [(2, 2)] * 6
    assert [sorted(group) for group in bench.groups] == [sorted(gateways)]
    assert await count_readings(farm) == 12
    again = await asyncio.gather(
        *(bench.take(gateway, make_column_batch(make_series([4.0, 5.0, 6.0]))) for gateway in gateways)
    )
    assert [(answer.accepted, answer.duplicates, answer.refused) for answer in again] == [(1, 2, [])] * 6


async def test_of_one_gateway_a_group_has_one_batch(farm: Platform) -> None:
    [first, second], bench = await boxes(farm, 2), Bench(farm.database, farm.tenant.organization)
    rows = make_series([4.0] * 5)
    sent = [(first, rows[:2]), (first, rows[:3]), (second, rows[:1]), (first, rows), (second, rows[:4])]
    answers = await asyncio.gather(*(bench.take(gateway, make_batch(its)) for gateway, its in sent))
    assert all(len(group) == len(set(group)) for group in bench.groups)
    assert [answer.accepted for answer in answers] == [2, 1, 1, 2, 3]
    assert [answer.duplicates for answer in answers] == [0, 2, 0, 3, 1]


async def test_a_failure_in_a_group_is_nobody_elses(farm: Platform) -> None:
    gateways = await boxes(farm, 5)
    bench = Bench(farm.database, farm.tenant.organization, broken=gateways[2])
    answers = await asyncio.gather(
        *(bench.take(gateway, make_batch(make_series([4.0]))) for gateway in gateways), return_exceptions=True
    )
    assert [answer.accepted if isinstance(answer, BatchAnswer) else answer for answer in answers][:2] == [1, 1]
    assert isinstance(answers[2], LookupError)
    assert await count_readings(farm) == 4
    bench.broken = ""
    assert (await bench.take(gateways[2], make_batch(make_series([4.0])))).accepted == 1


async def test_a_gateway_that_went_out_of_service_meanwhile_is_refused_alone(farm: Platform) -> None:
    gateways, bench = await boxes(farm, 3), Bench(farm.database, farm.tenant.organization)
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        await db.execute(update(Gateway).where(Gateway.id == uuid.UUID(gateways[1])).values(status="decommissioned"))
    answers = await asyncio.gather(
        *(bench.take(gateway, make_batch(make_series([4.0]))) for gateway in gateways), return_exceptions=True
    )
    refused = [answer.code for answer in answers if isinstance(answer, AppError)]
    assert refused == ["GATEWAY_UNKNOWN"]
    assert await count_readings(farm) == 2


async def test_nobody_is_let_in_whose_organisation_was_closed_meanwhile(farm: Platform) -> None:
    [gateway], bench = await boxes(farm, 1), Bench(farm.database, farm.tenant.organization)
    assert (await bench.take(gateway, make_batch(make_series([4.0])))).accepted == 1
    async with farm.database.unit_of_work(SystemScope("test")) as db:
        await organizations.deactivate(db, farm.tenant.organization.organization_id)
    with pytest.raises(AppError, match="gateway"):
        await bench.take(gateway, make_batch(make_series([4.0, 5.0])))
    assert await count_readings(farm) == 1


async def test_what_is_remembered_of_sensors_goes_when_they_change(farm: Platform, store: ColdStore) -> None:
    rows, bench = make_series([4.0, 5.0, 6.0]), Bench(farm.database, farm.tenant.organization)
    seen: list[str] = []

    async def look(_db: AsyncSession, batch: StoredBatch) -> None:
        seen.extend(series.sensor.status for series in batch.series)

    bench.intake = Intake(Means([look], SqlStore()), waiting_bytes=10_000_000)
    for number in range(3):
        await bench.take(store.gateway_id, make_batch(rows[number : number + 1]))
        async with farm.database.unit_of_work(store.tenant.organization) as db:
            await retire_sensor(db, uuid.UUID(store.sensor_id))
    assert seen == ["active", "retired", "retired"]


async def test_a_secret_that_was_changed_meanwhile_opens_nothing(farm: Platform) -> None:
    [gateway], bench = await boxes(farm, 1), Bench(farm.database, farm.tenant.organization)
    with pytest.raises(AppError, match="gateway"):
        await bench.take(gateway, make_batch(make_series([4.0])), secret_sha256="0" * 64)
    assert await count_readings(farm) == 0


async def test_a_credential_that_was_believed_a_second_ago_is_looked_at_again(farm: Platform, store: ColdStore) -> None:
    await send(farm, store, make_series([4.0]))
    async with farm.database.unit_of_work(store.tenant.organization) as db:
        its = update(Gateway).where(Gateway.id == uuid.UUID(store.gateway_id))
        await db.execute(its.values(secret_sha256="0" * 64))
    answer = await post(farm, store, make_batch(make_series([4.0, 5.0])))
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "GATEWAY_UNKNOWN")
    assert len(await stored_rows(farm, store)) == 1


async def test_who_has_gone_before_his_turn_is_left_out(farm: Platform) -> None:
    [first, second], bench = await boxes(farm, 2), Bench(farm.database, farm.tenant.organization)
    working = asyncio.ensure_future(bench.take(first, make_batch(make_series([4.0]))))
    impatient = asyncio.ensure_future(bench.take(second, make_batch(make_series([4.0]))))
    await asyncio.sleep(0)
    impatient.cancel()
    assert (await working).accepted == 1
    assert await count_readings(farm) == 1


async def test_room_is_kept_for_other_organisations() -> None:
    room, greedy, modest = Room(1_000), uuid.uuid4(), uuid.uuid4()
    with room.take(greedy, 250) as place:
        with pytest.raises(Overloaded), room.take(greedy, 1):
            pass
        with room.take(modest, 250):
            pass
        place.resize(100)
        with room.take(greedy, 150), pytest.raises(Overloaded):
            place.resize(101)
    with room.take(greedy, 250):
        pass


async def test_an_organisations_only_batch_may_have_all_the_room_there_is() -> None:
    room, somebody = Room(1_000), uuid.uuid4()
    with room.take(somebody, 500) as place:
        place.resize(1_000)
        assert not room.has(somebody, 1)
        assert not room.has(uuid.uuid4(), 1)
        with pytest.raises(Overloaded):
            place.resize(1_001)
    assert room.has(somebody, 1_000)


async def test_what_there_is_no_room_for_is_put_off_before_it_is_read(farm: Platform, store: ColdStore) -> None:
    intake: Intake = farm.app.state.intake
    with intake.room.take(store.tenant.organization.organization_id, farm.settings.ingest_waiting_bytes):
        answer = await post(farm, store, make_batch(make_series([4.0])))
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "OVERLOADED")
    assert int(answer.headers["Retry-After"]) >= 1
    assert await stored_rows(farm, store) == []
    assert (await send(farm, store, make_series([4.0])))["accepted"] == 1


async def states(farm: Platform, sensor_ids: list[str]) -> list[tuple[Any, ...]]:
    names = ("last_recorded_at_ms", "last_value", "hour_begins_ms", "hour_count", "hour_total", "day_count")
    async with farm.database.unit_of_work(farm.tenant.organization, read_only=True) as db:
        columns = [getattr(SensorSeries, name) for name in names]
        its = select(*columns).where(SensorSeries.sensor_id.in_([uuid.UUID(one) for one in sensor_ids]))
        return [tuple(row) for row in await db.execute(its)]


async def test_processes_that_take_turns_know_what_the_others_wrote(farm: Platform, store: ColdStore) -> None:
    """Each keeps series in memory; none of them may write from what it remembers of before."""
    others = [Database(farm.database.url.render_as_string(hide_password=False)) for _ in range(2)]
    benches = [Bench(database, farm.tenant.organization) for database in (farm.database, *others)]
    rows = make_series([float(number) for number in range(30)])
    for number in range(30):
        answer = await benches[number % 3].take(store.gateway_id, make_batch(rows[number : number + 1]))
        assert answer.accepted == 1
    assert await states(farm, [store.sensor_id]) == [
        (rows[-1]["recorded_at_ms"], 29.0, rows[0]["recorded_at_ms"] - 30 * 60_000, 30, sum(range(30)), 30)
    ]
    for database in others:
        await database.close()


async def test_one_lane_from_eight_senders_through_two_processes_is_stored_once(
    farm: Platform, store: ColdStore
) -> None:
    """Exact, overlapping, reordered and altered replays at the same moment; the senders' own ledger decides."""
    other = Database(farm.database.url.render_as_string(hide_password=False))
    benches = [Bench(database, farm.tenant.organization) for database in (farm.database, other)]
    gateways = [store.gateway_id, *await boxes(farm, 3)]
    rows = make_series([float(number) for number in range(120)], every_s=1)

    async def sender(number: int) -> list[BatchAnswer]:
        answers = []
        for start in range(0, 120, 10 + number):
            its = rows[max(0, start - 5) : start + 10 + number]
            batch = make_column_batch(its) if number % 2 else make_batch(its[::-1])
            answers.append(await benches[number % 2].take(gateways[number // 2], batch))
        return answers

    of_senders = await asyncio.gather(*map(sender, range(8)))
    await other.close()
    for pair, gateway in zip(zip(of_senders[::2], of_senders[1::2], strict=True), gateways, strict=True):
        answers = [answer for answers in pair for answer in answers]
        assert max(answer.acked_through for answer in answers) == 120
        assert sum(answer.accepted for answer in answers) == 120
        assert [answer.refused for answer in answers if answer.refused] == []
        stored = await stored_rows(farm, replace(store, gateway_id=gateway), epoch=EPOCH)
        assert stored == [(row["sequence"], row["recorded_at_ms"], row["value"]) for row in rows]
