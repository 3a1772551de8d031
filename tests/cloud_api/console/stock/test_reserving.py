"""What is promised is seen, kept by hand and given back; what is on the way is seen."""

import httpx2

from tests.cloud_api.console.handling.rooms import invalid, make_rooms, page
from tests.cloud_api.console.screens import at_console
from tests.factories.farms import make_person
from tests.factories.orders import day_in, make_depot, order_from
from tests.factories.stores import make_room, make_warehouse
from tests.platform_under_test import Platform

HERE = "/console/stock/reservations"
API = "/api/v1/warehouse/stock/reservations"


async def test_stock_is_kept_for_somebody_and_given_back_with_a_reason(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    tenant = sqlite_platform.tenant
    depot = await make_depot(tenant)
    wanted = {"product_id": depot.product_id, "warehouse_id": depot.warehouse_id, "quantity": "2.5"}
    nobody = await console.post(f"{HERE}/new", data={**wanted, "reference": ""})
    assert (nobody.status_code, invalid(nobody.text)) == (422, ["reference"])
    assert 'value="2.5"' in nobody.text
    until = {"reference": "Wedding at Ulsoor", "expires_at": f"{day_in(3)}T09:30", "needed_on": day_in(1)}
    made = await console.post(f"{HERE}/new", data={**wanted, **until})
    assert made.status_code == 303, made.text
    at = made.headers["location"]
    assert "Free it to be sold" in await page(console, at)
    assert "Wedding at Ulsoor" in await page(console, f"{HERE}?reference=Wedding at Ulsoor")
    assert "No reservation is like this" in await page(console, f"{HERE}?reference=Wedding")
    assert "Wedding at Ulsoor" in await page(console, f"{HERE}/export")

    silent = await console.post(f"{at}/release", data={"reason": " "})
    assert (silent.status_code, invalid(silent.text)) == (422, ["reason"])
    assert (await console.post(f"{at}/release", data={"reason": "the wedding is off"})).status_code == 303
    settled = await page(console, at)
    assert 'data-state="released"' in settled
    assert "Free it to be sold" not in settled
    [entry] = await tenant.get("/api/v1/admin/security/audit-logs", action="stock_reservations.released")
    assert (entry["note"], entry["entity_id"]) == ("the wedding is off", at.rpartition("/")[2])


async def test_a_promise_to_an_order_leads_there_and_is_not_given_back_by_hand(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    tenant = sqlite_platform.tenant
    order = await order_from(await make_depot(tenant))
    await tenant.post(f"/api/v1/orders/{order['id']}/confirm")
    [row] = await tenant.get(API)
    link = f'href="/console/orders/{order["id"]}"'
    assert link in await page(console, HERE)
    shown = await page(console, f"{HERE}/{row['id']}")
    assert link in shown
    assert "Free it to be sold" not in shown
    assert order["number"] in await page(console, f"{HERE}/export?status=active")
    refused = await console.post(f"{HERE}/{row['id']}/release", data={"reason": "I need it"})
    assert refused.status_code == 409
    assert "cancel that" in refused.text
    looker = await make_person(sqlite_platform, tenant, "viewer")
    async with at_console(sqlite_platform, looker) as looking:
        assert "Reserve stock" not in await page(looking, HERE)
        assert (await looking.get(f"{HERE}/new")).status_code == 403


async def test_what_a_transfer_has_sent_off_is_on_the_way(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    rooms = await make_rooms(sqlite_platform.tenant)
    tenant = rooms.tenant
    to = await make_warehouse(tenant, name="Whitefield")
    await make_room(tenant, to)
    assert "Nothing is on the way" in await page(console, "/console/stock/on-the-way")
    lot_id = (await rooms.receive("SENT-1", "40"))["lot_id"]
    line = {"lot_id": lot_id, "from_location_id": rooms.room_id, "quantity": "12"}
    asked = {"from_warehouse_id": rooms.warehouse_id, "to_warehouse_id": to, "lines": [line]}
    transfer = await tenant.post("/api/v1/warehouse/stock/transfers", asked)
    await tenant.post(f"/api/v1/warehouse/stock/transfers/{transfer['id']}/ship")
    shown = await page(console, f"/console/stock/on-the-way?warehouse_id={to}")
    assert f"status=in_transit&amp;to_warehouse_id={to}" in shown
    [row] = (await page(console, "/console/stock/on-the-way/export")).splitlines()[1:]
    assert row.startswith("Whitefield,")
    assert ",12.000," in row
    other = await page(console, f"/console/stock/on-the-way?warehouse_id={rooms.warehouse_id}")
    assert "Nothing like that is on the way" in other
