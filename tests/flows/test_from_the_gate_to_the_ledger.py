"""Goods that are weighed, tagged, and pass a gate: from what the gateway says to what the shelf holds."""

from typing import Any

from cloud_api.kernel import clock
from tests.factories.batches import send
from tests.factories.stores import ColdStore, make_cold_store, make_room
from tests.platform_under_test import Platform

EPC = "3034257BF7194E4000001A85"


def seen(sequence: int, at_ms: int, **fields: Any) -> dict[str, Any]:
    return {"sequence": sequence, "reader": "zebra:dock-1", "epc": EPC, "recorded_at_ms": at_ms, "antenna": 1, **fields}


def weighed(sequence: int, weight_kg: float) -> dict[str, Any]:
    row = {"sequence": sequence, "scale": "scale:dock-1", "weight_kg": weight_kg, "state": "stable", "unit": "kg"}
    return {**row, "basis": "gross", "recorded_at_ms": clock.now_ms()}


async def lies_in(store: ColdStore, location_id: str) -> list[tuple[str, str]]:
    levels = await store.tenant.get("/api/v1/warehouse/stock/levels", location_id=location_id)
    return [(level["on_hand"], level["status"]) for level in levels if level["on_hand"] != "0.000"]


async def test_what_was_weighed_and_passed_the_gate_lies_on_the_shelf(platform: Platform) -> None:
    """Everything over HTTP; what follows from a batch is delivered by the outbox."""
    store = await make_cold_store(platform)
    tenant, dock, cold_room = store.tenant, await make_room(store.tenant, store.warehouse_id), store.room_id
    of = {"gateway_id": store.gateway_id, "location_id": dock}
    facts = {"name": "Platform", "capacity_kg": 600.0, "division_kg": 0.02, "tare_kg": 1.5}
    await tenant.post("/api/v1/edge/scales", {**of, **facts, "code": "scale:dock-1"})
    gate = {"name": "Dock 1", "portal": True, "direction": "in"}
    reader = await tenant.post("/api/v1/edge/readers", {**of, **gate, "code": "zebra:dock-1"})
    rule = {"reader_id": reader["id"], "action": "transfer", "to_location_id": cold_room, "mode": "automatic"}
    await tenant.post("/api/v1/warehouse/portal-rules", rule)

    # the scale at the dock: 24.5 kg on a pallet of 1.5 kg, in crates of 3 kg
    await send(platform, store, [weighed(1, 24.5)], lane="weights")
    [weight] = await tenant.get("/api/v1/telemetry/weights", applied=False)
    receipt = {"kind": "receipt", "product_id": store.product_id, "lot_number": "KALE-7", "container_g": 3000}
    used = await tenant.post(f"/api/v1/telemetry/weights/{weight['id']}/apply", receipt)
    assert await lies_in(store, dock) == [("20.000", "available")]

    # a tag on them, and through the gate: seen seven times, told of in three batches, one of them twice
    crate = {"entity_type": "lot", "entity_id": used["lot_id"], "quantity": used["quantity"]}
    await tenant.post("/api/v1/edge/tags", {**crate, "epc": EPC, "goods_location_id": dock})
    now = clock.now_ms()
    told = [[seen(1, now), seen(2, now + 5)], [seen(3, now - 20), seen(4, now + 9)], [seen(5, now), seen(6, now + 40)]]
    for batch in (told[0], told[1], told[1], told[2]):
        await send(platform, store, batch, lane="tags")
    await platform.deliver()

    assert (await lies_in(store, dock), await lies_in(store, cold_room)) == ([], [("20.000", "available")])
    [passage] = await tenant.get("/api/v1/warehouse/passages")
    assert (passage["status"], passage["reads"]) == ("booked", 6)
    ledger = await tenant.get("/api/v1/warehouse/stock/movements")
    assert [(one["movement_type"], one["quantity"], one["source"]) for one in reversed(ledger)] == [
        ("inbound", "20.000", "scale"),
        ("transfer", "-20.000", "rfid"),
        ("transfer", "20.000", "rfid"),
    ]
    [tag] = await tenant.get("/api/v1/edge/tags", epc=EPC)
    assert (tag["goods_location_id"], tag["last_location_id"]) == (cold_room, dock)

    # what the outbox delivers again, and what the gateway sends again, books nothing more
    await send(platform, store, told[2], lane="tags")
    await platform.deliver()
    assert len(await tenant.get("/api/v1/warehouse/stock/movements")) == 3
