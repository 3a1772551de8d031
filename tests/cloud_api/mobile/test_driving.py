"""The driver's day: only one's own, loaded whole or not at all, and a proof that is one or none."""

import asyncio
import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from cloud_api.kernel import clock
from cloud_api.logistics.tracking.models import VehiclePosition
from tests.cloud_api.inventory.stock import hold, lying_in
from tests.factories.farms import make_person
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.orders import (
    PHOTO,
    Depot,
    Drive,
    hire_driver,
    in_this_process,
    make_drive,
    proof,
    request_plan,
    upload,
)
from tests.factories.stores import ColdStore
from tests.platform_under_test import Platform, Tenant

pytestmark = IN_ONE_LOOP

MOBILE = "/api/v1/mobile"
OTHER_PHOTO = b"\x89PNG\r\n\x1a\n" + b"another door"


@dataclass(frozen=True)
class Day:
    """A driver's day: the route with its stops."""

    drive: Drive
    route_id: str
    stops: Sequence[Any]

    @property
    def driver(self) -> Tenant:
        return self.drive.driver

    @property
    def depot(self) -> Depot:
        return Depot(self.drive.tenant, self.drive.warehouse_id, self.drive.room_id, self.drive.product_id)

    async def start(self) -> None:
        await self.driver.post(f"{MOBILE}/routes/{self.route_id}/start")

    async def status(self, stop: int = 0) -> str:
        return str((await self.driver.get(f"{MOBILE}/deliveries/{self.stops[stop]['id']}"))["status"])

    async def order_status(self, stop: int = 0) -> str:
        return str((await self.drive.tenant.get(f"/api/v1/orders/{self.stops[stop]['order_id']}"))["status"])

    async def send(self, verb: str, body: object, *, stop: int = 0, who: Tenant | None = None) -> tuple[int, str]:
        """(status, error code) of a command about a stop."""
        method = "PUT" if verb == "status" else "POST"
        path = f"{MOBILE}/deliveries/{self.stops[stop]['id']}/{verb}"
        answer = await (who or self.driver).client.request(method, path, json=body)
        return answer.status_code, "" if answer.is_success else answer.json()["error"]["code"]

    async def ending(self, body: object) -> tuple[int, str]:
        answer = await self.driver.client.post(f"{MOBILE}/routes/{self.route_id}/complete", json=body)
        return answer.status_code, "" if answer.is_success else answer.json()["error"]["code"]


async def make_day(farm: Platform, *, doors: int = 1) -> Day:
    driver = await hire_driver(farm, farm.tenant)
    drive = await make_drive(farm, doors=doors, tenant=farm.tenant, driver=driver)
    route = await drive.driver.get(f"{MOBILE}/routes/current")
    return Day(drive, route["id"], route["deliveries"])


async def hold_place(farm: Platform, day: Day, location_id: str) -> None:
    depot = day.depot
    store = ColdStore(depot.tenant, depot.warehouse_id, depot.room_id, depot.product_id, "", "", "")
    await hold(farm, store, f"excursion:{location_id}", location_id)


async def test_the_driver_sees_the_route_its_stops_and_its_doors(farm: Platform) -> None:
    day = await make_day(farm, doors=2)
    stops = await day.driver.get(f"{MOBILE}/deliveries/assigned")
    assert stops == [{field: stop[field] for field in stops[0]} for stop in day.stops]
    doors = await day.driver.get(f"{MOBILE}/routes/{day.route_id}/orders")
    assert [door["id"] for door in doors] == [stop["order_id"] for stop in day.stops]


async def test_what_is_on_another_drivers_route_is_not_found(farm: Platform) -> None:
    day = await make_day(farm)
    _, other = await hire_driver(farm, farm.tenant)
    delivery, route = f"{MOBILE}/deliveries/{day.stops[0]['id']}", f"{MOBILE}/routes/{day.route_id}"
    assert await other.get(f"{MOBILE}/deliveries/assigned") == []
    for path in (delivery, f"{route}/orders", f"{MOBILE}/routes/current"):
        assert (await other.client.get(path)).status_code == 404, path
    assert (await other.client.post(f"{route}/start")).status_code == 404
    await day.start()
    position = {"recorded_at": "2026-01-31T08:00:00Z", "latitude": 12.9, "longitude": 77.6}
    for verb, body in (("location", position), ("status", {"status": "arrived"}), ("proof", proof())):
        assert await day.send(verb, body, who=other) == (404, "NOT_FOUND"), verb
    assert (await upload(other, day.stops[0]["id"])).status_code == 404
    assert (await other.client.post(f"{route}/complete", json={})).status_code == 404
    assert await day.status() == "out_for_delivery"


async def test_the_dispatcher_sees_every_route_and_drives_none(farm: Platform) -> None:
    day = await make_day(farm)
    dispatcher = await make_person(farm, farm.tenant, "logistics_manager")
    detail = await dispatcher.get(f"/api/v1/warehouse/routes/{day.route_id}")
    assert detail["deliveries"] == day.stops
    assert (await dispatcher.client.post(f"{MOBILE}/routes/{day.route_id}/start")).status_code == 404
    viewer = await make_person(farm, farm.tenant, "viewer")
    assert (await viewer.client.post(f"{MOBILE}/routes/{day.route_id}/start")).status_code == 403
    wanted = {"warehouse_id": day.drive.warehouse_id, "delivery_date": "2026-01-31"}
    assert (await day.driver.client.post("/api/v1/warehouse/routes/optimize", json=wanted)).status_code == 403


async def test_setting_off_loads_every_order_into_the_van(farm: Platform) -> None:
    day = await make_day(farm, doors=2)
    await day.start()
    assert await lying_in(farm.tenant, day.drive.room_id) == {"LOT-1": ("92.000", "92.000", "available")}
    assert await lying_in(farm.tenant, day.drive.van_location_id) == {"LOT-1": ("8.000", "0.000", "available")}
    assert [await day.status(stop) for stop in (0, 1)] == ["out_for_delivery"] * 2
    assert [await day.order_status(stop) for stop in (0, 1)] == ["out_for_delivery"] * 2


async def test_with_a_held_lot_nothing_is_loaded_and_nobody_sets_off(farm: Platform) -> None:
    day = await make_day(farm, doors=2)
    await hold_place(farm, day, day.drive.room_id)
    answer = await day.driver.client.post(f"{MOBILE}/routes/{day.route_id}/start")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "STOCK_ON_HOLD")
    assert "LOT-1" in answer.json()["error"]["message"]
    assert await lying_in(farm.tenant, day.drive.van_location_id) == {}
    assert [await day.status(stop) for stop in (0, 1)] == ["assigned"] * 2
    assert [await day.order_status(stop) for stop in (0, 1)] == ["packed"] * 2


async def test_two_vans_that_set_off_at_once_with_the_same_lots_both_do(farm: Platform) -> None:
    days = [await make_day(farm, doors=2) for _ in range(2)]
    await asyncio.gather(*(day.start() for day in days))
    for day in days:
        assert await lying_in(farm.tenant, day.drive.van_location_id) == {"LOT-1": ("8.000", "0.000", "available")}


async def test_a_position_that_is_sent_twice_is_one(farm: Platform) -> None:
    day = await make_day(farm)
    await day.start()
    began = clock.now()
    for second in (1, 2, 1):
        said_at = (began + timedelta(seconds=second)).isoformat()
        at = {"recorded_at": said_at, "latitude": 12.9 + second / 1000, "longitude": 77.6}
        assert await day.send("location", at) == (204, "")
    assert (await day.send("location", {"recorded_at": "2026-01-31T08:03:00", "latitude": 1, "longitude": 1}))[0] == 422
    assert (await day.send("location", {**at, "latitude": 91}))[0] == 422
    async with farm.database.unit_of_work(farm.tenant.organization, read_only=True) as db:
        mine = select(func.count()).where(VehiclePosition.route_id == uuid.UUID(day.route_id))
        assert await db.scalar(mine) == 2
    track = await farm.tenant.get(f"/api/v1/warehouse/deliveries/tracking/{day.route_id}")
    assert (round(track["latitude"], 3), track["route"]["id"]) == (12.902, day.route_id)


async def test_a_proof_without_its_photo_delivers_nothing(farm: Platform) -> None:
    day = await make_day(farm)
    await day.start()
    assert await day.send("proof", proof()) == (409, "PROOF_INCOMPLETE")
    assert (await day.status(), await day.order_status()) == ("out_for_delivery", "out_for_delivery")
    assert await lying_in(farm.tenant, day.drive.van_location_id) == {"LOT-1": ("4.000", "0.000", "available")}


async def test_a_photo_that_lost_a_byte_is_refused_and_with_it_the_proof(farm: Platform) -> None:
    day = await make_day(farm)
    await day.start()
    whole = hashlib.sha256(PHOTO).hexdigest()
    broken = await upload(day.driver, day.stops[0]["id"], PHOTO[:-1], sha256=whole)
    assert (broken.status_code, broken.json()["error"]["code"]) == (422, "BROKEN_UPLOAD")
    assert await day.send("proof", proof()) == (409, "PROOF_INCOMPLETE")
    assert await day.status() == "out_for_delivery"
    assert (await upload(day.driver, day.stops[0]["id"])).status_code == 201
    assert await day.send("proof", proof()) == (200, "")
    assert (await day.status(), await day.order_status()) == ("delivered", "delivered")


async def test_the_same_proof_twice_is_one_and_another_is_refused(farm: Platform) -> None:
    day = await make_day(farm)
    await day.start()
    for photo in (PHOTO, PHOTO, OTHER_PHOTO):
        assert (await upload(day.driver, day.stops[0]["id"], photo)).status_code == 201
    path = f"{MOBILE}/deliveries/{day.stops[0]['id']}/proof"
    body = proof()
    first = await day.driver.post(path, body, **{"Idempotency-Key": "proof-1"})
    assert await day.driver.post(path, body, **{"Idempotency-Key": "proof-1"}) == first
    assert await day.driver.post(path, proof(recipient_name="Somebody else")) == first
    other = proof(photo_sha256=hashlib.sha256(OTHER_PHOTO).hexdigest())
    assert await day.send("proof", other) == (409, "PROOF_INCOMPLETE")
    assert await lying_in(farm.tenant, day.drive.van_location_id) == {"LOT-1": ("0.000", "0.000", "available")}
    outbound = await farm.tenant.get("/api/v1/warehouse/stock/movements", limit=200)
    assert [row["quantity"] for row in outbound if row["movement_type"] == "outbound"] == ["-4.000"]


async def test_a_proof_before_setting_off_is_refused(farm: Platform) -> None:
    day = await make_day(farm)
    await upload(day.driver, day.stops[0]["id"])
    assert await day.send("proof", proof()) == (409, "INVALID_TRANSITION")
    assert await day.send("status", {"status": "arrived"}) == (409, "INVALID_TRANSITION")
    assert (await day.status(), await day.order_status()) == ("assigned", "packed")


async def test_what_was_too_warm_in_the_van_is_not_handed_over(farm: Platform) -> None:
    day = await make_day(farm)
    await day.start()
    await upload(day.driver, day.stops[0]["id"])
    await hold_place(farm, day, day.drive.van_location_id)
    assert await day.send("proof", proof()) == (409, "STOCK_ON_HOLD")
    assert (await day.status(), await day.order_status()) == ("out_for_delivery", "out_for_delivery")


async def test_arriving_and_failing_twice_is_once_and_a_delivered_stop_stays_delivered(farm: Platform) -> None:
    day = await make_day(farm, doors=2)
    await day.start()
    for body in ({"status": "arrived"}, {"status": "failed", "failure_reason": "customer_absent"}):
        for _ in range(2):
            assert await day.send("status", body) == (200, "")
    failed = await day.driver.get(f"{MOBILE}/deliveries/{day.stops[0]['id']}")
    assert (failed["status"], failed["failure_reason"]) == ("failed", "customer_absent")
    assert await day.send("status", {"status": "arrived"}) == (409, "INVALID_TRANSITION")
    await upload(day.driver, day.stops[1]["id"])
    assert await day.send("proof", proof(), stop=1) == (200, "")
    assert await day.send("status", {"status": "failed"}, stop=1) == (409, "INVALID_TRANSITION")
    assert await day.send("status", {"status": "delivered"}, stop=1) == (422, "VALIDATION_FAILED")


async def test_a_start_that_is_sent_twice_loads_once(farm: Platform) -> None:
    day = await make_day(farm)
    path, key = f"{MOBILE}/routes/{day.route_id}/start", {"Idempotency-Key": "start-1"}
    assert await day.driver.post(path, **key) == await day.driver.post(path, **key)
    again = await day.driver.client.post(path)
    assert (again.status_code, again.json()["error"]["code"]) == (409, "INVALID_TRANSITION")
    assert await lying_in(farm.tenant, day.drive.van_location_id) == {"LOT-1": ("4.000", "0.000", "available")}


async def test_what_could_not_be_delivered_comes_back_still_promised_and_goes_out_again(farm: Platform) -> None:
    day = await make_day(farm, doors=2)
    await day.start()
    assert await day.ending({}) == (409, "STOPS_OPEN")
    for stop in (0, 1):
        await day.send("status", {"status": "failed", "failure_reason": "customer_absent"}, stop=stop)
    for nowhere in ({}, {"unload_location_id": day.drive.van_location_id}, {"unload_location_id": str(uuid.uuid4())}):
        assert await day.ending(nowhere) == (422, "UNLOADING_PLACE_MISSING")
    assert await day.ending({"unload_location_id": day.drive.room_id}) == (200, "")
    assert await day.ending({"unload_location_id": day.drive.room_id}) == (409, "INVALID_TRANSITION")
    assert await lying_in(farm.tenant, day.drive.room_id) == {"LOT-1": ("100.000", "92.000", "available")}
    assert (await day.status(), await day.order_status()) == ("returned", "packed")

    job_id = await request_plan(farm.tenant, day.drive.warehouse_id)
    await in_this_process(farm, farm.tenant, job_id)
    again = await day.driver.get(f"{MOBILE}/routes/current")
    assert again["id"] != day.route_id
    assert [(stop["attempt"], stop["status"]) for stop in again["deliveries"]] == [(2, "assigned")] * 2
    await day.driver.post(f"{MOBILE}/routes/{again['id']}/start")
    stop = again["deliveries"][0]["id"]
    await upload(day.driver, stop)
    proved = await day.driver.post(f"{MOBILE}/deliveries/{stop}/proof", proof())
    assert proved["delivered_at"][:19] <= clock.now().isoformat()[:19]
