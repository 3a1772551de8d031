"""A recall in one call: everything that was made of the lot is held, and everybody who has some of it is named."""

import asyncio
import csv
import io
from typing import Any

import pypdf

from tests.factories.farms import make_person
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.orders import Drive, make_drive, proof, upload
from tests.factories.stores import ColdStore, make_room, receive
from tests.platform_under_test import Platform, Tenant

pytestmark = IN_ONE_LOOP

LOTS = "/api/v1/warehouse/batches"
STOCK = "/api/v1/warehouse/stock"
RECALLS = "/api/v1/warehouse/recalls"


async def recall(tenant: Tenant, lot_id: str, reason: str = "glass splinters") -> Any:
    return await tenant.post(f"{LOTS}/{lot_id}/recall", {"reason": reason})


async def statuses(tenant: Tenant) -> dict[tuple[str, str], str]:
    """(lot number, place) -> status."""
    numbers = {lot["id"]: lot["lot_number"] for lot in await tenant.get(LOTS, limit=200)}
    levels = await tenant.get(f"{STOCK}/levels", limit=200)
    return {(numbers[level["lot_id"]], level["location_id"]): level["status"] for level in levels}


async def test_a_lot_and_all_that_was_made_of_it_is_held_wherever_it_lies_or_arrives(
    farm: Platform, store: ColdStore
) -> None:
    elsewhere = await make_room(store.tenant, store.warehouse_id)
    lot_id = (await receive(store, lot="A", quantity="10"))["lot_id"]
    await receive(store, lot="A", quantity="1", location_id=elsewhere)
    await receive(store, lot="OTHER")
    parts = {"location_id": store.room_id, "parts": [{"lot_number": "A-1", "quantity": "4"}]}
    half = (await store.tenant.post(f"{LOTS}/{lot_id}/split", parts))["lots"][0]
    again = {"location_id": store.room_id, "parts": [{"lot_number": "A-1-1", "quantity": "1"}]}
    await store.tenant.post(f"{LOTS}/{half}/split", again)
    made = await recall(store.tenant, lot_id)
    assert {(lot["lot_number"], lot["on_hand"], lot["on_hold"]) for lot in made["lots"]} == {
        ("A", "7.000", "7.000"),
        ("A-1", "3.000", "3.000"),
        ("A-1-1", "1.000", "1.000"),
    }
    await receive(store, lot="A", quantity="5", location_id=await make_room(store.tenant, store.warehouse_id))
    parts = {"location_id": store.room_id, "parts": [{"lot_number": "A-2", "quantity": "1"}]}
    await store.tenant.post(f"{LOTS}/{lot_id}/split", parts)
    found = await statuses(store.tenant)
    assert found.pop(("OTHER", store.room_id)) == "available"
    assert (len(found), set(found.values())) == (6, {"on_hold"})
    [lot] = await store.tenant.get(LOTS, lot_number="A")
    assert (lot["status"], lot["reasons"]) == ("quarantine", [f"recall: {made['recall']['number']}: glass splinters"])


async def test_the_same_lot_recalled_twice_or_at_once_is_one_recall(farm: Platform, store: ColdStore) -> None:
    lot_id = (await receive(store))["lot_id"]
    made = await asyncio.gather(*(recall(store.tenant, lot_id, f"reason {number}") for number in range(4)))
    assert len({one["recall"]["id"] for one in made}) == 1
    assert await store.tenant.get(RECALLS) == [made[0]["recall"]]
    assert len(await store.tenant.get(f"{STOCK}/holds", lot_id=lot_id)) == 1


async def test_a_false_alarm_frees_the_goods_and_a_true_one_never(farm: Platform, store: ColdStore) -> None:
    for outcome, status in (("release", "available"), ("waste", "on_hold")):
        lot_id = (await receive(store, lot=outcome))["lot_id"]
        made = (await recall(store.tenant, lot_id))["recall"]
        closing = {"reason": "laboratory says so", "outcome": outcome}
        closed = await store.tenant.post(f"{RECALLS}/{made['id']}/close", closing)
        assert (closed["status"], closed["outcome"], closed["close_reason"]) == ("closed", outcome, closing["reason"])
        assert (await statuses(store.tenant))[outcome, store.room_id] == status
        twice = await store.tenant.client.post(f"{RECALLS}/{made['id']}/close", json=closing)
        assert (twice.status_code, twice.json()["error"]["code"]) == (409, "INVALID_TRANSITION")
        assert (await recall(store.tenant, lot_id))["recall"]["id"] != made["id"]
    assert len(await store.tenant.get(RECALLS, status="open")) == 2


async def test_what_went_out_by_no_order_is_named_with_its_reference(farm: Platform, store: ColdStore) -> None:
    lot_id = (await receive(store))["lot_id"]
    body = {"movement_type": "outbound", "lot_id": lot_id, "location_id": store.room_id, "quantity": "3"}
    await store.tenant.post(f"{STOCK}/movements", {**body, "reference": "=market stall"})
    made = await recall(store.tenant, lot_id)
    [other] = made["other_shipments"]
    assert (other["quantity"], other["reference"]) == ("3.000", "=market stall")
    sheet = await store.tenant.client.get(f"{RECALLS}/{made['recall']['id']}/report", params={"format": "csv"})
    [row] = csv.DictReader(io.StringIO(sheet.text))
    assert row["reference"] == "'=market stall"


async def test_names_and_telephone_numbers_are_not_for_everybody(farm: Platform, store: ColdStore) -> None:
    lot_id = (await receive(store))["lot_id"]
    made = (await recall(store.tenant, lot_id))["recall"]
    staff = await make_person(farm, store.tenant, "inventory_staff")
    assert (await staff.client.get(f"{RECALLS}/{made['id']}")).status_code == 200
    assert (await staff.client.get(f"{RECALLS}/{made['id']}/report")).status_code == 403
    assert (await staff.client.post(f"{LOTS}/{lot_id}/recall", json={"reason": "x"})).status_code == 403


async def prove(drive: Drive, delivery: Any) -> None:
    assert (await upload(drive.driver, delivery["id"])).status_code == 201
    await drive.driver.post(f"/api/v1/mobile/deliveries/{delivery['id']}/proof", proof())


async def test_whoever_has_it_or_would_have_got_it_is_named_with_the_van_that_carries_it(farm: Platform) -> None:
    """FSMA 204: from the lot to named customers, with telephone numbers, in one call."""
    tenant = await farm.found()
    drive = await make_drive(farm, doors=2, tenant=tenant)
    route = await drive.driver.get("/api/v1/mobile/routes/current")
    first, second = route["deliveries"]
    await drive.driver.post(f"/api/v1/mobile/routes/{route['id']}/start")
    await prove(drive, first)
    [lot] = await drive.tenant.get(LOTS)
    made = await recall(drive.tenant, lot["id"])
    orders = {order["id"]: order for order in await drive.tenant.get("/api/v1/orders")}
    by_order = {one["order_id"]: one for one in made["customers"]}
    assert {order_id: one["delivered"] for order_id, one in by_order.items()} == {
        first["order_id"]: True,
        second["order_id"]: False,
    }
    for order_id, one in by_order.items():
        assert one["customer_name"] == orders[order_id]["customer_name"]
        assert (one["order_number"], one["quantity"]) == (orders[order_id]["number"], "4.000")
    assert [(stop["sequence"], stop["status"]) for stop in made["stops"]] == [
        (first["sequence"], "delivered"),
        (second["sequence"], "out_for_delivery"),
    ]
    assert {stop["vehicle"] for stop in made["stops"]} != {""}
    assert made["other_shipments"] == []
    # what is still in the van may not be handed over
    assert (await upload(drive.driver, second["id"])).is_success
    door = f"/api/v1/mobile/deliveries/{second['id']}/proof"
    refused = await drive.driver.client.post(door, json=proof())
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "STOCK_ON_HOLD")

    path = f"{RECALLS}/{made['recall']['id']}/report"
    sheet = await drive.tenant.client.get(path, params={"format": "csv"})
    rows = [*csv.DictReader(io.StringIO(sheet.text))]
    assert sorted(row["delivered"] for row in rows) == ["no", "yes"]
    assert {row["customer"] for row in rows} == {one["customer_name"] for one in made["customers"]}
    paper = await drive.tenant.client.get(path, params={"format": "pdf"})
    assert paper.headers["content-type"] == "application/pdf"
    text = pypdf.PdfReader(io.BytesIO(paper.content)).pages[0].extract_text()
    for word in (made["recall"]["number"], "glass splinters", *(one["customer_name"] for one in made["customers"])):
        assert word in text
