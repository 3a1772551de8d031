"""What stock is worth, read off the ledger, by when things happened."""

from datetime import timedelta
from typing import Any

from cloud_api.kernel import clock
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.stores import ColdStore, make_product, make_room, make_warehouse, receive
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

STOCK = "/api/v1/warehouse/stock"


async def worth(store: ColdStore, method: str = "fifo", **query: Any) -> tuple[str, str]:
    """(quantity, value) of the store's product in its warehouse."""
    found = await store.tenant.get(f"{STOCK}/valuation", method=method, product_id=store.product_id, **query)
    rows = [row for row in found["products"] if row["warehouse_id"] == store.warehouse_id]
    assert len(rows) <= 1
    return (rows[0]["quantity"], rows[0]["value"]) if rows else ("0", "0")


def days_ago(days: int) -> str:
    return (clock.now() - timedelta(days=days)).isoformat()


async def test_valuation_is_read_off_the_ledger_by_both_methods(farm: Platform, store: ColdStore) -> None:
    lot_id = (await receive(store, lot="A", quantity="10", unit_cost="2", effective_at=days_ago(3)))["lot_id"]
    await receive(store, lot="B", quantity="10", unit_cost="4")
    body = {"movement_type": "outbound", "lot_id": lot_id, "location_id": store.room_id, "quantity": "5"}
    await store.tenant.post(f"{STOCK}/movements", body)
    assert await worth(store) == ("15.000", "50.0000000")
    assert await worth(store, "average") == ("15.000", "45.0000000")
    elsewhere = await make_room(store.tenant, await make_warehouse(store.tenant))
    transfer = {**body, "movement_type": "transfer", "to_location_id": elsewhere}
    await store.tenant.post(f"{STOCK}/movements", transfer)
    assert await worth(store) == ("10.000", "40.0000000")
    total = await store.tenant.get(f"{STOCK}/valuation")
    assert (total["value"], total["value_in"], total["value_out"]) == ("50.0000000", "70.0000000", "20.0000000")


async def test_an_entry_written_later_changes_what_stock_was_worth_and_rewrites_nothing(
    farm: Platform, store: ColdStore
) -> None:
    """Nothing of a valuation is stored: there is nothing to post again, and nothing that a writer could race with."""
    await receive(store, lot="A", quantity="10", unit_cost="2", effective_at=days_ago(9))
    await receive(store, lot="B", quantity="10", unit_cost="4", effective_at=days_ago(5))
    before = await store.tenant.get(f"{STOCK}/movements", limit=200)
    on = (clock.now() - timedelta(days=4)).date().isoformat()
    assert await worth(store, on=on) == ("20.000", "60.0000000")
    late = {"movement_type": "outbound", "location_id": store.room_id, "quantity": "5"}
    late = {**late, "lot_id": before[-1]["lot_id"], "effective_at": days_ago(7)}
    await store.tenant.post(f"{STOCK}/movements", late)
    assert await worth(store, on=on) == ("15.000", "50.0000000")
    assert await worth(store, on=(clock.now() - timedelta(days=8)).date().isoformat()) == ("10.000", "20.0000000")
    assert (await store.tenant.get(f"{STOCK}/movements", limit=200))[1:] == before


async def test_a_repacking_loses_nothing_of_the_value(farm: Platform, store: ColdStore) -> None:
    bag = await make_product(store.tenant, unit="piece", unit_weight_g=250)
    lot_id = (await receive(store, lot="A", quantity="10", unit_cost="3"))["lot_id"]
    made = [{"product_id": bag, "lot_number": f"BAGS-{number}", "quantity": "10"} for number in (1, 2, 3)]
    body = {"location_id": store.room_id, "quantity": "8", "made": made}
    await store.tenant.post(f"/api/v1/warehouse/batches/{lot_id}/repack", body)
    found = await store.tenant.get(f"{STOCK}/valuation")
    by_product = {row["product_id"]: row["value"] for row in found["products"]}
    assert by_product == {store.product_id: "6.0000000", bag: "24.0000000"}
