"""Commands that lie beside each other in a log are done together; one that cannot be done takes none with it."""

import uuid

from tests.cloud_api.inventory.stock import hold
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.handsets import Day, handed_over, make_phone_day
from tests.factories.scopes import statements_on
from tests.factories.stores import ColdStore
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP


async def driven(farm: Platform, *, doors: int) -> Day:
    """A day that has begun; then every stop was reached, and the goods handed over."""
    day = await make_phone_day(farm, doors=doors)
    start = day.phone.tell("start_route", day.route_id, ago_s=900)
    await day.phone.send(start)
    for number, stop in enumerate(day.stops):
        photo = await day.phone.photograph(stop, number)
        arrive = day.phone.tell("arrive", day.stop(number), after=[start], ago_s=800 - number)
        day.phone.tell("deliver", day.stop(number), handed_over(photo), after=[arrive], ago_s=700 - number)
    return day


async def outbound(day: Day) -> list[tuple[str, str]]:
    movements = await day.tenant.get("/api/v1/warehouse/stock/movements", limit=200)
    return sorted((row["reference"], row["quantity"]) for row in movements if row["movement_type"] == "outbound")


async def test_a_command_that_cannot_be_done_takes_none_of_its_neighbours_with_it(farm: Platform) -> None:
    day = await driven(farm, doors=2)
    foreign = day.phone.tell("arrive", str(uuid.uuid4()), ago_s=600)
    note = day.phone.tell("note", day.stop(0), {"text": "green door"}, ago_s=500)
    told = await day.phone.send_all()
    done = {number: ("applied", "") for number in (1, 2, 3, 4, 5, note)}
    assert told == {**done, foreign: ("refused", "NOT_FOUND")}
    assert [await day.status(stop) for stop in (0, 1)] == ["delivered", "delivered"]
    numbers = [(await day.delivery(stop))["number"] for stop in (0, 1)]
    assert await outbound(day) == [(number, "-4.000") for number in sorted(numbers)]
    assert await day.phone.send_all() == told


async def test_a_warm_van_keeps_its_own_goods_and_each_command_says_so(farm: Platform) -> None:
    day = await driven(farm, doors=2)
    depot = day.depot
    store = ColdStore(depot.tenant, depot.warehouse_id, depot.room_id, depot.product_id, "", "", "")
    await hold(farm, store, "excursion:1", day.drive.van_location_id)
    told = await day.phone.send_all()
    assert {number: told[number] for number in (2, 3, 4, 5)} == {
        2: ("applied", ""),
        3: ("conflict", "STOCK_ON_HOLD"),
        4: ("applied", ""),
        5: ("conflict", "STOCK_ON_HOLD"),
    }
    assert [await day.status(stop) for stop in (0, 1)] == ["arrived", "arrived"]
    assert await outbound(day) == []


async def test_a_long_log_asks_no_more_of_the_database_than_a_short_one(farm: Platform) -> None:
    counts = []
    for doors in (2, 5):
        day = await driven(farm, doors=doors)
        with statements_on(farm.database) as statements:
            told = await day.phone.send_all()
        assert set(told.values()) == {("applied", "")}
        counts.append(len(statements))
    assert counts[1] <= counts[0] + 5
