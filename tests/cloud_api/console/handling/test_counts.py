"""Stock is counted on a sheet, and differences are approved and booked."""

from urllib.parse import urlsplit

import httpx2

from tests.cloud_api.console.handling.rooms import Rooms, invalid, make_rooms, page
from tests.cloud_api.console.screens import at_console
from tests.factories.farms import make_person
from tests.platform_under_test import Platform


async def _begun(console: httpx2.AsyncClient, rooms: Rooms, **fields: str) -> str:
    typed = {"warehouse_id": rooms.warehouse_id, "location_ids": rooms.room_id, "start": "true", **fields}
    answer = await console.post("/console/counts/new", data=typed)
    assert answer.status_code == 303, answer.text
    return urlsplit(answer.headers["location"]).path


async def test_a_room_is_counted_and_somebody_else_approves(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    tenant = sqlite_platform.tenant
    rooms = await make_rooms(tenant)
    assert "Nothing has been counted yet" in await page(console, "/console/counts")
    first, second = [(await rooms.receive(f"COUNT-{number}", "40"))["lot_id"] for number in (1, 2)]
    keeper = await make_person(sqlite_platform, tenant, "inventory_staff")
    async with at_console(sqlite_platform, keeper) as counting:
        at = await _begun(counting, rooms)
        sheet = await page(counting, at)
        assert "COUNT-1" in sheet
        assert "COUNT-2" in sheet
        rows = {f"counted.{lot}_{rooms.room_id}": typed for lot, typed in ((first, "38"), (second, "40"))}
        assert (await counting.post(f"{at}/counts", data=rows)).status_code == 303
        assert "COUNT-1" not in await page(counting, f"{at}?open=1"), "it is counted"
        assert (await counting.post(f"{at}/submit", data={"uncounted": "refuse"})).status_code == 303
        review = await page(counting, at)
        assert "1 differences are larger" in review
        assert "Approve the differences" not in review, "this person may not"
        assert (await counting.post(f"{at}/complete")).status_code in (403, 409)
    assert "Approve the differences" in await page(console, at)
    assert (await console.post(f"{at}/approve")).status_code == 303
    assert (await console.post(f"{at}/complete")).status_code == 303
    assert 'data-state="completed"' in await page(console, at)
    assert await rooms.on_hand(rooms.room_id) == {first: "38.000", second: "40.000"}
    number = (await tenant.get(f"/api/v1/warehouse/stock/takes/{at.rpartition('/')[2]}"))["number"]
    assert "COUNT-1" in await page(console, f"/console/movements?reference=take:{number}")


async def test_only_what_is_new_is_written_down(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    rooms = await make_rooms(sqlite_platform.tenant)
    lot_id = (await rooms.receive("AGAIN-1", "40"))["lot_id"]
    at = await _begun(console, rooms)
    field = f"counted.{lot_id}_{rooms.room_id}"
    for was in ("", "39"):
        assert (await console.post(f"{at}/counts", data={field: "39", f"was.{field}": was})).status_code == 303
    counts = await sqlite_platform.tenant.get(f"/api/v1/warehouse/stock/takes/{at.rpartition('/')[2]}/counts")
    assert len(counts) == 1
    wrong = await console.post(f"{at}/counts", data={field: "some"})
    assert (wrong.status_code, invalid(wrong.text)) == (422, [field])
    assert 'value="some"' in wrong.text


async def test_lots_are_counted_by_scanner_one_on_top_of_the_other(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    rooms = await make_rooms(sqlite_platform.tenant)
    lot_id = (await rooms.receive("SCAN-1", "40"))["lot_id"]
    at = await _begun(console, rooms, blind="true")
    unknown = {"scanned": "4006381333931", "location_id": rooms.room_id, "quantity": "3"}
    refused = await console.post(f"{at}/scan", data=unknown)
    assert refused.status_code in (404, 422)
    assert invalid(refused.text) == ["scanned"]
    blind = await page(console, at)
    assert "Not told while it is counted" in blind
    left = await console.post(f"{at}/submit", data={"uncounted": "refuse"})
    assert invalid(left.text) == ["uncounted"]
    await console.post(f"{at}/submit", data={"uncounted": "skip"})
    assert (await console.post(f"{at}/reopen")).status_code == 303
    await console.post(f"{at}/cancel")
    assert 'data-state="cancelled"' in await page(console, at)
    assert await rooms.on_hand(rooms.room_id) == {lot_id: "40.000"}


async def test_a_planned_count_is_begun_later(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    rooms = await make_rooms(sqlite_platform.tenant)
    nothing = await console.post("/console/counts/new", data={"warehouse_id": "", "note": "kept"})
    assert (nothing.status_code, invalid(nothing.text)) == (422, ["warehouse_id"])
    assert 'value="kept"' in nothing.text
    answer = await console.post("/console/counts/new", data={"warehouse_id": rooms.warehouse_id, "note": "monday"})
    at = urlsplit(answer.headers["location"]).path
    assert "Not begun yet" in await page(console, at)
    await console.post(f"{at}/start")
    assert 'data-state="counting"' in await page(console, at)
    for path in ("/console/counts", "/console/counts/export"):
        assert "monday" in await page(console, f"{path}?status=counting")
        assert "monday" not in await page(console, f"{path}?status=draft")
    assert (await console.post(f"{at}/explode")).status_code == 404
