"""How the road went, counted by hand."""

import uuid
from datetime import date, timedelta
from typing import Any

from cloud_api.kernel import clock
from cloud_api.logistics.deliveries.models import Delivery, Route
from cloud_api.logistics.dispatch.models import RoutePerformance
from cloud_api.orders.book.models import OrderFeedback
from tests.factories.farms import make_farm
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.orders import day_in, hire_driver, make_drive
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

ANALYTICS = "/api/v1/warehouse/analytics"
DAYS = {"from": day_in(-1), "to": day_in(2)}


async def a_driven_route(farm: Platform, *, day: int = 1, stops: int = 4) -> tuple[str, str, str]:
    """A route of two doors that is told to have been one of `stops`: its id, its driver, its warehouse."""
    driver_id, driver = await hire_driver(farm, farm.tenant)
    drive = await make_drive(farm, doors=2, tenant=farm.tenant, driver=(driver_id, driver))
    [route] = await farm.tenant.get("/api/v1/warehouse/routes", driver_id=driver_id)
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        kept = await db.get_one(Route, uuid.UUID(route["id"]))
        kept.delivery_date = date.fromisoformat(day_in(day))
        kept.status, kept.started_at, kept.completed_at = "completed", clock.now(), clock.now() + timedelta(hours=2)
        db.add(
            RoutePerformance(
                route_id=kept.id,
                warehouse_id=kept.warehouse_id,
                driver_id=kept.driver_id,
                delivery_date=kept.delivery_date,
                planned_distance_m=20_000,
                distance_m=25_000,
                planned_duration_s=5_400,
                duration_s=7_200,
                planned_fuel_ml=2_000,
                fuel_ml=2_500,
                planned_co2_g=1,
                co2_g=1,
                stops=stops,
                delivered=stops - 1,
                on_time=stops - 2,
            )
        )
    return str(route["id"]), driver_id, drive.warehouse_id


async def stops_of(farm: Platform, route_id: str) -> list[Any]:
    return list((await farm.tenant.get(f"/api/v1/warehouse/routes/{route_id}"))["deliveries"])


async def test_days_loads_reasons_and_drivers_are_added_up(farm: Platform) -> None:
    route_id, driver_id, warehouse_id = await a_driven_route(farm)
    await a_driven_route(farm, day=0, stops=3)
    refused, brought = await stops_of(farm, route_id)
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        failed = await db.get_one(Delivery, uuid.UUID(refused["id"]))
        failed.status, failed.failure_reason = "failed", "refused"
        good = await db.get_one(Delivery, uuid.UUID(brought["id"]))
        good.status, good.delivered_at = "delivered", clock.now()
        good.photo_sha256, good.recipient_name = "a" * 64, "The cook"
        good.latitude, good.longitude = 12.93, 77.61
        good.cargo_temperature_c, good.cargo_temperature_source = 4.0, "probe"
        good.delivered_by = uuid.UUID(driver_id)
        db.add(OrderFeedback(order_id=good.order_id, rating=4, given_by=uuid.UUID(driver_id), given_at=clock.now()))
    said = await farm.tenant.get(f"{ANALYTICS}/logistics", **DAYS)
    total = said["total"]
    assert (total["routes"], total["stops"], total["delivered"], total["on_time"]) == (2, 7, 5, 3)
    assert total["on_time_share"] == 0.6
    assert (total["planned_km"], total["driven_km"]) == (40.0, 50.0)
    assert (total["planned_minutes"], total["driven_minutes"]) == (180.0, 240.0)
    assert {one["day"]: one["on_time_share"] for one in said["by_day"]} == {day_in(0): 0.5, day_in(1): 0.6667}
    assert (said["failed"], said["refused"]) == (1, 1)
    assert said["by_reason"] == [{"reason": "refused", "attempts": 1}]
    # two doors of 4 kg each in a van that carries 500 kg
    assert {one["load_factor"] for one in said["vehicles"]} == {0.016} == {said["load_factor"]}
    people = await farm.tenant.get(f"{ANALYTICS}/performance", **DAYS)
    [own] = [one for one in people["drivers"] if one["driver_id"] == driver_id]
    assert (own["stops_per_hour"], own["on_time_share"], own["rating"], own["ratings"]) == (2.0, 0.6667, 4.0, 1)
    assert (people["rating"], people["ratings"]) == (4.0, 1)
    here = await farm.tenant.get(f"{ANALYTICS}/logistics", **DAYS, warehouse_id=warehouse_id)
    assert here["total"]["routes"] == 1
    overview = await farm.tenant.get("/api/v1/warehouse/operations/overview", **DAYS)
    assert overview["deliveries"] == {"routes": 2, "delivered": 5, "on_time": 3, "on_time_share": 0.6}
    nobody = await (await make_farm(farm)).get(f"{ANALYTICS}/logistics", **DAYS)
    assert (nobody["total"]["routes"], nobody["failed"], nobody["vehicles"]) == (0, 0, [])


async def test_driving_costs_its_days_and_kilometres(farm: Platform) -> None:
    route_id, _, _ = await a_driven_route(farm)
    van = (await farm.tenant.get(f"/api/v1/warehouse/routes/{route_id}"))["vehicle_id"]
    path = f"/api/v1/warehouse/fleet/vehicles/{van}"
    await farm.tenant.put(path, {"fixed_cost_minor": 50_000, "cost_per_km_minor": 1_200})
    said = await farm.tenant.get(f"{ANALYTICS}/costs", **DAYS)
    assert (said["driving"], said["driven_km"], said["cost_per_km"]) == ("800.00", 25.0, "32.00")
    assert (said["fuel_l"], said["fuel_l_per_100km"], said["total"]) == (2.5, 10.0, "800.00")
