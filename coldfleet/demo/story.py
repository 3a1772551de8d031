"""The story: a door is left open, and what follows from it; told once to its end, or as long as somebody watches."""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import httpx2

from coldfleet.demo.api import Api, wait_until
from coldfleet.demo.farm import Farm, build_farm
from coldfleet.demo.links import (
    Link,
    check_first_half,
    check_second_half,
    settled_pushes,
    stored_readings,
    waiting_readings,
)
from coldfleet.demo.processes import DemoProblem
from coldfleet.demo.shop import Shop, drive_routes, plan_routes, take_orders
from coldfleet.demo.world import DOOR_OPENS_AT_S, World, closed_port

#: world seconds of the whole story: the door opens, the room warms, recovers
STORY_S = 3000
#: how long, really, everything may take to arrive when the rooms have fallen silent
SETTLE_S = 20.0

Tell = Callable[[str], None]


class Break(StrEnum):
    """A link that can be broken on purpose: in the world, not in the code."""

    SPOOL = "spool"
    UPLINK = "uplink"
    JUDGE = "judge"
    HOLD = "hold"
    PUSH = "push"
    RESERVE = "reserve"
    PLAN = "plan"
    DRIVE = "drive"
    PROOF = "proof"


#: when one of these is broken the story ends before anything is sold
FIRST_HALF = frozenset({Break.SPOOL, Break.UPLINK, Break.JUDGE, Break.HOLD, Break.PUSH})


@dataclass(frozen=True)
class Stage:
    """A world with its farm."""

    world: World
    farm: Farm
    api: Api


@contextmanager
def set_up(folder: Path, *, speed: float, seed: int, port: int, broken: Break | None, tell: Tell) -> Iterator[Stage]:
    """Start everything but the rooms; stop everything at the end."""
    world = World(folder, speed, seed)
    try:
        tell("the push service (a double of Google's)")
        world.start_push_service()
        tell("the cloud on SQLite")
        api = world.start_cloud(port)
        tell("rooms, products, lots, a limit of 8 °C, a phone, two vans")
        farm = build_farm(
            api,
            world.fcm_url,
            books_name_another_room=broken is Break.HOLD,
            too_little_to_sell=broken is Break.RESERVE,
            vans_too_small=broken is Break.PLAN,
        )
        _break_before(broken, world, farm, api)
        tell("the gateway with its own MQTT listener")
        with closed_port() as nobody:
            if broken in (Break.UPLINK, Break.SPOOL):
                world.start_gateway(farm, cloud_url=f"http://127.0.0.1:{nobody}", known=False)
            else:
                world.start_gateway(farm, cloud_url=world.api_url)
            yield Stage(world, farm, api)
        api.close()
    finally:
        world.stop()


def run_once(stage: Stage, *, broken: Break | None, tell: Tell) -> list[Link]:
    """Run the story to its end, and check every link."""
    world = stage.world
    tell(f"{STORY_S / 60:.0f} minutes of two cold rooms, {world.speed:g} times as fast; one's door is left open")
    world.start_rooms(duration_s=STORY_S)
    if broken is Break.SPOOL:
        _lose_the_disk(stage)
    if not world.processes["rooms"].wait(STORY_S / world.speed + 60):
        raise DemoProblem(f"the rooms did not come to their end:\n{world.processes['rooms'].tail()}")
    tell("the rooms are silent; waiting for what is under way")
    wait_until(lambda: _settled(stage, broken), timeout_s=SETTLE_S)
    if broken in FIRST_HALF:
        return check_first_half(world, stage.farm, stage.api)
    shop = sell_and_deliver(stage, broken=broken, tell=tell)
    return [*check_first_half(world, stage.farm, stage.api), *check_second_half(world, stage.api, shop)]


def sell_and_deliver(stage: Stage, *, broken: Break | None, tell: Tell) -> Shop:
    """The second half: sell what may be sold, plan, drive, prove."""
    world, farm, api = stage.world, stage.farm, stage.api
    tell("four orders, against what may be sold")
    order_ids = take_orders(world, farm, api)
    tell("the optimizer plans their routes")
    shop = plan_routes(world, farm, api, order_ids)
    if broken is not Break.DRIVE:
        tell("the drivers load, set out, and prove each delivery with a photo")
        drive_routes(world, api, shop, broken_camera=broken is Break.PROOF, wait=True)
    return shop


def _settled(stage: Stage, broken: Break | None) -> bool:
    """Whether everything that can still arrive past the broken link has arrived."""
    if broken is Break.UPLINK:
        return True
    if waiting_readings(stage.world) > 0 or not stored_readings(stage.world):
        return False
    if broken is Break.JUDGE:
        return True
    return settled_pushes(stage.world) >= len(stage.api.get("/excursions")) > 0


def _break_before(broken: Break | None, world: World, farm: Farm, api: Api) -> None:
    if broken is Break.JUDGE:
        api.put(f"/alerts/rules/{farm.rule_id}", {"enabled": False})
    if broken is Break.PUSH:
        httpx2.delete(f"{world.fcm_url}/double/phones/{farm.phone_fid}")


def _lose_the_disk(stage: Stage) -> None:
    """Half-way to the door, with the cloud out of reach: cut the power, and put an empty disk in."""
    world = stage.world
    time.sleep(DOOR_OPENS_AT_S / 2 / world.speed)
    wait_until(lambda: world.spool.exists() and waiting_readings(world) > 0, timeout_s=20)
    world.processes["gateway"].kill()
    shutil.rmtree(world.spool.parent)
    world.start_gateway(stage.farm, cloud_url=world.api_url)
