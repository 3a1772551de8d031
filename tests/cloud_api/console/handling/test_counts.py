"""Stock is counted on a sheet, and differences are approved and booked."""

import re
from urllib.parse import urlsplit

import httpx2

from cloud_api.kernel import clock
from tests.cloud_api.console.handling.rooms import Rooms, invalid, make_rooms, page
from tests.cloud_api.console.screens import at_console
from tests.cloud_api.inventory.sightings import tagged
from tests.factories.farms import make_person
from tests.factories.stores import make_cold_store, receive
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


async def test_a_place_is_counted_by_its_tags(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    store = await make_cold_store(sqlite_platform)
    lot_id, (crate, stranger) = (await receive(store))["lot_id"], (tagged.make_epc(), tagged.make_epc())
    await tagged.bind_crate(store, crate, lot_id)
    reader = await tagged.make_portal(store)
    now = clock.now_ms()
    await tagged.send(
        sqlite_platform, store, "tags", tagged.tag(1, crate, at_ms=now), tagged.tag(2, stranger, at_ms=now)
    )
    await tagged.follow(sqlite_platform, store)
    take_id = await tagged.make_take(sqlite_platform, store)
    at = f"/console/counts/{take_id}/sweep"
    assert f'href="{at}"' in await page(console, f"/console/counts/{take_id}")

    for way, fields in (("list", ["epcs", "location_id"]), ("reader", ["location_id", "reader_id"])):
        typed = {"way": way, "since": "2026-01-01T08:00", "until": "2026-01-01T09:00"}
        nothing = await console.post(at, data=typed)
        assert (nothing.status_code, sorted(invalid(nothing.text))) == (422, fields)
    wrong = await console.post(at, data={"way": "list", "location_id": store.room_id, "epcs": f"{crate}\nXY"})
    assert (wrong.status_code, invalid(wrong.text)) == (422, ["epcs"])
    assert "Line 2:" in wrong.text
    form = await page(console, f"{at}?way=reader&place={store.room_id}")
    since, until = re.findall(r'type="datetime-local"[^>]*value="([^"]+)"', form)
    seen = {"way": "reader", "reader_id": reader["id"], "since": since, "until": until}
    for typed in (seen, {"way": "list", "epcs": f"{crate}\n{stranger}\n{crate}"}):
        swept = await console.post(at, data={**typed, "location_id": store.room_id})
        assert swept.status_code == 200, swept.text
        assert "2 tags were seen" in swept.text
        assert f'name="epc" value="{stranger}"' in swept.text
        assert await tagged.counted(sqlite_platform, store, take_id) == {lot_id: ("20.000", "rfid")}


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
