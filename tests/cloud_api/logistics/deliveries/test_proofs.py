"""What proves a delivery: pictures whose bytes are here, a believable time, a temperature, one door."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from cloud_api.inventory.ledger.models import StockMovement
from cloud_api.kernel import clock
from cloud_api.media.models import Media
from cloud_api.media.storage import Files
from tests.cloud_api.inventory.stock import lying_in
from tests.cloud_api.logistics.deliveries.rounds import (
    DELIVERIES,
    MOBILE,
    SIGNATURE,
    SIGNATURE_SHA256,
    Round,
    make_round,
)
from tests.factories.batches import SENSOR, make_reading, send
from tests.factories.farms import plant_gateway, plant_sensor
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.orders import PHOTO, PHOTO_SHA256, proof
from tests.factories.stores import ColdStore
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP


async def sign(made: Round, stop: int = 0) -> int:
    headers = {"Content-Type": "image/png", "X-Content-SHA256": SIGNATURE_SHA256}
    path = f"{MOBILE}/deliveries/{made.delivery_ids[stop]}/signature"
    return (await made.driver.client.post(path, content=SIGNATURE, headers=headers)).status_code


async def test_a_signature_proves_as_a_photo_does_and_both_can_be_read_again(farm: Platform) -> None:
    made = await make_round(farm, doors=2)
    await made.start()
    path = f"{MOBILE}/deliveries/{made.delivery_ids[0]}/proof"
    neither = proof(photo_sha256=None)
    assert await made.said("POST", path, neither) == (409, "PROOF_INCOMPLETE")
    signed = proof(photo_sha256=None, signature_sha256=SIGNATURE_SHA256)
    assert await made.said("POST", path, signed) == (409, "PROOF_INCOMPLETE")
    assert await sign(made) == 201
    assert await made.said("POST", path, signed) == (200, "")
    shown = await made.dispatcher.get(f"{DELIVERIES}/{made.delivery_ids[0]}/proof")
    assert (shown["photo"], shown["signature"]["sha256"], shown["signature"]["intact"]) == (
        None,
        SIGNATURE_SHA256,
        True,
    )
    picture = await made.dispatcher.client.get(shown["signature"]["url"])
    assert (picture.content, picture.headers["content-type"]) == (SIGNATURE, "image/png")
    assert await made.said("GET", f"{DELIVERIES}/{made.delivery_ids[0]}/proof/photo") == (404, "NOT_FOUND")
    assert await made.said("GET", f"{DELIVERIES}/{made.delivery_ids[1]}/proof") == (404, "NOT_FOUND")


@pytest.mark.long
async def test_a_picture_whose_bytes_were_lost_or_changed_is_said_to_be_so(farm: Platform) -> None:
    made = await make_round(farm)
    await made.start()
    assert await made.prove() == (200, "")
    path = f"{DELIVERIES}/{made.delivery_ids[0]}/proof"
    assert (await made.dispatcher.get(path))["photo"]["intact"] is True
    async with farm.database.unit_of_work(farm.tenant.organization, read_only=True) as db:
        key = (await db.scalars(select(Media).where(Media.sha256 == PHOTO_SHA256))).one().key
    files = Files.of(farm.app.state.settings)
    await files.put(key, PHOTO[:-1] + b"?")
    assert (await made.dispatcher.get(path))["photo"]["intact"] is False
    await files.remove(key)
    assert (await made.dispatcher.get(path))["photo"]["intact"] is False


async def test_one_confirmation_is_for_all_parcels_of_a_door_or_for_none(farm: Platform) -> None:
    made = await make_round(farm, doors=2, same_door=True)
    elsewhere = await make_round(farm, depot=made.depot)
    await made.start()
    await elsewhere.start()
    assert await made.prove(also=[elsewhere.delivery_ids[0]]) == (409, "WRONG_DOOR")
    await made.move(1, "failed", failure_reason="damaged")
    assert await made.prove(also=[made.delivery_ids[1]]) == (409, "INVALID_TRANSITION")
    assert [(await made.stop(stop))["status"] for stop in range(2)] == ["out_for_delivery", "failed"]
    assert await lying_in(farm.tenant, made.van["location_id"]) == {"LOT-1": ("8.000", "0.000", "available")}


@pytest.mark.long
async def test_what_is_for_another_door_of_the_same_route_is_not_confirmed_here(farm: Platform) -> None:
    made = await make_round(farm, doors=2)
    await made.start()
    assert await made.prove(also=[made.delivery_ids[1]]) == (409, "WRONG_DOOR")
    assert (await made.stop())["status"] == "out_for_delivery"


@pytest.mark.long
async def test_all_parcels_of_a_door_leave_the_van_once(farm: Platform) -> None:
    made = await make_round(farm, doors=3, same_door=True)
    await made.start()
    for _ in range(2):
        assert await made.prove(2, also=made.delivery_ids[:2]) == (200, "")
    async with farm.database.unit_of_work(farm.tenant.organization, read_only=True) as db:
        left = select(StockMovement.reference).where(StockMovement.movement_type == "outbound")
        assert len([*(await db.scalars(left))]) == 3
    assert len(await made.told("StopDelivered")) == 3


@pytest.mark.long
async def test_a_phone_with_a_wrong_clock_is_told_how_wrong(farm: Platform) -> None:
    made = await make_round(farm)
    await made.start()
    now = clock.now()
    assert await made.prove(delivered_at=(now + timedelta(minutes=6)).isoformat()) == (422, "CLOCK_IMPLAUSIBLE")
    assert await made.prove(delivered_at=(now - timedelta(minutes=10)).isoformat()) == (422, "CLOCK_IMPLAUSIBLE")
    path = f"{MOBILE}/deliveries/{made.delivery_ids[0]}/proof"
    answer = await made.driver.client.post(path, json=proof(delivered_at=(now + timedelta(hours=1)).isoformat()))
    assert re.search(r"3[56]\d\d s ahead", answer.json()["error"]["message"])
    assert await made.prove(delivered_at=(now + timedelta(minutes=4)).isoformat()) == (200, "")
    assert (await made.stop())["delivered_at"] <= clock.now().isoformat().replace("+00:00", "Z")


@pytest.mark.long
async def test_without_a_probe_the_vans_own_sensor_says_how_cold_it_was(farm: Platform) -> None:
    made = await make_round(farm, doors=2)
    await made.start()
    assert await made.prove(0, cargo_temperature_c=None) == (200, "")
    nobody = await made.stop(0)
    assert (nobody["cargo_temperature_c"], nobody["cargo_temperature_source"]) == (None, None)
    gateway_id, token = await plant_gateway(farm, farm.tenant)
    await plant_sensor(farm, farm.tenant, gateway_id, location_id=made.van["location_id"], code=SENSOR)
    van = ColdStore(farm.tenant, made.depot.warehouse_id, made.van["location_id"], "", gateway_id, token, "")
    await send(farm, van, [make_reading(1, 3.75)])
    assert await made.prove(1, cargo_temperature_c=None) == (200, "")
    said = await made.stop(1)
    assert (said["cargo_temperature_c"], said["cargo_temperature_source"]) == (3.75, "van_sensor")
    assert (await made.stop(1))["photo_sha256"] == PHOTO_SHA256


@pytest.mark.long
async def test_the_driver_sees_own_proofs_only_and_a_stranger_none(farm: Platform) -> None:
    made = await make_round(farm)
    other = await make_round(farm, depot=made.depot)
    await made.start()
    assert await made.prove() == (200, "")
    path = f"{DELIVERIES}/{made.delivery_ids[0]}/proof"
    assert await made.said("GET", path) == (200, "")
    assert await other.said("GET", path) == (404, "NOT_FOUND")
    assert await other.said("GET", f"{path}/photo") == (404, "NOT_FOUND")
