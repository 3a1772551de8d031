"""How much of what may be sold, by product and warehouse, and where that is too little."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    Uuid,
    and_,
    case,
    func,
    literal,
    null,
    or_,
    select,
    tuple_,
    type_coerce,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.products.models import Product
from cloud_api.identity.organizations import service as organizations
from cloud_api.inventory.ledger.models import Lot, StockLevel
from cloud_api.inventory.replenishment.models import ReorderRule
from cloud_api.inventory.reservations.queries import last_day
from cloud_api.kernel import clock
from cloud_api.kernel.columns import Quantity
from cloud_api.places.models import Location, Warehouse
from cloud_api.places.queries import EVERYWHERE, Visible

#: where a product lies that never lay anywhere
NOWHERE = uuid.UUID(int=0)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a product stands in a warehouse."""

    product: Product
    warehouse_id: uuid.UUID | None
    available: Decimal
    reorder_point: Decimal
    rule: ReorderRule | None

    @property
    def is_low(self) -> bool:
        """Whether it is to be bought again."""
        return self.available <= self.reorder_point

    @property
    def shortage(self) -> Decimal:
        """What is missing to the reorder point."""
        return max(self.reorder_point - self.available, Decimal(0))

    @property
    def suggested_quantity(self) -> Decimal:
        """What to buy: up to the level that is wanted, or so many times the usual quantity that it is above."""
        up_to = self.product.max_stock_level if self.rule is None else self.rule.up_to_level
        at_a_time = None if self.rule is None else self.rule.reorder_quantity
        if at_a_time is None and up_to is None:
            at_a_time = self.product.reorder_quantity
        if at_a_time is not None and at_a_time > 0:
            times = (self.shortage / at_a_time).to_integral_value(rounding="ROUND_CEILING")
            return at_a_time * max(times, Decimal(1))
        return self.shortage if up_to is None else max(up_to - self.available, self.shortage)


@dataclass(frozen=True, slots=True)
class Days:
    """What day it is: most warehouses have the organisation's, some their own."""

    usual: date
    #: warehouse -> its day, where that is another
    others: dict[uuid.UUID, date]

    def in_warehouse(self) -> ColumnElement[date]:
        """The day in the warehouse of the joined place."""
        if not self.others:
            return literal(self.usual)
        return case(
            *((Location.warehouse_id == id, literal(day)) for id, day in self.others.items()), else_=literal(self.usual)
        )

    def of(self, warehouse_id: uuid.UUID) -> date:
        """The day in a warehouse."""
        return self.others.get(warehouse_id, self.usual)


async def days_in_warehouses(db: AsyncSession) -> Days:
    """The day in every warehouse."""
    usual, now = await organizations.today(db), clock.now()
    zones = await db.execute(select(Warehouse.id, Warehouse.timezone).where(Warehouse.timezone.is_not(None)))
    days = {id: now.astimezone(ZoneInfo(zone)).date() for id, zone in zones}
    return Days(usual, {id: day for id, day in days.items() if day != usual})


def standing_of(
    product: Product, warehouse_id: uuid.UUID | None, available: Decimal, rule: ReorderRule | None
) -> Standing:
    """A row of `standings`."""
    point = product.reorder_point if rule is None else rule.reorder_point
    return Standing(product, warehouse_id, available, point or Decimal(0), rule)


def sellable(days: Days) -> ColumnElement[bool]:
    """Whether a level that is joined with its lot and its place may be sold today."""
    return and_(StockLevel.status == "available", or_(last_day().is_(None), last_day() >= days.in_warehouse()))


def standings(
    days: Days,
    *,
    seen: Visible = EVERYWHERE,
    product_ids: Collection[uuid.UUID] | None = None,
    warehouse_id: uuid.UUID | None = None,
    only_low: bool = False,
    after: tuple[uuid.UUID, uuid.UUID] | None = None,
) -> Select[tuple[Product, uuid.UUID | None, Decimal, ReorderRule | None]]:
    """How products stand that have a reorder point, in every warehouse where they lie or have a rule; by key.

    Args:
        after: the product and warehouse of the last one before.
    """
    each = _available(days, seen, product_ids, warehouse_id).subquery()
    total = (
        select(each.c.product_id, each.c.warehouse_id, func.sum(each.c.available).label("available"))
        .group_by(each.c.product_id, each.c.warehouse_id)
        .subquery()
    )
    point = func.coalesce(ReorderRule.reorder_point, Product.reorder_point)
    place = func.coalesce(total.c.warehouse_id, literal(NOWHERE, Uuid()))
    statement = (
        select(Product, total.c.warehouse_id, type_coerce(total.c.available, Quantity), ReorderRule)
        .join(total, total.c.product_id == Product.id)
        .outerjoin(
            ReorderRule,
            and_(ReorderRule.product_id == total.c.product_id, ReorderRule.warehouse_id == total.c.warehouse_id),
        )
        .where(point.is_not(None), Product.status == "active")
        .order_by(Product.id.desc(), place.desc())
    )
    if only_low:
        statement = statement.where(total.c.available <= point)
    if after is not None:
        last = tuple_(literal(after[0], Uuid()), literal(after[1], Uuid()))
        statement = statement.where(tuple_(Product.id, place) < last)
    return statement


def _available(
    days: Days, seen: Visible, product_ids: Collection[uuid.UUID] | None, warehouse_id: uuid.UUID | None
) -> CompoundSelect[tuple[uuid.UUID, uuid.UUID | None, Decimal]]:
    """What may be sold of products where they lie, and nothing where they have a rule, or lie nowhere; to be added."""
    free = case((sellable(days), StockLevel.on_hand - StockLevel.reserved), else_=literal(Decimal(0), Quantity))
    zero = literal(Decimal(0), Quantity)
    lying = (
        select(StockLevel.product_id, Location.warehouse_id, func.sum(free).label("available"))
        .join(Lot, Lot.id == StockLevel.lot_id)
        .join(Location, Location.id == StockLevel.location_id)
        .where(Location.warehouse_id.is_not(None), seen.warehouses(Location.warehouse_id))
        .group_by(StockLevel.product_id, Location.warehouse_id)
    )
    ruled = select(ReorderRule.product_id, ReorderRule.warehouse_id, zero.label("available")).where(
        seen.warehouses(ReorderRule.warehouse_id)
    )
    levels, rules = select(StockLevel.id), select(ReorderRule.id)
    nowhere = select(Product.id.label("product_id"), null().label("warehouse_id"), zero.label("available")).where(
        Product.reorder_point.is_not(None),
        ~levels.where(StockLevel.product_id == Product.id).exists(),
        ~rules.where(ReorderRule.product_id == Product.id).exists(),
    )
    if product_ids is not None:
        lying = lying.where(StockLevel.product_id.in_(product_ids))
        ruled = ruled.where(ReorderRule.product_id.in_(product_ids))
        nowhere = nowhere.where(Product.id.in_(product_ids))
    if warehouse_id is not None:
        lying = lying.where(Location.warehouse_id == warehouse_id)
        ruled = ruled.where(ReorderRule.warehouse_id == warehouse_id)
    return union_all(lying, ruled) if warehouse_id is not None else union_all(lying, ruled, nowhere)
