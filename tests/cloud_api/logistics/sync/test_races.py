"""Several requests at the same moment: the log and the feed on both engines."""

import asyncio
import random
import uuid

from sqlalchemy import select

from cloud_api.logistics.sync import feed
from cloud_api.logistics.sync.models import PhoneFeedItem
from tests.cloud_api.logistics.sync.days import COMMANDS, EXPECTED, a_sealed_day, the_end
from tests.factories.grounds import IN_ONE_LOOP, ground_url
from tests.factories.handsets import MOBILE, make_phone_day
from tests.platform_under_test import Platform

__all__ = ["ground_url"]
pytestmark = IN_ONE_LOOP


async def test_parts_that_arrive_at_the_same_moment_are_taken_in_one_after_the_other(farm: Platform) -> None:
    day = await a_sealed_day(farm)
    dice = random.Random(3)
    shuffled = [dice.sample(range(1, COMMANDS + 1), COMMANDS) for _ in range(3)]
    await asyncio.gather(*(day.phone.send(*part) for part in shuffled))
    await day.phone.send()
    assert await the_end(day) == EXPECTED


async def test_no_change_is_numbered_below_a_cursor_that_was_handed_out(farm: Platform) -> None:
    days = [await make_phone_day(farm, doors=2)]
    driver, route_id = days[0].phone.driver, uuid.UUID(days[0].route_id)
    known: dict[str, bool] = {}

    async def tell() -> None:
        async with farm.database.unit_of_work(farm.tenant.organization) as db:
            await feed.refresh_route(db, route_id)

    async def listen() -> None:
        cursor: dict[str, str] = {}
        while len(known) < 3:
            said = await driver.get(f"{MOBILE}/sync", limit=1, **cursor)
            known.update({item["id"]: item["gone"] for item in said["items"]})
            cursor = {"cursor": said["cursor"]}

    await asyncio.gather(listen(), tell(), tell(), tell())
    assert set(known) == {days[0].route_id, days[0].stop(0), days[0].stop(1)}
    async with farm.database.unit_of_work(farm.tenant.organization, read_only=True) as db:
        numbers = (await db.scalars(select(PhoneFeedItem.sequence).order_by(PhoneFeedItem.sequence))).all()
    assert numbers == [1, 2, 3], "told once, whoever told it first"
