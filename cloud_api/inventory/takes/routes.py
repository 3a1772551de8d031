"""`/api/v1/warehouse/stock/takes`: counting what lies there.

Of a blind take nobody is told what ought to lie there while it is counted; in review those are who may approve it;
then everybody.
"""

import uuid
from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy import select

from cloud_api.inventory.ledger.models import Lot
from cloud_api.inventory.takes import queries, scans, service
from cloud_api.inventory.takes.models import StockTake, StockTakeCount, StockTakeLine
from cloud_api.inventory.takes.queries import Progress
from cloud_api.inventory.takes.schemas import (
    CountRead,
    CountsEnter,
    LineRead,
    Status,
    TakeCreate,
    TakeRead,
    TakeSubmit,
    TakeWithLinesRead,
)
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import CurrentPrincipal, Principal, require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.places.visibility import VisiblePlaces

router = APIRouter(prefix="/warehouse/stock/takes", tags=["inventory"], route_class=ApiRoute)

_APPROVE = "stock:approve"


@router.get("", response_model=list[TakeRead], dependencies=[require("stock:read")])
async def list_stock_takes(
    db: Db,
    principal: CurrentPrincipal,
    seen: VisiblePlaces,
    query: Annotated[PageQuery, Depends()],
    warehouse_id: uuid.UUID | None = None,
    status: Status | None = None,
) -> Page[TakeRead]:
    """Newest first."""
    statement = select(StockTake).where(seen.warehouses(StockTake.warehouse_id))
    if warehouse_id is not None:
        statement = statement.where(StockTake.warehouse_id == warehouse_id)
    if status is not None:
        statement = statement.where(StockTake.status == status)
    rows = await page(db, statement, StockTake.id, query)
    progress = await queries.progress_of(db, [take.id for take in rows.items])
    return Page([_read(take, progress, principal) for take in rows.items], rows.limit, rows.next_cursor)


@router.post("", response_model=TakeRead, status_code=201, dependencies=[require("stock:write")])
async def create_stock_take(db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, body: TakeCreate) -> TakeRead:
    """Begin to count, or plan to."""
    take = await service.create_take(db, new=body, created_by=principal.id, seen=seen)
    return await _told(db, take, principal)


@router.get("/{id}", response_model=TakeWithLinesRead, dependencies=[require("stock:read")])
async def get_stock_take(db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID) -> TakeWithLinesRead:
    """One stock take with its lines."""
    take = await service.get_take(db, id, seen=seen)
    its = (
        select(StockTakeLine, Lot.lot_number)
        .join(Lot, Lot.id == StockTakeLine.lot_id)
        .where(StockTakeLine.take_id == take.id)
        .order_by(StockTakeLine.id)
    )
    rows = (await db.execute(its)).tuples().all()
    large = {line.id for line in await service.needs_approval(db, [line for line, _ in rows])}
    return TakeWithLinesRead(
        **(await _told(db, take, principal)).model_dump(),
        details=[_line(line, lot_number, line.id in large, _tells(take, principal)) for line, lot_number in rows],
    )


@router.get("/{id}/counts", response_model=list[CountRead], dependencies=[require("stock:read")])
async def list_stock_take_counts(
    db: Db, seen: VisiblePlaces, id: uuid.UUID, query: Annotated[PageQuery, Depends()]
) -> Page[StockTakeCount]:
    """Everything that anybody counted for it, newest first."""
    take = await service.get_take(db, id, seen=seen)
    its = select(StockTakeCount).where(StockTakeCount.take_id == take.id)
    return await page(db, its, StockTakeCount.id, query)


@router.post("/{id}/start", response_model=TakeRead, dependencies=[require("stock:write")])
async def start_stock_take(db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID) -> TakeRead:
    """Write down what ought to lie there, and let people count."""
    take = await service.start_take(db, id, started_by=principal.id, seen=seen)
    return await _told(db, take, principal)


@router.post("/{id}/counts", response_model=list[LineRead], status_code=201, dependencies=[require("stock:write")])
async def enter_stock_counts(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID, body: CountsEnter
) -> Sequence[LineRead]:
    """Enter what was counted by hand, by scanner, by tag reader or by scale: all of it, or nothing."""
    take = await service.get_take(db, id, seen=seen)
    counts = await scans.resolve(db, body.counts)
    lines = await service.enter_counts(db, id, counts, counted_by=principal.id, seen=seen)
    its = select(Lot.id, Lot.lot_number).where(Lot.id.in_(line.lot_id for line in lines))
    numbers = dict((await db.execute(its)).tuples().all())
    return [_line(line, numbers[line.lot_id], False, _tells(take, principal)) for line in lines]


@router.post("/{id}/submit", response_model=TakeRead, dependencies=[require("stock:write")])
async def submit_stock_take(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID, body: TakeSubmit
) -> TakeRead:
    """Nobody counts any more: the differences are reckoned."""
    take = await service.submit_take(db, id, uncounted=body.uncounted, submitted_by=principal.id, seen=seen)
    return await _told(db, take, principal)


@router.post("/{id}/reopen", response_model=TakeRead, dependencies=[require("stock:write")])
async def reopen_stock_take(db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID) -> TakeRead:
    """Something has to be counted again."""
    return await _told(db, await service.reopen_take(db, id, seen=seen), principal)


@router.post("/{id}/approve", response_model=TakeRead, dependencies=[require(_APPROVE)])
async def approve_stock_take(db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID) -> TakeRead:
    """Let differences be booked that are larger than the organisation books unseen; not by whoever counted."""
    take = await service.approve_take(db, id, approved_by=principal.id, seen=seen)
    return await _told(db, take, principal)


@router.post("/{id}/complete", response_model=TakeRead, dependencies=[require("stock:write")])
async def complete_stock_take(db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID) -> TakeRead:
    """Book the differences as adjustments, all of them or none."""
    take = await service.complete_take(db, id, completed_by=principal.id, seen=seen)
    return await _told(db, take, principal)


@router.post("/{id}/cancel", response_model=TakeRead, dependencies=[require("stock:write")])
async def cancel_stock_take(db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID) -> TakeRead:
    """Book nothing."""
    return await _told(db, await service.cancel_take(db, id, seen=seen), principal)


def _tells(take: StockTake, principal: Principal) -> bool:
    """Whether somebody is told what ought to lie there."""
    if not take.blind or take.status in {"completed", "cancelled"}:
        return True
    return take.status == "review" and principal.may(_APPROVE)


async def _told(db: Db, take: StockTake, principal: Principal) -> TakeRead:
    return _read(take, await queries.progress_of(db, [take.id]), principal)


def _read(take: StockTake, progress: Mapping[uuid.UUID, Progress], principal: Principal) -> TakeRead:
    its = progress.get(take.id, Progress())
    reckoned = take.status in {"review", "completed"} and its.counted and _tells(take, principal)
    columns = {name: getattr(take, name) for name in TakeRead.model_fields if hasattr(take, name)}
    return TakeRead.model_validate(
        {
            **columns,
            "lines": its.lines,
            "counted": its.counted,
            "accuracy_pct": round(100 * (1 - its.differing / its.counted), 2) if reckoned else None,
        }
    )


def _line(line: StockTakeLine, lot_number: str, is_large: bool, told: bool) -> LineRead:
    return LineRead(
        id=line.id,
        product_id=line.product_id,
        lot_id=line.lot_id,
        lot_number=lot_number,
        location_id=line.location_id,
        expected=line.expected if told else None,
        expected_weight_g=line.expected_weight_g if told else None,
        moved=line.booked - line.expected if told and line.booked is not None else None,
        counted=line.counted,
        counted_weight_g=line.counted_weight_g,
        difference=line.difference if told else None,
        difference_weight_g=line.difference_weight_g if told else None,
        is_large=is_large if told else None,
        method=line.method,
        counted_by=line.counted_by,
        counted_at=line.counted_at,
    )
