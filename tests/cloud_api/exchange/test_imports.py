"""Files that are taken in: what is told of each row, and that nothing is ever booked by half or twice."""

from typing import Any

import pytest

from tests.cloud_api.exchange.files import IMPORTS, csv_of, send, taken_in, work
from tests.factories.farms import make_person
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.scopes import confine, heard_by
from tests.factories.stores import make_room, make_warehouse
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

PRODUCTS = "/api/v1/warehouse/products"
LEVELS = "/api/v1/warehouse/stock/levels"
SPINACH = {"sku": "SPINACH", "name": "Baby spinach", "unit": "kg", "price": "42.50"}
KALE = {"sku": "KALE", "name": "Curly kale", "unit": "bunch", "price": "12"}


def counts(run: Any) -> tuple[int, int, int, int]:
    return run["created"], run["updated"], run["unchanged"], run["failed"]


async def skus(farm: Platform) -> set[str]:
    return {product["sku"] for product in await farm.tenant.get(PRODUCTS)}


async def test_a_file_makes_products_and_the_same_again_changes_nothing(farm: Platform) -> None:
    content = csv_of([SPINACH, KALE])
    first = await taken_in(farm, content)
    assert (first["status"], counts(first), first["same_as_id"]) == ("succeeded", (2, 0, 0, 0), None)
    second = await taken_in(farm, content)
    assert (second["status"], counts(second), second["same_as_id"]) == ("succeeded", (0, 0, 2, 0), first["id"])
    changed = await taken_in(farm, csv_of([{**SPINACH, "price": "43"}, KALE]))
    assert counts(changed) == (0, 1, 1, 0)
    spinach = next(product for product in await farm.tenant.get(PRODUCTS) if product["sku"] == "SPINACH")
    assert (spinach["price"], spinach["version"]) == ("43.0000", 2)


async def test_an_empty_cell_leaves_what_is_there(farm: Platform) -> None:
    await taken_in(farm, csv_of([{**SPINACH, "brand": "Hill Farm"}]))
    assert counts(await taken_in(farm, csv_of([{"sku": "SPINACH", "name": "", "brand": ""}]))) == (0, 0, 1, 0)
    assert (await farm.tenant.get(PRODUCTS))[0]["brand"] == "Hill Farm"


async def test_one_bad_row_stops_all_and_every_problem_is_told_by_row_and_column(farm: Platform) -> None:
    bad = [
        SPINACH,
        {**KALE, "unit": "handful"},
        {**KALE, "sku": "CHARD", "price": "1,000.00"},
        {**KALE, "sku": "SPINACH"},
        {**KALE, "sku": "LEEK", "price": "1.23456"},
    ]
    run = await taken_in(farm, csv_of(bad))
    assert (run["status"], run["error_code"], counts(run)) == ("failed", "ROWS_REFUSED", (0, 0, 0, 4))
    assert [(problem["row"], problem["column"]) for problem in run["problems"]] == [
        (3, "unit"),
        (4, "price"),
        (5, None),
        (6, "price"),
    ]
    assert "number_format=western or indian" in run["problems"][1]["message"]
    assert "row 2 has the same sku" in run["problems"][2]["message"]
    assert await skus(farm) == set()


async def test_bad_rows_are_left_out_when_that_is_wanted(farm: Platform) -> None:
    rows = [SPINACH, {"sku": "NAMELESS", "name": "", "unit": "kg", "price": ""}, KALE]
    run = await taken_in(farm, csv_of(rows), skip_bad_rows=True)
    assert (run["status"], counts(run), run["total"]) == ("succeeded", (2, 0, 0, 1), 3)
    assert [(problem["row"], problem["column"]) for problem in run["problems"]] == [(3, "name")]
    assert await skus(farm) == {"SPINACH", "KALE"}


async def test_a_dry_run_tells_what_would_be_and_writes_nothing(farm: Platform) -> None:
    rows = [SPINACH, {**KALE, "category": "nowhere"}]
    run = await taken_in(farm, csv_of(rows), dry_run=True)
    assert (run["status"], counts(run)) == ("succeeded", (1, 0, 0, 1))
    assert (run["problems"][0]["row"], run["problems"][0]["column"]) == (3, "category")
    assert await skus(farm) == set()
    assert (await farm.tenant.get("/api/v1/search", q="spinach"))["hits"] == []
    assert (await taken_in(farm, csv_of([SPINACH])))["same_as_id"] is None


async def test_columns_are_found_by_other_names_and_by_the_mapping(farm: Platform) -> None:
    content = b"Item Code;Product Name;UOM;Colour\nA-1;Apple;piece;red\n"
    validated = (
        await farm.tenant.client.post(f"{IMPORTS}/validate", content=content, params={"entity": "products"})
    ).json()["data"]
    assert validated["columns"] == {"Item Code": "sku", "Product Name": "name", "UOM": "unit"}
    assert (validated["ignored"], validated["delimiter"], validated["failed"]) == (["Colour"], ";", 0)
    run = await taken_in(farm, content, map=["Colour:description"])
    assert counts(run) == (1, 0, 0, 0)
    assert (await farm.tenant.get(PRODUCTS))[0]["description"] == "red"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"name,unit\nApple,kg\n", "WRONG_COLUMNS"),
        (b"sku,sku\nA,B\n", "WRONG_COLUMNS"),
        (b"sku,name,Product Name\nA,B,C\n", "WRONG_COLUMNS"),
        (bytes(range(256)) * 1000, "UNREADABLE_FILE"),
    ],
)
async def test_a_file_that_is_none_fails_whole_with_a_name(farm: Platform, content: bytes, code: str) -> None:
    run = await taken_in(farm, content)
    assert (run["status"], run["error_code"]) == ("failed", code)
    validated = await farm.tenant.client.post(f"{IMPORTS}/validate", content=content, params={"entity": "products"})
    assert (validated.status_code, validated.json()["error"]["code"]) == (422, code)


async def test_too_many_bytes_are_refused_while_they_arrive(farm: Platform) -> None:
    answer = await farm.tenant.client.post(IMPORTS, content=b"x" * 26_000_000, params={"entity": "products"})
    assert answer.status_code == 413
    empty = await farm.tenant.client.post(IMPORTS, content=b"", params={"entity": "products"})
    assert (empty.status_code, empty.json()["error"]["code"]) == (422, "UNREADABLE_FILE")
    assert await farm.tenant.get(IMPORTS) == []


async def test_categories_come_below_parents_of_the_same_file(farm: Platform) -> None:
    rows = [
        {"slug": "vegetables", "name": "Vegetables", "parent": ""},
        {"slug": "leafy", "name": "Leafy", "parent": "vegetables"},
    ]
    assert counts(await taken_in(farm, csv_of(rows), entity="categories")) == (2, 0, 0, 0)
    assert counts(await taken_in(farm, csv_of(rows), entity="categories")) == (0, 0, 2, 0)
    orphan = await taken_in(farm, csv_of([{"slug": "x", "name": "X", "parent": "nowhere"}]), entity="categories")
    assert orphan["problems"][0]["column"] == "parent"


async def test_customers_keep_their_numbers_and_are_known_by_them(farm: Platform) -> None:
    row = {"number": "C-7", "name": "Green Kitchen", "address": "1 Road", "latitude": "12.9", "longitude": "77.6"}
    assert counts(await taken_in(farm, csv_of([row]), entity="customers")) == (1, 0, 0, 0)
    assert counts(await taken_in(farm, csv_of([row]), entity="customers")) == (0, 0, 1, 0)
    moved = {**row, "address": "2 Road", "phone": "+91 98765 43210"}
    assert counts(await taken_in(farm, csv_of([moved]), entity="customers")) == (0, 1, 0, 0)
    [customer] = await farm.tenant.get("/api/v1/customers")
    assert (customer["number"], customer["addresses"][0]["address"]) == ("C-7", "2 Road")
    ours = await taken_in(farm, csv_of([{**row, "number": "CUS-2026-00009"}]), entity="customers")
    assert ours["problems"][0]["column"] == "number"


async def opening(farm: Platform, **changed: str) -> tuple[str, dict[str, str]]:
    """A warehouse, and a row that opens a lot in its room."""
    warehouse_id = await make_warehouse(farm.tenant)
    room_id = await make_room(farm.tenant, warehouse_id)
    room = await farm.tenant.get(f"/api/v1/warehouse/storage/locations/{room_id}")
    await taken_in(farm, csv_of([SPINACH]))
    row = {"sku": "SPINACH", "lot_number": "L-1", "location": room["code"], "quantity": "12.5"}
    return warehouse_id, {**row, "expires_on": "2027-03-04", **changed}


async def test_opening_stock_is_booked_once_with_its_dates(farm: Platform) -> None:
    _, row = await opening(farm)
    assert counts(await taken_in(farm, csv_of([row]), entity="opening_stock")) == (1, 0, 0, 0)
    assert counts(await taken_in(farm, csv_of([row]), entity="opening_stock")) == (0, 0, 1, 0)
    [level] = await farm.tenant.get(LEVELS)
    assert level["on_hand"] == "12.500"
    [movement] = await farm.tenant.get("/api/v1/warehouse/stock/movements")
    assert (movement["movement_type"], movement["source"]) == ("opening", "import")
    more = await taken_in(farm, csv_of([{**row, "quantity": "13"}]), entity="opening_stock")
    assert (more["problems"][0]["column"], more["status"]) == ("quantity", "failed")
    later = await taken_in(farm, csv_of([{**row, "expires_on": "2027-04-04"}]), entity="opening_stock")
    assert later["problems"][0]["column"] == "expires_on"
    found = await farm.tenant.get("/api/v1/search", q="L-1")
    assert [hit["kind"] for hit in found["hits"]] == ["lot"]


async def test_a_date_that_may_be_two_is_booked_only_when_it_is_said_which(farm: Platform) -> None:
    _, row = await opening(farm, expires_on="03/04/2027")
    refused = await taken_in(farm, csv_of([row]), entity="opening_stock")
    assert (refused["problems"][0]["column"], await farm.tenant.get(LEVELS)) == ("expires_on", [])
    assert counts(await taken_in(farm, csv_of([row]), entity="opening_stock", date_format="dmy")) == (1, 0, 0, 0)
    [lot] = await farm.tenant.get("/api/v1/warehouse/batches")
    assert lot["expires_on"] == "2027-04-03"


async def test_whoever_is_confined_books_nothing_elsewhere(farm: Platform) -> None:
    warehouse_id, row = await opening(farm)
    keeper = await make_person(farm, farm.tenant, "inventory_staff")
    await confine(farm.tenant, keeper, await make_warehouse(farm.tenant))
    run = await send(keeper, csv_of([row]), entity="opening_stock")
    await work(farm)
    seen = await keeper.get(f"{IMPORTS}/{run['id']}")
    assert (seen["status"], seen["problems"][0]["column"]) == ("failed", "location")
    await confine(farm.tenant, keeper, warehouse_id)
    run = await send(keeper, csv_of([row]), entity="opening_stock")
    await work(farm)
    assert (await keeper.get(f"{IMPORTS}/{run['id']}"))["status"] == "succeeded"


async def test_who_may_import_still_writes_only_what_they_may_write(farm: Platform) -> None:
    staff = await make_person(farm, farm.tenant, "inventory_staff")
    answer = await staff.client.post(IMPORTS, content=b"number\nC-1\n", params={"entity": "customers"})
    assert answer.status_code == 403
    viewer = await make_person(farm, farm.tenant, "viewer")
    assert (await heard_by(viewer, "GET", IMPORTS))[0] == 403


async def test_the_template_of_each_entity_can_be_taken_in(farm: Platform) -> None:
    for entity in ("categories", "products", "customers", "opening_stock"):
        for format in ("csv", "xlsx", "json"):
            answer = await farm.tenant.client.get(f"{IMPORTS}/templates/{entity}", params={"format": format})
            assert answer.status_code == 200
            said = {"entity": entity, "format": format}
            checked = await farm.tenant.client.post(f"{IMPORTS}/validate", content=answer.content, params=said)
            assert checked.json()["data"]["problems"] == [], (entity, format)
    assert (await heard_by(farm.tenant, "GET", f"{IMPORTS}/templates/ghosts"))[0] == 404


async def test_the_same_request_twice_is_one_run(farm: Platform) -> None:
    for _ in range(2):
        answer = await farm.tenant.client.post(
            f"{PRODUCTS}/import", content=csv_of([SPINACH]), headers={"Idempotency-Key": "once"}
        )
        assert answer.status_code == 202
    assert len(await farm.tenant.get(IMPORTS)) == 1
    await work(farm)
    assert await skus(farm) == {"SPINACH"}
