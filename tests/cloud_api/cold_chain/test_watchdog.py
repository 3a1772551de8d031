"""What no reading tells: silence of sensors and gateways, and doors left open; told once, whoever else looks."""

import asyncio
import uuid
from typing import Any

from sqlalchemy import update

from cloud_api.cold_chain.judging.watchdog import Watchdog
from cloud_api.devices.models import Gateway, Sensor
from cloud_api.kernel import clock
from cloud_api.telemetry.models import SensorSeries
from tests.cloud_api.cold_chain.excursions import make_sensor
from tests.factories.batches import make_epoch, make_reading, send
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.stores import ColdStore, make_rule
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

SECOND_MS = 1000
PERIOD_S = 60
#: one period and ten seconds
DUE_MS = 70 * SECOND_MS


class Site:
    """A store whose sensor was heard at a moment that we know, and its gateway since."""

    def __init__(self, farm: Platform, store: ColdStore, heard_ms: int) -> None:
        self.farm, self.store, self.heard_ms = farm, store, heard_ms
        self.watchdog = Watchdog(farm.database, farm.app.state.reading_store)

    async def look(self, after_ms: int) -> None:
        """The watchdog looks so long after the sensor was heard."""
        await self.watchdog.look(self.heard_ms + after_ms)

    async def hear_sensor(self, after_ms: int) -> None:
        async with self.farm.database.unit_of_work(self.store.tenant.organization) as db:
            its = update(SensorSeries).where(SensorSeries.sensor_id == uuid.UUID(self.store.sensor_id))
            await db.execute(its.values(heard_at_ms=self.heard_ms + after_ms))

    async def hear_gateway(self, after_ms: int) -> None:
        async with self.farm.database.unit_of_work(self.store.tenant.organization) as db:
            its = update(Gateway).where(Gateway.id == uuid.UUID(self.store.gateway_id))
            await db.execute(its.values(last_seen_at=clock.from_ms(self.heard_ms + after_ms)))

    async def alerts(self, alert_type: str) -> list[Any]:
        found = await self.store.tenant.get("/api/v1/alerts", status=["open", "resolved"])
        return [(alert["status"], alert["count"]) for alert in found if alert["alert_type"] == alert_type]


async def open_site(farm: Platform, store: ColdStore, *, interval_s: int | None = PERIOD_S, **rule: Any) -> Site:
    """With a rule about silence; the gateway says something all the time."""
    fields = {"kind": "silent", "set_at": None, "clear_at": None, "duration_s": None, "severity": "warning", **rule}
    await make_rule(store, **fields)
    await send(farm, store, [make_reading(1)])
    async with farm.database.unit_of_work(store.tenant.organization) as db:
        its = update(Sensor).where(Sensor.id == uuid.UUID(store.sensor_id))
        await db.execute(its.values(interval_s=interval_s))
    site = Site(farm, store, clock.now_ms())
    await site.hear_sensor(0)
    await site.hear_gateway(600 * SECOND_MS)
    return site


async def test_a_sensor_is_silent_one_period_and_ten_seconds_after_it_was_heard(
    farm: Platform, store: ColdStore
) -> None:
    site = await open_site(farm, store)
    await site.look(DUE_MS - 1)
    assert await site.alerts("sensor_failure") == []
    for after_ms in (DUE_MS, DUE_MS + 1, 10 * DUE_MS):
        await site.look(after_ms)
        assert await site.alerts("sensor_failure") == [("open", 1)]


async def test_activity_in_the_same_millisecond_as_the_timeout_is_activity(farm: Platform, store: ColdStore) -> None:
    site = await open_site(farm, store)
    await site.hear_sensor(DUE_MS)
    await site.look(DUE_MS)
    assert await site.alerts("sensor_failure") == []
    await site.look(2 * DUE_MS)
    assert await site.alerts("sensor_failure") == [("open", 1)]
    await site.hear_sensor(2 * DUE_MS)  # in the millisecond in which it was found to be silent
    await site.look(2 * DUE_MS)
    assert await site.alerts("sensor_failure") == [("resolved", 1)]


async def test_a_sensor_that_is_heard_again_ends_its_alert_and_may_fall_silent_again(
    farm: Platform, store: ColdStore
) -> None:
    site = await open_site(farm, store)
    await site.look(DUE_MS)
    await site.hear_sensor(DUE_MS + 5)
    await site.look(DUE_MS + 6)
    assert [status for status, _ in await site.alerts("sensor_failure")] == ["resolved"]
    await site.look(2 * DUE_MS + 5)
    assert [status for status, _ in await site.alerts("sensor_failure")] == ["open"]


async def test_a_sensor_that_nobody_timed_is_watched_by_how_often_it_speaks(farm: Platform, store: ColdStore) -> None:
    site = await open_site(farm, store, interval_s=None)
    await site.look(8 * DUE_MS)
    assert await site.alerts("sensor_failure") == []  # one reading tells no period
    async with farm.database.unit_of_work(store.tenant.organization) as db:
        its = update(SensorSeries).where(SensorSeries.sensor_id == uuid.UUID(store.sensor_id))
        await db.execute(its.values(cadence_ms=30 * SECOND_MS))
    await site.look(40 * SECOND_MS - 1)
    assert await site.alerts("sensor_failure") == []
    await site.look(40 * SECOND_MS)
    assert await site.alerts("sensor_failure") == [("open", 1)]


async def test_a_rule_may_say_how_long(farm: Platform, store: ColdStore) -> None:
    site = await open_site(farm, store, duration_s=300, quantity="any")
    await site.look(300 * SECOND_MS - 1)
    assert await site.alerts("sensor_failure") == []
    await site.look(300 * SECOND_MS)
    assert await site.alerts("sensor_failure") == [("open", 1)]


async def test_what_a_silent_gateway_cannot_tell_is_one_alert(farm: Platform, store: ColdStore) -> None:
    site = await open_site(farm, store)
    await site.hear_gateway(0)
    await site.look(DUE_MS)
    assert await site.alerts("gateway_offline") == []  # heard in this very millisecond, a heartbeat and ten seconds ago
    await site.look(DUE_MS + 1)
    await site.look(5 * DUE_MS)
    assert (await site.alerts("gateway_offline"), await site.alerts("sensor_failure"))[0] == [("open", 1)]


async def test_the_sensors_of_a_gateway_that_comes_back_get_as_long_anew(farm: Platform, store: ColdStore) -> None:
    site = await open_site(farm, store)
    await site.hear_gateway(-20 * SECOND_MS)
    await site.look(60 * SECOND_MS)
    assert await site.alerts("gateway_offline") == [("open", 1)]
    await site.hear_gateway(90 * SECOND_MS)
    await site.look(90 * SECOND_MS)
    assert [status for status, _ in await site.alerts("gateway_offline")] == ["resolved"]
    await site.hear_gateway(200 * SECOND_MS)
    await site.look(90 * SECOND_MS + DUE_MS - 1)
    assert await site.alerts("sensor_failure") == []
    await site.look(90 * SECOND_MS + DUE_MS)
    assert await site.alerts("sensor_failure") == [("open", 1)]


async def test_several_watchdogs_tell_once(farm: Platform, store: ColdStore) -> None:
    site = await open_site(farm, store)
    others = [Watchdog(farm.database, farm.app.state.reading_store) for _ in range(4)]
    await asyncio.gather(*(one.look(site.heard_ms + DUE_MS) for one in others))
    assert await site.alerts("sensor_failure") == [("open", 1)]


async def test_a_backlog_that_comes_late_is_no_silence_once_it_is_in(farm: Platform, store: ColdStore) -> None:
    site = await open_site(farm, store)
    await site.look(DUE_MS)
    assert await site.alerts("sensor_failure") == [("open", 1)]
    hours_ago_ms = site.heard_ms - 3600 * SECOND_MS
    await send(farm, store, [make_reading(9, 4.0, hours_ago_ms)], epoch=make_epoch())
    await site.hear_sensor(DUE_MS + 1)
    await site.look(DUE_MS + 1)
    assert [status for status, _ in await site.alerts("sensor_failure")] == ["resolved"]


async def test_a_door_left_open_is_told_without_its_saying_so(farm: Platform, store: ColdStore) -> None:
    door = await make_sensor(store, quantity="door", unit="bool")
    await make_rule(store, quantity="door", set_at=0.5, clear_at=0.5, duration_s=300, severity="warning")
    opened_ms = clock.now_ms()
    row = make_reading(1, 1.0, opened_ms, quantity="door", unit="bool")
    await send(farm, store, [row])
    site = Site(farm, store, opened_ms)
    await site.hear_gateway(600 * SECOND_MS)
    async with farm.database.unit_of_work(store.tenant.organization) as db:
        its = update(SensorSeries).where(SensorSeries.sensor_id == uuid.UUID(door["id"]))
        await db.execute(its.values(heard_at_ms=opened_ms))
    await site.look(300 * SECOND_MS - 1)
    assert await site.alerts("door") == []
    for _ in range(2):
        await site.look(300 * SECOND_MS)
    assert await site.alerts("door") == [("open", 1)]
    shut = {**row, "sequence": 2, "value": 0.0, "recorded_at_ms": opened_ms + 310 * SECOND_MS}
    await send(farm, store, [shut])
    assert [status for status, _ in await site.alerts("door")] == ["resolved"]
    assert await store.tenant.get("/api/v1/excursions") == []
