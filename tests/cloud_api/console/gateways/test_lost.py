"""What did not come in: gaps with their reason, rows nobody could use, and what became of the others."""

import httpx2

from tests.cloud_api.console.screens import at_console
from tests.factories.batches import make_gap, make_reading, send
from tests.factories.farms import make_person
from tests.factories.stores import make_cold_store
from tests.platform_under_test import Platform

GAPS, LETTERS = "/console/gateways/gaps", "/console/gateways/dead-letters"


async def test_what_is_lost_is_listed_with_its_reason_by_gateway_and_day_and_taken_away(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    store = await make_cold_store(sqlite_platform)
    assert "Nothing is missing" in (await console.get(GAPS)).text
    assert "All rows could be used" in (await console.get(LETTERS)).text
    assert "It has sent nothing yet" in (await console.get(f"/console/gateways/{store.gateway_id}/rows")).text
    bad = make_reading(2, 4.0, surplus=1)
    await send(sqlite_platform, store, [make_reading(1), bad, make_reading(3)])
    await send(sqlite_platform, store, [make_gap(1, reason="dropped")], lane="gaps")

    gaps = (await console.get(GAPS)).text
    assert "Given up: there was no room left" in gaps
    assert f"/console/gateways/{store.gateway_id}/rows" in gaps
    letters = (await console.get(f"{LETTERS}?gateway_id={store.gateway_id}")).text
    assert "Invalid row" in letters
    assert "surplus" in letters
    nobody = "00000000-0000-7000-8000-000000000000"
    assert "No row is like this" in (await console.get(f"{LETTERS}?gateway_id={nobody}")).text
    assert "No row is like this" in (await console.get(f"{LETTERS}?to=2020-01-01")).text
    assert "No gap is like this" in (await console.get(f"{GAPS}?from=2099-01-01")).text
    assert (await console.get(f"{GAPS}?from=yesterday")).status_code == 422
    rows = (await console.get(f"/console/gateways/{store.gateway_id}/rows")).text
    assert '<td class="fw-medium">Readings</td><td class="number">2</td>' in rows

    csv = (await console.get(f"{GAPS}/export?format=csv")).text.splitlines()
    assert len(csv) == 2
    assert "Given up: there was no room left" in csv[1]
    sheet = await console.get(f"{LETTERS}/export?format=xlsx")
    assert sheet.content.startswith(b"PK")


async def test_who_reads_devices_but_no_readings_is_led_to_the_rows(sqlite_platform: Platform) -> None:
    tenant = sqlite_platform.tenant
    await tenant.post("/api/v1/admin/roles", {"name": "fitter", "permissions": ["devices:read"]})
    fitter = await make_person(sqlite_platform, tenant, "fitter")
    async with at_console(sqlite_platform, fitter) as client:
        assert f'href="{LETTERS}"' in (await client.get("/console/gateways")).text
        assert GAPS not in (await client.get(LETTERS)).text
        assert (await client.get(GAPS)).status_code == 403
