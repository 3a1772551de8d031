"""Goods go from one warehouse to another, and from place to place."""

from dataclasses import replace
from urllib.parse import urlsplit

import httpx2

from tests.cloud_api.console.handling.rooms import Rooms, invalid, make_rooms, page
from tests.cloud_api.console.screens import at_console
from tests.factories.farms import make_person
from tests.factories.stores import make_product, make_room, make_warehouse
from tests.platform_under_test import Platform


async def _written_down(console: httpx2.AsyncClient, rooms: Rooms, lot_id: str, to: str) -> str:
    """A transfer of ten: the address of its page."""
    typed = {
        "from_warehouse_id": rooms.warehouse_id,
        "to_warehouse_id": to,
        f"take.{lot_id}_{rooms.room_id}": "10",
        "note": "for the market",
    }
    answer = await console.post("/console/transfers/new", data=typed)
    assert answer.status_code == 303, answer.text
    return urlsplit(answer.headers["location"]).path


async def test_a_transfer_is_written_down_sent_off_and_put_away_with_a_loss(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    tenant = sqlite_platform.tenant
    rooms = await make_rooms(tenant)
    there = await make_warehouse(tenant)
    shelf = await make_room(tenant, there)
    assert "No transfers yet" in await page(console, "/console/transfers")
    lot_id = (await rooms.receive("GOES-1", "40"))["lot_id"]
    assert "GOES-1" in await page(console, f"/console/transfers/new?from_warehouse_id={rooms.warehouse_id}")

    at = await _written_down(console, rooms, lot_id, there)
    assert "Send it off" in await page(console, at)
    assert "for the market" in await page(console, "/console/transfers?status=draft")
    assert "GOES-1" in await page(console, "/console/transfers/export?status=draft")
    assert "GOES-1" not in await page(console, "/console/transfers/export?status=completed")
    assert (await console.post(f"{at}/ship")).status_code == 303
    transfer = await tenant.get(f"/api/v1/warehouse/stock/transfers/{at.rpartition('/')[2]}")
    [line] = transfer["lines"]

    named = {name: f"{name}.{line['id']}" for name in ("quantity", "location_id", "loss", "reason")}
    refused = await console.post(f"{at}/receive", data={named["quantity"]: "8", named["location_id"]: ""})
    assert refused.status_code == 422
    assert invalid(refused.text) == [named["location_id"]]
    assert 'value="8"' in refused.text, "what was typed is kept"
    arrived = {
        named["quantity"]: "8",
        named["location_id"]: shelf,
        named["loss"]: "waste",
        named["reason"]: "crushed",
    }
    assert (await console.post(f"{at}/receive", data=arrived)).status_code == 303
    done = await page(console, at)
    assert 'data-state="completed"' in done
    assert "crushed" in done
    assert await rooms.on_hand(shelf) == {lot_id: "8.000"}


async def test_what_cannot_go_is_said_beside_its_row(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    rooms = await make_rooms(sqlite_platform.tenant)
    to = await make_warehouse(sqlite_platform.tenant)
    lot_id = (await rooms.receive("FEW-1", "4"))["lot_id"]
    field = f"take.{lot_id}_{rooms.room_id}"
    typed = {"from_warehouse_id": rooms.warehouse_id, "to_warehouse_id": to, field: "-1"}
    answer = await console.post("/console/transfers/new", data=typed)
    assert answer.status_code == 422
    assert invalid(answer.text) == [field]
    nothing = await console.post("/console/transfers/new", data={**typed, field: ""})
    assert "Say of at least one lot how much is to go." in nothing.text


async def test_goods_are_moved_from_room_to_room_at_once(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    rooms = await make_rooms(sqlite_platform.tenant)
    lot_id = (await rooms.receive("MOVED-1", "40"))["lot_id"]
    assert "MOVED-1" in await page(console, f"/console/transfers/move?from_location_id={rooms.room_id}")
    field = f"take.{lot_id}_{rooms.room_id}"
    typed = {"from_location_id": rooms.room_id, "to_location_id": "", field: "15"}
    refused = await console.post("/console/transfers/move", data=typed)
    assert (refused.status_code, invalid(refused.text)) == (422, ["to_location_id"])
    answer = await console.post("/console/transfers/move", data={**typed, "to_location_id": rooms.other_id})
    assert answer.status_code == 303, answer.text
    assert await rooms.on_hand(rooms.room_id) == {lot_id: "25.000"}
    assert await rooms.on_hand(rooms.other_id) == {lot_id: "15.000"}


async def test_what_is_weighed_piece_by_piece_is_moved_with_its_weight(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    tenant = sqlite_platform.tenant
    crate = await make_product(tenant, unit="crate", unit_weight_g=1_000, catch_weight=True)
    rooms = replace(await make_rooms(tenant), product_id=crate)
    lot = (await rooms.receive("W-1", "4", weight_g=4_100))["lot_id"]
    row = f"take.{lot}_{rooms.room_id}"
    assert f'name="weight.{row}"' in await page(console, f"/console/transfers/move?from_location_id={rooms.room_id}")
    typed = {"from_location_id": rooms.room_id, "to_location_id": rooms.other_id, row: "1"}
    refused = await console.post("/console/transfers/move", data={**typed, f"weight.{row}": "heavy"})
    assert (refused.status_code, invalid(refused.text)) == (422, [f"weight.{row}"])
    assert (await console.post("/console/transfers/move", data={**typed, f"weight.{row}": "1200"})).is_redirect
    [level] = await tenant.get("/api/v1/warehouse/stock/levels", location_id=rooms.other_id)
    assert (level["on_hand"], level["weight_g"]) == ("1.000", 1_200)


async def test_a_transfer_is_cancelled_or_comes_back(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    rooms = await make_rooms(sqlite_platform.tenant)
    to = await make_warehouse(sqlite_platform.tenant)
    lot_id = (await rooms.receive("BACK-1", "40"))["lot_id"]
    cancelled = await _written_down(console, rooms, lot_id, to)
    await console.post(f"{cancelled}/cancel")
    assert 'data-state="cancelled"' in await page(console, cancelled)
    returned = await _written_down(console, rooms, lot_id, to)
    await console.post(f"{returned}/ship")
    assert "On its way here" in await page(console, "/console/receiving")
    await console.post(f"{returned}/return")
    assert 'data-state="returned"' in await page(console, returned)
    assert await rooms.on_hand(rooms.room_id) == {lot_id: "40.000"}


async def test_who_may_only_look_is_offered_nothing(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    rooms = await make_rooms(sqlite_platform.tenant)
    to = await make_warehouse(sqlite_platform.tenant)
    at = await _written_down(console, rooms, (await rooms.receive("LOOK-1", "40"))["lot_id"], to)
    viewer = await make_person(sqlite_platform, sqlite_platform.tenant, "viewer")
    async with at_console(sqlite_platform, viewer) as looking:
        assert "New transfer" not in await page(looking, "/console/transfers")
        assert "Send it off" not in await page(looking, at)
        assert (await looking.post(f"{at}/ship")).status_code == 403
