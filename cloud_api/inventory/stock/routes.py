"""`/api/v1/warehouse/stock`: receipts, corrections, movements, levels, and what all of it is worth."""

import uuid
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime

from cloud_api.identity.organizations import service as organizations
from cloud_api.inventory.ledger import service as ledger
from cloud_api.inventory.ledger.models import StockLevel, StockMovement
from cloud_api.inventory.stock import service
from cloud_api.inventory.stock.listing import LevelSort, levels
from cloud_api.inventory.stock.queries import LevelFilter, MovementFilter, expected, per_product
from cloud_api.inventory.stock.schemas import (
    ExpectedRead,
    GoodsReceive,
    LevelOpen,
    LevelRead,
    LevelSummary,
    LevelUpdate,
    MovementBatch,
    MovementCreate,
    MovementRead,
    MovementReverse,
    MovementType,
    ReceivingRead,
    Search,
    StockAdjust,
    ValuationRead,
    ValuedProduct,
)
from cloud_api.inventory.stock.valuation import amount
from cloud_api.inventory.stock.worth import worth_of
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.money import unit_price_to_integer
from cloud_api.kernel.paging import Page, PageQuery, decode_key, encode_cursor, page
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.quantity import from_thousandths
from cloud_api.kernel.unit_of_work import Db
from cloud_api.places.visibility import VisiblePlaces

router = APIRouter(prefix="/warehouse", tags=["inventory"], route_class=ApiRoute)

_Paging = Annotated[PageQuery, Depends()]


@router.get("/stock/receiving", response_model=ReceivingRead, dependencies=[require("stock:read")])
async def list_receipts(
    db: Db,
    seen: VisiblePlaces,
    warehouse_id: uuid.UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> ReceivingRead:
    """What is on its way into warehouses, and what came in of late, newest first."""
    receipts = MovementFilter(movement_type="inbound", warehouse_id=warehouse_id).statement(seen)
    recent = await db.scalars(receipts.order_by(StockMovement.id.desc()).limit(limit))
    on_its_way = await db.execute(expected(warehouse_id, seen).limit(limit))
    return ReceivingRead(
        expected=[
            ExpectedRead(
                lot_id=level.lot_id,
                product_id=level.product_id,
                location_id=level.location_id,
                to_warehouse_id=to_warehouse_id,
                quantity=level.on_hand,
            )
            for level, to_warehouse_id in on_its_way
        ],
        recent=[MovementRead.model_validate(movement) for movement in recent],
    )


@router.post("/stock/receiving", response_model=MovementRead, status_code=201, dependencies=[require("stock:write")])
async def receive_goods(db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, body: GoodsReceive) -> StockMovement:
    """Take goods in. Send an `Idempotency-Key`: a receipt sent twice is then booked once."""
    facts = dict(body)
    facts["unit_cost"] = None if body.unit_cost is None else unit_price_to_integer(body.unit_cost)
    return await service.receive_goods(db, **facts, recorded_by=principal.id, seen=seen)


@router.post(
    "/stock/adjustment", response_model=MovementRead | None, status_code=201, dependencies=[require("stock:write")]
)
async def adjust_stock(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, body: StockAdjust
) -> StockMovement | None:
    """Correct what a place holds of a lot, with a reason. Nothing is booked when the count is what was thought."""
    facts = {name: value for name, value in body if name not in {"delta", "counted", "effective_at"}}
    if body.counted is not None:
        return await service.count_stock(db, **facts, counted=body.counted, recorded_by=principal.id, seen=seen)
    assert body.delta is not None  # noqa: S101 - the body has one of both
    return await service.adjust_stock(
        db, **facts, delta=body.delta, effective_at=body.effective_at, recorded_by=principal.id, seen=seen
    )


@router.post("/stock/batch", response_model=list[MovementRead], status_code=201, dependencies=[require("stock:write")])
async def record_batch(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, body: MovementBatch
) -> Sequence[StockMovement]:
    """Book several movements, all or none. Of a transfer both ends are answered."""
    return await service.record_movements(db, body.movements, recorded_by=principal.id, seen=seen)


@router.get("/stock/valuation", response_model=ValuationRead, dependencies=[require("stock:read")])
async def value_stock(
    db: Db,
    seen: VisiblePlaces,
    method: Literal["fifo", "average"] = "fifo",
    on: date | None = None,
    product_id: uuid.UUID | None = None,
    warehouse_id: uuid.UUID | None = None,
) -> ValuationRead:
    """What stock was worth at the end of a day, today unless said otherwise, from the ledger alone.

    An entry that is written later, with the time it happened, is in the next answer: nothing is posted again.
    """
    on = on or await organizations.today(db)
    found = [
        (key, worth)
        for key, worth in sorted((await worth_of(db, method=method, on=on)).items(), key=_by_key)
        if seen.shows(key[1]) and product_id in {None, key[0]} and warehouse_id in {None, key[1]}
    ]
    return ValuationRead(
        method=method,
        on=on,
        value=amount(sum(worth.value for _, worth in found)),
        value_in=amount(sum(worth.value_in for _, worth in found)),
        value_out=amount(sum(worth.value_out for _, worth in found)),
        products=[
            ValuedProduct(
                product_id=key[0],
                warehouse_id=key[1],
                quantity=from_thousandths(worth.quantity),
                value=amount(worth.value),
                value_in=amount(worth.value_in),
                value_out=amount(worth.value_out),
            )
            for key, worth in found
        ],
    )


def _by_key(found: tuple[tuple[uuid.UUID, uuid.UUID | None], object]) -> tuple[str, str]:
    (product_id, warehouse_id), _ = found
    return str(product_id), str(warehouse_id or "")


@router.get("/stock/levels", response_model=list[LevelRead], dependencies=[require("stock:read")])
async def list_levels(
    db: Db,
    seen: VisiblePlaces,
    query: _Paging,
    product_id: uuid.UUID | None = None,
    variant_id: uuid.UUID | None = None,
    warehouse_id: uuid.UUID | None = None,
    location_id: uuid.UUID | None = None,
    lot_id: uuid.UUID | None = None,
    status: Literal["available", "on_hold"] | None = None,
    search: Search = None,
    in_stock: bool | None = None,
    sort: LevelSort = "-created_at",
) -> Page[LevelRead]:
    """What lies where, and how much of it may be sold. `search`: words of the product, the lot or the place."""
    asked = LevelFilter(product_id, variant_id, warehouse_id, location_id, lot_id, status, search, in_stock)
    rows = await levels(db, asked, seen=seen, sort=sort, query=query)
    return Page([_read(level) for level in rows.items], rows.limit, rows.next_cursor)


@router.get("/stock/levels/summary", response_model=list[LevelSummary], dependencies=[require("stock:read")])
async def summarise_levels(
    db: Db,
    seen: VisiblePlaces,
    query: _Paging,
    product_id: Annotated[list[uuid.UUID] | None, Query(max_length=200)] = None,
    variant_id: uuid.UUID | None = None,
    warehouse_id: uuid.UUID | None = None,
    location_id: uuid.UUID | None = None,
    lot_id: uuid.UUID | None = None,
    status: Literal["available", "on_hold"] | None = None,
    search: Search = None,
    in_stock: bool | None = None,
) -> Page[LevelSummary]:
    """What there is of each product, over the levels that are asked for; the newest product first."""
    asked = LevelFilter(None, variant_id, warehouse_id, location_id, lot_id, status, search, in_stock)
    statement = per_product(asked, seen)
    if product_id is not None:
        statement = statement.where(StockLevel.product_id.in_(product_id))
    if query.cursor is not None:
        statement = statement.where(StockLevel.product_id < decode_key(query.cursor))
    rows = (await db.execute(statement.limit(query.limit + 1))).all()
    items = [
        LevelSummary(
            product_id=row.product_id,
            on_hand=row.on_hand,
            reserved=row.reserved,
            on_hold=row.on_hold,
            available=row.available,
            weight_g=row.weight_g,
            levels=row.levels,
        )
        for row in rows[: query.limit]
    ]
    more = encode_cursor(items[-1].product_id.bytes) if len(rows) > query.limit else None
    return Page(items, query.limit, more)


@router.post("/stock/levels", response_model=LevelRead, status_code=201, dependencies=[require("stock:write")])
async def open_level(db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, body: LevelOpen) -> LevelRead:
    """Begin the record of a lot in a place with what lies there: an opening balance."""
    opening = MovementCreate(movement_type="opening", **dict(body))
    [movement] = await service.record_movements(db, [opening], recorded_by=principal.id, seen=seen)
    return _read(await service.level_at(db, lot_id=movement.lot_id, location_id=movement.location_id))


@router.get("/stock/levels/{id}", response_model=LevelRead, dependencies=[require("stock:read")])
async def get_level(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> LevelRead:
    """One record."""
    return _read(await service.get_level(db, id, seen=seen))


@router.patch("/stock/levels/{id}", response_model=LevelRead, dependencies=[require("stock:write")])
async def update_level(db: Db, seen: VisiblePlaces, id: uuid.UUID, body: LevelUpdate) -> LevelRead:
    """Say when a record was counted and what it ought to hold; quantities change by movements only."""
    return _read(await service.update_level(db, id, changes=body, seen=seen))


@router.delete("/stock/levels/{id}", status_code=204, dependencies=[require("stock:write")])
async def remove_level(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> None:
    """Take an empty record away."""
    await service.remove_level(db, id, seen=seen)


@router.get("/stock/movements", response_model=list[MovementRead], dependencies=[require("stock:read")])
async def list_movements(
    db: Db,
    seen: VisiblePlaces,
    query: _Paging,
    product_id: uuid.UUID | None = None,
    lot_id: uuid.UUID | None = None,
    warehouse_id: uuid.UUID | None = None,
    location_id: uuid.UUID | None = None,
    group_id: uuid.UUID | None = None,
    movement_type: MovementType | None = None,
    reference: Annotated[str | None, Query(max_length=120)] = None,
    since: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    until: Annotated[AwareDatetime | None, Query(alias="to")] = None,
) -> Page[StockMovement]:
    """The ledger, newest first; `from` and `to` are about when things happened."""
    asked = MovementFilter(
        product_id, lot_id, warehouse_id, location_id, group_id, movement_type, reference, since, until
    )
    return await page(db, asked.statement(seen), StockMovement.id, query)


@router.post("/stock/movements", response_model=MovementRead, status_code=201, dependencies=[require("stock:write")])
async def record_movement(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, body: MovementCreate
) -> StockMovement:
    """Book one movement, of any type. Of a transfer what left is answered; what arrived has the same `group_id`."""
    return (await service.record_movements(db, [body], recorded_by=principal.id, seen=seen))[0]


@router.get("/stock/movements/{id}", response_model=MovementRead, dependencies=[require("stock:read")])
async def get_movement(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> StockMovement:
    """One entry of the ledger."""
    return await ledger.get_movement(db, id, seen=seen)


@router.post(
    "/stock/movements/{id}/reverse",
    response_model=list[MovementRead],
    status_code=201,
    dependencies=[require("stock:write")],
)
async def reverse_movement(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID, body: MovementReverse
) -> Sequence[StockMovement]:
    """Undo a booking, and all that was booked together with it, by counter-entries."""
    return await service.reverse_movement(db, id, reason=body.reason, recorded_by=principal.id, seen=seen)


def _read(level: StockLevel) -> LevelRead:
    free = level.on_hand - level.reserved
    facts = {name: getattr(level, name) for name in LevelRead.model_fields if name != "available"}
    return LevelRead(**facts, available=free if level.status == "available" else free * 0)
