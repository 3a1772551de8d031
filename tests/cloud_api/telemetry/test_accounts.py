"""What became of readings that a gateway had no room for: told once, kept for good, and shown to whom it concerns."""

from typing import Any

import pytest

from cloud_api.kernel import clock
from tests.factories.batches import EIGHT_OCLOCK_MS, EPOCH, Row, make_epoch, make_gap, make_summary, send
from tests.factories.farms import make_person, plant_gateway, plant_sensor, plant_store
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.scopes import confine
from tests.factories.series import put_calibrations
from tests.factories.stores import ColdStore
from tests.platform_under_test import Platform, Tenant

pytestmark = IN_ONE_LOOP

HOUR_MS = 3_600_000
SUMMARIES, GAPS = "/api/v1/telemetry/summaries", "/api/v1/telemetry/gaps"


async def told(tenant: Tenant, path: str, **asked: Any) -> Any:
    return await tenant.get(path, **asked)


async def test_a_summary_is_kept_once_and_read_calibrated(farm: Platform, store: ColdStore) -> None:
    begins_ms = EIGHT_OCLOCK_MS + HOUR_MS
    await put_calibrations(farm, store, [(0, 2.0, -0.5), (begins_ms, 1.0, 9.0)])
    for accepted in (1, 0):
        answer = await send(farm, store, [make_summary(1, quality="suspect")], lane="summaries")
        assert (answer["acked_through"], answer["accepted"]) == (1, accepted)
    [kept] = await told(store.tenant, SUMMARIES)
    assert (kept["sensor_id"], kept["gateway_id"], kept["count"]) == (store.sensor_id, store.gateway_id, 60)
    assert (kept["minimum"], kept["mean"], kept["maximum"], kept["quality"]) == (5.5, 7.5, 9.5, "suspect")
    assert (kept["since"][:16], kept["until"][:16]) == ("2026-01-31T08:00", "2026-01-31T09:00")


async def test_a_gap_is_kept_once_and_names_what_is_gone(farm: Platform, store: ColdStore) -> None:
    salvaged = make_epoch()
    rows = [make_gap(1), make_gap(2, epoch=salvaged, reason="unreadable", lane="backlog", first=7, last=7, rows=1)]
    for accepted in (2, 0):
        assert (await send(farm, store, rows, lane="gaps"))["accepted"] == accepted
    newest, first = await told(store.tenant, GAPS)
    assert (first["epoch"], first["lane"], first["reason"]) == (EPOCH, "readings", "thinned")
    assert (first["first_sequence"], first["last_sequence"], first["rows_gone"]) == (1, 60, 59)
    assert (newest["epoch"], newest["reason"], newest["gateway_id"]) == (salvaged, "unreadable", store.gateway_id)
    assert await store.tenant.get("/api/v1/edge/sensors") != []


async def test_a_gap_registers_no_sensor_and_a_summary_does(farm: Platform, store: ColdStore) -> None:
    await send(farm, store, [make_gap(1)], lane="gaps")
    assert len(await store.tenant.get("/api/v1/edge/sensors")) == 1
    await send(farm, store, [make_summary(1, quantity="humidity", unit="%")], lane="summaries")
    [new] = [row for row in await store.tenant.get("/api/v1/edge/sensors") if row["quantity"] == "humidity"]
    assert (new["unit"], new["location_id"]) == ("%", store.room_id)


@pytest.mark.parametrize(
    ("lane", "field", "change"),
    [
        ("summaries", "count", {"count": 0}),
        ("summaries", "count", {"count": 2**63}),
        ("summaries", "maximum", {"maximum": 2.0}),
        ("summaries", "to_ms", {"to_ms": 2**60}),
        ("summaries", "from_ms", {"from_ms": -1}),
        ("summaries", "from_ms", {"from_ms": EIGHT_OCLOCK_MS + 2 * HOUR_MS}),
        ("summaries", "mean", {"mean": None}),
        ("summaries", "unit", {"unit": ""}),
        ("gaps", "epoch", {"epoch": "short"}),
        ("gaps", "first", {"first": 0}),
        ("gaps", "last", {"first": 8, "last": 7}),
        ("gaps", "last", {"last": 2**40}),
        ("gaps", "rows", {"rows": -1}),
        ("gaps", "reason", {"reason": "because"}),
        ("gaps", "lane", {"lane": "letters"}),
    ],
)
async def test_what_cannot_be_is_refused_by_name(
    farm: Platform, store: ColdStore, lane: str, field: str, change: Row
) -> None:
    make = make_summary if lane == "summaries" else make_gap
    answer = await send(farm, store, [make(1, **change), make(2)], lane=lane)
    assert (answer["acked_through"], answer["accepted"]) == (2, 1)
    assert [(refusal["row"], refusal["sequence"], refusal["field"]) for refusal in answer["refused"]] == [(0, 1, field)]


async def test_lists_are_narrowed_by_gateway_sensor_and_time(farm: Platform, store: ColdStore) -> None:
    other = await plant_store(farm)
    late = {"from_ms": EIGHT_OCLOCK_MS + 5 * HOUR_MS, "to_ms": EIGHT_OCLOCK_MS + 6 * HOUR_MS}
    await send(farm, store, [make_summary(1), make_summary(2, **late)], lane="summaries")
    await send(farm, store, [make_gap(1), make_gap(2, **late)], lane="gaps")
    await send(farm, other, [make_summary(1)], lane="summaries")
    await send(farm, other, [make_gap(1)], lane="gaps")
    noon, nine = clock.from_ms(late["from_ms"] - HOUR_MS).isoformat(), clock.from_ms(EIGHT_OCLOCK_MS + HOUR_MS)
    asked: list[tuple[dict[str, Any], int]] = [
        ({}, 3),
        ({"gateway_id": store.gateway_id}, 2),
        ({"since": noon}, 1),
        ({"until": noon}, 2),
        ({"since": nine.isoformat(), "until": noon}, 2),
        ({"gateway_id": other.gateway_id, "since": noon}, 0),
        ({"limit": 1}, 1),
    ]
    for query, count in asked:
        assert (len(await told(store.tenant, SUMMARIES, **query)), query) == (count, query)
        assert (len(await told(store.tenant, GAPS, **query)), query) == (count, query)
    assert len(await told(store.tenant, SUMMARIES, sensor_id=other.sensor_id)) == 1
    for path in (SUMMARIES, GAPS):
        answer = await store.tenant.client.get(path, params={"since": "2026-01-31T08:00:00"})
        assert answer.status_code == 422


async def test_who_is_confined_to_another_warehouse_hears_of_neither(farm: Platform, store: ColdStore) -> None:
    other = await plant_store(farm)
    person = await make_person(farm, farm.tenant, "warehouse_manager")
    for lane, row in (("summaries", make_summary(1)), ("gaps", make_gap(1))):
        await send(farm, store, [row], lane=lane)
        await send(farm, other, [row], lane=lane)
    await confine(farm.tenant, person, other.warehouse_id)
    for path in (SUMMARIES, GAPS):
        assert [row["gateway_id"] for row in await told(person, path)] == [other.gateway_id]
    everybodys, token = await plant_gateway(farm, farm.tenant)
    await plant_sensor(farm, farm.tenant, everybodys, location_id=None)
    box = ColdStore(farm.tenant, "", "", "", everybodys, token, "")
    await send(farm, box, [make_gap(1)], lane="gaps")
    assert {row["gateway_id"] for row in await told(person, GAPS)} == {other.gateway_id, everybodys}
