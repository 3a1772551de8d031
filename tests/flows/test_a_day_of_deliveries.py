"""A whole day: orders, vans, drivers in dead zones, late customers, refusals, a breakdown and a warm van."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cloud_api.kernel import clock
from cloud_api.notifications.sms import TwilioSms
from device_sims.twilio import MAGIC_SENDER, TwilioDouble
from device_sims.virtual_clock import VirtualClock
from tests.flows.day import accounts, office
from tests.flows.day.farm import Farm, plant
from tests.flows.day.scenario import Scenario, draw
from tests.flows.phones import Phones
from tests.platform_under_test import open_platform

#: 06:00 in India
SIX_OCLOCK_MS = 1_772_411_400_000
ONCE = ("order.packed", "stop.next", "stop.arrived", "stop.delivered", "stop.failed")


@pytest.fixture
def twilio() -> Iterator[TwilioDouble]:
    with TwilioDouble(now=clock.now) as double:
        yield double


async def live_through(
    scenario: Scenario, database_url: str, phones: Phones, twilio: TwilioDouble, folder: Path
) -> Farm:
    """The day from six in the morning until the last van is back."""
    world = VirtualClock(SIX_OCLOCK_MS)
    clock.use(lambda: datetime.fromtimestamp(world.now_ms() / 1000, UTC))
    async with open_platform(database_url, push=phones.push) as platform:
        platform.sms = TwilioSms(twilio.account_sid, twilio.auth_token, MAGIC_SENDER, url=twilio.url)
        farm = await plant(platform, scenario, world, twilio, phones.double)
        await office.publish(farm)
        await world.run([world.sleep(farm.departs_at.timestamp() - world.now_ms() / 1000)])
        await farm.sign_in()
        await world.run(office.actors(farm, folder))
        await farm.sign_in()
        await office.look(farm)
        await judge(farm)
        platform.sms.close()
    return farm


async def judge(farm: Farm) -> None:
    """What must hold in the evening, whatever happened on the road."""
    said = f"seed {farm.scenario.seed}"
    ended = await accounts.evening(farm)
    held_back = {order_id for order_id in ended.orders if ended.reason(order_id) == "excursion"}
    deliverable = [
        order_id for order_id, door in farm.doors.items() if door.fate == "opens" and order_id not in held_back
    ]
    delivered = [order_id for order_id, status in ended.orders.items() if status == "delivered"]
    missed = [order_id for order_id in deliverable if ended.orders[order_id] != "delivered"]
    assert len(missed) <= len(deliverable) * 0.05, (said, [(ended.orders[one], ended.reason(one)) for one in missed])

    reasons = {"refuses": "refused", "absent": "customer_absent"}
    for order_id, door in farm.doors.items():
        if door.fate != "opens" and ended.attempts.get(order_id):
            assert ended.reason(order_id) in {reasons[door.fate], "excursion"}, (said, door)
            assert ended.orders[order_id] == ("returned" if ended.reason(order_id) == "refused" else "packed"), said

    assert await accounts.stock_differences(farm) == [], said
    left, boxes = await accounts.left_for_good(farm), await accounts.ordered(farm)
    numbers = {}
    for order_id in delivered:
        [done] = [attempt for attempt in ended.attempts[order_id] if attempt.status == "delivered"]
        numbers[done.number] = boxes[order_id]
    assert left == numbers, said

    attempts, believed = accounts.by_id(ended.attempts), accounts.driven_for(farm)
    for delivery in attempts.values():
        if delivery.status == "delivered":
            proof = await farm.tenant.get(f"/api/v1/warehouse/deliveries/{delivery.id}/proof")
            files = [one for one in (proof["photo"], proof["signature"]) if one is not None]
            assert [one["intact"] for one in files] == [True], said
            assert files[0]["sha256"] == believed[str(delivery.id)], said
    assert await accounts.unheard(farm) == [], said
    assert await accounts.told_twice(farm, ONCE) == [], said


async def test_a_short_day_goes_well_whatever_happens(
    sqlite_url: str, phones: Phones, twilio: TwilioDouble, tmp_path: Path
) -> None:
    scenario = draw(7, orders=12, vans=2, late=1, refusals=1, absent=1, breakdowns=1, warm=0)
    farm = await live_through(scenario, sqlite_url, phones, twilio, tmp_path)
    assert len(farm.doors) == 12


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
async def test_a_day_of_two_hundred_orders_goes_well_whatever_happens(
    request: pytest.FixtureRequest, engine: str, phones: Phones, twilio: TwilioDouble, tmp_path: Path
) -> None:
    scenario = draw(2026, orders=200, vans=10, late=20, refusals=10, absent=4, breakdowns=2, warm=1)
    await live_through(scenario, request.getfixturevalue(f"{engine}_url"), phones, twilio, tmp_path)
