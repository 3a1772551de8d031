"""Tags are told what they are on: one by one, and many at once."""

from urllib.parse import urlsplit

import httpx2

from tests.cloud_api.console.handling.rooms import Rooms, invalid, make_rooms, page
from tests.cloud_api.console.screens import at_console
from tests.cloud_api.inventory.sightings.tagged import make_epc
from tests.factories.farms import make_person
from tests.platform_under_test import Platform

HERE = "/console/sightings/bindings"
TAGS = "/api/v1/edge/tags"


async def _bound(console: httpx2.AsyncClient, path: str, **typed: str) -> str:
    """The page of the tag that was bound there."""
    answer = await console.post(path, data=typed)
    assert answer.status_code == 303, answer.text
    return urlsplit(answer.headers["location"]).path


async def _lot(rooms: Rooms) -> str:
    return str((await rooms.receive("TAGGED-1", "40"))["lot_id"])


async def test_a_tag_goes_from_a_lot_to_a_pallet_and_off(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    rooms = await make_rooms(sqlite_platform.tenant)
    lot_id, epc = await _lot(rooms), make_epc()
    assert "No tag is on anything yet" in await page(console, HERE)
    unknown = await page(console, f"{HERE}?epc={epc}")
    assert f"{HERE}/new?epc={epc}" in unknown
    assert "Nobody has said what that tag is on" in await page(console, f"{HERE}?epc=crate")
    assert f'value="{epc}"' in await page(console, f"{HERE}/new?epc={epc}&kind=lot")

    half = await console.post(f"{HERE}/new", data={"epc": epc, "entity_type": "lot", "entity_id": lot_id})
    assert (half.status_code, invalid(half.text)) == (422, ["quantity"])
    wrong = await console.post(f"{HERE}/new", data={"epc": "XY", "entity_type": "location", "entity_id": rooms.room_id})
    assert (wrong.status_code, invalid(wrong.text)) == (422, ["epc"])
    crate = {
        "epc": epc,
        "entity_type": "lot",
        "entity_id": lot_id,
        "quantity": "20",
    }
    at = await _bound(console, f"{HERE}/new", goods_location_id=rooms.room_id, **crate)
    assert "TAGGED-1" in await page(console, at)
    taken = await console.post(f"{HERE}/new", data={**crate, "quantity": "3"})
    assert (taken.status_code, invalid(taken.text)) == (409, ["epc"])

    nothing = await console.post(at, data={"entity_type": "pallet", "contents.0.lot_id": ""})
    assert (nothing.status_code, invalid(nothing.text)) == (422, ["contents.0.lot_id"])
    after = await _bound(
        console, at, **{"entity_type": "pallet", "contents.2.lot_id": lot_id, "contents.2.quantity": "5"}
    )
    assert after != at
    [tag] = await rooms.tenant.get(TAGS)
    assert [(line["lot_id"], line["quantity"]) for line in tag["contents"]] == [(lot_id, "5.000")]
    assert "What it was on before" in await page(console, after)
    exported = await page(console, f"{HERE}/export?entity_type=pallet")
    assert f"{epc}," in exported
    assert "TAGGED-1" in exported
    assert (await console.post(f"{after}/off")).status_code == 303
    assert "Put it on something again" in await page(console, after)
    assert await rooms.tenant.get(TAGS) == []


async def test_a_tag_is_put_on_an_asset_a_place_and_a_person(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    tenant = sqlite_platform.tenant
    rooms = await make_rooms(tenant)
    item = await tenant.post("/api/v1/items", {"name": "Pallet truck 3"})
    [me] = [one for one in await tenant.get("/api/v1/admin/users")][:1]
    found = (await console.get(f"{HERE}/assets?q=truck")).json()
    assert [one["id"] for one in found] == [item["id"]]
    for kind, thing in (("item", item["id"]), ("location", rooms.other_id), ("person", me["id"])):
        assert f'value="{kind}"' in await page(console, f"{HERE}/new?kind={kind}")
        at = await _bound(console, f"{HERE}/new", epc=make_epc(), entity_type=kind, entity_id=thing)
        assert f'value="{thing}"' in await page(console, at), kind
    assert "Pallet truck 3" in await page(console, f"{HERE}?entity_type=item")


async def test_crates_are_tagged_one_a_line_all_or_none(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    rooms = await make_rooms(sqlite_platform.tenant)
    lot_id, (first, second) = await _lot(rooms), (make_epc(), make_epc())
    empty = await console.post(f"{HERE}/many", data={"epcs": " ", "entity_id": "", "quantity": ""})
    assert (empty.status_code, sorted(set(invalid(empty.text)))) == (422, ["entity_id", "epcs", "quantity"])
    typed = {"entity_id": lot_id, "quantity": "12", "goods_location_id": rooms.room_id}
    wrong = await console.post(f"{HERE}/many", data={**typed, "epcs": f"{first}\n\nCRATE"})
    assert (wrong.status_code, invalid(wrong.text)) == (422, ["epcs"])
    assert "Line 3:" in wrong.text
    assert await rooms.tenant.get(TAGS) == []
    draft = await console.post(f"{HERE}/many/draft", data={"epc": [first, second]})
    assert f"{first}\n{second}" in draft.text
    scanned = f"{first}\n{second.lower()} 7.5\n{first.lower()}\n"
    assert (await console.post(f"{HERE}/many", data={**typed, "epcs": scanned})).status_code == 303
    tags = {tag["epc"]: tag["contents"][0]["quantity"] for tag in await rooms.tenant.get(TAGS)}
    assert tags == {first: "12.000", second: "7.500"}


async def test_who_may_only_look_is_offered_nothing(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    rooms = await make_rooms(sqlite_platform.tenant)
    crate = {"entity_type": "lot", "entity_id": await _lot(rooms), "quantity": "2"}
    at = await _bound(console, f"{HERE}/new", epc=make_epc(), **crate)
    looker = await make_person(sqlite_platform, sqlite_platform.tenant, "viewer")
    async with at_console(sqlite_platform, looker) as looking:
        for path in (HERE, at):
            shown = await page(looking, path)
            assert "New tag" not in shown
            assert "Take it off" not in shown
        for path in ("new", "many"):
            assert (await looking.get(f"{HERE}/{path}")).status_code == 403
