"""Statements over orders, credits and customers: each counts by the steps of a period, and reads indexes only.

`spans` is a `periods.spans_of`; facts are joined to it from the left, so that each step has its row, be it empty, and
the index of the moment is searched once for each.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Select,
    and_,
    case,
    distinct,
    func,
    select,
    true,
    type_coerce,
)
from sqlalchemy.orm import aliased

from cloud_api.analytics.periods import within
from cloud_api.catalog.categories.models import Category
from cloud_api.catalog.products.models import Product
from cloud_api.customers.models import Customer, CustomerAddress
from cloud_api.orders.book.models import CustomerOrder, OrderLine
from cloud_api.orders.book.states import OrderStatus
from cloud_api.orders.payments.models import OrderCredit
from cloud_api.places.queries import Visible

#: a ten-thousandth times a thousandth is so much less than a minor unit
_PRICE_BASE = 100_000


@dataclass(frozen=True)
class Where:
    """Which orders are looked at."""

    seen: Visible
    warehouse_id: uuid.UUID | None = None

    @property
    def condition(self) -> ColumnElement[bool]:
        """Of `CustomerOrder`."""
        return self.of(CustomerOrder)

    def of(self, orders: type[CustomerOrder]) -> ColumnElement[bool]:
        """The same of another name for it in the same statement."""
        named = true() if self.warehouse_id is None else orders.warehouse_id == self.warehouse_id
        return and_(self.seen.warehouses(orders.warehouse_id), named)


def delivered(spans: CTE, where: Where) -> Select[tuple[int, int, int]]:
    """(step, orders delivered in it, their totals)."""
    total = func.coalesce(func.sum(CustomerOrder.total_minor), 0)
    return (
        select(spans.c.number, func.count(CustomerOrder.delivered_at), total)
        .select_from(spans)
        .outerjoin(CustomerOrder, and_(within(spans, CustomerOrder.delivered_at), where.condition))
        .group_by(spans.c.number)
    )


def credited(spans: CTE, where: Where) -> Select[tuple[int, int]]:
    """(step, what was taken off orders in it that have been delivered)."""
    its_order = and_(CustomerOrder.id == OrderCredit.order_id, CustomerOrder.delivered_at.is_not(None), where.condition)
    amount = case((CustomerOrder.id.is_not(None), OrderCredit.amount_minor), else_=0)
    return (
        select(spans.c.number, func.coalesce(func.sum(amount), 0))
        .select_from(spans)
        .outerjoin(OrderCredit, within(spans, OrderCredit.created_at))
        .outerjoin(CustomerOrder, its_order)
        .group_by(spans.c.number)
    )


def placed(spans: CTE, where: Where) -> Select[tuple[int, int, int, int]]:
    """(step, orders placed in it, how many of them are cancelled, customers of the others)."""
    is_cancelled = CustomerOrder.status == OrderStatus.CANCELLED
    cancelled = func.coalesce(func.sum(case((is_cancelled, 1), else_=0)), 0)
    customers = func.count(distinct(case((is_cancelled, None), else_=CustomerOrder.customer_id)))
    return (
        select(spans.c.number, func.count(CustomerOrder.customer_id), cancelled, customers)
        .select_from(spans)
        .outerjoin(CustomerOrder, and_(within(spans, CustomerOrder.created_at), where.condition))
        .group_by(spans.c.number)
    )


def statuses(since: datetime, until: datetime, where: Where) -> Select[tuple[str, int]]:
    """(status, orders placed in the period that have it now)."""
    counted = func.count(CustomerOrder.customer_id)
    asked = select(CustomerOrder.status, counted).where(_placed(since, until), where.condition)
    return asked.group_by(CustomerOrder.status).order_by(counted.desc(), CustomerOrder.status)


def doors(since: datetime, until: datetime, where: Where, *, limit: int) -> Select[Any]:
    """(city, orders, latitude, longitude): counted by door first, because there are fewer doors than orders."""
    by_door = (
        select(CustomerOrder.address_id, func.count(CustomerOrder.customer_id).label("orders"))
        .where(_placed(since, until), CustomerOrder.status != OrderStatus.CANCELLED, where.condition)
        .group_by(CustomerOrder.address_id)
        .subquery()
    )
    city, counted = func.nullif(CustomerAddress.city, ""), func.sum(by_door.c.orders)
    middle = (func.avg(CustomerAddress.latitude), func.avg(CustomerAddress.longitude))
    asked = select(city, counted, *middle).select_from(by_door)
    asked = asked.outerjoin(CustomerAddress, CustomerAddress.id == by_door.c.address_id)
    return asked.group_by(city).order_by(counted.desc(), city).limit(limit)


def categories(since: datetime, until: datetime, where: Where) -> Select[Any]:
    """(category's id, its name, orders, lines, amount) of orders placed in the period that are not cancelled.

    Joined from the left, so that no planner begins with all the lines there are.
    """
    amount = func.sum(line_amount())
    return (
        select(Product.category_id, Category.name, func.count(distinct(OrderLine.order_id)), func.count(), amount)
        .select_from(CustomerOrder)
        .outerjoin(OrderLine, OrderLine.order_id == CustomerOrder.id)
        .outerjoin(Product, Product.id == OrderLine.product_id)
        .outerjoin(Category, Category.id == Product.category_id)
        .where(_placed(since, until), CustomerOrder.status != OrderStatus.CANCELLED, where.condition)
        .group_by(Product.category_id, Category.name)
        .having(func.count(OrderLine.order_id) > 0)
        .order_by(amount.desc(), Category.name)
    )


def new_customers(since: datetime, until: datetime, where: Where) -> Select[tuple[datetime]]:
    """When each customer ordered first who did so in the period; whatever was cancelled left out."""
    earlier = aliased(CustomerOrder)
    # selected from a model, so that it stays within the organisation
    before = (
        select(earlier.customer_id)
        .where(
            earlier.customer_id == CustomerOrder.customer_id,
            earlier.created_at < since,
            earlier.status != OrderStatus.CANCELLED,
            where.of(earlier),
        )
        .exists()
    )
    asked = select(func.min(CustomerOrder.created_at)).where(
        _placed(since, until), CustomerOrder.status != OrderStatus.CANCELLED, where.condition
    )
    return asked.group_by(CustomerOrder.customer_id).having(~before)


def best_customers(since: datetime, until: datetime, where: Where, *, limit: int) -> Select[Any]:
    """(customer, name, orders delivered in the period, their totals), the most first."""
    gross = func.sum(CustomerOrder.total_minor)
    sums = (
        select(CustomerOrder.customer_id, func.count().label("orders"), gross.label("gross"))
        .where(_delivered(since, until), where.condition)
        .group_by(CustomerOrder.customer_id)
        .order_by(gross.desc(), CustomerOrder.customer_id)
        .limit(limit)
        .subquery()
    )
    named = select(Customer.id, Customer.name, sums.c.orders, sums.c.gross).join(
        sums, sums.c.customer_id == Customer.id
    )
    return named.order_by(sums.c.gross.desc(), Customer.name)


def sold(since: datetime, until: datetime, where: Where) -> Select[Any]:
    """(product, orders, quantity, amount) of what was delivered in the period, the most first."""
    amount = func.sum(line_amount())
    quantity = func.sum(func.coalesce(OrderLine.packed_quantity, OrderLine.quantity))
    return (
        select(OrderLine.product_id, func.count(), quantity, amount)
        .select_from(CustomerOrder)
        .outerjoin(OrderLine, OrderLine.order_id == CustomerOrder.id)
        .where(_delivered(since, until), where.condition)
        .group_by(OrderLine.product_id)
        .having(func.count(OrderLine.order_id) > 0)
        .order_by(amount.desc(), OrderLine.product_id)
    )


def line_amount() -> ColumnElement[int]:
    """What a line costs: `kernel.money.amount_minor` in integers of the database, rounded half to even.

    The price is taken apart, so that no product on the way is larger than what the line costs, or than its quantity a
    hundred thousand times.
    """
    thousandths = type_coerce(func.coalesce(OrderLine.packed_quantity, OrderLine.quantity), BigInteger)
    small = OrderLine.unit_price % _PRICE_BASE * thousandths
    cut, rest = OrderLine.unit_price // _PRICE_BASE * thousandths + small // _PRICE_BASE, small % _PRICE_BASE
    half = _PRICE_BASE // 2
    return cut + case((rest > half, 1), (and_(rest == half, cut % 2 == 1), 1), else_=0)


def _placed(since: datetime, until: datetime) -> ColumnElement[bool]:
    return and_(CustomerOrder.created_at >= since, CustomerOrder.created_at < until)


def _delivered(since: datetime, until: datetime) -> ColumnElement[bool]:
    return and_(CustomerOrder.delivered_at >= since, CustomerOrder.delivered_at < until)
