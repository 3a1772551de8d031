"""A lot becomes others: split, put together, packed anew."""

from dataclasses import replace
from typing import Any

import httpx2

from tests.cloud_api.console.handling.rooms import Rooms, invalid, make_rooms, page
from tests.cloud_api.console.screens import Screen, at_console
from tests.factories.farms import make_person
from tests.factories.stores import make_product
from tests.platform_under_test import Platform


async def lots_of(rooms: Rooms) -> dict[str, str]:
    """Lot number -> what there is of it."""
    lots: list[Any] = await rooms.tenant.get("/api/v1/warehouse/batches")
    return {lot["lot_number"]: lot["on_hand"] for lot in lots}


async def test_a_lot_is_split_and_a_wrong_line_shown_where_it_stands(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    rooms = await make_rooms(sqlite_platform.tenant)
    at = f"/console/lots/{(await rooms.receive('BIG-1', '40'))['lot_id']}"
    assert f"{at}/split" in await page(console, at)
    assert "BIG-1" in await page(console, f"{at}/split")
    typed = {"location_id": rooms.room_id, "parts.0.lot_number": "BIG-1A", "parts.0.quantity": "10"}
    wrong = await console.post(f"{at}/split", data={**typed, "parts.2.lot_number": "BIG-1B", "parts.2.quantity": "x"})
    assert (wrong.status_code, invalid(wrong.text)) == (422, ["parts.2.quantity"])
    assert 'value="BIG-1A"' in wrong.text
    nothing = await console.post(f"{at}/split", data={"location_id": rooms.room_id})
    assert "Say of at least one new lot" in nothing.text
    assert (await console.post(f"{at}/split", data=typed)).is_redirect
    assert await lots_of(rooms) == {"BIG-1": "30.000", "BIG-1A": "10.000"}


async def test_lots_are_put_together(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    rooms = await make_rooms(sqlite_platform.tenant)
    one = (await rooms.receive("HALF-1", "4"))["lot_id"]
    at = f"/console/lots/{one}"
    assert "There is nothing to put it together with" in await page(console, f"{at}/merge")
    other = (await rooms.receive("HALF-2", "6"))["lot_id"]
    assert "HALF-2" in await page(console, f"{at}/merge")
    fields = [f"take.{lot}_{rooms.room_id}" for lot in (one, other)]
    typed = {"lot_number": "WHOLE-1", "to_location_id": rooms.other_id, fields[0]: "4"}
    alone = await console.post(f"{at}/merge", data=typed)
    assert alone.status_code == 422
    assert "Say of at least two of them how much goes in." in alone.text
    too_much = await console.post(f"{at}/merge", data={**typed, fields[1]: "600"})
    assert too_much.status_code >= 400
    assert 'value="600"' in too_much.text
    assert (await console.post(f"{at}/merge", data={**typed, fields[1]: "5"})).is_redirect
    assert await lots_of(rooms) == {"HALF-1": "0.000", "HALF-2": "1.000", "WHOLE-1": "9.000"}


async def test_a_part_is_packed_as_something_else(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    rooms = await make_rooms(sqlite_platform.tenant)
    cut = await make_product(sqlite_platform.tenant, name="Cut spinach")
    at = f"/console/lots/{(await rooms.receive('RAW-1', '20'))['lot_id']}/repack"
    assert "RAW-1" in await page(console, at)
    made = {"made.0.product_id": cut, "made.0.lot_number": "CUT-1", "made.0.quantity": "8"}
    wrong = await console.post(at, data={"location_id": rooms.room_id, "quantity": "", **made})
    assert (wrong.status_code, invalid(wrong.text)) == (422, ["quantity"])
    assert "Cut spinach" in wrong.text
    assert (await console.post(at, data={"location_id": rooms.room_id, "quantity": "10", **made})).is_redirect
    assert await lots_of(rooms) == {"RAW-1": "10.000", "CUT-1": "8.000"}


async def test_the_weight_is_asked_for_as_soon_as_something_weighed_is_chosen(
    screen: Screen, sqlite_platform: Platform
) -> None:
    rooms = await make_rooms(sqlite_platform.tenant)
    await make_product(sqlite_platform.tenant, name="Pumpkin", unit="crate", unit_weight_g=5_000, catch_weight=True)
    await screen.open(f"/console/lots/{(await rooms.receive('RAW-2', '20'))['lot_id']}/repack")
    page, weight = screen.page, "input[name='made.1.weight_g']"
    assert await page.locator(weight).count() == 0
    await page.fill("[id='f-made.1.product_id']", "Pump")
    await page.click("[role=option] >> text=Pumpkin")
    await page.fill(weight, "5200")
    await page.fill("[id='f-made.1.lot_number']", "P-1")
    assert await page.locator("input[name='made.0.weight_g']").count() == 0, "only of that line"
    await screen.is_accessible()


async def test_what_is_weighed_piece_by_piece_is_asked_for_its_weight(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    tenant = sqlite_platform.tenant
    crate = await make_product(tenant, unit="crate", unit_weight_g=1_000, catch_weight=True)
    rooms = replace(await make_rooms(tenant), product_id=crate)
    first = (await rooms.receive("W-1", "4", weight_g=4_100))["lot_id"]
    second = (await rooms.receive("W-2", "6", weight_g=5_900))["lot_id"]
    at, rows = f"/console/lots/{first}", [f"take.{lot}_{rooms.room_id}" for lot in (first, second)]
    assert f'name="weight.{rows[1]}"' in await page(console, f"{at}/merge")
    typed = {"lot_number": "W-3", "to_location_id": rooms.room_id, rows[0]: "4", rows[1]: "2"}
    for wrong, status in (("heavy", 422), ("6000", 409)):
        refused = await console.post(f"{at}/merge", data={**typed, f"weight.{rows[1]}": wrong})
        assert (refused.status_code, invalid(refused.text)) == (status, [f"weight.{rows[1]}"])
        assert f'value="{wrong}"' in refused.text
    merged = await console.post(f"{at}/merge", data={**typed, f"weight.{rows[1]}": "2050"})
    assert merged.is_redirect
    whole = merged.headers["location"]
    assert (await tenant.get(f"/api/v1/warehouse/batches/{whole.rpartition('/')[2]}"))["weight_g"] == 6_150

    assert 'name="made.0.weight_g"' in await page(console, f"{whole}/repack")
    packed = {"location_id": rooms.room_id, "quantity": "2", "made.0.lot_number": "W-4", "made.0.quantity": "2"}
    refused = await console.post(f"{whole}/repack", data={**packed, "weight_g": "2000"})
    assert (refused.status_code, invalid(refused.text)) == (422, ["made.0.weight_g"])
    packed |= {"weight_g": "2000", "made.0.weight_g": "1990"}
    assert (await console.post(f"{whole}/repack", data=packed)).is_redirect
    weights = {lot["lot_number"]: lot["weight_g"] for lot in await tenant.get("/api/v1/warehouse/batches")}
    assert weights == {"W-1": 0, "W-2": 3_850, "W-3": 4_150, "W-4": 1_990}


async def test_who_may_only_look_makes_no_lots(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    rooms = await make_rooms(sqlite_platform.tenant)
    at = f"/console/lots/{(await rooms.receive('LOOK-1', '20'))['lot_id']}"
    viewer = await make_person(sqlite_platform, sqlite_platform.tenant, "viewer")
    async with at_console(sqlite_platform, viewer) as client:
        assert f"{at}/split" not in await page(client, at)
        for act in ("split", "merge", "repack"):
            assert (await client.get(f"{at}/{act}")).status_code == 403
            assert (await client.post(f"{at}/{act}", data={"lot_number": "X"})).status_code == 403


async def test_pages_of_goods_are_for_everybody_and_fit_a_phone(screen: Screen, sqlite_platform: Platform) -> None:
    tenant = sqlite_platform.tenant
    rooms = await make_rooms(tenant)
    lots = [(await rooms.receive(f"HALF-{number}", "4"))["lot_id"] for number in (1, 2)]
    category = await tenant.post("/api/v1/warehouse/products/categories", {"name": "Herbs", "slug": "herbs"})
    await screen.page.set_viewport_size({"width": 360, "height": 740})
    for path in (
        f"/console/lots/{lots[0]}/split",
        f"/console/lots/{lots[0]}/merge",
        f"/console/lots/{lots[0]}/repack",
        "/console/lots",
        "/console/stock/low",
        "/console/stock/rules/new",
        "/console/products/categories",
        f"/console/products/categories/{category['id']}",
        f"/console/products/{rooms.product_id}",
        "/console/labels?kind=lot&" + "&".join(f"id={lot}" for lot in lots),
        "/console/movements",
    ):
        await screen.open(path)
        await screen.is_accessible()
        wide = await screen.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0, f"{path} is {wide} px too wide"
