"""What readers and scales saw is looked at, and becomes bookings."""

import httpx2

from tests.cloud_api.console.handling.rooms import invalid, page
from tests.cloud_api.inventory.sightings import tagged
from tests.factories.stores import make_cold_store, make_room, receive
from tests.platform_under_test import Platform


async def test_a_proposal_is_accepted_and_another_rejected(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    store = await make_cold_store(sqlite_platform)
    to = await make_room(store.tenant, store.warehouse_id)
    assert "No tag has passed a portal yet" in await page(console, "/console/sightings")
    assert "No reader has seen a tag yet" in await page(console, "/console/sightings/tags")
    portal = await tagged.make_portal(store)
    await tagged.make_rule(store, portal["id"], to, mode="propose")
    lot_id = (await receive(store))["lot_id"]
    epcs = [tagged.make_epc() for _ in range(2)]
    for epc in epcs:
        await tagged.bind_crate(store, epc, lot_id)
    rows = [tagged.tag(place + 1, epc) for place, epc in enumerate(epcs)]
    await tagged.send(sqlite_platform, store, "tags", *rows)
    await tagged.follow(sqlite_platform, store)

    listed = await page(console, "/console/sightings?status=proposed")
    assert all(epc in listed for epc in epcs)
    reads = await page(console, "/console/sightings/tags/part")
    assert all(epc in reads for epc in epcs)
    for path, kind in (("", "passages"), ("/tags", "tags"), ("/weights", "weights")):
        assert f'data-live="/ws/warehouse/sightings?kind={kind}"' in await page(console, f"/console/sightings{path}")
    first, second = [passage["id"] for passage in await tagged.passages(store, status="proposed")]
    assert "LOT-1" in await page(console, f"/console/sightings/passages/{first}")
    for id, verb in ((first, "accept"), (second, "reject")):
        answer = await console.post(f"/console/sightings/passages/{id}/{verb}", data={"reason": "seen twice"})
        assert answer.status_code == 303, answer.text
    assert await tagged.on_hand(store, to) == "20.0"
    again = await console.post(f"/console/sightings/passages/{second}/accept", data={})
    assert again.status_code == 409
    assert "alert-danger" in again.text or 'data-state="rejected"' in again.text


async def test_a_weight_becomes_a_receipt_once(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    store = await make_cold_store(sqlite_platform)
    assert "No scale has shown a weight yet" in await page(console, "/console/sightings/weights")
    await tagged.make_scale(store)
    await tagged.send(sqlite_platform, store, "weights", tagged.weighing(1, 12.48))
    assert "12.480" in await page(console, "/console/sightings/weights/part?applied=false")
    [weight] = await store.tenant.get("/api/v1/telemetry/weights")
    at = f"/console/sightings/weights/{weight['id']}"
    for kind in ("receipt", "count", "adjustment"):
        assert "Use it" in await page(console, f"{at}?kind={kind}")
    refused = await console.post(at, data={"kind": "receipt", "product_id": store.product_id, "lot_number": ""})
    assert (refused.status_code, invalid(refused.text)) == (422, ["lot_number"])
    typed = {"kind": "receipt", "product_id": store.product_id, "lot_number": "WEIGHED-1", "container_g": "480"}
    answer = await console.post(at, data=typed)
    assert answer.status_code == 303, answer.text
    assert await tagged.on_hand(store, store.room_id) == "12.0"
    assert (await console.get("/console/sightings/weights/00000000-0000-7000-8000-000000000000")).status_code == 404
