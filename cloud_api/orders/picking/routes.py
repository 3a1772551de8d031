"""`/api/v1/orders/picklists`, and picking, packing and handing over an order."""

import uuid
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.orders.book.detail import detail
from cloud_api.orders.book.models import CustomerOrder
from cloud_api.orders.book.queries import VisibleOrders
from cloud_api.orders.book.schemas import OrderDetailRead
from cloud_api.orders.book.visibility import OrdersToFulfill
from cloud_api.orders.picking import queries, service
from cloud_api.orders.picking.models import PickList
from cloud_api.orders.picking.schemas import (
    HandOverRead,
    ListedOrderRead,
    OrderFulfill,
    OrderPack,
    OrderPick,
    OrderShip,
    PackedOrderRead,
    PickListCreate,
    PickListDetailRead,
    PickListRead,
    Status,
)
from cloud_api.orders.picking.service import Picker

router = APIRouter(prefix="/orders", tags=["orders"], route_class=ApiRoute)


@router.get("/picklists", response_model=list[PickListRead], dependencies=[require("orders:fulfill")])
async def list_pick_lists(
    db: Db,
    seen: OrdersToFulfill,
    query: Annotated[PageQuery, Depends()],
    warehouse_id: uuid.UUID | None = None,
    status: Status | None = None,
    delivery_date: date | None = None,
) -> Page[PickList]:
    """Newest first."""
    statement = select(PickList).where(queries.visible_lists(seen))
    if warehouse_id is not None:
        statement = statement.where(PickList.warehouse_id == warehouse_id)
    if status is not None:
        statement = statement.where(PickList.status == status)
    if delivery_date is not None:
        statement = statement.where(PickList.delivery_date == delivery_date)
    return await page(db, statement, PickList.id, query)


@router.post("/picklists", response_model=PickListDetailRead, status_code=201, dependencies=[require("orders:fulfill")])
async def create_pick_list(
    db: Db, principal: CurrentPrincipal, seen: OrdersToFulfill, body: PickListCreate
) -> PickListDetailRead:
    """Put orders on one list: those that are named, in the order in which they are served, or all of a day.

    Send an `Idempotency-Key`.
    """
    return await _told(db, await service.create_list(db, new=body, created_by=principal.id, seen=seen))


@router.get("/picklists/{id}", response_model=PickListDetailRead, dependencies=[require("orders:fulfill")])
async def get_pick_list(db: Db, seen: OrdersToFulfill, id: uuid.UUID) -> PickListDetailRead:
    """One list: what lies where, by zone and in walking order, as it is promised now; what has left is gone from it."""
    return await _told(db, await service.get_list(db, id, seen=seen))


@router.post("/picklists/{id}/start", response_model=PickListRead, dependencies=[require("orders:fulfill")])
async def start_pick_list(db: Db, principal: CurrentPrincipal, seen: OrdersToFulfill, id: uuid.UUID) -> PickList:
    """Somebody goes; the first pick says so as well."""
    return await service.start_list(db, id, by=principal.id, seen=seen)


@router.post("/picklists/{id}/complete", response_model=PickListRead, dependencies=[require("orders:fulfill")])
async def complete_pick_list(db: Db, principal: CurrentPrincipal, seen: OrdersToFulfill, id: uuid.UUID) -> PickList:
    """Nothing of it is left to be taken; the last pick says so as well."""
    return await service.complete_list(db, id, by=principal.id, seen=seen)


@router.post("/picklists/{id}/cancel", response_model=PickListRead, dependencies=[require("orders:fulfill")])
async def cancel_pick_list(db: Db, principal: CurrentPrincipal, seen: OrdersToFulfill, id: uuid.UUID) -> PickList:
    """Give the walk up; its orders may stand on another list."""
    return await service.cancel_list(db, id, by=principal.id, seen=seen)


@router.post("/{id}/pick", response_model=OrderDetailRead, dependencies=[require("orders:fulfill")])
async def pick_order(
    db: Db, principal: CurrentPrincipal, seen: OrdersToFulfill, id: uuid.UUID, body: OrderPick
) -> OrderDetailRead:
    """Say what was taken of which lot, what was not there and why, or what takes its place; all of it or nothing.

    Several calls may pick one order. Send an `Idempotency-Key`.
    """
    order = await service.pick_order(db, id, picked=body, picker=Picker(principal.id, seen))
    return await detail(db, order, seen)


@router.post("/{id}/pack", response_model=PackedOrderRead, dependencies=[require("orders:fulfill")])
async def pack_order(
    db: Db, principal: CurrentPrincipal, seen: OrdersToFulfill, id: uuid.UUID, body: OrderPack | None = None
) -> PackedOrderRead:
    """Close the boxes. Without a body everything is in them as promised; a lot that went on hold is replaced."""
    packed = body or OrderPack()
    return await _packed(db, await service.pack_order(db, id, packed=packed, picker=Picker(principal.id, seen)), seen)


@router.post("/{id}/fulfill", response_model=PackedOrderRead, dependencies=[require("orders:fulfill")])
async def fulfill_order(
    db: Db, principal: CurrentPrincipal, seen: OrdersToFulfill, id: uuid.UUID, body: OrderFulfill | None = None
) -> PackedOrderRead:
    """Pick and pack what there is, in one step; what is missing is neither delivered nor paid."""
    order = await service.fulfill_order(db, id, wanted=body, picker=Picker(principal.id, seen))
    return await _packed(db, order, seen)


@router.post("/{id}/ship", response_model=HandOverRead, dependencies=[require("orders:fulfill")])
async def ship_order(
    db: Db,
    request: Request,
    principal: CurrentPrincipal,
    seen: OrdersToFulfill,
    id: uuid.UUID,
    body: OrderShip | None = None,
) -> HandOverRead:
    """Hand a packed order over without a van: at the counter, or to a carrier. `delivered` ends it, then or later."""
    order, handed = await service.ship_order(
        db,
        id,
        wanted=body or OrderShip(),
        picker=Picker(principal.id, seen),
        others=request.app.state.who_has_orders,
    )
    said = {name: getattr(handed, name) for name in HandOverRead.model_fields if hasattr(handed, name)}
    return HandOverRead.model_validate({**said, "order_number": order.number, "status": order.status})


async def _told(db: AsyncSession, found: PickList) -> PickListDetailRead:
    listed = (await db.execute(queries.orders_on(found.id))).tuples().all()
    return PickListDetailRead(
        **PickListRead.model_validate(found).model_dump(),
        orders=[
            ListedOrderRead(
                order_id=order.id,
                number=order.number,
                customer_name=order.customer_name,
                position=one.position,
                status=order.status,
            )
            for one, order in listed
        ],
        zones=await service.zones_of(db, found),
    )


async def _packed(db: AsyncSession, order: CustomerOrder, seen: VisibleOrders) -> PackedOrderRead:
    told = await detail(db, order, seen)
    return PackedOrderRead(**told.model_dump(), boxes=(await service.packing_of(db, order.id)).boxes)
