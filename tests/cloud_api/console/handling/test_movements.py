"""The ledger is looked through, and what was booked is undone."""

import httpx2

from tests.cloud_api.console.handling.rooms import invalid, make_rooms, page
from tests.platform_under_test import Platform


async def test_the_ledger_is_filtered_by_kind_place_and_day(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    rooms = await make_rooms(sqlite_platform.tenant)
    assert "Nothing has been booked yet" in await page(console, "/console/movements")
    await rooms.receive("AGED-LOT", "40", effective_at="2026-01-10T20:00:00Z", reference="PO-7")
    await rooms.receive("FRESH-LOT", "30")
    found = {
        "": (True, True),
        "?movement_type=inbound": (True, True),
        "?movement_type=waste": (False, False),
        f"?location_id={rooms.other_id}": (False, False),
        "?reference=PO-7": (True, False),
        "?from=2026-01-11&to=2026-01-11": (True, False),
        "?to=2026-01-10": (False, False),
    }
    for query, expected in found.items():
        for path in ("/console/movements", "/console/movements/part", "/console/movements/export"):
            said = await page(console, path + query)
            assert ("AGED-LOT" in said, "FRESH-LOT" in said) == expected, path + query
    [lot] = (await console.get("/console/movements/suggest?q=AGED-LOT")).json()
    assert "FRESH-LOT" not in await page(console, lot["href"])
    assert "AGED-LOT" in await page(console, "/console/receiving/export")
    assert "Nothing was booked like that" in await page(console, "/console/movements?movement_type=waste")
    assert (await console.get("/console/movements?from=yesterday")).status_code == 422


async def test_what_was_booked_is_undone_with_a_reason(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    rooms = await make_rooms(sqlite_platform.tenant)
    made = await rooms.receive("UNDO-1", "40")
    at = f"/console/movements/{made['id']}"
    assert "Undo it" in await page(console, at)
    refused = await console.post(f"{at}/reverse", data={"reason": ""})
    assert (refused.status_code, invalid(refused.text)) == (422, ["reason"])
    answer = await console.post(f"{at}/reverse", data={"reason": "wrong pallet"})
    assert answer.status_code == 303, answer.text
    undone = await page(console, answer.headers["location"])
    assert "The entry that this one undoes" in undone
    assert "Undo it" not in undone
    assert set((await rooms.on_hand(rooms.room_id)).values()) <= {"0.000"}
