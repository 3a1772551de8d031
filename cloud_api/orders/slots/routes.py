"""`/api/v1/orders/slots`. Mounted before `/api/v1/orders/{id}`."""

import uuid
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy import select

from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.orders.slots import queries, service
from cloud_api.orders.slots.models import DeliverySlot
from cloud_api.orders.slots.schemas import SlotBookedRead, SlotCreate, SlotRead, SlotUpdate
from cloud_api.places.visibility import VisiblePlaces

router = APIRouter(prefix="/orders/slots", tags=["orders"], route_class=ApiRoute)


@router.get("", response_model=list[SlotRead], dependencies=[require("orders:read")])
async def list_slots(
    db: Db,
    seen: VisiblePlaces,
    query: Annotated[PageQuery, Depends()],
    warehouse_id: uuid.UUID | None = None,
    day: date | None = None,
    is_active: bool | None = None,
) -> Page[SlotRead]:
    """Windows, newest first; with `day` those of that day, and what is left of each. `is_active`: offered, or not."""
    statement = select(DeliverySlot).where(seen.warehouses(DeliverySlot.warehouse_id))
    if warehouse_id is not None:
        statement = statement.where(DeliverySlot.warehouse_id == warehouse_id)
    if day is not None:
        statement = statement.where(queries.offered_on(day))
    if is_active is not None:
        statement = statement.where(DeliverySlot.is_active == is_active)
    rows = await page(db, statement, DeliverySlot.id, query)
    return Page(await service.read_slots(db, rows.items, day=day), rows.limit, rows.next_cursor)


@router.post("", response_model=SlotRead, status_code=201, dependencies=[require("orders:fulfill")])
async def create_slot(db: Db, seen: VisiblePlaces, body: SlotCreate) -> SlotRead:
    """Offer a window. From its first one on, a warehouse delivers in its windows and in no others."""
    return (await service.read_slots(db, [await service.create_slot(db, new=body, seen=seen)]))[0]


@router.get("/{id}", response_model=SlotBookedRead, dependencies=[require("orders:read")])
async def get_slot(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> SlotBookedRead:
    """One window, and how many orders took it on which days from today on."""
    return await service.read_booked(db, await service.get_slot(db, id, seen=seen))


@router.put("/{id}", response_model=SlotRead, dependencies=[require("orders:fulfill")])
async def update_slot(db: Db, seen: VisiblePlaces, id: uuid.UUID, body: SlotUpdate) -> SlotRead:
    """Change how many orders it takes, on which days of the week, or whether it is offered."""
    return (await service.read_slots(db, [await service.update_slot(db, id, changes=body, seen=seen)]))[0]


@router.delete("/{id}", status_code=204, dependencies=[require("orders:fulfill")])
async def withdraw_slot(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> None:
    """Offer it no more; orders that took it keep it."""
    await service.withdraw_slot(db, id, seen=seen)
