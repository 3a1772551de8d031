"""Imports that are tried first, and exports that are fetched."""

import httpx2

from tests.cloud_api.console.screens import Screen, at_console
from tests.cloud_api.exchange.files import csv_of, work
from tests.factories.farms import make_person
from tests.platform_under_test import Platform

GOOD = {"sku": "CHARD-1", "name": "Chard", "unit": "kg"}
BAD = {"sku": "CHARD-2", "name": "", "unit": "kg"}


def file_of(*rows: dict[str, str]) -> dict[str, tuple[str, bytes, str]]:
    return {"file": ("goods.csv", csv_of(rows), "text/csv")}


async def skus(platform: Platform) -> list[str]:
    return [one["sku"] for one in await platform.tenant.get("/api/v1/warehouse/products")]


async def test_a_file_is_tried_and_then_taken_in(screen: Screen, sqlite_platform: Platform) -> None:
    page = screen.page
    await screen.open("/console/imports")
    await screen.is_accessible()
    content = {"name": "goods.csv", "mimeType": "text/csv", "buffer": csv_of([GOOD])}
    await page.set_input_files("#f-file", content)  # type: ignore[arg-type]
    await page.click("text=Try it")
    await page.wait_for_selector("[data-run=queued]")
    await work(sqlite_platform)
    await page.wait_for_selector("[data-run=succeeded]")
    assert "Nothing is written yet" in await page.inner_text("#report")
    assert await skus(sqlite_platform) == []
    await page.click(".btn-primary:has-text('Import')")
    await page.wait_for_url("**/console/imports/*")
    await work(sqlite_platform)
    await page.wait_for_selector("[data-run=succeeded]")
    await screen.is_accessible()
    assert await skus(sqlite_platform) == ["CHARD-1"]


async def test_bad_rows_are_told_and_are_a_file(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    form = {"entity": "products", "format": "csv", "do": "import"}
    sent = await console.post("/console/imports", data=form, files=file_of(GOOD, BAD))
    assert sent.status_code == 303, sent.text
    await work(sqlite_platform)
    page = (await console.get(sent.headers["location"])).text
    assert 'data-run="failed"' in page
    assert '<td class="number">3</td>' in page, "the row, as the file's program numbers it"
    problems = await console.get(f"{sent.headers['location']}/export")
    assert len(problems.text.splitlines()) == 2
    assert await skus(sqlite_platform) == []
    leaving_out = {**form, "skip_bad_rows": "true"}
    await console.post("/console/imports", data=leaving_out, files=file_of(GOOD, BAD))
    await work(sqlite_platform)
    assert await skus(sqlite_platform) == ["CHARD-1"]


async def test_without_a_file_the_form_says_so(console: httpx2.AsyncClient) -> None:
    refused = await console.post("/console/imports", data={"entity": "customers", "format": "xlsx", "do": "try"})
    assert refused.status_code == 422
    assert "Choose a file." in refused.text
    assert '<option value="customers" selected>' in refused.text, "what was chosen is kept"
    template = await console.get("/console/imports/template?entity=products&format=csv")
    assert "sku,name,unit" in template.text.splitlines()[0]


async def test_an_export_is_written_and_fetched(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    await sqlite_platform.tenant.post("/api/v1/warehouse/products", GOOD)
    assert "Nothing was exported yet" in (await console.get("/console/exports")).text
    await console.post("/console/exports", data={"entity": "products", "format": "csv"})
    assert 'hx-trigger="every 2s"' in (await console.get("/console/exports/part")).text, "while it is being written"
    await work(sqlite_platform)
    part = (await console.get("/console/exports/part")).text
    assert "hx-trigger" not in part
    [made] = await sqlite_platform.tenant.get("/api/v1/exports")
    file = await console.get(f"/console/exports/{made['id']}/file")
    assert "CHARD-1" in file.text
    assert "products.csv" in file.headers["content-disposition"]


async def test_who_may_neither_import_nor_export_finds_no_way_there(sqlite_platform: Platform) -> None:
    driver = await make_person(sqlite_platform, sqlite_platform.tenant, "delivery_personnel")
    async with at_console(sqlite_platform, driver) as client:
        assert (await client.get("/console/imports")).status_code == 403
        assert (await client.get("/console/exports")).status_code == 403
