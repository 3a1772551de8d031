"""The second half of the story: orders against what may be sold, routes planned, driven, and proved."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from coldfleet.demo.api import PASSWORD, Api, wait_until
from coldfleet.demo.farm import DRIVERS, Farm
from coldfleet.demo.processes import DemoProblem
from coldfleet.demo.world import World

#: of the demonstration's organisation
LOCAL = ZoneInfo("Asia/Kolkata")
#: doors around the store: (name, latitude, longitude)
DOORS = (
    ("Kitchen", 12.9352, 77.6146),
    ("Corner shop", 12.9279, 77.6171),
    ("Canteen", 12.9416, 77.6063),
    ("Hotel", 12.9303, 77.6050),
)
#: what each of them orders of what lies in the room that stayed cold
ORDERED_KG = "4.000"
#: real seconds that solving may take
TIME_LIMIT_S = 2


@dataclass(frozen=True)
class Shop:
    """What was ordered, and how the day was planned."""

    order_ids: Sequence[str]
    #: None: no order was packed
    job: dict[str, Any] | None


def take_orders(world: World, farm: Farm, api: Api) -> Sequence[str]:
    """An order from every door, confirmed and packed; those that cannot be met stay as they are."""
    day = day_of(world)
    return [_order(api, farm, day, *door) for door in DOORS]


def plan_routes(world: World, farm: Farm, api: Api, order_ids: Sequence[str]) -> Shop:
    """Let the optimizer plan what is packed; routes and deliveries come of it."""
    packed = [order for order in map(api.get, (f"/orders/{id}" for id in order_ids)) if order["status"] == "packed"]
    if not packed:
        return Shop(order_ids, None)
    # the orders' own day: in a world this fast midnight may have passed since they came in
    day = packed[0]["delivery_date"]
    wanted = {"warehouse_id": farm.warehouse_id, "delivery_date": day, "time_limit_s": TIME_LIMIT_S}
    path = f"/dispatch/jobs/{api.post('/warehouse/routes/optimize', wanted)['id']}"
    if not wait_until(lambda: api.get(path)["status"] in ("applied", "failed"), timeout_s=60):
        raise DemoProblem(f"the planning job did not end:\n{world.processes['cloud'].tail()}")
    return Shop(order_ids, api.get(path))


def drive_routes(world: World, api: Api, shop: Shop, *, broken_camera: bool, wait: bool) -> None:
    """A phone for every driver who has a route. With `wait`, until all have come to their end."""
    if shop.job is None:
        return
    drivers = {user["id"]: user["username"] for user in api.get("/admin/users")}
    routes = api.get("/warehouse/routes", planning_job_id=shop.job["id"])
    for route in routes:
        _start_phone(world, drivers[route["driver_id"]], broken_camera=broken_camera)
    for driver in DRIVERS:
        if wait and driver in world.processes and not world.processes[driver].wait(120):
            raise DemoProblem(f"{driver} did not come home:\n{world.processes[driver].tail()}")


def day_of(world: World) -> str:
    """The day that is sold and planned: tomorrow, where the farm is. The drivers set out early."""
    return (world.world_time().astimezone(LOCAL) + timedelta(days=1)).date().isoformat()


def _order(api: Api, farm: Farm, day: str, name: str, latitude: float, longitude: float) -> str:
    door = {"address": name, "latitude": latitude, "longitude": longitude}
    customer = api.post("/customers", {"name": name, "addresses": [door]})
    line = {"product_id": farm.products["SPINACH"], "quantity": ORDERED_KG, "unit_price": "42.5000"}
    when = {"delivery_date": day, "window_from": "08:00", "window_until": "18:00"}
    body = {"customer_id": customer["id"], "warehouse_id": farm.warehouse_id, "lines": [line], **when}
    order_id: str = api.post("/orders", body)["id"]
    if api.try_post(f"/orders/{order_id}/confirm"):
        api.try_post(f"/orders/{order_id}/pack")
    return order_id


def _start_phone(world: World, driver: str, *, broken_camera: bool) -> None:
    arguments = ["sim", "drive", world.api_url, "--login", driver, "--password", PASSWORD]
    arguments += ["--speed", str(world.speed), "--origin-ms", str(world.origin_ms)]
    arguments += ["--seed", str(world.seed), "--report", str(world.folder / f"{driver}.json")]
    world.start(driver, *arguments, *(["--broken-camera"] if broken_camera else []))
