"""A list costs the same number of queries whatever its length, and never more than six, signing in included."""

from collections.abc import AsyncIterator

import pytest

from cloud_api.policy import policies
from tests.architecture.creations import GOOD, Good
from tests.architecture.operations import CASES
from tests.architecture.worlds import World, make_world
from tests.cloud_api.conftest import open_shared_platform
from tests.factories.scopes import statements_on
from tests.platform_under_test import app_to_read

MOST = 6
#: reckons when vans arrive, from plan, position and what was learned
RECKONS = {"list_active_deliveries": 8}
LISTS = [
    policy
    for policy in policies(app_to_read())
    if policy.method == "GET" and "{" not in policy.path and policy.name.startswith(("list_", "search_"))
]
#: what makes rows of them costs more than it shows: a plan is solved, a route is driven, a return comes back once more
SLOW_TO_MAKE = {
    *("complete_route", "prove_delivery", "move_delivery", "report_position", "upload_photo"),
    *("verify_otp", "override_otp", "get_proof_picture", "complete_pick_list", "return_order_lines"),
    *("update_return", "receive_return", "inspect_return", "restock_return", "cancel_return"),
    *("close_excursion", "reset_excursion"),
}


@pytest.fixture
async def world(shared_sqlite_url: str) -> AsyncIterator[World]:
    async with open_shared_platform(shared_sqlite_url) as platform:
        yield await make_world(platform, platform.tenant)


async def fill(world: World) -> None:
    """One more of everything that can be listed."""
    made = set()
    for name, case in CASES.items():
        if case.make not in made and name not in SLOW_TO_MAKE:
            made.add(case.make)
            await case.make(world)


async def asked_of_each(world: World) -> dict[str, int]:
    counts = {}
    for policy in LISTS:
        good = await GOOD[policy.name](world) if policy.name in GOOD else Good()
        with statements_on(world.platform.database) as asked:
            answer = await world.tenant.client.get(policy.path, params=dict(good.query or {}))
        if answer.is_success:
            counts[policy.name] = len(asked)
    return counts


async def test_no_list_asks_more_the_longer_it_is(world: World) -> None:
    await fill(world)
    short = await asked_of_each(world)
    await fill(world)
    long = await asked_of_each(world)
    assert len(short) > 20, "most lists are the administrator's to see"
    assert long == short
    assert {name: count for name, count in long.items() if count > RECKONS.get(name, MOST)} == {}
