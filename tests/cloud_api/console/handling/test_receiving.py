"""Goods come in at the console, by hand and by scanner."""

import httpx2

from tests.cloud_api.console.handling.rooms import invalid, make_rooms, page
from tests.cloud_api.console.screens import at_console
from tests.factories.farms import make_person
from tests.factories.stores import make_product
from tests.platform_under_test import Platform


async def test_a_lot_is_received_and_the_form_comes_again_for_the_next(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    rooms = await make_rooms(sqlite_platform.tenant)
    assert "Nothing has come in yet" in await page(console, "/console/receiving")
    typed = {
        "product_id": rooms.product_id,
        "location_id": rooms.room_id,
        "lot_number": "SPINACH-7",
        "expires_on": "2027-01-31",
        "quantity": "12.5",
        "unit_cost": "42.50",
        "weight_g": "",
        "supplier": "Hill farm",
        "_key": "receipt-1",
    }
    answer = await console.post("/console/receiving", data=typed)
    assert answer.status_code == 303, answer.text
    again = await page(console, answer.headers["location"])
    assert f'value="{rooms.room_id}" selected' in again, "the place is kept"
    assert "Hill farm" in again
    assert "SPINACH-7" in again, "it is among the last receipts"
    assert list((await rooms.on_hand(rooms.room_id)).values()) == ["12.500"]

    await console.post("/console/receiving", data=typed)
    assert list((await rooms.on_hand(rooms.room_id)).values()) == ["12.500"], "sent twice, it is booked once"


async def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_is_kept(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    rooms = await make_rooms(sqlite_platform.tenant)
    typed = {
        "product_id": rooms.product_id,
        "location_id": rooms.room_id,
        "lot_number": "KEPT-1",
        "quantity": "-3",
        "weight_g": "many",
    }
    answer = await console.post("/console/receiving", data=typed)
    assert answer.status_code == 422
    assert invalid(answer.text) == ["quantity", "weight_g"]
    assert 'value="KEPT-1"' in answer.text
    assert f'name="product_id" value="{rooms.product_id}"' in answer.text


async def test_a_scanned_code_fills_in_the_form(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    await make_rooms(sqlite_platform.tenant)
    product_id = await make_product(sqlite_platform.tenant, name="Paneer", gtin="09506000134352", unit="piece")
    code = "]d201095060001343521727013110PANEER-9\x1d3724"
    answer = await console.get("/console/receiving", params={"code": code})
    filled = answer.text
    assert f'name="product_id" value="{product_id}"' in filled
    for said in ('value="Paneer"', 'value="PANEER-9"', 'value="2027-01-31"', 'value="24"', 'value="scan"'):
        assert said in filled, said
    nobody = await page(console, "/console/receiving?code=4006381333931")
    assert "Nothing here goes by the code 4006381333931." in nobody


async def test_who_may_only_look_has_no_form(sqlite_platform: Platform) -> None:
    viewer = await make_person(sqlite_platform, sqlite_platform.tenant, "viewer")
    async with at_console(sqlite_platform, viewer) as looking:
        assert "Take goods in" not in await page(looking, "/console/receiving")
        answer = await looking.post("/console/receiving", data={"lot_number": "X", "_key": "k"})
        assert answer.status_code == 403
    driver = await make_person(sqlite_platform, sqlite_platform.tenant, "delivery_personnel")
    async with at_console(sqlite_platform, driver) as outside:
        for path in ("receiving", "transfers", "counts", "movements", "sightings"):
            assert (await outside.get(f"/console/{path}")).status_code == 403, path
