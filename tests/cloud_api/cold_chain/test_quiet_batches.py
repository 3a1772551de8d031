"""A sensor that stands clear, and whose readings break nothing, costs the database no question."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.cold_chain.judging.judge import judge
from cloud_api.devices.models import Gateway
from cloud_api.devices.sensors.known import known_sensors
from cloud_api.telemetry.judges import StoredBatch, StoredSeries
from tests.cloud_api.cold_chain.excursions import MINUTE_MS, judge_at_once, listed, the_only
from tests.factories.batches import EIGHT_OCLOCK_MS
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.stores import ColdStore, make_rule
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP


@contextmanager
def counted(db: AsyncSession) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    engine = db.sync_session.get_bind().engine
    event.listen(engine, "before_cursor_execute", note)
    yield statements
    event.remove(engine, "before_cursor_execute", note)


async def show(farm: Platform, store: ColdStore, *values: float, after_min: int, known_min: int | None) -> int:
    """Show the judge one reading a minute; how many statements that took."""
    async with farm.database.unit_of_work(store.tenant.organization) as db:
        gateway = await db.get_one(Gateway, uuid.UUID(store.gateway_id))
        sensor = (await known_sensors(db, gateway_id=gateway.id))[uuid.UUID(store.sensor_id)]
        series = StoredSeries(
            sensor,
            np.array([EIGHT_OCLOCK_MS + (after_min + index) * MINUTE_MS for index in range(len(values))], np.int64),
            np.array(values, np.float64),
            np.zeros(len(values), np.int8),
            None if known_min is None else EIGHT_OCLOCK_MS + known_min * MINUTE_MS,
        )
        batch = StoredBatch(
            gateway.organization_id, gateway.id, gateway.facts_version, farm.app.state.reading_store, series=[series]
        )
        with counted(db) as statements:
            await judge(db, batch)
        return len(statements)


async def test_what_stands_clear_is_judged_without_a_question(farm: Platform, store: ColdStore) -> None:
    await judge_at_once(store)
    await judge_at_once(store, kind="low", set_at=0, clear_at=0)
    await make_rule(store, kind="cumulative_high", duration_s=60)
    assert await show(farm, store, 4.0, 5.0, after_min=0, known_min=None) > 0
    assert await show(farm, store, 4.0, 0.0, 8.0, after_min=2, known_min=1) == 0
    assert await show(farm, store, 4.0, after_min=5, known_min=4) == 0
    # somebody else has judged it since: what stands there must be asked
    assert await show(farm, store, 4.0, after_min=9, known_min=8) > 0


async def test_what_is_broken_or_changed_is_asked(farm: Platform, store: ColdStore) -> None:
    rule = await judge_at_once(store)
    await show(farm, store, 4.0, after_min=0, known_min=None)
    assert await show(farm, store, 4.0, after_min=1, known_min=0) == 0
    await store.tenant.put(f"/api/v1/alerts/rules/{rule['id']}", {"set_at": 3.0, "clear_at": 3.0})
    assert await listed(store) == []
    assert await show(farm, store, 4.0, after_min=2, known_min=1) > 0
    assert (await the_only(store))["set_at"] == 3.0
    assert await show(farm, store, 2.0, after_min=3, known_min=2) > 0
    assert (await the_only(store))["status"] == "recovered"
    assert await show(farm, store, 2.0, after_min=4, known_min=3) == 0


async def test_what_was_never_committed_is_not_remembered(farm: Platform, store: ColdStore) -> None:
    await judge_at_once(store)
    await show(farm, store, 4.0, after_min=0, known_min=None)

    class Refused(Exception):
        pass

    try:
        async with farm.database.unit_of_work(store.tenant.organization) as db:
            gateway = await db.get_one(Gateway, uuid.UUID(store.gateway_id))
            sensor = (await known_sensors(db, gateway_id=gateway.id))[uuid.UUID(store.sensor_id)]
            at_ms = np.array([EIGHT_OCLOCK_MS + MINUTE_MS], np.int64)
            series = StoredSeries(sensor, at_ms, np.array([4.0]), np.zeros(1, np.int8), EIGHT_OCLOCK_MS)
            store_of = farm.app.state.reading_store
            facts_version = gateway.facts_version
            await judge(db, StoredBatch(gateway.organization_id, gateway.id, facts_version, store_of, series=[series]))
            raise Refused
    except Refused:
        pass
    assert await show(farm, store, 4.0, after_min=1, known_min=0) == 0
