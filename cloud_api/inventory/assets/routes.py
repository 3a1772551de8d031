"""`/api/v1/items`: things that are lent and come back."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy import func, or_, select

from cloud_api.inventory.assets import lending, queries, service
from cloud_api.inventory.assets.models import Item, ItemActivity, ItemCheckout
from cloud_api.inventory.assets.queries import visible_items
from cloud_api.inventory.assets.schemas import (
    ActivityRead,
    CheckoutRead,
    Decision,
    ItemCheckIn,
    ItemCheckOut,
    ItemCreate,
    ItemMove,
    ItemRead,
    ItemUpdate,
)
from cloud_api.inventory.assets.states import CheckoutStatus, ItemStatus
from cloud_api.kernel import clock
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.places.visibility import VisiblePlaces

router = APIRouter(prefix="/items", tags=["inventory"], route_class=ApiRoute)

Query = Annotated[PageQuery, Depends()]
_READ = [require("items:read")]


@router.get("", response_model=list[ItemRead], dependencies=_READ)
async def list_items(
    db: Db,
    seen: VisiblePlaces,
    query: Query,
    status: ItemStatus | None = None,
    category_id: uuid.UUID | None = None,
    location_id: uuid.UUID | None = None,
    search: str | None = None,
) -> Page[Item]:
    """Newest first. `search` finds parts of names, numbers, serial numbers and bar codes."""
    mine = select(Item).where(visible_items(seen))
    for column, value in ((Item.status, status), (Item.category_id, category_id), (Item.location_id, location_id)):
        if value is not None:
            mine = mine.where(column == value)
    if search:
        columns = (Item.name, Item.asset_code, Item.serial_number, func.coalesce(Item.barcode, ""))
        mine = mine.where(or_(*(column.icontains(search, autoescape=True) for column in columns)))
    return await page(db, mine, Item.id, query)


@router.post("", response_model=ItemRead, status_code=201, dependencies=[require("items:write")])
async def create_item(db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, body: ItemCreate) -> Item:
    """Register a thing that is lent. It is given its number."""
    return await service.create_item(db, new=body, by=principal.id, seen=seen)


@router.get("/overdue", response_model=list[CheckoutRead], dependencies=_READ)
async def list_overdue_checkouts(db: Db, seen: VisiblePlaces, query: Query) -> Page[ItemCheckout]:
    """What should be back."""
    return await page(db, queries.overdue(seen, clock.now()), ItemCheckout.id, query)


@router.get("/approvals", response_model=list[CheckoutRead], dependencies=[require("items:approve")])
async def list_checkout_approvals(db: Db, seen: VisiblePlaces, query: Query) -> Page[ItemCheckout]:
    """What was asked for, and nobody has decided."""
    return await page(db, queries.checkouts(seen, CheckoutStatus.PENDING_APPROVAL), ItemCheckout.id, query)


@router.post("/approvals/{id}/decide", response_model=CheckoutRead, dependencies=[require("items:approve")])
async def decide_checkout(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID, body: Decision
) -> ItemCheckout:
    """Lend a restricted item, or not: never by who asked for it, or gets it."""
    return await lending.decide(db, id, decision=body, by=principal.id, seen=seen)


@router.get("/{id}", response_model=ItemRead, dependencies=_READ)
async def get_item(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> Item:
    """One item."""
    return await service.get_item(db, id, seen=seen)


@router.patch("/{id}", response_model=ItemRead, dependencies=[require("items:write")])
async def update_item(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID, body: ItemUpdate
) -> Item:
    """Change what is sent: what it is, and whether it is in repair, mended, lost or found."""
    return await service.update_item(db, id, changes=body, by=principal.id, seen=seen)


@router.delete("/{id}", status_code=204, dependencies=[require("items:write")])
async def archive_item(db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID) -> None:
    """Take it out of service, for good. What is known of it stays."""
    await service.archive_item(db, id, by=principal.id, seen=seen)


@router.post("/{id}/transfer", response_model=ItemRead, dependencies=[require("items:write")])
async def transfer_item(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID, body: ItemMove
) -> Item:
    """Put it in another place."""
    return await service.move_item(db, id, location_id=body.location_id, by=principal.id, text=body.note, seen=seen)


@router.post("/{id}/checkout", response_model=CheckoutRead, status_code=201, dependencies=[require("items:checkout")])
async def check_out_item(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID, body: ItemCheckOut
) -> ItemCheckout:
    """Lend it; of a restricted item this asks for it, and somebody else decides."""
    return await lending.check_out(db, id, wish=body, by=principal.id, seen=seen)


@router.post("/{id}/checkin", response_model=CheckoutRead, dependencies=[require("items:checkout")])
async def check_in_item(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID, body: ItemCheckIn
) -> ItemCheckout:
    """Take it back, with its condition; with notes of damage as damaged."""
    return await lending.check_in(db, id, back=body, by=principal.id, seen=seen)


@router.get("/{id}/checkouts", response_model=list[CheckoutRead], dependencies=_READ)
async def list_item_checkouts(db: Db, seen: VisiblePlaces, query: Query, id: uuid.UUID) -> Page[ItemCheckout]:
    """Every time that it was lent or asked for, newest first."""
    item = await service.get_item(db, id, seen=seen)
    return await page(db, select(ItemCheckout).where(ItemCheckout.item_id == item.id), ItemCheckout.id, query)


@router.get("/{id}/activity", response_model=list[ActivityRead], dependencies=_READ)
async def list_item_activity(db: Db, seen: VisiblePlaces, query: Query, id: uuid.UUID) -> Page[ItemActivity]:
    """What was done with it, newest first."""
    item = await service.get_item(db, id, seen=seen)
    return await page(db, select(ItemActivity).where(ItemActivity.item_id == item.id), ItemActivity.id, query)
