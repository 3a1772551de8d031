"""What was earned, ordered and by whom, told by days, weeks or months and compared with the period before.

Revenue is what delivered orders come to, at the moment they were delivered, less what was credited to delivered orders,
at the moment that was written: goods that came back, or were not as they ought to be. Over all time it is the sum over
all delivered orders of their totals less their credits. What was ordered but not delivered, and money that only changes
hands (payments, deposits, refunds of what was never owed), is no revenue.
"""

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.analytics.business import queries
from cloud_api.analytics.business.queries import Where
from cloud_api.analytics.business.schemas import (
    BusinessRead,
    BusinessStep,
    CategoryCount,
    CityCount,
    Compared,
    CustomersRead,
    CustomerStep,
    CustomerSum,
    OrdersRead,
    OrderStep,
    ProductsRead,
    ProductSum,
    RevenueRead,
    RevenueStep,
    StatusCount,
)
from cloud_api.analytics.periods import BEFORE, Period, growth, moments, spans_of
from cloud_api.catalog.products.models import Product
from cloud_api.identity.organizations.models import Organization
from cloud_api.kernel.money import amount_minor
from cloud_api.kernel.quantity import to_thousandths
from cloud_api.places import service as places

_MOST_CITIES = 50


async def revenue(db: AsyncSession, period: Period, where: Where) -> RevenueRead:
    """What was earned."""
    earned = await _earned(db, period, where)
    return RevenueRead(
        **told_of(period),
        currency=await _currency(db),
        revenue_minor=_compared({step: gross - off for step, (_, gross, off) in earned.items()}),
        gross_minor=_compared({step: gross for step, (_, gross, _) in earned.items()}),
        credited_minor=_compared({step: off for step, (_, _, off) in earned.items()}),
        orders=_compared({step: orders for step, (orders, _, _) in earned.items()}),
        steps=[
            RevenueStep(**days, orders=orders, gross_minor=gross, credited_minor=off, revenue_minor=gross - off)
            for days, (orders, gross, off) in ((days, earned[number]) for number, days in steps_of(period))
        ],
    )


async def orders(db: AsyncSession, period: Period, where: Where) -> OrdersRead:
    """How much was ordered, of what, and where it goes."""
    spans = spans_of(period, with_before=True)
    placed = {step: rest for step, *rest in (await db.execute(queries.placed(spans, where))).tuples()}
    delivered = {step: n for step, n, _ in (await db.execute(queries.delivered(spans, where))).tuples()}
    during = (period.begins, period.ends, where)
    statuses = (await db.execute(queries.statuses(*during))).tuples()
    kinds = (await db.execute(queries.categories(*during))).tuples()
    doors = (await db.execute(queries.doors(*during, limit=_MOST_CITIES))).tuples()
    return OrdersRead(
        **told_of(period),
        placed=_compared({step: n for step, (n, _, _) in placed.items()}),
        cancelled=_compared({step: int(n) for step, (_, n, _) in placed.items()}),
        delivered=_compared(delivered),
        steps=[
            OrderStep(**days, placed=placed[n][0], cancelled=int(placed[n][1]), delivered=delivered[n])
            for n, days in steps_of(period)
        ],
        statuses=[StatusCount(status=status, orders=n) for status, n in statuses],
        categories=[
            CategoryCount(category_id=id, category=name, orders=n, lines=lines, amount_minor=int(amount))
            for id, name, n, lines, amount in kinds
        ],
        cities=[CityCount(city=city, orders=int(n), latitude=lat, longitude=lon) for city, n, lat, lon in doors],
    )


async def customers(db: AsyncSession, period: Period, where: Where, *, limit: int) -> CustomersRead:
    """Who ordered, whether for the first time, and who brings the most."""
    spans = spans_of(period, with_before=True)
    active = {step: n for step, _, _, n in (await db.execute(queries.placed(spans, where))).tuples()}
    firsts = (await db.scalars(queries.new_customers(period.before.begins, period.ends, where))).all()
    # the period before ends where this one begins
    new = Counter(BEFORE if first < period.begins else period.place(first) for first in firsts)
    whole = await _whole(db, period, where)
    new_in_all = sum(n for step, n in new.items() if step != BEFORE)
    best = (await db.execute(queries.best_customers(period.begins, period.ends, where, limit=limit))).tuples()
    return CustomersRead(
        **told_of(period),
        currency=await _currency(db),
        active=_changed(whole, active[BEFORE]),
        new=_changed(new_in_all, new[BEFORE]),
        returning=_changed(whole - new_in_all, active[BEFORE] - new[BEFORE]),
        steps=[CustomerStep(**days, new=new[n], returning=active[n] - new[n]) for n, days in steps_of(period)],
        best=[CustomerSum(customer_id=id, name=name, orders=n, gross_minor=int(sum_)) for id, name, n, sum_ in best],
    )


async def products(db: AsyncSession, period: Period, where: Where, *, limit: int) -> ProductsRead:
    """What sold best."""
    sold = (await db.execute(queries.sold(period.begins, period.ends, where))).tuples().all()
    best = sold[:limit]
    found = await db.scalars(select(Product).where(Product.id.in_([id for id, *_ in best])))
    known = {product.id: product for product in found}
    return ProductsRead(
        **told_of(period),
        currency=await _currency(db),
        amount_minor=sum(int(amount) for *_, amount in sold),
        products=len(sold),
        best=[_sum_of(known[id], n, quantity, int(amount)) for id, n, quantity, amount in best],
    )


async def business(db: AsyncSession, period: Period, where: Where) -> BusinessRead:
    """The main figures."""
    earned = await _earned(db, period, where)
    spans = spans_of(period, with_before=True)
    placed = {step: rest for step, *rest in (await db.execute(queries.placed(spans, where))).tuples()}
    now = [sum(part) for part in zip(*(one for step, one in earned.items() if step != BEFORE), strict=True)]
    return BusinessRead(
        **told_of(period),
        currency=await _currency(db),
        revenue_minor=_compared({step: gross - off for step, (_, gross, off) in earned.items()}),
        placed=_compared({step: n for step, (n, _, _) in placed.items()}),
        delivered=_compared({step: n for step, (n, _, _) in earned.items()}),
        customers=_changed(await _whole(db, period, where), placed[BEFORE][2]),
        average_order_minor=_changed(_average(now[1], now[0]), _average(earned[BEFORE][1], earned[BEFORE][0])),
        steps=[
            BusinessStep(
                **days,
                revenue_minor=earned[n][1] - earned[n][2],
                placed=placed[n][0],
                delivered=earned[n][0],
                customers=placed[n][2],
            )
            for n, days in steps_of(period)
        ],
    )


def told_of(period: Period) -> dict[str, Any]:
    """What every answer says of its period."""
    return {
        "first": period.first,
        "last": period.last,
        "before_first": period.before.first,
        "before_last": period.before.last,
    }


def steps_of(period: Period) -> list[tuple[int, dict[str, Any]]]:
    """The number and the days of each step, as `schemas.Step` has them."""
    return [(number, {"first": span.first, "last": span.last}) for number, span in enumerate(period.spans)]


async def _earned(db: AsyncSession, period: Period, where: Where) -> dict[int, tuple[int, int, int]]:
    """Step -> (orders delivered, their totals, what was credited)."""
    spans = spans_of(period, with_before=True)
    delivered = (await db.execute(queries.delivered(spans, where))).tuples().all()
    credited = {step: int(off) for step, off in (await db.execute(queries.credited(spans, where))).tuples()}
    return {step: (orders, int(gross), credited[step]) for step, orders, gross in delivered}


async def _whole(db: AsyncSession, period: Period, where: Where) -> int:
    """How many customers ordered in all of the period: who did in two steps is one."""
    whole = moments([(0, period.begins, period.ends)])
    return sum(n for *_, n in (await db.execute(queries.placed(whole, where))).tuples())


def _sum_of(product: Product, orders: int, quantity: Decimal, amount: int) -> ProductSum:
    cost = None if product.cost_price is None else amount_minor(product.cost_price, to_thousandths(quantity))
    return ProductSum(
        product_id=product.id,
        name=product.name,
        sku=product.sku,
        unit=product.unit,
        orders=orders,
        quantity=quantity,
        amount_minor=amount,
        cost_minor=cost,
        margin=None if cost is None or amount == 0 else round((amount - cost) / amount, 4),
    )


def _average(gross: int, orders: int) -> int:
    return round(Fraction(gross, orders)) if orders else 0


def _compared(by_step: Mapping[int, int]) -> Compared:
    return _changed(sum(value for step, value in by_step.items() if step != BEFORE), by_step[BEFORE])


def _changed(now: int, before: int) -> Compared:
    return Compared(value=now, before=before, growth=growth(now, before))


async def _currency(db: AsyncSession) -> str:
    return await db.scalar(select(Organization.currency)) or ""


async def checked(db: AsyncSession, where: Where) -> Where:
    """`where`, when its warehouse is one that may be seen.

    Raises:
        NotFound: when it is not.
    """
    if where.warehouse_id is not None:
        await places.get_warehouse(db, where.warehouse_id, seen=where.seen)
    return where
