"""Products: what they are counted in and kept at, what finds them, and who changed them last."""

import asyncio
import uuid
from typing import Any

import pytest
from sqlalchemy import select

from cloud_api.catalog.products import service
from cloud_api.catalog.products.models import Product
from cloud_api.kernel import clock
from cloud_api.search.models import SearchEntry
from tests.cloud_api.catalog.shop import CATEGORIES, NOBODYS_ID, PRODUCTS, TAGS, add, refusal, shelve
from tests.factories.farms import make_farm, plant_store
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.stores import receive
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

CHARD = {
    "sku": "CHARD-1",
    "name": "Chard",
    "description": "Rainbow chard in bunches",
    "brand": "Hill farm",
    "product_type": "finished_good",
    "status": "active",
    "unit": "bunch",
    "unit_weight_g": 180,
    "catch_weight": False,
    "gtin": "04006381333931",
    "barcode": "HF/CHARD/1",
    "price": "42.5000",
    "cost_price": "30.1250",
    "min_stock_level": "10.000",
    "max_stock_level": "400.000",
    "reorder_point": "40.000",
    "reorder_quantity": "120.000",
    "quality_grade": "very-good",
    "perishable": True,
    "shelf_life_days": 6,
    "storage_type": "cold_storage",
    "storage_temperature_min_c": 0.0,
    "storage_temperature_max_c": 4.0,
    "reference_temperature_c": 2.0,
    "q10": 3.5,
    "length_mm": 400,
    "width_mm": 120,
    "height_mm": 90,
    "is_b2c_available": True,
    "attributes": {"origin": "Nashik", "organic": True, "leaves": 12, "brix": 4.5},
}


async def test_a_product_is_kept_as_it_was_told(farm: Platform) -> None:
    category = await shelve(farm.tenant, "leafy-greens")
    tag = await farm.tenant.post(TAGS, {"name": "Organic", "color": "#2e7d32"})
    body = {**CHARD, "category_id": category["id"], "tag_ids": [tag["id"]]}
    made = await farm.tenant.post(PRODUCTS, body)
    counted = {name: made[name] for name in ("id", "product_code", "version", "image_id", "created_at", "updated_at")}
    assert made == {**body, **counted}
    assert (made["product_code"][:4], made["version"], made["image_id"]) == ("PRD-", 1, None)
    assert await farm.tenant.get(PRODUCTS) == [made]
    whole = await farm.tenant.get(f"{PRODUCTS}/{made['id']}")
    assert whole == {**made, "stock": [], "current_stock": "0.000"}


async def test_numbers_of_products_are_counted_by_each_organisation(farm: Platform) -> None:
    numbers = [(await add(farm.tenant, sku))["product_code"] for sku in ("A", "B", "C")]
    assert [number.rpartition("-")[2] for number in numbers] == ["00001", "00002", "00003"]
    assert (await add(await make_farm(farm), "A"))["product_code"] == numbers[0]


async def test_what_is_left_out_has_its_usual_value(farm: Platform) -> None:
    made = await add(farm.tenant, "PLAIN")
    assert (made["product_type"], made["status"], made["perishable"]) == ("finished_good", "active", False)
    assert (made["price"], made["attributes"], made["tag_ids"]) == (None, {}, [])
    kept = {"shelf_life_days": 6, "storage_temperature_min_c": 0, "storage_temperature_max_c": 4}
    assert (await add(farm.tenant, "KEPT", **kept))["perishable"], "who says all three means it"


WRONG: list[tuple[int, str, str, dict[str, Any]]] = [
    (422, "VALIDATION_FAILED", "unit", {"unit": "dozen"}),
    (422, "VALIDATION_FAILED", "shelf_life_days", {"shelf_life_days": 0}),
    (422, "VALIDATION_FAILED", "unit_weight_g", {"unit_weight_g": 0}),
    (422, "VALIDATION_FAILED", "price", {"price": "-1"}),
    (422, "VALIDATION_FAILED", "price", {"price": "1.00001"}),
    (422, "VALIDATION_FAILED", "reorder_point", {"reorder_point": "-0.001"}),
    (422, "VALIDATION_FAILED", "reorder_point", {"reorder_point": "1.0001"}),
    (422, "VALIDATION_FAILED", "gtin", {"gtin": "400638133393"[:11]}),
    (422, "VALIDATION_FAILED", "status", {"status": "discontinued"}),
    (422, "WRONG_IDENTIFIER", "gtin", {"gtin": "4006381333932"}),
    (
        422,
        "WRONG_STORAGE",
        "storage_temperature_min_c",
        {"storage_temperature_min_c": 5, "storage_temperature_max_c": 4},
    ),
    (422, "WRONG_STORAGE", "storage_type", {"storage_type": "freezer", "storage_temperature_min_c": 2}),
    (422, "WRONG_STORAGE", "storage_type", {"storage_type": "ambient", "storage_temperature_max_c": 4}),
    (422, "WRONG_STORAGE", "shelf_life_days", {"perishable": True}),
    (422, "WRONG_STORAGE", "storage_temperature_min_c", {"perishable": True, "shelf_life_days": 3}),
    (422, "INVALID", "min_stock_level", {"min_stock_level": "5", "max_stock_level": "4"}),
    (422, "WRONG_QUANTITY", "reorder_point", {"unit": "piece", "reorder_point": "2.5"}),
    (422, "INVALID", "catch_weight", {"unit": "kg", "catch_weight": True}),
    (422, "WRONG_ATTRIBUTES", "attributes", {"attributes": {f"a{number}": 1 for number in range(51)}}),
    (422, "WRONG_ATTRIBUTES", "attributes", {"attributes": {"Not a name": 1}}),
    (422, "WRONG_ATTRIBUTES", "attributes.nested", {"attributes": {"nested": {"a": 1}}}),
    (422, "WRONG_ATTRIBUTES", "attributes.nothing", {"attributes": {"nothing": None}}),
    (422, "WRONG_ATTRIBUTES", "attributes.large", {"attributes": {"large": 2**53}}),
    (422, "WRONG_ATTRIBUTES", "attributes.long", {"attributes": {"long": "x" * 501}}),
    (404, "NOT_FOUND", "category_id", {"category_id": NOBODYS_ID}),
    (404, "NOT_FOUND", "tag_ids", {"tag_ids": [NOBODYS_ID]}),
]


async def test_a_product_that_cannot_be_is_refused_when_it_is_added_and_when_it_is_changed(farm: Platform) -> None:
    good = await add(farm.tenant, "GOOD")
    for status, code, field, change in WRONG:
        answer = await farm.tenant.client.post(PRODUCTS, json={"sku": "X", "name": "X", "unit": "kg", **change})
        assert refusal(answer) == (status, code, [field]), change
        if not change.keys() & {"unit", "catch_weight", "status"}:
            answer = await farm.tenant.client.put(f"{PRODUCTS}/{good['id']}", json=change)
            assert refusal(answer) == (status, code, [field]), change
    assert await farm.tenant.get(PRODUCTS) == [good]


async def test_a_change_says_only_what_is_new(farm: Platform) -> None:
    made = await farm.tenant.post(PRODUCTS, CHARD)
    path = f"{PRODUCTS}/{made['id']}"
    changed = await farm.tenant.put(path, {"price": "45", "barcode": None, "attributes": {"origin": "Pune"}})
    told = {"price": "45.0000", "barcode": None, "attributes": {"origin": "Pune"}, "version": 2}
    assert changed == {**made, **told, "updated_at": changed["updated_at"]}
    assert await farm.tenant.put(path, {"price": "45.00", "unit": "bunch"}) == changed, "nothing new, no new version"


async def test_whoever_saw_an_older_version_is_told_the_present_one(farm: Platform) -> None:
    made = await add(farm.tenant, "OKRA")
    path = f"{PRODUCTS}/{made['id']}"
    await farm.tenant.put(path, {"name": "Okra", "version": 1, "brand": "Hill farm"})
    stale = await farm.tenant.client.put(path, json={"name": "Bhindi", "version": 1})
    assert refusal(stale) == (409, "STALE_VERSION", ["version"])
    assert "is version 2 now" in stale.json()["error"]["message"]
    assert (await farm.tenant.get(path))["name"] == "Okra"


async def test_of_two_who_saw_the_same_version_one_is_refused(farm: Platform) -> None:
    made = await add(farm.tenant, "PEA")
    bodies = [{"name": f"Pea {number}", "version": 1} for number in range(6)]
    path = f"{PRODUCTS}/{made['id']}"
    answers = await asyncio.gather(*(farm.tenant.client.put(path, json=body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409, 409]
    assert (await farm.tenant.get(path))["version"] == 2


async def test_what_is_counted_in_a_unit_stays_counted_in_it(farm: Platform) -> None:
    made = await add(farm.tenant, "EGGS", unit="piece")
    for change in ({"unit": "box"}, {"catch_weight": True}):
        answer = await farm.tenant.client.put(f"{PRODUCTS}/{made['id']}", json=change)
        assert refusal(answer) == (409, "UNIT_IS_FIXED", [*change])


async def test_the_life_of_a_product(farm: Platform) -> None:
    made = await add(farm.tenant, "FIG")
    path = f"{PRODUCTS}/{made['id']}"
    assert (await farm.tenant.put(path, {"status": "inactive"}))["status"] == "inactive"
    assert (await farm.tenant.put(path, {"status": "active"}))["status"] == "active"
    assert (await farm.tenant.client.delete(path)).status_code == 204
    assert (await farm.tenant.client.delete(path)).status_code == 204, "again changes nothing"
    gone = await farm.tenant.get(path)
    assert (gone["status"], gone["version"]) == ("discontinued", 4)
    back = await farm.tenant.client.put(path, json={"status": "active"})
    assert refusal(back) == (409, "INVALID_TRANSITION", ["status"])
    assert (await farm.tenant.put(path, {"description": "Sold until 2026"}))["version"] == 5


async def test_what_is_in_stock_is_not_discontinued(farm: Platform) -> None:
    store = await plant_store(farm)
    path = f"{PRODUCTS}/{store.product_id}"
    received = await receive(store, quantity="12.500")
    whole = await farm.tenant.get(path)
    [there] = whole["stock"]
    assert there == {
        "warehouse_id": store.warehouse_id,
        "on_hand": "12.500",
        "reserved": "0.000",
        "available": "12.500",
        "weight_g": 0,
    }
    assert whole["current_stock"] == "12.500"
    kept = await farm.tenant.client.delete(path)
    assert refusal(kept) == (409, "STOCK_REMAINS", ["id"])
    assert "12.500 kg" in kept.json()["error"]["message"]
    assert (await farm.tenant.get(path))["status"] == "active"
    place = {"lot_id": received["lot_id"], "location_id": store.room_id}
    await farm.tenant.post("/api/v1/warehouse/stock/adjustment", {**place, "delta": "-12.5", "reason": "spoilt"})
    assert (await farm.tenant.client.delete(path)).status_code == 204


async def test_a_stock_keeping_number_is_taken_within_an_organisation_only(farm: Platform) -> None:
    stranger = await make_farm(farm)
    made = await add(farm.tenant, "SAME")
    await add(stranger, "SAME")
    taken = await farm.tenant.client.post(PRODUCTS, json={"sku": "SAME", "name": "X", "unit": "kg"})
    assert refusal(taken) == (409, "ALREADY_EXISTS", ["sku"])
    assert (await stranger.client.get(f"{PRODUCTS}/{made['id']}")).status_code == 404


async def test_no_two_things_are_found_by_one_code_whatever_it_is_to_them(farm: Platform) -> None:
    await add(farm.tenant, "ONE", gtin="4006381333931", barcode="SHELF-7")
    other = await add(farm.tenant, "TWO")
    taken: list[tuple[str, str]] = [
        ("gtin", "04006381333931"),
        ("barcode", "4006381333931"),
        ("barcode", "ONE"),
        ("sku", "SHELF-7"),
    ]
    for field, code in taken:
        for answer in (
            await farm.tenant.client.post(PRODUCTS, json={"sku": "X", "name": "X", "unit": "kg", field: code}),
            await farm.tenant.client.put(f"{PRODUCTS}/{other['id']}", json={field: code}),
            await farm.tenant.client.post(
                f"{PRODUCTS}/{other['id']}/variants", json={"sku": "V", "name": "V", field: code}
            ),
        ):
            assert refusal(answer) == (409, "ALREADY_EXISTS", [field]), (field, code)


async def test_a_code_finds_the_product_in_whatever_length_it_was_read(farm: Platform) -> None:
    made = await add(farm.tenant, "ONE", gtin="40170725", barcode="SHELF-7")
    variant = await farm.tenant.post(
        f"{PRODUCTS}/{made['id']}/variants", {"sku": "ONE-S", "name": "Small", "gtin": "614141007349"}
    )

    async def found(code: str) -> tuple[str, str | None] | None:
        async with farm.database.unit_of_work(farm.tenant.organization) as db:
            hit = await service.find_by_code(db, code)
            return None if hit is None else (str(hit[0].id), None if hit[1] is None else str(hit[1].id))

    for code in ("ONE", "SHELF-7", "40170725", "00000040170725"):
        assert await found(code) == (made["id"], None), code
    for code in ("ONE-S", "614141007349", "0614141007349", "00614141007349"):
        assert await found(code) == (made["id"], variant["id"]), code
    assert await found("SHELF-8") is None
    await farm.tenant.put(f"{PRODUCTS}/{made['id']}", {"barcode": "SHELF-8"})
    assert (await found("SHELF-8"), await found("SHELF-7")) == ((made["id"], None), None)


async def test_a_code_that_a_thousand_give_at_once_is_given_once(farm: Platform) -> None:
    bodies = [{"sku": f"RACE-{number}", "name": "X", "unit": "kg", "barcode": "ONLY-ONE"} for number in range(8)]
    answers = await asyncio.gather(*(farm.tenant.client.post(PRODUCTS, json=body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 7]


async def test_another_organisations_category_and_tag_are_none(farm: Platform) -> None:
    stranger = await make_farm(farm)
    category, tag = await shelve(stranger, "roots"), await stranger.post(TAGS, {"name": "Organic"})
    body = {"sku": "X", "name": "X", "unit": "kg"}
    for foreign in ({"category_id": category["id"]}, {"tag_ids": [tag["id"]]}):
        assert (await farm.tenant.client.post(PRODUCTS, json={**body, **foreign})).status_code == 404


async def test_lists_are_narrowed_by_what_is_asked(farm: Platform) -> None:
    greens = await shelve(farm.tenant, "greens")
    leafy = await shelve(farm.tenant, "leafy", parent_id=greens["id"])
    tag = await farm.tenant.post(TAGS, {"name": "Organic"})
    await add(farm.tenant, "CHARD", category_id=leafy["id"], tag_ids=[tag["id"]])
    await add(farm.tenant, "LEEK", category_id=greens["id"], status="inactive")
    await add(farm.tenant, "CRATE", product_type="packaging", unit="piece")

    async def found(**asked: object) -> set[str]:
        return {row["sku"] for row in await farm.tenant.get(PRODUCTS, **asked)}

    assert await found(category_id=greens["id"]) == {"CHARD", "LEEK"}, "with what lies below"
    assert await found(category_id=leafy["id"]) == {"CHARD"}
    assert await found(category_id=NOBODYS_ID) == set()
    assert await found(tag_id=tag["id"]) == {"CHARD"}
    assert await found(status="inactive") == await found(is_active=False) == {"LEEK"}
    assert await found(is_active=True) == {"CHARD", "CRATE"}
    assert await found(product_type="packaging") == {"CRATE"}
    assert await found(search="c") == {"CHARD", "CRATE"}, "however it is written"
    assert await found(search="hard") == set(), "from its beginning"
    assert await found(search="PRD-") == {"CHARD", "LEEK", "CRATE"}
    assert await found(search="%") == await found(search="_hard") == set()


@pytest.mark.parametrize("sort", ["-created_at", "created_at", "-name", "price"])
async def test_pages_have_every_row_once_while_rows_are_added(farm: Platform, sort: str) -> None:
    for number in range(9):
        price = {"price": f"{number % 3}.5"} if number % 4 else {}
        await add(farm.tenant, f"S-{number * 7 % 9}", name=f"Name {number % 2}", **price)
    before = {row["id"] for row in await farm.tenant.get(PRODUCTS)}
    seen: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = (await farm.tenant.client.get(PRODUCTS, params={"limit": 2, "sort": sort, **cursor})).json()
        seen += answer["data"]
        await add(farm.tenant, f"LATE-{len(seen)}", name="Name 1", price="1.5")
        if answer["meta"]["next_cursor"] is None:
            break
        cursor = {"cursor": answer["meta"]["next_cursor"]}
    shown = [row["id"] for row in seen]
    assert len(shown) == len(set(shown))
    assert before <= set(shown)
    if sort.lstrip("-") != "created_at":
        keys = [float(row["price"] or -1) if "price" in sort else row[sort.lstrip("-")] for row in seen]
        assert keys == sorted(keys, reverse=sort.startswith("-"))


async def test_a_cursor_goes_on_with_the_same_sorting_only(farm: Platform) -> None:
    for number in range(3):
        await add(farm.tenant, f"S-{number}")
    by_name = (await farm.tenant.client.get(PRODUCTS, params={"limit": 1, "sort": "name"})).json()
    cursor = by_name["meta"]["next_cursor"]
    for sort in ("sku", "-name", "price", "created_at", "-created_at"):
        answer = await farm.tenant.client.get(PRODUCTS, params={"sort": sort, "cursor": cursor})
        assert refusal(answer) == (422, "BAD_CURSOR", ["cursor"])
    for wrong in ("", "W10", "bnVsbA", "WyJuYW1lIiwgMSwgMl0", "IiI", cursor + "A"):
        answer = await farm.tenant.client.get(PRODUCTS, params={"sort": "name", "cursor": wrong})
        assert refusal(answer) == (422, "BAD_CURSOR", ["cursor"]), wrong


async def test_searches_know_a_product_as_it_is_now(farm: Platform) -> None:
    category = await shelve(farm.tenant, "leafy")
    tag = await farm.tenant.post(TAGS, {"name": "Organic"})
    made = await farm.tenant.post(PRODUCTS, {**CHARD, "category_id": category["id"], "tag_ids": [tag["id"]]})

    async def entry() -> SearchEntry:
        async with farm.database.unit_of_work(farm.tenant.organization) as db:
            its = select(SearchEntry).where(SearchEntry.entity_id == uuid.UUID(made["id"]))
            return (await db.scalars(its)).one()

    found = await entry()
    assert (found.kind, found.title, found.code, found.permission) == ("product", "Chard", "CHARD-1", "products:read")
    assert found.facets == {
        "attribute.brix": "4.5",
        "attribute.leaves": "12",
        "attribute.organic": "true",
        "attribute.origin": "Nashik",
        "brand": "Hill farm",
        "category_id": category["id"],
        "product_type": "finished_good",
        "status": "active",
        "storage_type": "cold_storage",
    }
    for word in ("04006381333931", "Organic", "Rainbow"):
        assert word in found.text
    await farm.tenant.post(f"{PRODUCTS}/{made['id']}/variants", {"sku": "CHARD-BABY", "name": "Baby"})
    assert "CHARD-BABY" in (await entry()).text
    await farm.tenant.client.delete(f"{TAGS}/{tag['id']}")
    assert "Organic" not in (await entry()).text
    await farm.tenant.client.delete(f"{CATEGORIES}/{category['id']}")
    assert "category_id" not in (await entry()).facets
    await farm.tenant.client.delete(f"{PRODUCTS}/{made['id']}")
    assert (await entry()).facets["status"] == "discontinued"


async def test_a_product_that_no_service_wrote_has_a_number_too(farm: Platform) -> None:
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        db.add(Product(sku="BARE", name="Bare", unit="kg", created_at=clock.now()))
    [row] = await farm.tenant.get(PRODUCTS)
    assert row["product_code"].startswith("PRD-")
