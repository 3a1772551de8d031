"""A gateway says how it is; silence is noticed at the second, not some minutes later."""

from datetime import timedelta
from typing import Any

import httpx2

from cloud_api.kernel import clock
from tests.factories.batches import EIGHT_OCLOCK_MS, EPOCH, make_series, send
from tests.factories.farms import plant_store
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.stores import ColdStore
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP


async def beat(farm: Platform, store: ColdStore, to: str | None = None, **fields: Any) -> httpx2.Response:
    heartbeat = {
        "epoch": EPOCH,
        "recorded_at_ms": EIGHT_OCLOCK_MS,
        "uptime_s": 10,
        "software_version": "0.2.0",
        "config_version": 1,
        "backlog_rows": 3,
        "oldest_unsent_ms": None,
        "dead_letters": 0,
        "disk_free_mb": 900,
        **fields,
    }
    async with farm.client(store.gateway_token) as gateway:
        return await gateway.post(f"/api/v1/edge/gateways/{to or store.gateway_id}/heartbeat", json=heartbeat)


async def is_online(store: ColdStore) -> object:
    return (await store.tenant.get(f"/api/v1/edge/gateways/{store.gateway_id}"))["online"]


async def test_a_heartbeat_is_kept_and_answered(farm: Platform, store: ColdStore) -> None:
    instant = clock.now()
    clock.use(lambda: instant)
    answer = (await beat(farm, store, oldest_unsent_ms=0)).json()["data"]
    assert answer == {"server_time_ms": clock.to_ms(instant), "config_version": 1, "commands_waiting": 0}
    [kept] = await store.tenant.get(f"/api/v1/edge/gateways/{store.gateway_id}/heartbeats")
    assert (kept["backlog_rows"], kept["oldest_unsent_at"][:10]) == (3, "1970-01-01")
    gateway = await store.tenant.get(f"/api/v1/edge/gateways/{store.gateway_id}")
    assert gateway["software_version"] == "0.2.0"


async def test_the_same_heartbeat_twice_is_one(farm: Platform, store: ColdStore) -> None:
    for _ in range(2):
        assert (await beat(farm, store)).status_code == 200
    assert (await beat(farm, store, recorded_at_ms=EIGHT_OCLOCK_MS + 1)).status_code == 200
    assert len(await store.tenant.get(f"/api/v1/edge/gateways/{store.gateway_id}/heartbeats")) == 2


async def test_a_gateway_is_offline_a_millisecond_after_seventy_seconds(farm: Platform, store: ColdStore) -> None:
    assert await is_online(store) is False
    heard = clock.now()
    clock.use(lambda: heard)
    await beat(farm, store)
    for silence_ms, online in ((0, True), (69_999, True), (70_000, True), (70_001, False)):
        instant = heard + timedelta(milliseconds=silence_ms)
        clock.use(lambda instant=instant: instant)  # type: ignore[misc]
        assert (silence_ms, await is_online(store)) == (silence_ms, online)


async def test_readings_are_a_sign_of_life_too(farm: Platform, store: ColdStore) -> None:
    await send(farm, store, make_series([4.0]))
    assert await is_online(store) is True


async def test_a_gateway_speaks_for_itself_only(farm: Platform, store: ColdStore) -> None:
    neighbour = await plant_store(farm)
    assert (await beat(farm, store, neighbour.gateway_id)).status_code == 403
    async with farm.client(store.gateway_token) as gateway:
        assert (await gateway.get(f"/api/v1/edge/gateways/{neighbour.gateway_id}/config")).status_code == 403
        assert (await gateway.get(f"/api/v1/edge/gateways/{store.gateway_id}/config")).status_code == 200
        assert (await gateway.get("/api/v1/warehouse/stock/levels")).status_code == 403
    assert await is_online(neighbour) is False
    person = await store.tenant.client.post(f"/api/v1/edge/gateways/{store.gateway_id}/heartbeat", json={})
    assert person.status_code == 403


async def test_a_figure_that_cannot_be_true_is_named(farm: Platform, store: ColdStore) -> None:
    wrong: list[tuple[str, Any]] = [
        ("recorded_at_ms", -1),
        ("recorded_at_ms", 2**60),
        ("oldest_unsent_ms", -1),
        ("uptime_s", 2**40),
        ("backlog_rows", -1),
        ("epoch", "\0"),
        ("software_version", ""),
        ("disk_free_mb", "plenty"),
    ]
    for field, value in wrong:
        answer = await beat(farm, store, **{field: value})
        assert (answer.status_code, answer.json()["error"]["details"][0]["field"]) == (422, field)
    assert await store.tenant.get(f"/api/v1/edge/gateways/{store.gateway_id}/heartbeats") == []


async def test_what_a_gateway_says_besides_is_kept_and_shown(farm: Platform, store: ColdStore) -> None:
    said: dict[str, Any] = {
        "boot_id": "4f1c",
        "clock": "trusted",
        "clock_jumps": 2,
        "clock_ahead_ms": -259_200_000,
        "waiting": {"alarms": 1, "backlog": 13_000_000},
        "commit_p99_ms": 4.2,
        "bytes_written_a_day": 9_000_000_000,
        "sources": [{"name": "listener", "connected": 3, "received": 10, "warnings": ["z2m sends QoS 0"]}],
        "sensors": [{"sensor": "z2m:cold-room-1", "last_heard_ms": EIGHT_OCLOCK_MS}],
        "temperature_c": 61.5,
        "warnings": ["the disk is nearly full"],
    }
    assert (await beat(farm, store, **said)).status_code == 200
    [kept] = await store.tenant.get(f"/api/v1/edge/gateways/{store.gateway_id}/heartbeats")
    assert {name: kept["details"][name] for name in said} == said
    assert (kept["details"]["rows_dropped"], "epoch" in kept["details"]) == (0, False)


async def test_a_heartbeat_says_no_more_than_a_page_can_show(farm: Platform, store: ColdStore) -> None:
    too_much: list[tuple[str, Any]] = [
        ("sensors", [{"sensor": "z2m:a", "last_heard_ms": 1}] * 101),
        ("warnings", ["!"] * 101),
        ("warnings", ["!" * 70_000]),
        ("waiting", {str(lane): 1 for lane in range(101)}),
    ]
    for field, value in too_much:
        answer = await beat(farm, store, **{field: value})
        assert (answer.status_code, answer.json()["error"]["details"][0]["field"]) == (422, field)
