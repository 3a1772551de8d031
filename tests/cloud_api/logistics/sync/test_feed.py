"""What a phone hears: what changed since its cursor, in the order of commits, with what is gone."""

import uuid
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from cloud_api.kernel.paging import encode_cursor
from cloud_api.logistics.deliveries import service as deliveries
from cloud_api.logistics.deliveries.models import Delivery
from cloud_api.logistics.sync import feed
from cloud_api.logistics.sync.models import PhoneFeedHead, PhoneFeedItem
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.handsets import MOBILE, Day, make_phone_day
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP
SYNC = f"{MOBILE}/sync"


async def refresh(farm: Platform, day: Day) -> None:
    """As the reactions to anything about the route do."""
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        await feed.refresh_route(db, uuid.UUID(day.route_id))


async def heard(day: Day, **query: Any) -> tuple[list[tuple[str, str, bool]], str]:
    """([kind, id, gone], cursor)."""
    said = await day.phone.driver.get(SYNC, **query)
    return [(item["kind"], item["id"], item["gone"]) for item in said["items"]], said["cursor"]


async def test_without_a_cursor_all_is_told_and_behind_it_only_what_changed(farm: Platform) -> None:
    day = await make_phone_day(farm, doors=2)
    assert (await heard(day))[0] == []
    await refresh(farm, day)
    items, cursor = await heard(day)
    stops = [("stop", day.stop(number), False) for number in (0, 1)]
    assert sorted(items) == sorted([("route", day.route_id, False), *stops])
    await refresh(farm, day)
    assert await heard(day, cursor=cursor) == ([], cursor), "what looks the same is not told again"
    start = day.phone.tell("start_route", day.route_id)
    await day.phone.send(start, day.phone.tell("arrive", day.stop(1), after=[start]))
    await refresh(farm, day)
    items, cursor = await heard(day, cursor=cursor)
    assert sorted(items) == sorted([("route", day.route_id, False), *stops])
    said = await day.phone.driver.get(SYNC)
    arrived = next(item["stop"] for item in said["items"] if item["id"] == day.stop(1))
    assert (arrived["status"], arrived["lines"][0]["quantity"]) == ("arrived", "4.000")


async def test_a_long_feed_is_told_in_pages_of_any_length(farm: Platform) -> None:
    day = await make_phone_day(farm, doors=3)
    await refresh(farm, day)
    whole, last = await heard(day)
    pages, cursor = [], None
    while True:
        said = await day.phone.driver.get(SYNC, limit=1, **({"cursor": cursor} if cursor else {}))
        pages += [(item["kind"], item["id"], item["gone"]) for item in said["items"]]
        cursor = said["cursor"]
        if not said["more"]:
            break
    assert (pages, cursor) == (whole, last)


async def test_a_stop_that_is_taken_off_is_gone_for_the_one_and_there_for_the_other(farm: Platform) -> None:
    first, second = await make_phone_day(farm, doors=2), await make_phone_day(farm)
    for day in (first, second):
        await refresh(farm, day)
    cursors = [(await heard(day))[1] for day in (first, second)]
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        stop = await deliveries.get_delivery(db, uuid.UUID(first.stop(0)))
        await deliveries.take_off(db, stop)
        route = await deliveries.get_route(db, uuid.UUID(second.route_id))
        await deliveries.assign(db, stop, route=route, planned_arrival_at=route.departs_at)
    for day in (first, second):
        await refresh(farm, day)
    gone, there = [await heard(day, cursor=cursor) for day, cursor in zip((first, second), cursors, strict=True)]
    assert ("stop", first.stop(0), True) in gone[0]
    assert ("stop", first.stop(0), False) in there[0]
    assert ("stop", first.stop(0), True) not in (await heard(first))[0], "a new phone has nothing to forget"


async def test_a_route_that_is_over_is_gone_with_its_stops(farm: Platform) -> None:
    day = await make_phone_day(farm)
    await refresh(farm, day)
    _, cursor = await heard(day)
    start = day.phone.tell("start_route", day.route_id)
    fail = day.phone.tell("fail", day.stop(0), {"failure_reason": "customer_absent"}, after=[start])
    back = {"unload_location_id": day.drive.room_id}
    await day.phone.send(start, fail, day.phone.tell("complete_route", day.route_id, back, after=[fail]))
    await refresh(farm, day)
    assert sorted((await heard(day, cursor=cursor))[0]) == [("route", day.route_id, True), ("stop", day.stop(0), True)]
    assert (await heard(day))[0] == []


async def test_what_the_reactions_have_not_heard_of_is_never_told_to_a_driver_whose_it_is_not(farm: Platform) -> None:
    first, second = await make_phone_day(farm), await make_phone_day(farm)
    await refresh(farm, first)
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        stop = await db.get_one(Delivery, uuid.UUID(first.stop(0)))
        await deliveries.take_off(db, stop)
        route = await deliveries.get_route(db, uuid.UUID(second.route_id))
        await deliveries.assign(db, stop, route=route, planned_arrival_at=route.departs_at)
    said = await first.phone.driver.get(SYNC)
    [told] = [item for item in said["items"] if item["id"] == first.stop(0)]
    assert (told["gone"], told["stop"]) == (True, None)


async def test_an_unchanged_feed_is_not_sent_again(farm: Platform) -> None:
    day = await make_phone_day(farm)
    await refresh(farm, day)
    first = await day.phone.driver.client.get(SYNC)
    tag = {"If-None-Match": first.headers["ETag"]}
    assert (await day.phone.driver.client.get(SYNC, headers=tag)).status_code == 304
    await day.phone.send(day.phone.tell("start_route", day.route_id))
    await refresh(farm, day)
    assert (await day.phone.driver.client.get(SYNC, headers=tag)).status_code == 200


async def test_a_cursor_that_leads_nowhere_is_named(farm: Platform) -> None:
    day, other = await make_phone_day(farm), await make_phone_day(farm)
    for one in (day, other):
        await refresh(farm, one)
    _, foreign = await heard(other)
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        me = uuid.UUID((await day.phone.driver.get("/api/v1/auth/me"))["id"])
        head = (await db.scalars(select(PhoneFeedHead).where(PhoneFeedHead.driver_id == me))).one()
        ahead = encode_cursor(f"{head.id.hex}:{head.sequence + 1}".encode())
        early = encode_cursor(f"{head.id.hex}:1".encode())
        head.forgotten_through = 2
    for cursor, status, code in [
        ("!", 422, "BAD_CURSOR"),
        (encode_cursor(b"x:y"), 422, "BAD_CURSOR"),
        (encode_cursor(b"\xff:1"), 410, "CURSOR_GONE"),
        (foreign, 410, "CURSOR_GONE"),
        (ahead, 410, "CURSOR_GONE"),
        (early, 410, "CURSOR_GONE"),
    ]:
        answer = await day.phone.driver.client.get(SYNC, params={"cursor": cursor})
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), cursor


async def test_what_has_been_gone_for_a_month_is_forgotten(farm: Platform) -> None:
    day = await make_phone_day(farm, doors=2)
    await refresh(farm, day)
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        await deliveries.take_off(db, await deliveries.get_delivery(db, uuid.UUID(day.stop(0))))
    await refresh(farm, day)
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        gone = select(PhoneFeedItem).where(PhoneFeedItem.subject_id == uuid.UUID(day.stop(0)))
        item = (await db.scalars(gone)).one()
        assert item.gone
        item.changed_at -= feed.REMEMBERED + timedelta(days=1)
        forgotten = item.sequence
    _, cursor = await heard(day)
    await day.phone.send(day.phone.tell("start_route", day.route_id))
    await refresh(farm, day)
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        assert (await db.scalars(gone)).one_or_none() is None
        me = uuid.UUID((await day.phone.driver.get("/api/v1/auth/me"))["id"])
        head = (await db.scalars(select(PhoneFeedHead).where(PhoneFeedHead.driver_id == me))).one()
        assert head.forgotten_through == forgotten
    assert len((await heard(day, cursor=cursor))[0]) == 2, "whoever had heard of it goes on"
