"""The second half of the sentence: stock status, order, stop, proof."""

import uuid
from datetime import timedelta
from typing import Any

from cloud_api.inventory.holds import service as holds
from cloud_api.inventory.ledger import service as ledger
from cloud_api.kernel import clock
from tests.factories.orders import Drive, make_drive, proof, upload
from tests.factories.stores import make_room
from tests.platform_under_test import Platform


async def prove(drive: Drive, delivery: dict[str, Any]) -> Any:
    """Upload a photo and prove a delivery with it."""
    uploaded = await upload(drive.driver, delivery["id"])
    assert uploaded.status_code == 201, uploaded.text
    return await drive.driver.post(f"/api/v1/mobile/deliveries/{delivery['id']}/proof", proof())


async def test_orders_are_reserved_packed_planned_driven_and_proved(platform: Platform) -> None:
    drive = await make_drive(platform, doors=3)

    route = await drive.driver.get("/api/v1/mobile/routes/current")
    assert [stop["status"] for stop in route["deliveries"]] == ["assigned"] * 3
    await drive.driver.post(f"/api/v1/mobile/routes/{route['id']}/start")
    for stop in route["deliveries"]:
        position = {"recorded_at": (clock.now() + timedelta(seconds=stop["sequence"])).isoformat()}
        body = {**position, "latitude": 12.93, "longitude": 77.61}
        reported = await drive.driver.client.post(f"/api/v1/mobile/deliveries/{stop['id']}/location", json=body)
        assert reported.status_code == 204, reported.text
        await drive.driver.put(f"/api/v1/mobile/deliveries/{stop['id']}/status", {"status": "arrived"})
        proved = await prove(drive, stop)
        assert (proved["status"], proved["cargo_temperature_c"]) == ("delivered", 3.4)
    done = await drive.driver.post(f"/api/v1/mobile/routes/{route['id']}/complete")

    assert done["status"] == "completed"
    orders = await drive.tenant.get("/api/v1/orders")
    assert {order["status"] for order in orders} == {"delivered"}
    levels = await drive.tenant.get("/api/v1/warehouse/stock/levels")
    left = {level["location_id"]: (level["on_hand"], level["reserved"]) for level in levels}
    assert left[drive.room_id] == ("88.000", "0.000")
    assert left[drive.van_location_id] == ("0.000", "0.000")


async def test_what_got_too_warm_on_the_road_is_neither_handed_over_nor_sold_again(platform: Platform) -> None:
    drive = await make_drive(platform, doors=2)
    route = await drive.driver.get("/api/v1/mobile/routes/current")
    first, second = route["deliveries"]
    await drive.driver.post(f"/api/v1/mobile/routes/{route['id']}/start")
    await prove(drive, first)
    van = uuid.UUID(drive.van_location_id)
    async with platform.database.unit_of_work(drive.tenant.organization) as db:
        await holds.hold(db, location_id=van, reason="too warm", source="excursion:van")

    assert (await upload(drive.driver, second["id"])).is_success
    door = f"/api/v1/mobile/deliveries/{second['id']}"
    refused = await drive.driver.client.post(f"{door}/proof", json=proof())
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "STOCK_ON_HOLD")
    await drive.driver.put(f"{door}/status", {"status": "failed", "failure_reason": "excursion"})
    dock_id = await make_room(drive.tenant, drive.warehouse_id)
    ending, back = f"/api/v1/mobile/routes/{route['id']}/complete", {"unload_location_id": dock_id}
    assert (await drive.driver.post(ending, back))["status"] == "completed"
    levels = await drive.tenant.get("/api/v1/warehouse/stock/levels", location_id=dock_id)
    held = {level["status"]: level["on_hand"] for level in levels}
    assert held["on_hold"] == "4.000", "it came back as warm as it was"

    async with platform.database.unit_of_work(drive.tenant.organization) as db:
        await holds.release(db, source="excursion:van")
    orders = {order["id"]: order["status"] for order in await drive.tenant.get("/api/v1/orders")}
    assert orders == {first["order_id"]: "delivered", second["order_id"]: "packed"}
    async with platform.database.unit_of_work(drive.tenant.organization, read_only=True) as db:
        assert await ledger.differences(db) == []
