"""What dispatchers read: the board, how the organisation plans, distances, and what became of plans."""

import uuid
from datetime import date, timedelta
from typing import Any

from cloud_api.kernel import clock
from cloud_api.logistics.deliveries.models import Route
from cloud_api.logistics.dispatch import performance
from tests.factories.farms import make_person
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.orders import (
    Depot,
    day_in,
    hire_driver,
    in_this_process,
    make_depot,
    make_drive,
    make_van,
    order_from,
    pack,
    request_plan,
)
from tests.platform_under_test import Platform, Tenant

pytestmark = IN_ONE_LOOP

CONSTRAINTS = "/api/v1/dispatch/constraints"
PERFORMANCE = "/api/v1/warehouse/routes/performance"
MATRIX = "/api/v1/dispatch/distance-matrix"


async def packed_order(depot: Depot, **fields: Any) -> str:
    order = await order_from(depot, **fields)
    await pack(depot.tenant, order["id"])
    return str(order["id"])


async def test_the_board_shows_what_waits_who_can_drive_and_what_is_on_the_road(farm: Platform) -> None:
    driver = await hire_driver(farm, farm.tenant)
    drive = await make_drive(farm, doors=2, tenant=farm.tenant, driver=driver)
    depot = Depot(farm.tenant, drive.warehouse_id, drive.room_id, drive.product_id)
    waits = await packed_order(depot, quantity="2.500")
    await order_from(depot)
    free, broken = await make_van(farm.tenant), await make_van(farm.tenant)
    await farm.tenant.put(f"/api/v1/warehouse/fleet/vehicles/{broken['id']}", {"status": "maintenance"})
    day = {"warehouse_id": drive.warehouse_id, "delivery_date": day_in(1)}
    board = await farm.tenant.get("/api/v1/dispatch/board", **day)
    assert [(order["id"], order["weight_g"], order["attempts"]) for order in board["unplanned"]] == [(waits, 2_500, 0)]
    [route] = board["routes"]
    assert (route["stops"], route["delivered"], route["failed"], route["status"]) == (2, 0, 0, "planned")
    assert route["next_arrival_at"] > route["departs_at"]
    vans = {van["number"]: van["unavailable"] for van in board["vans"]}
    assert vans[free["number"]] == ""
    assert "maintenance" in vans[broken["number"]]
    assert f"drives {route['number']}" in vans.values()
    assert [job["id"] for job in board["jobs"]] == []
    job_id = await request_plan(farm.tenant, drive.warehouse_id, vehicle_ids=[free["id"]])
    assert [job["id"] for job in (await farm.tenant.get("/api/v1/dispatch/board", **day))["jobs"]] == [job_id]
    today = await farm.tenant.get("/api/v1/dispatch/board", warehouse_id=drive.warehouse_id)
    assert (today["unplanned"], today["routes"]) == ([], [])


async def test_a_days_schedule_has_every_stop_as_planned_until_its_van_leaves_and_as_driven_then(
    farm: Platform,
) -> None:
    driver = await hire_driver(farm, farm.tenant)
    drive = await make_drive(farm, doors=2, tenant=farm.tenant, driver=driver)
    day = {"warehouse_id": drive.warehouse_id, "delivery_date": day_in(1)}
    waiting = await farm.tenant.get("/api/v1/dispatch/schedule", **day)
    [route] = waiting["routes"]
    [made] = await farm.tenant.get("/api/v1/warehouse/routes", warehouse_id=drive.warehouse_id)
    assert (route["route_id"], route["version"], route["status"]) == (made["id"], made["version"], "planned")
    assert [stop["order_id"] for stop in route["stops"]] == await stops_of(farm.tenant, made["id"])
    assert all(stop["arrives_at"] <= stop["starts_at"] < stop["leaves_at"] for stop in route["stops"])
    assert route["loads"][0]["load_g"] == sum(stop["load_g"] for stop in route["stops"]) == 8_000
    assert {order["id"] for order in waiting["orders"]} == set(drive.order_ids)
    assert {order["weight_g"] for order in waiting["orders"]} == {4_000}
    await drive.driver.post(f"/api/v1/mobile/routes/{made['id']}/start")
    [driven] = (await farm.tenant.get("/api/v1/dispatch/schedule", **day))["routes"]
    assert (driven["status"], driven["returns_at"], driven["vehicle_number"]) == (
        "in_progress",
        None,
        route["vehicle_number"],
    )
    assert [stop["status"] for stop in driven["stops"]] == ["out_for_delivery"] * 2
    assert [stop["order_id"] for stop in driven["stops"]] == [stop["order_id"] for stop in route["stops"]]
    today = await farm.tenant.get("/api/v1/dispatch/schedule", warehouse_id=drive.warehouse_id)
    assert (today["routes"], today["orders"]) == ([], [])


async def stops_of(tenant: Tenant, route_id: str) -> list[str]:
    """The orders of a route, in order."""
    return [stop["order_id"] for stop in (await tenant.get(f"/api/v1/warehouse/routes/{route_id}"))["deliveries"]]


async def test_how_an_organisation_plans_is_set_as_a_whole_and_counted(farm: Platform) -> None:
    usual = await farm.tenant.get(CONSTRAINTS)
    assert (usual["version"], usual["objective"], usual["service_time_s"]) == (0, "distance", 240)
    wanted = {"objective": "time", "speed_kmh": 18, "max_stops": 30}
    first = await farm.tenant.put(CONSTRAINTS, {**wanted, "version": 0})
    assert (first["version"], first["objective"], first["speed_kmh"]) == (1, "time", 18)
    again = await farm.tenant.put(CONSTRAINTS, wanted)
    assert again["version"] == 1
    other = await farm.tenant.put(CONSTRAINTS, {"speed_kmh": 30})
    assert (other["version"], other["objective"], other["max_stops"]) == (2, "distance", None)
    stale = await farm.tenant.client.put(CONSTRAINTS, json={**wanted, "version": 1})
    assert (stale.status_code, stale.json()["error"]["code"]) == (409, "STALE_VERSION")


async def test_a_constraint_that_makes_no_sense_is_refused_by_name(farm: Platform) -> None:
    for name, wrong in (
        ("speed_kmh", 0),
        ("weekday_factors", [1.0] * 23),
        ("weekend_factors", [0.0] * 24),
        ("objective", "beauty"),
        ("max_stops", 0),
        ("wind", 3),
    ):
        answer = await farm.tenant.client.put(CONSTRAINTS, json={name: wrong})
        assert answer.status_code == 422
        assert name in answer.text
    assert (await farm.tenant.get(CONSTRAINTS))["version"] == 0


async def test_a_plan_is_made_as_the_organisation_plans(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    await make_van(farm.tenant)
    for door in range(3):
        await packed_order(depot, latitude=12.94 + door / 200)
    await farm.tenant.put(CONSTRAINTS, {"objective": "time", "max_stops": 2})
    body = {"warehouse_id": depot.warehouse_id, "delivery_date": day_in(1), "time_limit_s": 1}
    job = await farm.tenant.post("/api/v1/dispatch/jobs", body)
    assert job["objective"] == "time"
    await in_this_process(farm, farm.tenant, job["id"])
    solution = await farm.tenant.get(f"/api/v1/dispatch/jobs/{job['id']}/solution")
    assert (len(solution["routes"][0]["stops"]), len(solution["unserved"])) == (2, 1)
    assert solution["unserved"][0]["rules"][0] in ("maximum stops", "fleet full")


async def test_distances_between_places_are_those_of_a_plan(farm: Platform) -> None:
    points = [{"latitude": 12.934, "longitude": 77.61}, {"latitude": 12.944, "longitude": 77.61}]
    usual = await farm.tenant.post(MATRIX, {"points": points})
    assert usual["source"] == "great circles"
    assert usual["distance_m"] == [[0, 1_446], [1_446, 0]]
    assert usual["duration_s"] == [[0, 208], [208, 0]]
    await farm.tenant.put(CONSTRAINTS, {"speed_kmh": 50, "detour_factor": 1})
    faster = await farm.tenant.post(MATRIX, {"points": points})
    assert (faster["distance_m"][0][1], faster["duration_s"][0][1]) == (1_112, 80)
    nowhere = await farm.tenant.client.post(MATRIX, json={"points": [{"latitude": 91, "longitude": 0}]})
    assert (nowhere.status_code, nowhere.json()["error"]["details"][0]["field"]) == (422, "points.0.latitude")


async def completed(farm: Platform, route_id: str, *, minutes: int) -> None:
    """As if the van had come back, by its odometer 30 km later."""
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        route = await db.get_one(Route, uuid.UUID(route_id))
        route.status, route.started_at = "completed", clock.now() - timedelta(minutes=minutes)
        route.completed_at = clock.now()
        route.odometer_start_km, route.odometer_end_km = 1_000, 1_030
    for _ in range(2):
        async with farm.database.unit_of_work(farm.tenant.organization) as db:
            await performance.write_down(db, uuid.UUID(route_id))


async def test_a_completed_route_is_compared_with_its_plan_once(farm: Platform) -> None:
    driver_id, driver = await hire_driver(farm, farm.tenant)
    drive = await make_drive(farm, doors=2, tenant=farm.tenant, driver=(driver_id, driver))
    [route] = await farm.tenant.get("/api/v1/warehouse/routes")
    await completed(farm, route["id"], minutes=50)
    [week] = await farm.tenant.get(PERFORMANCE, since=day_in(-1), until=day_in(2))
    monday = date.fromisoformat(day_in(1))
    assert week["week"] == (monday - timedelta(days=monday.weekday())).isoformat()
    assert (week["routes"], week["measured"], week["driver_id"]) == (1, 1, None)
    assert (week["planned_distance_m"], week["distance_m"]) == (drive.job["distance_m"], 30_000)
    assert (week["planned_duration_s"], week["duration_s"]) == (route["duration_s"], 3_000)
    assert week["fuel_ml"] > week["planned_fuel_ml"] > 0
    assert (week["stops"], week["delivered"], week["on_time_share"]) == (2, 0, None)
    [own] = await farm.tenant.get(PERFORMANCE, since=day_in(-1), until=day_in(2), by_driver="true")
    assert own["driver_id"] == driver_id
    assert len(await driver.get(PERFORMANCE, since=day_in(-1), until=day_in(2))) == 1
    stranger = await make_person(farm, farm.tenant, "delivery_personnel")
    assert await stranger.get(PERFORMANCE, since=day_in(-1), until=day_in(2)) == []
    turned = await farm.tenant.client.get(PERFORMANCE, params={"since": day_in(2), "until": day_in(1)})
    assert (turned.status_code, turned.json()["error"]["details"][0]["field"]) == (422, "until")
