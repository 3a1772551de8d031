"""Who is not on the road on a simulated day: workers, the dispatcher, late customers, and the weather."""

import itertools
from collections.abc import Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from cloud_api.logistics.dispatch.planner import Planner
from cloud_api.logistics.tracking.watching import look_at_the_road
from tests.flows.day.farm import COOL_C, WARM_C, Farm, Van

_LOOKS_EVERY_S = 60.0
_SIGNS_IN_EVERY_S = 2_400.0
#: looks between two waves
_LOOKS_A_WAVE = 15
INDIA = ZoneInfo("Asia/Kolkata")


async def publish(farm: Farm) -> None:
    """Plan the day, look at the plan, and make routes of it."""
    share = -(-len(farm.doors) // len(farm.vans))
    await farm.tenant.put("/api/v1/dispatch/constraints", {"max_stops": share * 5 // 4 + 1})
    await _plan(farm, {"departs_at": "07:00:00", "time_limit_s": 4})


async def _plan(farm: Farm, wanted: dict[str, Any]) -> None:
    day = {"warehouse_id": farm.warehouse_id, "delivery_date": farm.day, "seed": farm.scenario.seed}
    job = await farm.tenant.post("/api/v1/dispatch/jobs", {**day, **wanted})
    planner, path = Planner(farm.platform.database), f"/api/v1/dispatch/jobs/{job['id']}"
    while await planner.run_next():
        pass
    if (await farm.tenant.get(path))["status"] == "succeeded" and (await farm.tenant.get(f"{path}/solution"))["routes"]:
        await farm.tenant.post(f"{path}/apply")


def actors(farm: Farm, folder: Path) -> list[Coroutine[Any, Any, None]]:
    """Everybody who does something from the moment the vans may leave."""
    late = [_late(farm, number) for number in range(len(farm.scenario.late))]
    troubles = [_breaks_down(farm, farm.vans[van], after) for van, after in farm.scenario.breaks_down_min.items()]
    return [_drives(farm, van, folder) for van in farm.vans] + [_weather(farm), _office(farm), *late, *troubles]


async def look(farm: Farm) -> None:
    """One look of the workers, and of the dispatcher at what is proposed."""
    database = farm.platform.database
    await look_at_the_road(database)
    await farm.platform.deliver()
    planner = Planner(database)
    while await planner.run_next():
        pass
    for job in await farm.tenant.get("/api/v1/dispatch/jobs", limit=20):
        if job["kind"] == "replan" and job["status"] == "succeeded":
            path = f"/api/v1/dispatch/jobs/{job['id']}/apply"
            await farm.tenant.client.post(path, json={"allow_partial": True})
    await farm.platform.deliver()


async def _second_wave(farm: Farm) -> bool:
    """What came too late for the vans that had left goes with those that are back. Returns whether the day is over."""
    board = await farm.tenant.get("/api/v1/dispatch/board", warehouse_id=farm.warehouse_id, delivery_date=farm.day)
    waiting = [order["id"] for order in board["unplanned"] if not order["attempts"]]
    driving = {route["vehicle_id"] for route in board["routes"] if route["status"] in ("planned", "in_progress")}
    back = [van["vehicle_id"] for van in board["vans"] if not van["unavailable"] and van["vehicle_id"] not in driving]
    if waiting and back:
        leaves = (farm.now.astimezone(INDIA) + timedelta(minutes=10)).strftime("%H:%M:%S")
        await _plan(farm, {"departs_at": leaves, "time_limit_s": 1, "order_ids": waiting, "vehicle_ids": back})
        await farm.platform.deliver()
    return not waiting and not driving and len(farm.doors) == len(farm.scenario.doors)


async def _drives(farm: Farm, van: Van, folder: Path) -> None:
    """What there is for the van, and whatever comes until the office says that the day is over."""
    await farm.clock.sleep(60 + van.number)
    while not farm.is_over:
        report = await farm.driver_of(van, folder).drive()
        van.proofs |= report.proofs
        await farm.clock.sleep(300)


async def _office(farm: Farm) -> None:
    signed_in_ms = farm.clock.now_ms()
    looks = itertools.count()
    while not farm.is_over:
        if farm.clock.now_ms() - signed_in_ms > _SIGNS_IN_EVERY_S * 1000:
            await farm.sign_in()
            signed_in_ms = farm.clock.now_ms()
        await look(farm)
        if next(looks) % _LOOKS_A_WAVE == _LOOKS_A_WAVE - 1:
            farm.is_over = await _second_wave(farm)
        await farm.clock.sleep(_LOOKS_EVERY_S)


async def _weather(farm: Farm) -> None:
    """Each van's sensor speaks every three minutes; where the cooling has failed it is warm."""
    began_ms = farm.clock.now_ms()
    while not farm.is_over:
        for van in farm.vans:
            warm_min = farm.scenario.warms_up_min.get(van.number)
            minutes = (farm.clock.now_ms() - began_ms) / 60_000
            await farm.tell_temperature(van, WARM_C if warm_min is not None and minutes > warm_min else COOL_C)
        await farm.clock.sleep(180)


async def _late(farm: Farm, number: int) -> None:
    door = farm.scenario.late[number]
    assert door.orders_late_min is not None
    await farm.clock.sleep(door.orders_late_min * 60 + number)
    await farm.take_order(door)


async def _breaks_down(farm: Farm, van: Van, after_min: int) -> None:
    """The driver calls; the dispatcher sends the van to the workshop."""
    await farm.clock.sleep(after_min * 60 + 120)
    await farm.tenant.put(f"/api/v1/warehouse/fleet/vehicles/{van.id}", {"status": "maintenance"})
