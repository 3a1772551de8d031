"""Tags, portals and scales, as tests make them."""

import itertools
import uuid
from typing import Any

from sqlalchemy import select

from cloud_api.inventory.sightings.events import PassageReady, TagsSeen
from cloud_api.inventory.sightings.portals.booking import book_passage
from cloud_api.inventory.sightings.portals.following import follow_tags
from cloud_api.inventory.takes import service as takes
from cloud_api.inventory.takes.models import StockTakeLine
from cloud_api.inventory.takes.schemas import TakeCreate
from cloud_api.kernel import clock
from cloud_api.kernel.outbox import OutboxEvent
from tests.factories.stores import ColdStore, make_room
from tests.platform_under_test import Platform

EPOCH = "fedcba9876543210fedcba9876543210"
_numbers = itertools.count(1)


def make_epc() -> str:
    """An SGTIN-96 that nobody else has."""
    return f"3034257BF7194E4{next(_numbers):09X}"


def tag(sequence: int, epc: str, *, at_ms: int | None = None, **fields: Any) -> dict[str, Any]:
    """What a reader says: it saw a tag, now unless told otherwise."""
    row = {"sequence": sequence, "reader": "zebra:dock-1", "epc": epc}
    return {**row, "recorded_at_ms": clock.now_ms() if at_ms is None else at_ms, **fields}


def weighing(sequence: int, weight_kg: float | None, *, at_ms: int | None = None, **fields: Any) -> dict[str, Any]:
    """What a scale says."""
    row = {"sequence": sequence, "scale": "scale:dock-1", "weight_kg": weight_kg, "state": "stable", "unit": "kg"}
    return {**row, "recorded_at_ms": clock.now_ms() if at_ms is None else at_ms, **fields}


async def send(platform: Platform, store: ColdStore, lane: str, *rows: dict[str, Any], epoch: str = EPOCH) -> Any:
    """A batch of a gateway."""
    batch = {"version": 1, "epoch": epoch, "lane": lane, lane: list(rows)}
    async with platform.client(store.gateway_token) as gateway:
        answer = await gateway.post("/api/v1/telemetry/readings", json=batch)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def follow(platform: Platform, store: ColdStore) -> int:
    """Do what the outbox would: of this organisation alone, each event once. Returns how many there were."""
    done = 0
    while True:
        async with platform.database.unit_of_work(store.tenant.organization) as db:
            its = select(OutboxEvent).where(
                OutboxEvent.dispatched_at.is_(None), OutboxEvent.type.in_(("TagsSeen", "PassageReady"))
            )
            events = (await db.scalars(its.order_by(OutboxEvent.id).limit(1))).all()
            for event in events:
                event.dispatched_at = clock.now()
                await _react(db, event)
        if not events:
            return done
        done += 1


async def _react(db: Any, event: OutboxEvent) -> None:
    payload = event.payload
    if event.type == "PassageReady":
        await book_passage(db, PassageReady(uuid.UUID(str(payload["passage_id"]))))
    else:
        first, last = int(str(payload["first_sequence"])), int(str(payload["last_sequence"]))
        await follow_tags(db, TagsSeen(uuid.UUID(str(payload["gateway_id"])), first, last))


async def make_portal(store: ColdStore, **fields: Any) -> Any:
    """A reader at the dock that things pass inwards."""
    body = {"gateway_id": store.gateway_id, "code": "zebra:dock-1", "location_id": store.room_id, "name": "Dock 1"}
    return await store.tenant.post("/api/v1/edge/readers", {**body, "direction": "in", "portal": True, **fields})


async def make_scale(store: ColdStore, **fields: Any) -> Any:
    """A platform of 600 kg in steps of 20 g."""
    body = {"gateway_id": store.gateway_id, "code": "scale:dock-1", "location_id": store.room_id, "name": "Platform"}
    return await store.tenant.post("/api/v1/edge/scales", {**body, "capacity_kg": 600.0, "division_kg": 0.02, **fields})


async def make_place(store: ColdStore, **fields: Any) -> str:
    """Another room of the same warehouse."""
    return await make_room(store.tenant, store.warehouse_id, **fields)


async def bind_crate(store: ColdStore, epc: str, lot_id: str, *, quantity: str = "20.000", **fields: Any) -> Any:
    """A tag on a crate of a lot, in the cold room unless told otherwise."""
    body = {"epc": epc, "entity_type": "lot", "entity_id": lot_id, "quantity": quantity}
    return await store.tenant.post("/api/v1/edge/tags", {**body, "goods_location_id": store.room_id, **fields})


async def make_rule(store: ColdStore, reader_id: str, to: str | None, **fields: Any) -> Any:
    """What passes the reader is brought to a place, by itself."""
    body = {"reader_id": reader_id, "action": "transfer", "to_location_id": to, "mode": "automatic", **fields}
    return await store.tenant.post("/api/v1/warehouse/portal-rules", body)


async def make_take(platform: Platform, store: ColdStore) -> str:
    """A count of the cold room, begun; its id."""
    new = TakeCreate(warehouse_id=uuid.UUID(store.warehouse_id), location_ids=[uuid.UUID(store.room_id)])
    async with platform.database.unit_of_work(store.tenant.organization) as db:
        return str((await takes.create_take(db, new=new, created_by=None)).id)


async def counted(platform: Platform, store: ColdStore, take_id: str) -> dict[str, tuple[str, str | None]]:
    """Lot -> (what was counted of it, how)."""
    async with platform.database.unit_of_work(store.tenant.organization, read_only=True) as db:
        its = select(StockTakeLine).where(
            StockTakeLine.take_id == uuid.UUID(take_id), StockTakeLine.counted.is_not(None)
        )
        return {str(line.lot_id): (str(line.counted), line.method) for line in await db.scalars(its)}


async def on_hand(store: ColdStore, location_id: str) -> str:
    """What lies in a place, of whatever lot; nothing: 0."""
    levels = await store.tenant.get("/api/v1/warehouse/stock/levels", location_id=location_id)
    return str(sum(float(level["on_hand"]) for level in levels))


async def passages(store: ColdStore, **filters: Any) -> list[Any]:
    """Passages, oldest first."""
    return list(reversed(await store.tenant.get("/api/v1/warehouse/passages", limit=200, **filters)))
