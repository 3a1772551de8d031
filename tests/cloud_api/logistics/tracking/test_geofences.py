"""Fences on the map: drawn by dispatchers, crossed by vans, and written down once for each crossing."""

import uuid
from typing import Any

import pytest
from sqlalchemy import select

from cloud_api.kernel.outbox import OutboxEvent
from tests.factories.farms import make_farm, make_person
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.roads import DEPOT, at, look, plant_road
from tests.factories.stores import make_warehouse
from tests.platform_under_test import Platform, Tenant

pytestmark = IN_ONE_LOOP

FENCES, EVENTS = "/api/v1/geofences", "/api/v1/geofences/events"
YARD = {"name": "Yard", "kind": "depot", "circle": {"latitude": DEPOT[0], "longitude": DEPOT[1], "radius_m": 300}}
SQUARE = [[12.94, 77.60], [12.94, 77.62], [12.96, 77.62], [12.96, 77.60]]
MARKET = {"name": "Market", "kind": "restricted", "polygon": SQUARE}


async def refusal(tenant: Tenant, body: dict[str, Any]) -> tuple[int, str, str]:
    answer = await tenant.client.post(FENCES, json={"name": "Market", "kind": "restricted", **body})
    error = answer.json()["error"]
    return answer.status_code, error["code"], error["details"][0]["field"]


async def test_a_fence_is_drawn_changed_and_taken_away(farm: Platform) -> None:
    dispatcher = await make_person(farm, farm.tenant, "logistics_manager")
    yard = await dispatcher.post(FENCES, YARD)
    assert (yard["circle"], yard["polygon"]) == (YARD["circle"], None)
    market = await dispatcher.post(FENCES, MARKET)
    assert (market["circle"], market["polygon"]) == (None, SQUARE)
    assert [fence["name"] for fence in await dispatcher.get(FENCES)] == ["Market", "Yard"]
    assert [fence["name"] for fence in await dispatcher.get(FENCES, kind="depot")] == ["Yard"]
    assert [fence["name"] for fence in await dispatcher.get(FENCES, id=[yard["id"], str(uuid.uuid4())])] == ["Yard"]
    changed = await dispatcher.put(f"{FENCES}/{yard['id']}", {"name": "Old yard", "polygon": SQUARE})
    assert (changed["name"], changed["kind"], changed["circle"], changed["polygon"]) == (
        "Old yard",
        "depot",
        None,
        SQUARE,
    )
    assert (await dispatcher.client.delete(f"{FENCES}/{yard['id']}")).status_code == 204
    assert [fence["name"] for fence in await dispatcher.get(FENCES)] == ["Market"]
    assert (await dispatcher.client.delete(f"{FENCES}/{yard['id']}")).status_code == 404
    assert (await dispatcher.post(FENCES, {**YARD, "name": "Old yard"}))["name"] == "Old yard"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "circle"),
        ({"circle": YARD["circle"], "polygon": SQUARE}, "polygon"),
        ({"polygon": [[12.94, 77.60], [12.96, 77.62], [12.94, 77.62], [12.96, 77.60]]}, "polygon"),
        ({"polygon": [[12.94, 77.60], [12.94, 77.60], [12.96, 77.62]]}, "polygon"),
        ({"polygon": [[12.94, 77.60], [12.94001, 77.60], [12.94, 77.60001]]}, "polygon"),
        ({"polygon": [[0, 179], [0, -179], [1, -179], [1, 179]]}, "polygon"),
        ({"circle": {"latitude": 0, "longitude": 179.999, "radius_m": 500}}, "circle"),
    ],
)
async def test_a_fence_that_cannot_be_is_refused_by_name(farm: Platform, body: dict[str, Any], field: str) -> None:
    assert await refusal(farm.tenant, body) == (422, "FENCE_REFUSED", field)


async def test_a_name_is_one_fences_and_a_stranger_or_a_driver_draws_none(farm: Platform) -> None:
    fence = await farm.tenant.post(FENCES, YARD)
    again = await farm.tenant.client.post(FENCES, json=YARD)
    assert (again.status_code, again.json()["error"]["code"]) == (409, "ALREADY_EXISTS")
    stranger, driver = await make_farm(farm), await make_person(farm, farm.tenant, "delivery_personnel")
    assert await stranger.get(FENCES) == []
    assert (await stranger.client.put(f"{FENCES}/{fence['id']}", json={"name": "Mine"})).status_code == 404
    assert len(await driver.get(FENCES)) == 1
    assert (await driver.client.post(FENCES, json=MARKET)).status_code == 403
    nowhere = await farm.tenant.client.post(FENCES, json={**MARKET, "warehouse_id": str(uuid.uuid4())})
    assert nowhere.status_code == 404


async def test_who_is_confined_to_a_warehouse_sees_its_fences_and_everybodys(farm: Platform) -> None:
    mine, other = await make_warehouse(farm.tenant), await make_warehouse(farm.tenant)
    for warehouse_id, name in ((mine, "Mine"), (other, "Other"), (None, "Everybody's")):
        await farm.tenant.post(FENCES, {**YARD, "name": name, "warehouse_id": warehouse_id})
    keeper = await make_person(farm, farm.tenant, "logistics_manager")
    me = (await keeper.get("/api/v1/auth/me"))["id"]
    await farm.tenant.put(f"/api/v1/admin/users/{me}/warehouses", {"warehouse_ids": [mine]})
    seen = await keeper.get(FENCES)
    assert [fence["name"] for fence in seen] == ["Everybody's", "Mine"]
    assert (await keeper.client.post(FENCES, json={**MARKET, "warehouse_id": other})).status_code == 404


async def test_coming_in_and_leaving_are_written_down_once_each_however_often_it_is_looked(farm: Platform) -> None:
    yard = await farm.tenant.post(FENCES, YARD)
    market = await farm.tenant.post(FENCES, MARKET)
    road = await plant_road(farm, doors=4)
    drive = [at(DEPOT[0] + step / 1_000, ago_s=50 - step, accuracy_m=8) for step in range(51)]
    for first in range(0, len(drive), 17):
        await road.report(*drive[first : first + 17])
        await look(farm)
        await look(farm)
    events = (await farm.tenant.get(EVENTS))[::-1]
    crossed = [(event["event"], event["geofence_id"]) for event in events]
    assert crossed == [
        ("enter", yard["id"]),
        ("exit", yard["id"]),
        ("enter", market["id"]),
        ("exit", market["id"]),
    ]
    assert {event["route_id"] for event in events} == {road.route_id}
    async with farm.database.unit_of_work(farm.tenant.organization, read_only=True) as db:
        told = select(OutboxEvent.payload).where(OutboxEvent.type == "FenceCrossed").order_by(OutboxEvent.id)
        assert [(one["kind"], one["crossing"]) for one in (await db.scalars(told)).all()] == [
            ("depot", "enter"),
            ("depot", "exit"),
            ("restricted", "enter"),
            ("restricted", "exit"),
        ]


async def test_what_comes_out_of_a_dead_zone_is_looked_at_when_it_comes(farm: Platform) -> None:
    await farm.tenant.post(FENCES, MARKET)
    road = await plant_road(farm, doors=4, started_ago_s=3_600)
    await road.report(at(12.93, ago_s=3_000))
    await look(farm)
    through = [at(12.93 + step / 1_000, ago_s=2_000 - 10 * step) for step in range(50)]
    await road.report(*through[::-1])
    await look(farm)
    assert [event["event"] for event in await farm.tenant.get(EVENTS)] == ["exit", "enter"]
    assert (await farm.tenant.get(EVENTS))[1]["at"][:19] == through[11]["recorded_at"][:19]


async def test_a_fence_that_is_taken_away_lets_go_of_who_is_inside_without_an_event(farm: Platform) -> None:
    yard = await farm.tenant.post(FENCES, YARD)
    road = await plant_road(farm)
    await road.report(at(DEPOT[0], ago_s=9))
    await look(farm)
    await farm.tenant.client.delete(f"{FENCES}/{yard['id']}")
    await road.report(at(13.5))
    await look(farm)
    assert [event["event"] for event in await farm.tenant.get(EVENTS, geofence_id=yard["id"])] == ["enter"]


async def test_crossings_are_listed_by_van_and_time_and_a_driver_sees_their_own(farm: Platform) -> None:
    await farm.tenant.post(FENCES, YARD)
    roads = [await plant_road(farm), await plant_road(farm)]
    for road in roads:
        await road.report(at(DEPOT[0], ago_s=30))
    await look(farm)
    assert len(await farm.tenant.get(EVENTS)) == 2
    mine = await farm.tenant.get(EVENTS, vehicle_id=roads[0].vehicle_id)
    assert [event["vehicle_id"] for event in mine] == [roads[0].vehicle_id]
    assert await roads[0].driver.get(EVENTS) == mine
    assert await farm.tenant.get(EVENTS, until=roads[0].started_at.isoformat()) == []
    assert len(await farm.tenant.get(EVENTS, since=roads[0].started_at.isoformat())) == 2
    assert await (await make_farm(farm)).get(EVENTS) == []
