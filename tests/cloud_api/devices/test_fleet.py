"""The fleet at a glance: who is online, what waits on their disks, who has fallen silent, and who is gone for good."""

import uuid
from collections.abc import Collection
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from cloud_api.devices.gateways.service import no_longer_missed, silent_gateways
from cloud_api.kernel import clock
from cloud_api.kernel.tenancy import SystemScope
from tests.cloud_api.devices.boxes import path_of, tell
from tests.cloud_api.devices.test_heartbeats import beat
from tests.cloud_api.devices.things import facts_version
from tests.factories.batches import EIGHT_OCLOCK_MS, make_series, send
from tests.factories.farms import plant_gateway
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.stores import ColdStore
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP


@contextmanager
def heard_topics(farm: Platform) -> Any:
    """How often each kind of topic is announced meanwhile."""
    heard: list[str] = []
    before = farm.database.on_announced

    def note(topics: Collection[str]) -> None:
        heard.extend(topic.partition(":")[0] for topic in topics)

    farm.database.on_announced = note
    try:
        yield heard
    finally:
        farm.database.on_announced = before


async def silent(farm: Platform, store: ColdStore, **after: float) -> list[str]:
    async with farm.database.unit_of_work(store.tenant.organization, read_only=True) as db:
        return [str(gateway.id) for gateway in await silent_gateways(db, clock.now() + timedelta(**after))]


async def test_the_list_says_what_the_gateway_last_said(farm: Platform, store: ColdStore) -> None:
    await beat(farm, store, backlog_rows=812, oldest_unsent_ms=EIGHT_OCLOCK_MS, config_version=1)
    await tell(farm, store, "/config/ack", {"version": 1, "state": "confirmed", "recorded_at_ms": 1000})
    [row] = await store.tenant.get("/api/v1/edge/gateways")
    assert row["online"] is True
    assert (row["backlog_rows"], row["oldest_unsent_at"]) == (812, "2026-01-31T08:00:00Z")
    said = ("software_version", "config_version", "config_state", "running_config_version")
    assert [row[name] for name in said] == ["0.2.0", 1, "confirmed", 1]
    await plant_gateway(farm, store.tenant)
    assert len(await store.tenant.get("/api/v1/edge/gateways")) == 2
    assert len(await store.tenant.get("/api/v1/edge/gateways", status="decommissioned")) == 0


async def test_a_gateway_is_silent_a_millisecond_after_its_own_interval_and_ten_seconds(
    farm: Platform, store: ColdStore
) -> None:
    now = clock.now()
    clock.use(lambda: now)
    assert await silent(farm, store, hours=1) == []  # it was never heard: nobody misses it
    await beat(farm, store)
    assert await silent(farm, store, seconds=70) == []
    assert await silent(farm, store, seconds=70, milliseconds=1) == [store.gateway_id]
    await store.tenant.put(path_of(store, "/config"), {"heartbeat_interval_s": 300})
    assert await silent(farm, store, seconds=310) == []
    assert await silent(farm, store, seconds=311) == [store.gateway_id]


async def test_who_is_heard_again_is_missed_no_longer(farm: Platform, store: ColdStore) -> None:
    now = clock.now()
    clock.use(lambda: now)
    await beat(farm, store)
    missed, later = {uuid.UUID(store.gateway_id)}, now + timedelta(minutes=5)

    async def back() -> set[uuid.UUID]:
        async with farm.database.unit_of_work(SystemScope("test"), read_only=True) as db:
            return await no_longer_missed(db, missed, later)

    assert await back() == set()
    clock.use(lambda: later)
    await send(farm, store, make_series([4.0]))  # readings are a sign of life
    assert await back() == missed


async def test_nobody_waits_for_a_gateway_out_of_service(farm: Platform, store: ColdStore) -> None:
    await beat(farm, store)
    await store.tenant.client.delete(path_of(store))
    assert await silent(farm, store, hours=1) == []
    assert (await store.tenant.get(path_of(store)))["online"] is False
    async with farm.database.unit_of_work(store.tenant.organization, read_only=True) as db:
        missed = {uuid.UUID(store.gateway_id)}
        assert await no_longer_missed(db, missed, clock.now() + timedelta(hours=1)) == missed


async def statuses(store: ColdStore) -> list[str]:
    return [row["status"] for row in await store.tenant.get("/api/v1/edge/sensors", gateway_id=store.gateway_id)]


async def test_a_gateway_out_of_service_takes_its_sensors_with_it_and_leaves_its_name(
    farm: Platform, store: ColdStore
) -> None:
    name, counted = (await store.tenant.get(path_of(store)))["name"], await facts_version(farm, store)
    assert (await store.tenant.client.delete(path_of(store), params={"sensors": "keep"})).status_code == 204
    assert (await statuses(store), await facts_version(farm, store)) == (["active"], counted)
    for _ in range(2):
        assert (await store.tenant.client.delete(path_of(store))).status_code == 204
    assert (await statuses(store), await facts_version(farm, store)) == (["retired"], counted + 1)
    gone = (await store.tenant.get(path_of(store)))["name"]
    assert gone.startswith(f"{name} (until ")
    for _ in range(2):  # the name is free, and free again
        made = await store.tenant.post("/api/v1/edge/gateways", {"name": name})
        await store.tenant.client.delete(f"/api/v1/edge/gateways/{made['gateway_id']}")


async def test_who_watches_the_fleet_is_woken_by_news_and_by_nothing_else(farm: Platform, store: ColdStore) -> None:
    with heard_topics(farm) as heard:
        await beat(farm, store)
        assert heard == ["gateways"]
        await beat(farm, store, recorded_at_ms=EIGHT_OCLOCK_MS + 1)
        assert heard == ["gateways"]
        await beat(farm, store, recorded_at_ms=EIGHT_OCLOCK_MS + 2, backlog_rows=4)
        await tell(farm, store, "/config/ack", {"version": 1, "state": "confirmed", "recorded_at_ms": 1000})
        await store.tenant.put(path_of(store), {"name": f"Cellar {uuid.uuid4()}"})
        assert heard == ["gateways"] * 4
        await store.tenant.client.delete(path_of(store))
        assert heard == ["gateways"] * 5
