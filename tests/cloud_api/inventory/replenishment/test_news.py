"""What runs low and what expires, told as alerts: once, to whom it concerns, and over when it is over."""

from datetime import timedelta
from typing import Any

from cloud_api.inventory.replenishment import service
from cloud_api.inventory.replenishment.watching import StockKeeper
from cloud_api.kernel import clock
from tests.factories.orders import day_in
from tests.factories.stores import ColdStore, make_cold_store, make_product, receive
from tests.platform_under_test import Platform

SETTING = "/api/v1/admin/settings/inventory.expiring_soon_days"


async def alerts(store: ColdStore, alert_type: str) -> list[Any]:
    found = await store.tenant.get("/api/v1/alerts", status=["open", "resolved"], alert_type=alert_type)
    return [(one["status"], one["title"].split(" in ")[0]) for one in found]


async def take(store: ColdStore, lot_id: str, quantity: str) -> None:
    body = {"lot_id": lot_id, "location_id": store.room_id, "delta": f"-{quantity}", "reason": "sold"}
    await store.tenant.post("/api/v1/warehouse/stock/adjustment", body)


async def test_low_stock_raises_one_alert_and_clears_it_when_there_is_enough_again(platform: Platform) -> None:
    store = await make_cold_store(platform)
    product_id = await make_product(store.tenant, name="Chard", reorder_point="5")
    store = ColdStore(store.tenant, store.warehouse_id, store.room_id, product_id, "", "", "")
    lot = (await receive(store, quantity="6"))["lot_id"]
    keeper = StockKeeper(platform.database)
    for quantity in ("1", "1", "1"):
        await keeper.look()
        await platform.deliver()
        await take(store, lot, quantity)
    await keeper.look()
    await platform.deliver()
    assert await alerts(store, "low_stock") == [("open", "Chard is low")]
    [alert] = await store.tenant.get("/api/v1/alerts", alert_type="low_stock")
    assert alert["location_id"] == store.room_id
    assert alert["count"] == 1
    await receive(store, quantity="9")
    await keeper.look()
    await platform.deliver()
    assert await alerts(store, "low_stock") == [("resolved", "Chard is low")]


async def test_a_lot_that_expires_soon_is_told_once_and_over_when_it_is_gone(platform: Platform) -> None:
    store = await make_cold_store(platform)
    soon = (await receive(store, lot="SOON", expires_on=day_in(2), quantity="1"))["lot_id"]
    await receive(store, lot="LATE", expires_on=day_in(30), quantity="1")
    await receive(store, lot="OLD", expires_on=day_in(-1), quantity="1")
    told = []
    for _ in range(2):
        async with platform.database.unit_of_work(store.tenant.organization) as db:
            told.append(await service.tell_expiring(db))
        await platform.deliver()
    assert told == [1, 0]
    assert await alerts(store, "expiring") == [("open", "Spinach expires soon")]
    await take(store, soon, "1")
    async with platform.database.unit_of_work(store.tenant.organization) as db:
        assert await service.tell_expiring(db) == 1
    await platform.deliver()
    assert await alerts(store, "expiring") == [("resolved", "Spinach expires soon")]


async def test_how_many_days_before_is_the_organisations_to_say(platform: Platform) -> None:
    store = await make_cold_store(platform)
    await receive(store, expires_on=(clock.now() + timedelta(days=10)).date().isoformat(), quantity="1")
    told = []
    for days in (5, 12):
        await store.tenant.put(SETTING, {"value": days})
        async with platform.database.unit_of_work(store.tenant.organization) as db:
            told.append(await service.tell_expiring(db))
    assert told == [0, 1]
