"""`/api/v1/items`: things that are lent and come back."""

import uuid
from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.inventory.assets import lending, queries, reading, service
from cloud_api.inventory.assets.models import Item, ItemActivity, ItemCheckout
from cloud_api.inventory.assets.schemas import (
    ActivityRead,
    BorrowerRead,
    CheckoutRead,
    Decision,
    ItemCheckIn,
    ItemCheckOut,
    ItemCreate,
    ItemFilter,
    ItemMove,
    ItemRead,
    ItemUpdate,
)
from cloud_api.inventory.assets.states import CheckoutStatus
from cloud_api.kernel import clock
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, RowsQuery, page
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.sorting import sorted_page
from cloud_api.kernel.unit_of_work import Db
from cloud_api.places.visibility import VisiblePlaces

router = APIRouter(prefix="/items", tags=["inventory"], route_class=ApiRoute)

Query = Annotated[PageQuery, Depends()]
_READ = [require("items:read")]
_SORTED_BY = {"name": Item.name, "last_activity_at": Item.last_activity_at}


@router.get("", response_model=list[ItemRead], dependencies=_READ)
async def list_items(
    db: Db,
    seen: VisiblePlaces,
    query: Annotated[RowsQuery, Depends()],
    wanted: Annotated[ItemFilter, Depends()],
) -> Page[ItemRead]:
    """Newest first, or as `sort` says, each with who has it. `search` finds parts of names, numbers, serial numbers and
    bar codes. A page's cursor goes on with the same `sort`."""
    found = await sorted_page(db, queries.matching(seen, wanted), Item.id, query, sort=wanted.sort, columns=_SORTED_BY)
    return Page(await reading.read_items(db, found.items), found.limit, found.next_cursor)


@router.post("", response_model=ItemRead, status_code=201, dependencies=[require("items:write")])
async def create_item(db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, body: ItemCreate) -> ItemRead:
    """Register a thing that is lent. It is given its number."""
    return await reading.read_item(db, await service.create_item(db, new=body, by=principal.id, seen=seen))


@router.get("/overdue", response_model=list[CheckoutRead], dependencies=_READ)
async def list_overdue_checkouts(db: Db, seen: VisiblePlaces, query: Query) -> Page[CheckoutRead]:
    """What should be back, what should have been back first at the top."""
    late = queries.overdue(seen, clock.now())
    found = await sorted_page(db, late, ItemCheckout.id, query, sort="due_at", columns={"due_at": ItemCheckout.due_at})
    return await _named(db, found)


@router.get("/approvals", response_model=list[CheckoutRead], dependencies=[require("items:approve")])
async def list_checkout_approvals(db: Db, seen: VisiblePlaces, query: Query) -> Page[CheckoutRead]:
    """What was asked for, and nobody has decided."""
    waiting = queries.checkouts(seen, CheckoutStatus.PENDING_APPROVAL)
    return await _named(db, await page(db, waiting, ItemCheckout.id, query))


@router.post("/approvals/{id}/decide", response_model=CheckoutRead, dependencies=[require("items:approve")])
async def decide_checkout(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID, body: Decision
) -> CheckoutRead:
    """Lend a restricted item, or not: never by who asked for it, or gets it."""
    return await reading.read_checkout(db, await lending.decide(db, id, decision=body, by=principal.id, seen=seen))


@router.get("/borrowers", response_model=list[BorrowerRead], dependencies=[require("items:checkout")])
async def list_borrowers(
    db: Db, query: Annotated[RowsQuery, Depends()], kind: Literal["user", "team"] = "user"
) -> Page[BorrowerRead]:
    """Whom things can be lent to, by name and nothing else: people who work here, or teams. Newest first."""
    return await (reading.borrowers if kind == "user" else reading.borrowing_teams)(db, query)


@router.get("/{id}", response_model=ItemRead, dependencies=_READ)
async def get_item(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> ItemRead:
    """One item, and who has it."""
    return await reading.read_item(db, await service.get_item(db, id, seen=seen))


@router.patch("/{id}", response_model=ItemRead, dependencies=[require("items:write")])
async def update_item(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID, body: ItemUpdate
) -> ItemRead:
    """Change what is sent: what it is, and whether it is in repair, mended, lost or found."""
    return await reading.read_item(db, await service.update_item(db, id, changes=body, by=principal.id, seen=seen))


@router.delete("/{id}", status_code=204, dependencies=[require("items:write")])
async def archive_item(db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID) -> None:
    """Take it out of service, for good. What is known of it stays."""
    await service.archive_item(db, id, by=principal.id, seen=seen)


@router.post("/{id}/transfer", response_model=ItemRead, dependencies=[require("items:write")])
async def transfer_item(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID, body: ItemMove
) -> ItemRead:
    """Put it in another place."""
    moved = await service.move_item(db, id, location_id=body.location_id, by=principal.id, text=body.note, seen=seen)
    return await reading.read_item(db, moved)


@router.post("/{id}/checkout", response_model=CheckoutRead, status_code=201, dependencies=[require("items:checkout")])
async def check_out_item(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID, body: ItemCheckOut
) -> CheckoutRead:
    """Lend it; of a restricted item this asks for it, and somebody else decides."""
    return await reading.read_checkout(db, await lending.check_out(db, id, wish=body, by=principal.id, seen=seen))


@router.post("/{id}/checkin", response_model=CheckoutRead, dependencies=[require("items:checkout")])
async def check_in_item(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID, body: ItemCheckIn
) -> CheckoutRead:
    """Take it back, with its condition; with notes of damage as damaged."""
    return await reading.read_checkout(db, await lending.check_in(db, id, back=body, by=principal.id, seen=seen))


@router.get("/{id}/checkouts", response_model=list[CheckoutRead], dependencies=_READ)
async def list_item_checkouts(db: Db, seen: VisiblePlaces, query: Query, id: uuid.UUID) -> Page[CheckoutRead]:
    """Every time that it was lent or asked for, newest first."""
    item = await service.get_item(db, id, seen=seen)
    its = select(ItemCheckout).where(ItemCheckout.item_id == item.id)
    return await _named(db, await page(db, its, ItemCheckout.id, query))


@router.get("/{id}/activity", response_model=list[ActivityRead], dependencies=_READ)
async def list_item_activity(db: Db, seen: VisiblePlaces, query: Query, id: uuid.UUID) -> Page[ItemActivity]:
    """What was done with it, newest first."""
    item = await service.get_item(db, id, seen=seen)
    return await page(db, select(ItemActivity).where(ItemActivity.item_id == item.id), ItemActivity.id, query)


async def _named(db: AsyncSession, found: Page[ItemCheckout]) -> Page[CheckoutRead]:
    return Page(await reading.read_checkouts(db, found.items), found.limit, found.next_cursor)
