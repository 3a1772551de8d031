"""`/api/v1/warehouse/products/low-stock` and `/warehouse/stock/reorder-rules`: what is to be bought again."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy import select

from cloud_api.inventory.replenishment import queries, service
from cloud_api.inventory.replenishment.models import ReorderRule
from cloud_api.inventory.replenishment.schemas import (
    LowStockRead,
    ReorderRuleCreate,
    ReorderRuleRead,
    ReorderRuleUpdate,
)
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import BadCursor, Page, PageQuery, decode_cursor, encode_cursor, page
from cloud_api.kernel.permissions import require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.places.visibility import VisiblePlaces

router = APIRouter(prefix="/warehouse", tags=["inventory"], route_class=ApiRoute)

_RULES = "/stock/reorder-rules"


@router.get("/products/low-stock", response_model=list[LowStockRead], dependencies=[require("products:read")])
async def list_low_stock(
    db: Db,
    seen: VisiblePlaces,
    query: Annotated[PageQuery, Depends()],
    warehouse_id: uuid.UUID | None = None,
    product_id: uuid.UUID | None = None,
) -> Page[LowStockRead]:
    """Products of which no more may be sold in a warehouse than their reorder point there, and what to buy."""
    days = await queries.days_in_warehouses(db)
    statement = queries.standings(
        days,
        seen=seen,
        product_ids=None if product_id is None else [product_id],
        warehouse_id=warehouse_id,
        only_low=True,
        after=None if query.cursor is None else _after(query.cursor),
    )
    rows = (await db.execute(statement.limit(query.limit + 1))).tuples().all()
    shown = [queries.standing_of(*row) for row in rows[: query.limit]]
    last = shown[-1] if len(rows) > query.limit else None
    cursor = None
    if last is not None:
        cursor = encode_cursor(last.product.id.bytes + (last.warehouse_id or queries.NOWHERE).bytes)
    return Page([_low(one) for one in shown], query.limit, cursor)


@router.get(_RULES, response_model=list[ReorderRuleRead], dependencies=[require("stock:read")])
async def list_reorder_rules(
    db: Db,
    seen: VisiblePlaces,
    query: Annotated[PageQuery, Depends()],
    product_id: uuid.UUID | None = None,
    warehouse_id: uuid.UUID | None = None,
) -> Page[ReorderRule]:
    """When products are to be bought again in single warehouses, newest rule first."""
    statement = select(ReorderRule).where(seen.warehouses(ReorderRule.warehouse_id))
    if product_id is not None:
        statement = statement.where(ReorderRule.product_id == product_id)
    if warehouse_id is not None:
        statement = statement.where(ReorderRule.warehouse_id == warehouse_id)
    return await page(db, statement, ReorderRule.id, query)


@router.post(_RULES, response_model=ReorderRuleRead, status_code=201, dependencies=[require("stock:write")])
async def create_reorder_rule(db: Db, seen: VisiblePlaces, body: ReorderRuleCreate) -> ReorderRule:
    """Say when a product is to be bought again in one warehouse, whatever the product itself says."""
    return await service.create_rule(db, new=body, seen=seen)


@router.get(_RULES + "/{id}", response_model=ReorderRuleRead, dependencies=[require("stock:read")])
async def get_reorder_rule(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> ReorderRule:
    """One rule."""
    return await service.get_rule(db, id, seen=seen)


@router.put(_RULES + "/{id}", response_model=ReorderRuleRead, dependencies=[require("stock:write")])
async def update_reorder_rule(db: Db, seen: VisiblePlaces, id: uuid.UUID, body: ReorderRuleUpdate) -> ReorderRule:
    """Change a rule; what is not sent stays."""
    return await service.update_rule(db, id, changes=body, seen=seen)


@router.delete(_RULES + "/{id}", status_code=204, dependencies=[require("stock:write")])
async def delete_reorder_rule(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> None:
    """From now on the product's own reorder point counts there."""
    await service.delete_rule(db, id, seen=seen)


def _after(cursor: str) -> tuple[uuid.UUID, uuid.UUID]:
    raw = decode_cursor(cursor)
    if len(raw) != 32:
        raise BadCursor
    return uuid.UUID(bytes=raw[:16]), uuid.UUID(bytes=raw[16:])


def _low(one: queries.Standing) -> LowStockRead:
    return LowStockRead(
        product_id=one.product.id,
        sku=one.product.sku,
        name=one.product.name,
        unit=one.product.unit,
        warehouse_id=one.warehouse_id,
        available=one.available,
        reorder_point=one.reorder_point,
        shortage=one.shortage,
        suggested_quantity=one.suggested_quantity,
        lead_time_days=None if one.rule is None else one.rule.lead_time_days,
    )
