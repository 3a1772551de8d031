"""Returns at the console: asked for, approved, received, inspected, sold again or thrown away, refunded."""

import csv
import io

import httpx2
import pytest

from tests.cloud_api.console.handling.rooms import invalid
from tests.cloud_api.console.screens import at_console
from tests.cloud_api.media.samples import files_in, picture
from tests.factories.farms import make_person
from tests.factories.returns import RETURNS as API
from tests.factories.returns import HandedOver, hand_over_order
from tests.platform_under_test import Platform

RETURNS = "/console/returns"


@pytest.fixture
async def handed(sqlite_platform: Platform) -> HandedOver:
    """An order that was delivered."""
    return await hand_over_order(sqlite_platform)


async def test_without_returns_the_list_says_what_to_do(console: httpx2.AsyncClient) -> None:
    page = await console.get(RETURNS)
    assert "Nothing was given back" in page.text
    assert "No order was delivered yet" in (await console.get(f"{RETURNS}/new")).text


async def test_a_return_goes_all_its_way(console: httpx2.AsyncClient, handed: HandedOver) -> None:
    assert handed.order_id in (await console.get(f"{RETURNS}/new")).text
    line = {"lines.0.order_line_id": handed.line_id}
    asked = {"order_id": handed.order_id, "reason": "too much", **line}
    too_much = await console.post(f"{RETURNS}/new", data=asked | {"lines.0.quantity": "40"})
    assert too_much.status_code in {409, 422}
    assert 'value="40"' in too_much.text
    made = await console.post(f"{RETURNS}/new", data=asked | {"lines.0.quantity": "4"})
    address = made.headers["location"]

    without = await console.post(f"{address}/decide", data={"status": "approved", "reason": ""})
    assert without.status_code == 422
    assert 'id="e-reason"' in without.text
    await _done(console, f"{address}/decide", {"status": "approved", "reason": "of course"})

    one = await handed.tenant.get(f"{API}/{address.rpartition('/')[2]}")
    goods = {"goods.0.line_id": one["lines"][0]["id"], "goods.0.quantity": "4", "location_id": handed.quarantine_id}
    warm = await console.post(f"{address}/receive", data=goods | {"goods.0.temperature_c": "warm"})
    assert warm.status_code == 422
    assert 'id="e-goods.0.temperature_c"' in warm.text
    assert 'value="warm"' in warm.text
    await _done(console, f"{address}/receive", goods | {"goods.0.temperature_c": "4", "goods.0.outside_minutes": "10"})

    one = await handed.tenant.get(f"{API}/{one['id']}")
    found = {"goods.0.goods_id": one["goods"][0]["id"]}
    unsaid = await console.post(f"{address}/inspect", data=found | {"goods.0.condition": ""})
    assert unsaid.status_code == 422
    assert 'id="e-goods.0.condition"' in unsaid.text
    await _done(console, f"{address}/inspect", found | {"goods.0.condition": "wrong", "goods.0.finding": ""})
    assert "Sell it again" in (await console.get(address)).text
    await _done(console, f"{address}/restock", found | {"goods.0.location_id": handed.depot.room_id})
    await _done(console, f"{address}/refund", {"amount": "100.00", "note": "as agreed"})
    one = await handed.tenant.get(f"{API}/{one['id']}")
    assert (one["status"], one["refund_minor"]) == ("completed", 10_000)
    assert one["number"] in (await console.get(f"{RETURNS}?status=completed")).text


async def _done(console: httpx2.AsyncClient, path: str, data: dict[str, str]) -> None:
    answer = await console.post(path, data=data)
    assert answer.status_code == 303, answer.text


async def test_what_nobody_vouches_for_is_only_thrown_away(console: httpx2.AsyncClient, handed: HandedOver) -> None:
    one = await handed.inspect(temperature_c=19.0)
    address = f"{RETURNS}/{one['id']}"
    page = await console.get(address)
    assert "May not be sold again" in page.text
    assert f"{address}/restock" not in page.text
    nothing = await console.post(f"{address}/scrap", data={"reason": "too warm"})
    assert nothing.status_code == 422
    assert 'value="too warm"' in nothing.text
    await _done(console, f"{address}/scrap", {"reason": "too warm", "goods_ids": one["goods"][0]["id"]})
    assert (await handed.tenant.get(f"{API}/{one['id']}"))["status"] == "completed"


async def test_a_return_is_cancelled_before_it_is_back(console: httpx2.AsyncClient, handed: HandedOver) -> None:
    one = await handed.ask()
    await _done(console, f"{RETURNS}/{one['id']}/cancel", {"reason": "they keep it"})
    assert 'data-state="cancelled"' in (await console.get(f"{RETURNS}/{one['id']}")).text
    assert (await console.post(f"{RETURNS}/{one['id']}/burn")).status_code == 404


async def test_who_may_only_read_is_offered_nothing_more(sqlite_platform: Platform, handed: HandedOver) -> None:
    one = await handed.ask()
    viewer = await make_person(sqlite_platform, handed.tenant, "viewer")
    driver = await make_person(sqlite_platform, handed.tenant, "delivery_personnel")
    async with at_console(sqlite_platform, viewer) as reading:
        page = await reading.get(f"{RETURNS}/{one['id']}")
        assert page.status_code == 200
        assert "/decide" not in page.text
        assert (await reading.get(f"{RETURNS}/new?order_id={handed.order_id}")).status_code == 403
    async with at_console(sqlite_platform, driver) as driving:
        assert (await driving.get(RETURNS)).status_code == 403


async def test_returns_are_found_by_their_order_and_are_a_file(console: httpx2.AsyncClient, handed: HandedOver) -> None:
    one = await handed.ask()
    order = await handed.tenant.get(f"/api/v1/orders/{handed.order_id}")
    assert handed.order_id in (await console.get(f"{RETURNS}/new?search={order['number']}")).text
    assert "No delivered order is like this" in (await console.get(f"{RETURNS}/new?search=nobody")).text
    page = await console.get(f"{RETURNS}?warehouse_id={order['warehouse_id']}&from=2020-01-01")
    assert one["number"] in page.text
    assert order["number"] in page.text
    assert one["number"] not in (await console.get(f"{RETURNS}?to=2020-01-01")).text
    file = await console.get(f"{RETURNS}/export?status=requested")
    [row] = csv.DictReader(io.StringIO(file.content.decode("utf-8-sig")))
    assert (row["Return"], row["Order"], row["Customer"]) == (one["number"], order["number"], order["customer_name"])


async def test_pictures_are_taken_at_the_door_and_at_the_table(
    console: httpx2.AsyncClient, handed: HandedOver, sqlite_platform: Platform
) -> None:
    one = await handed.approve("1")
    address = f"{RETURNS}/{one['id']}"
    page = await console.get(address)
    assert 'capture="environment"' in page.text
    line = {"goods.0.line_id": one["lines"][0]["id"], "goods.0.quantity": "1"}
    camera = {"goods.0.picture": ("IMG_1.jpg", picture(kind="JPEG"), "image/jpeg")}
    note = {"goods.0.picture": ("note.jpg", b"not a picture", "image/jpeg")}
    wrong = await console.post(f"{address}/receive", data={**line, "location_id": handed.quarantine_id}, files=note)
    assert (wrong.status_code, invalid(wrong.text)) == (422, ["goods.0.picture"])
    nowhere = await console.post(f"{address}/receive", data=line, files=camera)
    assert nowhere.status_code == 422
    [kept] = (await handed.tenant.get(f"{API}/{one['id']}"))["pictures"]
    assert kept["return_line_id"] == one["lines"][0]["id"]
    assert f"/pictures/{kept['id']}?size=small" in nowhere.text, "what was refused for something else kept its picture"
    room = {"location_id": handed.quarantine_id}
    assert (await console.post(f"{address}/receive", data=line | room, files=camera)).is_redirect
    assert f"{address}/refund" not in (await console.get(address)).text, "money is granted when it was looked at"
    goods = (await handed.tenant.get(f"{API}/{one['id']}"))["goods"]
    found = {"goods.0.goods_id": goods[0]["id"], "goods.0.line_id": one["lines"][0]["id"]}
    seen = {"goods.0.picture": ("IMG_2.jpg", picture(22, kind="JPEG"), "image/jpeg")}
    condition = {"goods.0.condition": "damaged", "goods.0.finding": "leaks"}
    assert (await console.post(f"{address}/inspect", data=found | condition, files=seen)).is_redirect
    assert len((await handed.tenant.get(f"{API}/{one['id']}"))["pictures"]) == 2

    small = await console.get(f"{address}/pictures/{kept['id']}?size=small")
    assert small.headers["Content-Type"] == "image/webp"
    page = await console.get(address)
    assert 'alt="Picture 1 of' in page.text
    assert (await console.post(f"{address}/pictures/{kept['id']}/remove")).is_redirect
    await _done(console, f"{address}/scrap", {"reason": "leaks", "goods_ids": goods[0]["id"]})
    page = await console.get(address)
    assert "/remove" not in page.text
    assert "Add pictures" not in page.text
    await sqlite_platform.deliver()
    assert picture(kind="JPEG") not in files_in(sqlite_platform.settings.media_folder).values()


async def test_pictures_that_are_there_already_are_chosen_several_at_once(
    console: httpx2.AsyncClient, handed: HandedOver, sqlite_platform: Platform
) -> None:
    one = await handed.ask("1")
    address = f"{RETURNS}/{one['id']}"
    none = await console.post(f"{address}/pictures", data={"line_id": ""})
    assert (none.status_code, invalid(none.text)) == (422, ["camera"])
    chosen = [("chosen", (f"{width}.png", picture(width), "image/png")) for width in (20, 22)]
    assert (await console.post(f"{address}/pictures", files=chosen)).is_redirect
    shown = (await handed.tenant.get(f"{API}/{one['id']}"))["pictures"]
    assert [row["return_line_id"] for row in shown] == [None, None]
    viewer = await make_person(sqlite_platform, handed.tenant, "viewer")
    async with at_console(sqlite_platform, viewer) as reading:
        page = await reading.get(address)
        assert shown[0]["id"] in page.text
        assert "/remove" not in page.text
        assert "Add pictures" not in page.text
        assert (await reading.post(f"{address}/pictures", files=chosen)).status_code == 403
