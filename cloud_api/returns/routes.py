"""`/api/v1/returns`, and `/api/v1/orders/{id}/returns`: what customers give back."""

import uuid
from datetime import date, time, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.organizations import service as organizations
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.orders.book import service as orders
from cloud_api.orders.book.models import CustomerOrder
from cloud_api.orders.book.queries import VisibleOrders
from cloud_api.returns import chain, pictures, queries, service
from cloud_api.returns.models import CustomerReturn, ReturnedGoods, ReturnLine
from cloud_api.returns.schemas import (
    OrderReturnCreate,
    ReturnCancel,
    ReturnCreate,
    ReturnDetailRead,
    ReturnedGoodsRead,
    ReturnInspect,
    ReturnLineRead,
    ReturnRead,
    ReturnReceive,
    ReturnRefund,
    ReturnRestock,
    ReturnScrap,
    ReturnUpdate,
    Status,
)
from cloud_api.returns.visibility import ReturnsToProcess, ReturnsToRead, ReturnsToRefund, ReturnsToWrite

router = APIRouter(prefix="/returns", tags=["orders"], route_class=ApiRoute)
of_orders = APIRouter(prefix="/orders", tags=["orders"], route_class=ApiRoute)
#: days that a zone can be reckoned of
_FIRST, _LAST = date(1970, 1, 1), date(9000, 1, 1)


@of_orders.post(
    "/{id}/returns", response_model=ReturnDetailRead, status_code=201, dependencies=[require("returns:write")]
)
async def return_order_lines(
    db: Db, principal: CurrentPrincipal, seen: ReturnsToWrite, id: uuid.UUID, body: OrderReturnCreate
) -> ReturnDetailRead:
    """Ask for lines of a delivered order to be taken back. Customers do so for their own."""
    return await _told(db, await service.request_return(db, id, new=body, requested_by=principal.id, seen=seen), seen)


@router.get("", response_model=list[ReturnRead], dependencies=[require("returns:read")])
async def list_returns(
    db: Db,
    seen: ReturnsToRead,
    query: Annotated[PageQuery, Depends()],
    status: Status | None = None,
    order_id: uuid.UUID | None = None,
    customer_id: uuid.UUID | None = None,
    warehouse_id: uuid.UUID | None = None,
    since: Annotated[
        date | None, Query(alias="from", ge=_FIRST, le=_LAST, description="Asked for on that day, or later.")
    ] = None,
    until: Annotated[
        date | None, Query(alias="to", ge=_FIRST, le=_LAST, description="Asked for on that day, or before.")
    ] = None,
) -> Page[ReturnRead]:
    """Newest first. Days are the organisation's own."""
    statement = select(CustomerReturn).where(queries.visible_returns(seen))
    if status is not None:
        statement = statement.where(CustomerReturn.status == status)
    if order_id is not None:
        statement = statement.where(CustomerReturn.order_id == order_id)
    if customer_id is not None:
        statement = statement.where(CustomerReturn.customer_id == customer_id)
    if warehouse_id is not None:
        statement = statement.where(queries.from_warehouse(warehouse_id))
    if since is not None:
        statement = statement.where(CustomerReturn.requested_at >= await organizations.instant(db, since, time.min))
    if until is not None:
        day_after = until + timedelta(days=1)
        statement = statement.where(CustomerReturn.requested_at < await organizations.instant(db, day_after, time.min))
    rows = await page(db, statement, CustomerReturn.id, query)
    lines = await queries.lines_of(db, [one.id for one in rows.items])
    return Page([_read(one, lines.get(one.id, [])) for one in rows.items], rows.limit, rows.next_cursor)


@router.post("", response_model=ReturnDetailRead, status_code=201, dependencies=[require("returns:write")])
async def create_return(
    db: Db, principal: CurrentPrincipal, seen: ReturnsToWrite, body: ReturnCreate
) -> ReturnDetailRead:
    """The same, naming the order in the body."""
    made = await service.request_return(db, body.order_id, new=body, requested_by=principal.id, seen=seen)
    return await _told(db, made, seen)


@router.get("/{id}", response_model=ReturnDetailRead, dependencies=[require("returns:read")])
async def get_return(db: Db, seen: ReturnsToRead, id: uuid.UUID) -> ReturnDetailRead:
    """One return, with what came back, what speaks against selling it again, and its pictures.

    Customers see the lines, and the pictures that they sent.
    """
    return await _told(db, await service.get_return(db, id, seen=seen), seen)


@router.put("/{id}", response_model=ReturnDetailRead, dependencies=[require("returns:process")])
async def update_return(
    db: Db, principal: CurrentPrincipal, seen: ReturnsToProcess, id: uuid.UUID, body: ReturnUpdate
) -> ReturnDetailRead:
    """Approve or reject what was asked for."""
    changed = await service.update_return(db, id, decision=body, decided_by=principal.id, seen=seen)
    return await _told(db, changed, seen)


@router.post("/{id}/cancel", response_model=ReturnDetailRead, dependencies=[require("returns:write")])
async def cancel_return(
    db: Db, principal: CurrentPrincipal, seen: ReturnsToWrite, id: uuid.UUID, body: ReturnCancel
) -> ReturnDetailRead:
    """Nothing comes back after all; possible until it is received."""
    changed = await service.cancel_return(db, id, reason=body.reason, cancelled_by=principal.id, seen=seen)
    return await _told(db, changed, seen)


@router.post("/{id}/receive", response_model=ReturnDetailRead, dependencies=[require("returns:process")])
async def receive_return(
    db: Db, principal: CurrentPrincipal, seen: ReturnsToProcess, id: uuid.UUID, body: ReturnReceive
) -> ReturnDetailRead:
    """The goods are back: into quarantine, on hold, under the lots that they left under."""
    changed = await service.receive_return(db, id, arrived=body, received_by=principal.id, seen=seen)
    return await _told(db, changed, seen)


@router.post("/{id}/inspect", response_model=ReturnDetailRead, dependencies=[require("returns:process")])
async def inspect_return(db: Db, seen: ReturnsToProcess, id: uuid.UUID, body: ReturnInspect) -> ReturnDetailRead:
    """Say how everything that came back was found."""
    return await _told(db, await service.inspect_return(db, id, found=body.goods, seen=seen), seen)


@router.post("/{id}/restock", response_model=ReturnDetailRead, dependencies=[require("returns:process")])
async def restock_return(
    db: Db, principal: CurrentPrincipal, seen: ReturnsToProcess, id: uuid.UUID, body: ReturnRestock
) -> ReturnDetailRead:
    """Sell again what is as it was sold, and whose cold chain somebody vouches for all the way."""
    changed = await service.restock_return(db, id, wanted=body.goods, restocked_by=principal.id, seen=seen)
    return await _told(db, changed, seen)


@router.post("/{id}/scrap", response_model=ReturnDetailRead, dependencies=[require("returns:process")])
async def scrap_return(
    db: Db, principal: CurrentPrincipal, seen: ReturnsToProcess, id: uuid.UUID, body: ReturnScrap
) -> ReturnDetailRead:
    """Throw away what may not be sold again."""
    changed = await service.scrap_return(
        db, id, goods_ids=body.goods_ids, reason=body.reason, scrapped_by=principal.id, seen=seen
    )
    return await _told(db, changed, seen)


@router.post("/{id}/refund", response_model=ReturnDetailRead, dependencies=[require("returns:refund")])
async def refund_return(db: Db, seen: ReturnsToRefund, id: uuid.UUID, body: ReturnRefund) -> ReturnDetailRead:
    """Let the order owe less by what came back; what was paid for it goes back the way it came."""
    return await _told(db, await service.refund_return(db, id, grant=body, seen=seen), seen)


async def _told(db: AsyncSession, one: CustomerReturn, seen: VisibleOrders) -> ReturnDetailRead:
    lines = (await queries.lines_of(db, [one.id])).get(one.id, [])
    # which lots lie where is the store's own business, not its customers'
    rows = [] if seen.buyer_id is not None else await queries.goods_of(db, one.id)
    order = await orders.get_order(db, one.order_id)
    return ReturnDetailRead(
        **_read(one, lines).model_dump(),
        goods=[await _goods(db, one, row, order) for row in rows],
        pictures=[pictures.told(picture, one, rows) for picture in await queries.pictures_of(db, one.id, seen=seen)],
    )


async def _goods(db: AsyncSession, one: CustomerReturn, row: ReturnedGoods, order: CustomerOrder) -> ReturnedGoodsRead:
    doubts = [] if row.disposition is not None else await chain.doubts(db, one, row, order=order)
    columns = {name: getattr(row, name) for name in ReturnedGoodsRead.model_fields if name != "doubts"}
    return ReturnedGoodsRead.model_validate({**columns, "doubts": doubts})


def _read(one: CustomerReturn, lines: list[ReturnLine]) -> ReturnRead:
    columns = {name: getattr(one, name) for name in ReturnRead.model_fields if name != "lines"}
    return ReturnRead.model_validate({**columns, "lines": [ReturnLineRead.model_validate(line) for line in lines]})
