"""The first half of the sentence: reading, sensor, place, lot, stock status."""

from tests.factories.batches import alarms_at_the_gateway, make_series, send
from tests.factories.stores import make_cold_store, make_rule, receive
from tests.flows.phones import Phones
from tests.platform_under_test import Platform


async def test_a_warm_room_holds_what_lies_in_it_and_nothing_else(platform: Platform) -> None:
    store = await make_cold_store(platform)
    elsewhere = await make_cold_store(platform)
    await make_rule(store)
    await receive(store)
    await receive(elsewhere)

    answer = await send(platform, store, make_series([4.0, *[9.5] * 12]))

    assert (answer["accepted"], answer["duplicates"], answer["refused"]) == (13, 0, [])
    [excursion] = await store.tenant.get("/api/v1/excursions")
    assert (excursion["status"], excursion["location_id"], excursion["peak_value"]) == ("open", store.room_id, 9.5)
    [held] = await store.tenant.get("/api/v1/warehouse/stock/levels", location_id=store.room_id)
    assert (held["status"], held["on_hand"], held["available"]) == ("on_hold", "100.000", "0.000")
    [free] = await store.tenant.get("/api/v1/warehouse/stock/levels", location_id=elsewhere.room_id)
    assert (free["status"], free["available"]) == ("available", "100.000")
    [told] = await store.tenant.get("/api/v1/notifications")
    assert "temperature above 8 °C" in told["title"]


async def test_from_the_first_warm_reading_to_the_release_of_the_goods(platform: Platform, phones: Phones) -> None:
    """Everything over HTTP, the gateway's judge beside the cloud's, and the push to a phone."""
    store = await make_cold_store(platform)
    phone = phones.double.mint_phone()
    await store.tenant.post("/api/v1/mobile/devices", {"registration": phone.fid})
    await make_rule(store, duration_s=120)
    await receive(store, lot="WARM")
    async with platform.client(store.gateway_token) as gateway:
        config = (await gateway.get(f"/api/v1/edge/gateways/{store.gateway_id}/config")).json()["data"]
    [limit] = config["limits"]

    warm, well = make_series([4.0, 9.0, 9.5, 11.0]), make_series([6.0], first_sequence=5)
    well[0]["recorded_at_ms"] = warm[-1]["recorded_at_ms"] + 60_000
    raised, cleared = alarms_at_the_gateway({**limit, "id": limit["rule"]}, [*warm, *well])
    assert (await send(platform, store, [raised], lane="alarms"))["config_version"] == config["version"]
    await send(platform, store, warm)
    platform.push = phones.push
    for _ in range(2):
        await platform.deliver()

    [excursion] = await store.tenant.get("/api/v1/excursions")
    assert (excursion["status"], excursion["raised_by"], excursion["peak_value"]) == ("open", "gateway", 11.0)
    [notification] = await store.tenant.get("/api/v1/notifications")
    [delivery] = phones.double.deliveries(phone.fid)
    assert delivery.message["notification"] == {"title": notification["title"], "body": notification["message"]}
    assert notification["subject"] == f"excursion:{excursion['id']}"

    path = f"/api/v1/excursions/{excursion['id']}"
    await store.tenant.post(f"{path}/ack", {"note": "on my way"})
    await send(platform, store, well)
    await send(platform, store, [cleared], lane="alarms")
    assert (await store.tenant.get(path))["status"] == "recovered"
    await receive(store, lot="FRESH")
    assert await statuses(platform) == {"WARM": "on_hold", "FRESH": "available"}
    await store.tenant.post(f"{path}/close", {"disposition": "release", "note": "cores measured"})
    assert await statuses(platform) == {"WARM": "available", "FRESH": "available"}
    [hold] = await store.tenant.get("/api/v1/warehouse/stock/holds")
    assert hold["released_at"] is not None
    assert len(phones.double.deliveries()) == 1


async def statuses(platform: Platform) -> dict[str, str]:
    numbers = {lot["id"]: lot["lot_number"] for lot in await platform.tenant.get("/api/v1/warehouse/batches")}
    levels = await platform.tenant.get("/api/v1/warehouse/stock/levels")
    return {numbers[level["lot_id"]]: level["status"] for level in levels}
