"""What was scanned is found, with everything the code says; what cannot be told is refused, never guessed."""

from typing import Any
from urllib.parse import quote

from cloud_api.catalog.gs1 import GS
from tests.cloud_api.identity.staff import refusal
from tests.cloud_api.inventory.labels.goods import PRODUCTS, lot_with_gtin, make_item, new_gtin
from tests.factories.farms import make_farm, make_person, plant_store
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.scopes import id_of
from tests.factories.stores import ColdStore, make_product, make_room, make_warehouse, receive
from tests.platform_under_test import Platform, Tenant

pytestmark = IN_ONE_LOOP

SCANS = "/api/v1/warehouse/scans"


async def scan(tenant: Tenant, code: str, **options: bool) -> Any:
    return await tenant.post(SCANS, {"code": code, **options})


async def test_one_scan_finds_product_lot_expiry_and_weight(store: ColdStore) -> None:
    gtin, lot = await lot_with_gtin(store)
    found = await scan(store.tenant, f"]C101{gtin}10L2107A{GS}17270131310300125037{'12'}")
    assert (found["kind"], found["symbology"], found["lot"]["id"]) == ("lot", "]C1", lot["lot_id"])
    assert (found["product"]["id"], found["product"]["unit"]) == (lot["product_id"], "kg")
    said = found["decoded"]
    assert (said["lot_number"], said["expires_on"], said["net_weight_g"], said["count"]) == (
        "L2107A",
        "2027-01-31",
        "1250",
        12,
    )
    assert [(one["ai"], one["title"]) for one in said["elements"][:2]] == [("01", "GTIN"), ("10", "BATCH/LOT")]
    assert found["differences"] == []


async def test_a_lot_that_was_never_received_is_said_to_be_none(store: ColdStore) -> None:
    gtin, _ = await lot_with_gtin(store)
    found = await scan(store.tenant, f"01{gtin}1727013110NEW-1")
    assert (found["kind"], found["lot"], found["decoded"]["lot_number"]) == ("product", None, "NEW-1")


async def test_a_label_that_contradicts_the_books_says_so(store: ColdStore) -> None:
    gtin, _ = await lot_with_gtin(store)
    found = await scan(store.tenant, f"01{gtin}10L2107A{GS}17270228")
    assert found["differences"] == [{"field": "expires_on", "scanned": "2027-02-28", "recorded": "2027-01-31"}]


async def test_a_scan_without_fnc1_is_refused_and_believed_from_a_scanner_that_sends_it(store: ColdStore) -> None:
    gtin, lot = await lot_with_gtin(store)
    swallowed = f"01{gtin}10L2107A"
    refused = await store.tenant.client.post(SCANS, json={"code": swallowed})
    assert refusal(refused) == (422, "SEPARATOR_MISSING")
    assert "set the scanner to send FNC1" in refused.json()["error"]["message"]
    assert (await scan(store.tenant, swallowed, fnc1=True))["lot"]["id"] == lot["lot_id"]
    path = f"{PRODUCTS}/barcode/{swallowed}"
    assert refusal(await store.tenant.client.get(path)) == (422, "SEPARATOR_MISSING")
    assert (await store.tenant.get(path, fnc1=True))["lot"]["id"] == lot["lot_id"]
    with_separator = quote(f"01{gtin}10L2107A{GS}17270131", safe="")
    assert (await store.tenant.get(f"{PRODUCTS}/barcode/{with_separator}"))["lot"]["id"] == lot["lot_id"]


async def test_a_product_is_found_by_number_gtin_of_any_length_and_bar_code(store: ColdStore) -> None:
    short = "40170725"
    gtin = new_gtin()
    by_gtin = await make_product(store.tenant, gtin=gtin)
    by_barcode = await make_product(store.tenant, barcode="SHELF/7 %", sku="A B/C")
    by_eight = await make_product(store.tenant, gtin=short)
    for code, product_id in (
        (gtin, by_gtin),
        (gtin.removeprefix("0"), by_gtin),
        (f"]E0{gtin[1:]}", by_gtin),
        (f"01{gtin}", by_gtin),
        ("SHELF/7 %", by_barcode),
        ("A B/C", by_barcode),
        (short, by_eight),
    ):
        answers = [await scan(store.tenant, code)]
        if "/" not in code:
            answers.append(await store.tenant.get(f"{PRODUCTS}/barcode/{quote(code, safe='')}"))
        for found in answers:
            assert (found["kind"], found["product"]["id"]) == ("product", product_id), code


async def test_items_places_and_our_own_codes_are_found(store: ColdStore) -> None:
    item = await make_item(store.tenant, barcode="TROLLEY-7")
    lot = await receive(store)
    place = await make_room(store.tenant, store.warehouse_id, code="ROOM-SCAN-7")
    for code in ("TROLLEY-7", item["asset_code"]):
        found = await scan(store.tenant, code)
        assert (found["kind"], found["item"]["id"]) == ("item", item["id"])
    found = await scan(store.tenant, "ROOM-SCAN-7")
    assert (found["kind"], found["location"]["id"]) == ("location", place)
    own = f"cf:lot:{lot['lot_id'].replace('-', '')}"
    for code in (own, own.upper(), own + "\r\n"):
        assert (await scan(store.tenant, code))["lot"]["id"] == lot["lot_id"]


async def test_a_code_of_two_things_is_refused_naming_both(store: ColdStore) -> None:
    await make_product(store.tenant, sku="DUAL-1")
    await make_item(store.tenant, barcode="DUAL-1")
    refused = await store.tenant.client.post(SCANS, json={"code": "DUAL-1"})
    assert refusal(refused) == (409, "AMBIGUOUS_CODE")
    assert "product DUAL-1 and of the item" in refused.json()["error"]["message"]


async def test_an_rfid_tag_is_what_it_is_on(store: ColdStore) -> None:
    lot, item = await receive(store), await make_item(store.tenant)
    bound = {
        "30340789000C0E42DFDC1C35": {"entity_type": "lot", "entity_id": lot["lot_id"], "quantity": "1"},
        "3034257BF7194E4000001A85": {"entity_type": "item", "entity_id": item["id"]},
        "E28011606000020612345678": {"entity_type": "location", "entity_id": store.room_id},
    }
    for epc, subject in bound.items():
        tag = await store.tenant.post("/api/v1/edge/tags", {"epc": epc, **subject})
        found = await scan(store.tenant, epc.lower())
        assert (found["kind"], found["tag_id"]) == (subject["entity_type"], tag["id"])
        assert found[str(subject["entity_type"])]["id"] == subject["entity_id"]


async def test_an_unbound_tag_with_a_gtin_is_its_product(store: ColdStore) -> None:
    product_id = await make_product(store.tenant, gtin="80614141123458")
    found = await scan(store.tenant, "3074257BF7194E4000001A85")
    assert (found["kind"], found["product"]["id"]) == ("product", product_id)


async def test_what_nobody_knows_is_none_and_still_says_what_it_says(store: ColdStore) -> None:
    gtin = new_gtin()
    found = await scan(store.tenant, f"01{gtin}1727013110NEW-1")
    assert (found["kind"], found["product"], found["decoded"]["gtin"]) == ("unknown", None, gtin)
    for code in (f"01{gtin}17270131", "NOBODYS", "A" * 24, gtin):
        answer = await store.tenant.client.get(f"{PRODUCTS}/barcode/{code}")
        assert refusal(answer) == (404, "NOT_FOUND"), code


async def test_malformed_scans_are_named(store: ColdStore) -> None:
    for code, complaint in (
        (f"]C1{GS}", "empty"),
        ("]d2hello", "application identifier"),
        ("0109501101530004", "digit"),
    ):
        answer = await store.tenant.client.post(SCANS, json={"code": code})
        assert refusal(answer) == (422, "MALFORMED_SCAN"), code
        assert complaint in answer.json()["error"]["message"]
    for code in ("", "x" * 1001):
        assert (await store.tenant.client.post(SCANS, json={"code": code})).status_code == 422


async def test_another_organisations_goods_are_nobodys(farm: Platform, store: ColdStore) -> None:
    gtin, lot = await lot_with_gtin(store)
    theirs = await plant_store(farm, await make_farm(farm))
    for code in (f"01{gtin}17270131", f"cf:lot:{lot['lot_id'].replace('-', '')}"):
        found = await scan(theirs.tenant, code)
        assert (found["kind"], found["product"], found["lot"]) == ("unknown", None, None)


async def test_who_is_confined_to_a_warehouse_finds_what_lies_there(farm: Platform, store: ColdStore) -> None:
    gtin, lot = await lot_with_gtin(store)
    item = await make_item(store.tenant, location_id=store.room_id, barcode="NEAR-1")
    await make_room(store.tenant, store.warehouse_id, code="NEAR-ROOM-1")
    elsewhere = await make_warehouse(store.tenant)
    keeper = await make_person(farm, store.tenant, "inventory_staff")
    path = f"/api/v1/admin/users/{await id_of(keeper)}/warehouses"
    code = f"01{gtin}10L2107A{GS}17270131"
    await store.tenant.put(path, {"warehouse_ids": [store.warehouse_id]})
    assert (await scan(keeper, code))["lot"]["id"] == lot["lot_id"]
    assert (await scan(keeper, "NEAR-1"))["item"]["id"] == item["id"]
    await store.tenant.put(path, {"warehouse_ids": [elsewhere]})
    assert (await scan(keeper, code))["lot"] is None
    for hidden in ("NEAR-1", "NEAR-ROOM-1", f"cf:lot:{lot['lot_id'].replace('-', '')}"):
        assert (await scan(keeper, hidden))["kind"] == "unknown", hidden
