"""What inventory says of a hold is heard by itself, through the outbox."""

import uuid
from datetime import date
from decimal import Decimal

from cloud_api.inventory.reservations import service as reservations
from cloud_api.inventory.reservations.service import Wish
from tests.cloud_api.inventory.stock import hold
from tests.factories.stores import make_cold_store, receive
from tests.platform_under_test import Platform


async def test_promised_stock_that_goes_on_hold_is_reported_to_who_packs_orders(platform: Platform) -> None:
    store = await make_cold_store(platform)
    await receive(store, quantity="5")
    wish = Wish(uuid.UUID(store.product_id), Decimal(5), "me")
    async with platform.database.unit_of_work(store.tenant.organization) as db:
        await reservations.reserve(db, [wish], location_ids=[uuid.UUID(store.room_id)], on=date(2026, 6, 1))
    await hold(platform, store, "excursion:1")
    await platform.deliver()
    [flagged] = await store.tenant.get("/api/v1/warehouse/stock/reservations", at_risk=True)
    assert (flagged["source"], flagged["status"], flagged["quantity"]) == ("me", "active", "5.000")
    [told] = await store.tenant.get("/api/v1/notifications")
    assert (told["category"], told["title"].endswith("promised stock is on hold")) == ("inventory", True)
