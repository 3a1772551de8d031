"""The address that a customer is sent: it shows one order for a time, and names nobody."""

import hashlib
import re
import uuid
from typing import Any

import pytest
from sqlalchemy import String, select, type_coerce

from cloud_api.identity.organizations.models import Organization
from cloud_api.kernel import clock
from cloud_api.kernel.errors import NotFound
from cloud_api.logistics.tracking import links, service
from cloud_api.logistics.tracking.models import TrackingLink
from tests.cloud_api.logistics.tracking.conftest import WallClock
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.roads import Road, at, plant_road
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

SETTINGS = "/api/v1/admin/settings"


async def link_of(road: Road, stop: int = 0) -> str:
    """The address, without the part that is the platform's."""
    async with road.platform.database.unit_of_work(road.tenant.organization) as db:
        return (await service.link_for(db, uuid.UUID(road.order_ids[stop]))).removeprefix("http://127.0.0.1:8000")


async def opened(farm: Platform, path: str, **headers: str) -> tuple[int, str]:
    """The page, as somebody who is not signed in sees it."""
    async with farm.client() as anybody:
        answer = await anybody.get(path, headers=headers)
    assert answer.headers["content-type"].startswith("text/html"), answer.text
    return answer.status_code, answer.text


async def read(farm: Platform, path: str) -> tuple[int, Any]:
    """The same as JSON."""
    async with farm.client() as anybody:
        answer = await anybody.get(path.replace("/t/", "/api/v1/tracking/"))
    return answer.status_code, answer.json().get("data") or answer.json()["error"]["code"]


async def test_an_order_has_one_address_with_nothing_of_it_in_it(farm: Platform) -> None:
    road = await plant_road(farm)
    path = await link_of(road)
    assert re.fullmatch(r"/t/[A-Za-z0-9_-]{24}", path)
    assert await link_of(road) == path
    assert await link_of(road, 1) != path
    async with farm.database.unit_of_work(farm.tenant.organization, read_only=True) as db:
        token = path.removeprefix("/t/")
        its = select(TrackingLink.token_sha256, type_coerce(TrackingLink.token, String))
        kept = (await db.execute(its.where(TrackingLink.order_id == uuid.UUID(road.order_ids[0])))).one()
        assert kept[0] == hashlib.sha256(token.encode()).hexdigest()
        assert token not in kept[1]
        with pytest.raises(NotFound):
            await links.link_for(db, uuid.uuid4())


async def test_page_and_json_show_how_far_it_is_and_name_nobody(farm: Platform) -> None:
    road = await plant_road(farm, doors=2)
    await road.report(at(12.936))
    path = await link_of(road, 1)
    status, page = await opened(farm, path)
    assert status == 200
    assert "1 stop before you" in page
    assert "nine times out of ten by" in page
    assert "<svg" in page
    json_status, seen = await read(farm, path)
    assert (json_status, seen["status"], seen["stops_before"]) == (200, "on_the_way", 1)
    secret = [*road.order_ids, *road.delivery_ids, road.route_id, road.vehicle_id, "Kitchen", "Mill Road"]
    for word in secret:
        assert word not in page
        assert word not in str(seen)


async def test_a_page_needs_no_script_and_lets_nothing_in_from_elsewhere(farm: Platform) -> None:
    road = await plant_road(farm)
    async with farm.client() as anybody:
        answer = await anybody.get(await link_of(road))
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "script" not in policy
    for forbidden in ("<script", "http://", "https://", " style=", "onload"):
        assert forbidden not in answer.text
    assert (answer.headers["cache-control"], answer.headers["referrer-policy"]) == ("no-store", "no-referrer")
    assert answer.headers["x-robots-tag"] == "noindex, nofollow"
    assert 'http-equiv="refresh"' in answer.text


async def test_the_page_speaks_the_language_of_the_order_or_of_the_organisation(farm: Platform) -> None:
    road = await plant_road(farm)
    await road.set_order(0, locale="hi-IN")
    assert 'lang="hi"' in (await opened(farm, await link_of(road)))[1]
    assert "अगली बारी" in (await opened(farm, await link_of(road)))[1]
    assert 'lang="en"' in (await opened(farm, await link_of(road, 1)))[1]
    await farm.tenant.put(SETTINGS, {"values": {"locale": "hi-IN"}})
    assert 'lang="hi"' in (await opened(farm, await link_of(road, 1)))[1]
    await road.set_order(1, locale="fr-FR")
    assert 'lang="en"' in (await opened(farm, await link_of(road, 1)))[1]


async def test_after_the_delivery_it_says_when_and_what_shows_it_and_not_who(
    farm: Platform, wall_clock: WallClock
) -> None:
    road = await plant_road(farm)
    await road.report(at(12.9399))
    over = {"status": "delivered", "delivered_at": clock.now(), "recipient_name": "Asha Patil"}
    await road.set_stop(0, **over, photo_sha256="0" * 64, cargo_temperature_c=3.44)
    await road.set_order(0, status="delivered", delivered_at=clock.now())
    path = await link_of(road)
    page = (await opened(farm, path))[1]
    for said in ("Your order was delivered.", "A photo of the hand-over is kept.", "3.4 °C"):
        assert said in page
    for unsaid in ("Asha", "refresh", "<svg", "A signature is kept."):
        assert unsaid not in page
    seen = (await read(farm, path))[1]
    assert (seen["status"], seen["van"], seen["eta"], seen["has_photo"]) == ("delivered", None, None, True)
    assert all(step["is_done"] for step in seen["steps"])


async def test_an_address_ends_some_hours_after_the_delivery(farm: Platform, wall_clock: WallClock) -> None:
    road = await plant_road(farm)
    await farm.tenant.put(SETTINGS, {"values": {"deliveries.tracking_link_hours": 6}})
    await road.set_order(0, status="delivered", delivered_at=clock.now())
    path = await link_of(road)
    wall_clock.move(hours=6)
    assert (await opened(farm, path))[0] == 200
    wall_clock.move(seconds=1)
    assert (await opened(farm, path))[0] == 404
    assert await read(farm, path) == (404, "LINK_UNKNOWN")


async def test_an_order_that_never_ends_is_not_to_be_followed_for_ever(farm: Platform, wall_clock: WallClock) -> None:
    road = await plant_road(farm)
    await road.set_order(1, status="cancelled")
    paths = [await link_of(road, stop) for stop in (0, 1)]
    wall_clock.move(days=5)
    assert [(await opened(farm, path))[0] for path in paths] == [200, 404]
    wall_clock.move(days=11)
    assert [(await opened(farm, path))[0] for path in paths] == [404, 404]


@pytest.mark.parametrize("token", ["x", "A" * 24, "A" * 5_000, "%2e%2e", "नमस्ते", "a%0d%0ab"])
async def test_what_is_no_address_of_ours_leads_to_a_page_that_says_what_to_do(farm: Platform, token: str) -> None:
    status, page = await opened(farm, f"/t/{token}")
    assert status == 404
    assert "Open the newest message" in page
    assert await read(farm, f"/t/{token}") == (404, "LINK_UNKNOWN")


async def test_who_has_no_order_is_told_so_in_the_language_of_the_browser(farm: Platform) -> None:
    assert 'lang="hi"' in (await opened(farm, "/t/none", **{"Accept-Language": "hi-IN,en;q=0.5"}))[1]


async def test_a_changed_letter_shows_nothing(farm: Platform) -> None:
    path = await link_of(await plant_road(farm))
    other = path[:-1] + ("A" if path[-1] != "A" else "B")
    assert (await opened(farm, other))[0] == 404


async def test_of_an_organisation_that_is_closed_nothing_is_shown(farm: Platform) -> None:
    path = await link_of(await plant_road(farm))
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        (await db.get_one(Organization, farm.tenant.organization.organization_id)).is_active = False
    assert (await opened(farm, path))[0] == 404


async def test_what_a_store_calls_itself_is_text_and_no_markup(farm: Platform) -> None:
    path = await link_of(await plant_road(farm))
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        (await db.get_one(Organization, farm.tenant.organization.organization_id)).name = "<script>alert(1)</script>"
    page = (await opened(farm, path))[1]
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
