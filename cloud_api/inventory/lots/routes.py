"""`/api/v1/warehouse/batches`: lots, what may be done with them, and where they came from and went."""

import uuid
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.inventory.ledger import service as ledger
from cloud_api.inventory.ledger.models import Lot
from cloud_api.inventory.lots import listing, service
from cloud_api.inventory.lots.queries import Standing, calendar, standing_of
from cloud_api.inventory.lots.schemas import (
    ExpiringRead,
    LotHold,
    LotMerge,
    LotRead,
    LotRelease,
    LotRepack,
    LotSplit,
    LotStatus,
    LotUpdate,
    TracedLot,
    TracedPlace,
    TracedStep,
    TraceRead,
    TransformationRead,
)
from cloud_api.inventory.lots.tracing import Direction, trace
from cloud_api.inventory.stock.schemas import MovementRead, Search
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.money import unit_price_from_integer
from cloud_api.kernel.paging import Page, PageQuery, RowsQuery
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.places.queries import Visible
from cloud_api.places.visibility import VisiblePlaces

router = APIRouter(prefix="/warehouse", tags=["inventory"], route_class=ApiRoute)

_Paging = Annotated[PageQuery, Depends()]


@router.get("/batches", response_model=list[LotRead], dependencies=[require("stock:read")])
async def list_lots(
    db: Db,
    seen: VisiblePlaces,
    query: Annotated[RowsQuery, Depends()],
    product_id: uuid.UUID | None = None,
    variant_id: uuid.UUID | None = None,
    lot_number: Annotated[str | None, Query(max_length=64)] = None,
    status: LotStatus | None = None,
    order: Literal["newest", "fefo"] = "newest",
    search: Search = None,
    warehouse_id: uuid.UUID | None = None,
) -> Page[LotRead]:
    """Lots, newest first, or first those that expire first. `search`: words of the lot's number or of its product."""
    days = await calendar(db)
    asked = listing.LotFilter(product_id, variant_id, lot_number, status, search, warehouse_id)
    if order == "fefo":
        rows = await listing.first_expired(db, asked.conditions(days, seen), query)
    else:
        rows = await listing.newest(db, asked.conditions(days, seen), query)
    standing = await standing_of(db, rows.items, days, seen=seen)
    return Page([_read(lot, standing[lot.id]) for lot in rows.items], rows.limit, rows.next_cursor)


@router.get("/batches/expiring", response_model=list[ExpiringRead], dependencies=[require("stock:read")])
async def list_expiring_lots(
    db: Db,
    seen: VisiblePlaces,
    query: _Paging,
    days: Annotated[int, Query(ge=0, le=3650)] = 7,
    product_id: uuid.UUID | None = None,
    warehouse_id: uuid.UUID | None = None,
    search: Search = None,
) -> Page[ExpiringRead]:
    """What lies somewhere and has at most so many days left, by the calendar of that place: first to expire first."""
    today = await calendar(db)
    conditions = listing.expiring(today, days=days, product_id=product_id, warehouse_id=warehouse_id, seen=seen)
    rows = await listing.soonest(db, [*conditions, *listing.named(search)], query)
    standing = await standing_of(db, rows.items, today, seen=seen)
    items = [_expiring(lot, standing[lot.id]) for lot in rows.items]
    return Page(items, rows.limit, rows.next_cursor)


@router.post(
    "/batches/merge", response_model=TransformationRead, status_code=201, dependencies=[require("stock:write")]
)
async def merge_lots(db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, body: LotMerge) -> TransformationRead:
    """Put lots of one product together into a new one."""
    return _made(await service.merge_lots(db, wanted=body, recorded_by=principal.id, seen=seen))


@router.get("/batches/{id}", response_model=LotRead, dependencies=[require("stock:read")])
async def get_lot(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> LotRead:
    """One lot."""
    return await _answer(db, await ledger.get_lot(db, id, seen=seen), seen)


@router.put("/batches/{id}", response_model=LotRead, dependencies=[require("stock:write")])
async def update_lot(db: Db, seen: VisiblePlaces, id: uuid.UUID, body: LotUpdate) -> LotRead:
    """Correct a lot's grade or expiry, with a reason."""
    return await _answer(db, await service.update_lot(db, id, changes=body, seen=seen), seen)


@router.post("/batches/{id}/hold", response_model=LotRead, dependencies=[require("stock:write")])
async def hold_lot(db: Db, seen: VisiblePlaces, id: uuid.UUID, body: LotHold) -> LotRead:
    """Keep a lot from being sold."""
    return await _answer(db, await service.hold_lot(db, id, wanted=body, seen=seen), seen)


@router.post("/batches/{id}/release", response_model=LotRead, dependencies=[require("quality:approve")])
async def release_lot(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID, body: LotRelease
) -> LotRead:
    """Let a lot that people put on hold be sold again, as far as nothing else holds it."""
    lot = await service.release_lot(db, id, reason=body.reason, decided_by=principal.id, seen=seen)
    return await _answer(db, lot, seen)


@router.post(
    "/batches/{id}/split", response_model=TransformationRead, status_code=201, dependencies=[require("stock:write")]
)
async def split_lot(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID, body: LotSplit
) -> TransformationRead:
    """Make new lots of what lies in a place of one."""
    return _made(await service.split_lot(db, id, wanted=body, recorded_by=principal.id, seen=seen))


@router.post(
    "/batches/{id}/repack", response_model=TransformationRead, status_code=201, dependencies=[require("stock:write")]
)
async def repack_lot(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID, body: LotRepack
) -> TransformationRead:
    """Pack a part of a lot as other products, variants or sizes."""
    return _made(await service.repack_lot(db, id, wanted=body, recorded_by=principal.id, seen=seen))


@router.get("/batches/{id}/trace", response_model=TraceRead, dependencies=[require("stock:read")])
async def trace_lot(
    db: Db, seen: VisiblePlaces, query: _Paging, id: uuid.UUID, direction: Direction = "both"
) -> TraceRead:
    """Follow a lot: from suppliers, through what was made of it, to customers. Shipments come in pages."""
    found = await trace(db, id, direction=direction, query=query, seen=seen)
    return TraceRead(
        direction=direction,
        lots=[TracedLot.model_validate(lot) for lot in found.lots],
        steps=[TracedStep.model_validate(step) for step in found.steps],
        receipts=[MovementRead.model_validate(movement) for movement in found.receipts],
        shipments=[MovementRead.model_validate(movement) for movement in found.shipments.items],
        places=[TracedPlace.model_validate(level) for level in found.levels],
        next_cursor=found.shipments.next_cursor,
        truncated=found.truncated,
    )


async def _answer(db: AsyncSession, lot: Lot, seen: Visible) -> LotRead:
    return _read(lot, (await standing_of(db, [lot], await calendar(db), seen=seen))[lot.id])


def _facts(lot: Lot) -> dict[str, object]:
    names = LotRead.model_fields.keys() & {column.key for column in Lot.__table__.columns} - {"unit_cost"}
    cost = None if lot.unit_cost is None else unit_price_from_integer(lot.unit_cost)
    return {**{name: getattr(lot, name) for name in names}, "unit_cost": cost}


def _read(lot: Lot, its: Standing) -> LotRead:
    standing = {"on_hand": its.on_hand, "weight_g": its.weight_g, "status": its.status, "reasons": its.reasons}
    return LotRead.model_validate({**_facts(lot), **standing})


def _expiring(lot: Lot, its: Standing) -> ExpiringRead:
    until: date | None = its.keeps_until or lot.expires_on
    return ExpiringRead.model_validate({**dict(_read(lot, its)), "keeps_until": until, "days_left": its.days_left})


def _made(made: service.Made) -> TransformationRead:
    movements: Sequence[MovementRead] = [MovementRead.model_validate(movement) for movement in made.movements]
    return TransformationRead(
        group_id=made.group_id, loss_g=made.loss_g, lots=[lot.id for lot in made.lots], movements=[*movements]
    )
