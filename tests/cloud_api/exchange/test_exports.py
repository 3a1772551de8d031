"""Files that are written: by a run, or at once; fetched by who may, and good to be taken in again."""

from typing import Any

import pytest

from tests.cloud_api.exchange.files import EXPORTS, csv_of, taken_in, work
from tests.cloud_api.exchange.test_imports import KALE, LEVELS, PRODUCTS, SPINACH, counts, opening
from tests.factories.farms import make_person
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.scopes import confine, heard_by
from tests.factories.stores import make_warehouse
from tests.platform_under_test import Platform, Tenant

pytestmark = IN_ONE_LOOP


async def exported(farm: Platform, entity: str, *, format: str = "csv", by: Tenant | None = None) -> tuple[Any, bytes]:
    """The run of an export, and its file."""
    by = by or farm.tenant
    run = await by.post(EXPORTS, {"entity": entity, "format": format})
    await work(farm)
    file = await by.client.get(f"{EXPORTS}/{run['id']}/download")
    assert file.status_code == 200, file.text
    return await by.get(f"{EXPORTS}/{run['id']}"), file.content


@pytest.mark.parametrize("format", ["csv", "xlsx", "json"])
async def test_what_is_exported_can_be_taken_in_again_and_changes_nothing(farm: Platform, format: str) -> None:
    _, row = await opening(farm)
    await taken_in(farm, csv_of([{**KALE, "description": "=1+1 and -more", "gtin": "04006381333931"}]))
    await taken_in(farm, csv_of([row]), entity="opening_stock")
    category = {"slug": "leafy", "name": "Leafy"}
    await taken_in(farm, csv_of([category]), entity="categories")
    door = {"number": "C-1", "name": "Kitchen", "address": "1 Road", "latitude": "12.9", "longitude": "77.6"}
    await taken_in(farm, csv_of([door]), entity="customers")
    for entity, rows in (("products", 2), ("categories", 1), ("customers", 1), ("opening_stock", 1)):
        run, content = await exported(farm, entity, format=format)
        assert (run["status"], run["total"], run["size_bytes"]) == ("succeeded", rows, len(content))
        again = await taken_in(farm, content, entity=entity, format=format)
        assert counts(again) == (0, 0, rows, 0), (entity, again["problems"])
    assert [level["on_hand"] for level in await farm.tenant.get(LEVELS)] == ["12.500"]


async def test_the_catalogue_comes_at_once_and_no_cell_of_it_is_a_formula(farm: Platform) -> None:
    await taken_in(farm, csv_of([{**SPINACH, "name": "=HYPERLINK(evil)"}]))
    answer = await farm.tenant.client.get(f"{PRODUCTS}/export")
    assert (answer.status_code, "'=HYPERLINK" in answer.text, ",=HYPERLINK" in answer.text) == (200, True, False)
    assert answer.headers["content-disposition"] == 'attachment; filename="products.csv"'
    viewer = await make_person(farm, farm.tenant, "viewer")
    assert (await viewer.client.get(f"{PRODUCTS}/export")).status_code == 200
    driver = await make_person(farm, farm.tenant, "delivery_personnel")
    assert (await driver.client.get(f"{PRODUCTS}/export")).status_code == 403


async def test_a_file_that_is_not_written_yet_says_so(farm: Platform) -> None:
    run = await farm.tenant.post(EXPORTS, {"entity": "products"})
    assert await heard_by(farm.tenant, "GET", f"{EXPORTS}/{run['id']}/download") == (409, "NOT_READY")
    await work(farm)


async def test_whoever_is_confined_gets_their_warehouse_and_nobody_elses_file(farm: Platform) -> None:
    _, row = await opening(farm)
    await taken_in(farm, csv_of([row]), entity="opening_stock")
    keeper = await make_person(farm, farm.tenant, "warehouse_manager")
    await confine(farm.tenant, keeper, await make_warehouse(farm.tenant))
    run, _ = await exported(farm, "opening_stock", by=keeper)
    assert run["total"] == 0
    whole, _ = await exported(farm, "opening_stock")
    assert whole["total"] == 1
    assert (await heard_by(keeper, "GET", f"{EXPORTS}/{whole['id']}/download"))[0] == 404


async def test_who_may_export_still_reads_only_what_they_may_read(farm: Platform) -> None:
    supplier = await make_person(farm, farm.tenant, "supplier_manager")
    assert await heard_by(supplier, "POST", EXPORTS, {"entity": "customers"}) == (403, "FORBIDDEN")
    run, _ = await exported(farm, "customers")
    assert (await heard_by(supplier, "GET", f"{EXPORTS}/{run['id']}/download"))[0] == 403
