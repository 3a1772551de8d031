"""Lots: found by what is the matter with them, followed, and what is done to them."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import httpx2

from cloud_api.console.lots.exposure import chart
from cloud_api.console.lots.tracing import HEIGHT, WIDTH, Told, picture
from cloud_api.console.names import Names
from cloud_api.console.writing import number
from tests.cloud_api.cold_chain.stories import Story
from tests.cloud_api.console.screens import at_console
from tests.factories.farms import make_person
from tests.factories.orders import Depot, day_in, make_depot, receive_lot
from tests.factories.stores import make_cold_store
from tests.platform_under_test import Platform, Tenant

LOTS = "/api/v1/warehouse/batches"


async def _lot(tenant: Tenant, depot: Depot, **fields: Any) -> str:
    moved = await receive_lot(tenant, product_id=depot.product_id, location_id=depot.room_id, **fields)
    return str(moved["lot_id"])


async def test_lots_are_found_by_their_number_their_state_and_their_days(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    tenant = sqlite_platform.tenant
    assert "There are no lots" in (await console.get("/console/lots")).text
    depot = await make_depot(tenant)
    await _lot(tenant, depot, lot_number="SOON-1", expires_on=day_in(2))
    held = await _lot(tenant, depot, lot_number="HELD-1", expires_on=day_in(200))
    await tenant.post(f"{LOTS}/{held}/hold", {"reason": "smells of smoke"})
    for query, there in (
        ("search=HELD-1", {"HELD-1"}),
        ("search=spinach", {"SOON-1", "HELD-1", "LOT-1"}),
        ("search=spinach&status=on_hold", {"HELD-1"}),
        (f"warehouse_id={depot.warehouse_id}", {"SOON-1", "HELD-1", "LOT-1"}),
        ("status=on_hold", {"HELD-1"}),
        ("days=7", {"SOON-1"}),
        ("order=fefo", {"SOON-1", "HELD-1", "LOT-1"}),
        ("status=recalled", set[str]()),
    ):
        page = (await console.get(f"/console/lots?{query}")).text
        assert {lot for lot in ("SOON-1", "HELD-1", "LOT-1") if f">{lot}<" in page} == there, query
        file = (await console.get(f"/console/lots/export?{query}")).text
        assert {line.split(",")[0] for line in file.splitlines()[1:]} == there, query
    [found] = (await console.get("/console/lots/suggest?q=SOON")).json()
    assert found["note"] == "SOON-1"


async def test_a_lot_is_held_and_released(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    tenant = sqlite_platform.tenant
    depot = await make_depot(tenant)
    lot_id = await _lot(tenant, depot, lot_number="SPIN-7")
    refused = await console.post(f"/console/lots/{lot_id}/hold", data={"reason": "", "kind": "quarantine"})
    assert refused.status_code == 422
    assert 'id="e-reason"' in refused.text
    assert '<option value="quarantine" selected>' in refused.text
    done = await console.post(f"/console/lots/{lot_id}/hold", data={"reason": "smells", "kind": "quarantine"})
    assert (done.status_code, done.headers["location"]) == (303, f"/console/lots/{lot_id}")
    assert "quarantine: smells" in (await console.get(f"/console/lots/{lot_id}")).text
    assert (await console.get(f"/console/lots/{lot_id}/release")).status_code == 200
    await console.post(f"/console/lots/{lot_id}/release", data={"reason": "it was the tractor"})
    assert (await tenant.get(f"{LOTS}/{lot_id}"))["status"] == "available"
    again = await console.post(f"/console/lots/{lot_id}/release", data={"reason": "once more"})
    assert again.status_code == 409
    assert "nobody put this lot on hold" in again.text


async def test_a_part_of_a_lot_is_thrown_away(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    tenant = sqlite_platform.tenant
    depot = await make_depot(tenant)
    lot_id = await _lot(tenant, depot, lot_number="SPIN-7", quantity="10.000")
    assert "data-confirm" in (await console.get(f"/console/lots/{lot_id}/dispose")).text
    wasted = {"location_id": depot.room_id, "quantity": "4", "reason": ""}
    refused = await console.post(f"/console/lots/{lot_id}/dispose", data=wasted)
    assert refused.status_code == 422
    assert 'id="e-reason"' in refused.text
    too_much = await console.post(
        f"/console/lots/{lot_id}/dispose", data={**wasted, "quantity": "400", "reason": "wilted"}
    )
    assert too_much.status_code >= 400
    assert 'value="400"' in too_much.text
    assert (await console.post(f"/console/lots/{lot_id}/dispose", data={**wasted, "reason": "wilted"})).is_redirect
    assert (await tenant.get(f"{LOTS}/{lot_id}"))["on_hand"] == "6.000"
    page = (await console.get(f"/console/lots/{lot_id}")).text
    assert "wilted" in page


async def test_a_lot_is_called_back_and_the_recall_closed(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    tenant = sqlite_platform.tenant
    depot = await make_depot(tenant)
    lot_id = await _lot(tenant, depot, lot_number="SPIN-7")
    assert "No lot was called back" in (await console.get("/console/lots/recalls")).text
    done = await console.post(f"/console/lots/{lot_id}/recall", data={"reason": "glass was found"})
    recall = done.headers["location"]
    page = (await console.get(recall)).text
    assert "glass was found" in page
    assert "SPIN-7" in page
    assert "Called back" in (await console.get(f"/console/lots/{lot_id}")).text
    assert "SPIN-7" in (await console.get("/console/lots?status=recalled")).text
    assert "glass was found" in (await console.get("/console/lots/recalls?status=open")).text
    file = await console.get(f"{recall}/report.csv")
    assert file.headers["Content-Disposition"].startswith("attachment")
    refused = await console.post(f"{recall}/close", data={"reason": "", "outcome": "waste"})
    assert refused.status_code == 422
    assert 'id="e-reason"' in refused.text
    assert (await console.post(f"{recall}/close", data={"reason": "all destroyed", "outcome": "waste"})).is_redirect
    assert "all destroyed" in (await console.get(recall)).text


async def test_a_lots_expiry_is_corrected(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    tenant = sqlite_platform.tenant
    depot = await make_depot(tenant)
    lot_id = await _lot(tenant, depot, lot_number="SPIN-7")
    said = {"expires_on": day_in(12), "grade": "good", "reason": "the label was misread"}
    assert (await console.post(f"/console/lots/{lot_id}/correct", data=said)).is_redirect
    lot = await tenant.get(f"{LOTS}/{lot_id}")
    assert (lot["expires_on"], lot["grade"]) == (day_in(12), "good")


async def test_the_way_of_a_lot_is_drawn_and_told(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    tenant = sqlite_platform.tenant
    depot = await make_depot(tenant)
    lot_id = await _lot(tenant, depot, lot_number="SPIN-7", supplier="Nandi Farms")
    parts = {"location_id": depot.room_id, "parts": [{"lot_number": "SPIN-7A", "quantity": "20"}]}
    made = await tenant.post(f"{LOTS}/{lot_id}/split", parts)
    gone = {"movement_type": "outbound", "lot_id": lot_id, "location_id": depot.room_id, "quantity": "5"}
    await tenant.post("/api/v1/warehouse/stock/movements", {**gone, "reference": "D-000041"})
    page = (await console.get(f"/console/lots/{lot_id}")).text
    drawing = page.split("data-trace")[1].split("</svg>")[0]
    for words in ("Nandi Farms", "SPIN-7A", "D-000041", f'href="/console/lots/{made["lots"][0]}"'):
        assert words in drawing
    assert "Nothing was measured where it lay." in page


async def test_temperatures_are_charted(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    store = await make_cold_store(sqlite_platform)
    story = Story(sqlite_platform, store)
    lot_id = await story.receive(0)
    await story.measure([4.0, 6.0] * 60)
    page = (await console.get(f"/console/lots/{lot_id}")).text
    assert f'data-chart="/console/lots/{lot_id}/temperature.json"' in page
    said = (await console.get(f"/console/lots/{lot_id}/temperature.json")).json()
    warmest, mean, coldest = said["series"]
    assert (warmest["data"][0], mean["data"][0], coldest["data"][0]) == (6.0, 5.0, 4.0)
    assert len(said["x"]) == len(mean["data"])


async def test_who_may_only_look_is_offered_nothing_else(sqlite_platform: Platform) -> None:
    tenant = sqlite_platform.tenant
    lot_id = await _lot(tenant, await make_depot(tenant), lot_number="SPIN-7")
    viewer = await make_person(sqlite_platform, tenant, "viewer")
    async with at_console(sqlite_platform, viewer) as client:
        page = await client.get(f"/console/lots/{lot_id}")
        assert page.status_code == 200
        for act in ("hold", "release", "dispose", "recall", "correct"):
            assert f"/console/lots/{lot_id}/{act}" not in page.text
            assert (await client.get(f"/console/lots/{lot_id}/{act}")).status_code == 403
            assert (await client.post(f"/console/lots/{lot_id}/{act}", data={"reason": "x"})).status_code == 403


async def test_what_is_not_there_is_said_so(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    depot = await make_depot(sqlite_platform.tenant)
    lot_id = await _lot(sqlite_platform.tenant, depot, lot_number="SPIN-7")
    assert (await console.get("/console/lots/01900000-0000-7000-8000-000000000000")).status_code == 404
    assert (await console.get(f"/console/lots/{lot_id}/eat")).status_code == 404


def test_a_column_shows_a_few_boxes_and_counts_the_rest() -> None:
    def arrival(place: int) -> dict[str, Any]:
        return {"id": f"r{place}", "lot_id": "a", "quantity": "1.000", "effective_at": "x", "movement_type": "inbound"}

    lot = {"id": "a", "lot_number": "A", "product_id": "p", "supplier": ""}
    trace = {
        "lots": [lot], "steps": [], "places": [], "shipments": [], "receipts": [arrival(place) for place in range(9)],
    }  # fmt: skip
    drawn = picture(Told("a", trace, Names(), {}, lambda text, **places: text.format(**places), str, number))
    assert [box.title for box in drawn.boxes if box.column == -1][-1] == "4 more"
    assert len(drawn.lines) == 5
    assert all(box.x + WIDTH <= drawn.width and box.y + HEIGHT <= drawn.height for box in drawn.boxes)


def test_hours_without_readings_are_gaps_and_long_histories_are_shown_by_day() -> None:
    def at(hour: int) -> str:
        return datetime.fromtimestamp(1_769_846_400 + hour * 3600, UTC).isoformat()

    def told(hours: list[int]) -> dict[str, Any]:
        ones = [float(hour % 5) for hour in hours]
        columns = {"begins_at": [at(hour) for hour in hours], "minimum": ones, "mean": ones, "maximum": ones}
        return {"stretches": [{"hours": columns}]}

    visitor: Any = SimpleNamespace(say=lambda text: text, writing=SimpleNamespace(zone=ZoneInfo("Asia/Kolkata")))
    short = chart(told([0, 1, 4]), None, visitor)
    assert short["series"][1]["data"] == [0.0, 1.0, None, None, 4.0]
    long = chart(
        told(list(range(24 * 20))), {"storage_temperature_max_c": 5.0, "storage_temperature_min_c": None}, visitor
    )
    assert 20 <= len(long["x"]) <= 21
    assert long["series"][3]["name"] == "Limits"
    assert chart(told([]), None, visitor)["x"] == []
