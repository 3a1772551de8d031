"""What is missing of what a gateway numbered: every sequence is stored, refused, told of, waiting, or missing."""

from datetime import timedelta
from typing import Any

from cloud_api.kernel import clock
from tests.cloud_api.devices.boxes import path_of
from tests.cloud_api.devices.test_heartbeats import beat
from tests.factories.batches import EIGHT_OCLOCK_MS, EPOCH, make_gap, make_reading, make_series, send, send_columns
from tests.factories.farms import plant_sensor
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.stores import ColdStore
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

DAY = {"since": "2026-01-31T00:00:00Z", "until": "2026-02-01T00:00:00Z"}
MINUTE_MS = 60_000


async def report(store: ColdStore, **period: str) -> Any:
    return await store.tenant.get(path_of(store, "/gaps"), **(period or DAY))


def lane(told: Any, name: str = "readings") -> tuple[int, ...]:
    [account] = [account for account in told["lanes"] if account["lane"] == name]
    return tuple(account[key] for key in ("acked_through", "accepted", "refused", "told", "missing", "waiting"))


def holes(told: Any) -> list[tuple[int, int, bool]]:
    return [(hole["first"], hole["last"], hole["waiting"]) for hole in told["missing"]]


async def send_from(farm: Platform, store: ColdStore, first: int, count: int, name: str = "readings") -> None:
    """A reading a minute, numbered by the minutes since eight."""
    series = make_series([4.0] * count, first_sequence=first, start_ms=EIGHT_OCLOCK_MS + first * MINUTE_MS)
    await send_columns(farm, store, series, lane=name)


async def test_a_gateway_that_was_never_heard_misses_nothing(farm: Platform, store: ColdStore) -> None:
    told = await report(store)
    assert (told["lanes"], told["missing"], told["gaps"]) == ([], [], [])


async def test_everything_that_came_is_accounted_for(farm: Platform, store: ColdStore) -> None:
    await send_from(farm, store, 1, 5)
    await send_from(farm, store, 4, 4)  # two of them again
    told = await report(store)
    assert lane(told) == (7, 7, 0, 0, 0, 0)
    assert told["missing"] == []


async def test_sequences_that_nobody_explains_are_named(farm: Platform, store: ColdStore) -> None:
    await send_from(farm, store, 1, 3)
    await send_from(farm, store, 7, 2)
    await send_from(farm, store, 20, 1)
    told = await report(store)
    assert lane(told) == (20, 6, 0, 0, 14, 0)
    assert holes(told) == [(4, 6, False), (9, 19, False)]
    other_day = await report(store, since="2026-01-29T00:00:00Z", until="2026-01-30T00:00:00Z")
    assert (holes(other_day), lane(other_day)) == ([], lane(told))


async def test_what_the_gateway_tells_of_is_explained(farm: Platform, store: ColdStore) -> None:
    await send_from(farm, store, 1, 3)
    await send_from(farm, store, 10, 1)
    await send(farm, store, [make_gap(1, first=2, last=6, rows=3, reason="dropped")], lane="gaps")
    told = await report(store)
    assert lane(told) == (10, 4, 0, 3, 3, 0)
    assert holes(told) == [(7, 9, False)]
    assert [(gap["first_sequence"], gap["last_sequence"], gap["reason"]) for gap in told["gaps"]] == [(2, 6, "dropped")]


async def test_refused_rows_are_counted_and_lie_in_a_hole(farm: Platform, store: ColdStore) -> None:
    rows = make_series([4.0] * 3)
    rows[1]["unit"] = ""
    await send(farm, store, rows)
    told = await report(store)
    assert lane(told) == (3, 2, 1, 0, 0, 0)
    assert holes(told) == [(2, 2, False)]


async def test_what_waits_in_the_backlog_may_still_come(farm: Platform, store: ColdStore) -> None:
    await send_from(farm, store, 1, 2)
    await send_from(farm, store, 11, 2)  # live rows have overtaken 3 to 10
    await send_from(farm, store, 3, 2, "backlog")
    await beat(farm, store, waiting={"backlog": 6, "readings": 0})
    told = await report(store)
    assert lane(told) == (12, 6, 0, 0, 6, 6)
    assert holes(told) == [(5, 10, True)]
    await send_from(farm, store, 5, 3, "backlog")
    await send_from(farm, store, 9, 2, "backlog")
    await beat(farm, store, recorded_at_ms=EIGHT_OCLOCK_MS + 1, waiting={"backlog": 0})
    told = await report(store)
    assert (lane(told), holes(told)) == ((12, 11, 0, 0, 1, 0), [(8, 8, False)])


async def test_a_fresh_spool_has_an_account_of_its_own(farm: Platform, store: ColdStore) -> None:
    await send_from(farm, store, 1, 2)
    fresh = "f" * 32
    await send(farm, store, make_series([4.0], first_sequence=3, start_ms=EIGHT_OCLOCK_MS), epoch=fresh)
    accounts = {account["epoch"]: account["missing"] for account in (await report(store))["lanes"]}
    assert accounts == {EPOCH: 0, fresh: 2}


async def test_a_reading_of_another_hour_fills_its_hole(farm: Platform, store: ColdStore) -> None:
    rows = make_series([4.0] * 4)
    rows[1]["recorded_at_ms"] -= 50 * MINUTE_MS  # its clock was behind
    await send(farm, store, rows)
    await send_from(farm, store, 6, 1)
    told = await report(store, since="2026-01-31T08:00:00Z", until="2026-01-31T09:00:00Z")
    assert holes(told) == [(5, 5, False)]


async def test_a_period_is_a_day_at_most(farm: Platform, store: ColdStore) -> None:
    for period in (
        {"since": "2026-01-30T23:59:59Z", "until": "2026-02-01T00:00:00Z"},
        {"since": "2026-01-31T00:00:00Z", "until": "2026-01-31T00:00:00Z"},
        {"since": "2020-01-01T00:00:00Z"},
    ):
        answer = await store.tenant.client.get(path_of(store, "/gaps"), params=period)
        assert (answer.status_code, answer.json()["error"]["details"][0]["field"]) == (422, "since"), period


async def test_a_sensor_whose_reading_is_overdue_is_named(farm: Platform, store: ColdStore) -> None:
    never = await plant_sensor(farm, store.tenant, store.gateway_id, location_id=None, code="z2m:never")
    await plant_sensor(farm, store.tenant, store.gateway_id, location_id=None, code="scale:1", quantity="weight")
    await store.tenant.put(f"/api/v1/edge/sensors/{store.sensor_id}", {"interval_s": 60})
    now = clock.now()
    clock.use(lambda: now)
    await send(farm, store, [make_reading(1)])

    async def silent(after_s: float) -> list[str]:
        instant = now + timedelta(seconds=after_s)
        clock.use(lambda: instant)
        told = await report(store)
        return [sensor["sensor_id"] for sensor in told["silent_sensors"]]

    assert await silent(70) == [never]
    assert await silent(70.001) == [never, store.sensor_id]
