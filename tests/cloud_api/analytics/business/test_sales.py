"""Revenue, orders, customers and products: counted by hand on small books, and against a slow count on random ones."""

import uuid
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.kernel import clock
from tests.cloud_api.analytics.business.books import FIGURES, Sale, Sold, live_in, write
from tests.factories.farms import make_farm
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.orders import make_customer, make_depot
from tests.factories.properties import FEW
from tests.factories.scopes import heard_by, make_keeper
from tests.factories.stores import make_product, make_warehouse
from tests.platform_under_test import Platform, Tenant

pytestmark = IN_ONE_LOOP

KOLKATA = ZoneInfo("Asia/Kolkata")


def at(day: str, clock_time: str = "12:00", zone: ZoneInfo = KOLKATA) -> datetime:
    return datetime.fromisoformat(f"{day}T{clock_time}:00").replace(tzinfo=zone)


async def figures(tenant: Tenant, what: str, first: str, last: str, **query: Any) -> Any:
    return await tenant.get(f"{FIGURES}/{what}", **{"from": first, "to": last, **query})


async def a_shop(farm: Platform, tenant: Tenant | None = None) -> tuple[str, str, str]:
    """(customer, warehouse, product)."""
    depot = await make_depot(tenant or farm.tenant)
    return await make_customer(tenant or farm.tenant), depot.warehouse_id, depot.product_id


async def test_revenue_is_what_was_delivered_less_what_was_credited_each_on_its_day(farm: Platform) -> None:
    customer, warehouse, product = await a_shop(farm)
    rupees = (Sold(product, Decimal("2.500"), 42_5000),)  # 106.25
    await write(
        farm,
        farm.tenant,
        Sale(customer, warehouse, at("2026-02-27"), at("2026-02-28", "23:59"), lines=rupees),
        Sale(customer, warehouse, at("2026-02-27"), at("2026-03-01", "00:00"), lines=rupees, status="returned",
             credits=((at("2026-03-02"), 625),)),
        Sale(customer, warehouse, at("2026-03-01"), None, lines=rupees),
        Sale(customer, warehouse, at("2026-03-01"), None, lines=rupees, status="returned",
             credits=((at("2026-03-02"), 10_625),)),
    )  # fmt: skip
    told = await figures(farm.tenant, "revenue", "2026-03-01", "2026-03-03")
    assert (told["currency"], told["before_first"], told["before_last"]) == ("INR", "2026-02-26", "2026-02-28")
    assert told["revenue_minor"] == {"value": 10_000, "before": 10_625, "growth": -0.0588}
    assert told["gross_minor"]["value"] == 10_625
    assert told["credited_minor"]["value"] == 625
    steps = [(one["first"], one["orders"], one["revenue_minor"]) for one in told["steps"]]
    assert steps == [("2026-03-01", 1, 10_625), ("2026-03-02", 0, -625), ("2026-03-03", 0, 0)]


async def test_a_day_is_the_organisations_own_also_when_clocks_are_set(farm: Platform) -> None:
    customer, warehouse, product = await a_shop(farm)
    await live_in(farm, farm.tenant, "Europe/Berlin")
    one = (Sold(product),)
    moments = ("2026-03-28T22:59:59", "2026-03-28T23:00:00", "2026-03-29T21:59:59", "2026-03-29T22:00:00")
    delivered = [datetime.fromisoformat(moment).replace(tzinfo=UTC) for moment in moments]
    await write(farm, farm.tenant, *(Sale(customer, warehouse, when, when, lines=one) for when in delivered))
    told = await figures(farm.tenant, "revenue", "2026-03-28", "2026-03-30")
    assert [step["orders"] for step in told["steps"]] == [1, 2, 1]
    months = await figures(farm.tenant, "revenue", "2026-02-01", "2026-04-30", by="month")
    assert [step["revenue_minor"] for step in months["steps"]] == [0, 40_000, 0]


async def test_orders_are_told_by_day_status_category_and_city(farm: Platform) -> None:
    customer, warehouse, product = await a_shop(farm)
    leafy = await farm.tenant.post("/api/v1/warehouse/products/categories", {"name": "Leafy", "slug": "leafy"})
    spinach = await make_product(farm.tenant, category_id=leafy["id"])
    door = {"address": "1 MG Road", "city": "Mysuru", "latitude": 12.3, "longitude": 76.6}
    made = await farm.tenant.post("/api/v1/customers", {"name": "Palace", "addresses": [door]})
    here = {"address_id": made["addresses"][0]["id"]}
    both = (Sold(product), Sold(spinach, Decimal(3), 10_0000, packed=Decimal(2)))
    await write(
        farm,
        farm.tenant,
        Sale(customer, warehouse, at("2026-05-01", "00:00"), lines=both, **here),
        Sale(customer, warehouse, at("2026-05-02", "23:59"), at("2026-05-03"), lines=both[1:], **here),
        Sale(customer, warehouse, at("2026-05-02"), status="cancelled", lines=both),
        Sale(customer, warehouse, at("2026-05-02"), lines=both[:1]),
        Sale(customer, warehouse, at("2026-05-03", "00:00"), lines=both),
    )
    told = await figures(farm.tenant, "orders", "2026-05-01", "2026-05-02")
    assert [(step["placed"], step["cancelled"], step["delivered"]) for step in told["steps"]] == [(1, 0, 0), (3, 1, 0)]
    assert {one["status"]: one["orders"] for one in told["statuses"]} == {"pending": 2, "delivered": 1, "cancelled": 1}
    kinds = [(one["category"], one["orders"], one["lines"], one["amount_minor"]) for one in told["categories"]]
    assert kinds == [(None, 2, 2, 20_000), ("Leafy", 2, 2, 4_000)]
    assert [(one["city"], one["orders"]) for one in told["cities"]] == [("Mysuru", 2), (None, 1)]


async def test_a_customer_is_new_once_and_returns_from_then_on(farm: Platform) -> None:
    first, warehouse, product = await a_shop(farm)
    second, third = await make_customer(farm.tenant), await make_customer(farm.tenant)
    one = (Sold(product),)
    await write(
        farm,
        farm.tenant,
        Sale(first, warehouse, at("2026-05-30"), at("2026-06-02"), lines=one),
        Sale(first, warehouse, at("2026-06-01"), at("2026-06-02"), lines=one),
        Sale(second, warehouse, at("2026-06-01", "00:00"), lines=one),
        Sale(second, warehouse, at("2026-06-02"), lines=one),
        Sale(third, warehouse, at("2026-06-01"), status="cancelled", lines=one),
        Sale(third, warehouse, at("2026-06-02", "23:59"), at("2026-06-02", "23:59"), lines=one),
    )
    told = await figures(farm.tenant, "customers", "2026-06-01", "2026-06-02")
    assert [(step["new"], step["returning"]) for step in told["steps"]] == [(1, 1), (1, 1)]
    assert [told[name]["value"] for name in ("active", "new", "returning")] == [3, 2, 1]
    assert [told[name]["before"] for name in ("active", "new", "returning")] == [1, 1, 0]
    assert [(one["customer_id"], one["orders"], one["gross_minor"]) for one in told["best"]] == [
        (first, 2, 20_000),
        (third, 1, 10_000),
    ]


async def test_products_are_told_by_what_they_brought_and_what_that_costs(farm: Platform) -> None:
    customer, warehouse, product = await a_shop(farm)
    costly = await make_product(farm.tenant, cost_price="60")
    await write(
        farm,
        farm.tenant,
        Sale(customer, warehouse, at("2026-06-01"), at("2026-06-02"), lines=(Sold(product), Sold(costly, Decimal(3)))),
        Sale(customer, warehouse, at("2026-06-01"), at("2026-06-02"), lines=(Sold(costly, packed=Decimal("0.500")),)),
        Sale(customer, warehouse, at("2026-06-02"), lines=(Sold(costly, Decimal(99)),)),
    )
    told = await figures(farm.tenant, "products", "2026-06-02", "2026-06-02", best=1)
    assert (told["products"], told["amount_minor"]) == (2, 45_000)
    [best] = told["best"]
    told_of = [best[name] for name in ("product_id", "orders", "quantity", "amount_minor", "cost_minor", "margin")]
    assert told_of == [costly, 2, "3.500", 35_000, 21_000, 0.4]


async def test_the_main_figures_agree_with_the_others(farm: Platform) -> None:
    customer, warehouse, product = await a_shop(farm)
    await write(
        farm,
        farm.tenant,
        *(Sale(customer, warehouse, at("2026-06-01"), at("2026-06-02"), lines=(Sold(product, unit_price=price),))
          for price in (10_0000, 10_0100, 10_0200)),
        Sale(customer, warehouse, at("2026-06-02"), lines=(Sold(product),)),
    )  # fmt: skip
    told = await figures(farm.tenant, "business", "2026-06-01", "2026-06-02")
    values = {name: told[name]["value"] for name in ("revenue_minor", "placed", "delivered", "customers")}
    assert values == {"revenue_minor": 3_003, "placed": 4, "delivered": 3, "customers": 1}
    assert told["average_order_minor"] == {"value": 1_001, "before": 0, "growth": None}
    assert [(step["placed"], step["delivered"], step["customers"]) for step in told["steps"]] == [(3, 0, 1), (1, 3, 1)]


async def test_figures_of_an_organisation_without_orders_are_noughts(farm: Platform) -> None:
    for what in ("business", "revenue", "orders", "customers", "products"):
        told = await farm.tenant.get(f"{FIGURES}/{what}", by="month")
        assert told["first"] < told["last"]
        assert all(told[name]["growth"] is None for name in told if isinstance(told[name], dict))


async def test_nobody_sees_the_figures_of_others(farm: Platform) -> None:
    other = await make_farm(farm)
    customer, warehouse, product = await a_shop(farm)
    await write(
        farm, farm.tenant, Sale(customer, warehouse, at("2026-06-01"), at("2026-06-01"), lines=(Sold(product),))
    )
    days = ("2026-06-01", "2026-06-01")
    assert (await figures(farm.tenant, "business", *days))["revenue_minor"]["value"] == 10_000
    for what in ("business", "revenue"):
        assert (await figures(other, what, *days))["revenue_minor"]["value"] == 0
    assert (await figures(other, "orders", *days))["cities"] == []
    assert (await figures(other, "customers", *days))["best"] == []
    assert (await figures(other, "products", *days))["best"] == []
    named = {"from": days[0], "to": days[1], "warehouse_id": warehouse}
    assert await heard_by(other, "GET", f"{FIGURES}/revenue", **named) == (404, "NOT_FOUND")


async def test_one_warehouse_at_a_time_and_only_those_that_are_seen(farm: Platform) -> None:
    customer, warehouse, product = await a_shop(farm)
    second = await make_warehouse(farm.tenant)
    when = at("2026-06-01")
    await write(
        farm,
        farm.tenant,
        Sale(customer, warehouse, when, when, lines=(Sold(product),)),
        Sale(customer, second, when, when, lines=(Sold(product, Decimal(2)),), credits=((when, 500),)),
    )
    days = ("2026-06-01", "2026-06-01")
    by_warehouse = {
        one: (await figures(farm.tenant, "revenue", *days, warehouse_id=one))["revenue_minor"]["value"]
        for one in (warehouse, second)
    }
    assert by_warehouse == {warehouse: 10_000, second: 19_500}
    confined = await make_keeper(farm, second, role="org_admin")
    assert (await figures(confined, "revenue", *days))["revenue_minor"]["value"] == 19_500
    assert (await figures(confined, "orders", *days))["placed"]["value"] == 1
    named = {"from": days[0], "to": days[1], "warehouse_id": warehouse}
    assert await heard_by(confined, "GET", f"{FIGURES}/revenue", **named) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("2026-06-02", "2026-06-01"),
        ("2025-06-01", "2026-06-02"),
        ("1800-01-01", "1800-01-02"),
        ("9999-12-31", "9999-12-31"),
    ],
)
async def test_days_that_cannot_be_told_are_refused(farm: Platform, first: str, last: str) -> None:
    assert await heard_by(farm.tenant, "GET", f"{FIGURES}/revenue", **{"from": first, "to": last}) == (422, "INVALID")


async def test_by_default_the_last_thirty_days_are_told_until_today(farm: Platform) -> None:
    clock.use(lambda: datetime(2026, 6, 30, 19, 0, tzinfo=UTC))  # the first of July in India
    told = await farm.tenant.get(f"{FIGURES}/revenue")
    assert (told["first"], told["last"], len(told["steps"])) == ("2026-06-02", "2026-07-01", 30)
    year = await farm.tenant.get(f"{FIGURES}/revenue", by="month")
    assert (year["first"], year["last"], len(year["steps"])) == ("2025-08-01", "2026-07-01", 12)


@st.composite
def books(draw: st.DrawFn) -> list[tuple[int, int | None, list[tuple[int, int, int]], list[tuple[int, int]]]]:
    """(minutes until it was placed, until it was delivered, lines of (product, thousandths, price), credits)."""
    minute = st.integers(0, 60 * 24 * 5)
    line = st.tuples(st.integers(0, 1), st.integers(1, 99_999), st.integers(0, 99_9999_999))
    orders = st.tuples(
        minute,
        st.one_of(st.none(), minute),
        st.lists(line, min_size=1, max_size=2, unique_by=lambda one: one[0]),
        st.lists(st.tuples(minute, st.integers(1, 5_000)), max_size=2),
    )
    return draw(st.lists(orders, max_size=12))


@FEW
@given(wanted=books(), zone=st.sampled_from(("Asia/Kolkata", "Europe/Berlin", "America/New_York")))
async def test_figures_are_what_a_slow_count_over_the_orders_finds(farm: Platform, wanted: Any, zone: str) -> None:
    tenant = await make_farm(farm)
    await live_in(farm, tenant, zone)
    customer, warehouse, first = await a_shop(farm, tenant)
    goods = (first, await make_product(tenant))
    began, here = datetime(2026, 10, 24, tzinfo=UTC), ZoneInfo(zone)

    def after(minutes: int | None) -> datetime | None:
        return None if minutes is None else began + timedelta(minutes=minutes)

    sales = [
        Sale(
            customer, warehouse, began + timedelta(minutes=placed), after(delivered),
            lines=tuple(Sold(goods[one], Decimal(n).scaleb(-3), price) for one, n, price in lines),
            credits=tuple((began + timedelta(minutes=when), amount) for when, amount in credited),
        )
        for placed, delivered, lines, credited in wanted
    ]  # fmt: skip
    await write(farm, tenant, *sales)
    days = [date(2026, 10, 22) + timedelta(days=n) for n in range(9)]
    told = await figures(tenant, "revenue", str(days[0]), str(days[-1]))
    assert [step["revenue_minor"] for step in told["steps"]] == [earned_on(day, sales, here) for day in days]
    kept = [sale for sale in sales if sale.delivered_at is not None]
    everything = sum(sale.total_minor - sum(amount for _, amount in sale.credits) for sale in kept)
    assert told["revenue_minor"]["value"] == everything
    best = (await figures(tenant, "products", str(days[0]), str(days[-1])))["best"]
    amounts = {uuid.UUID(one["product_id"]): one["amount_minor"] for one in best}
    assert amounts == amounts_of(kept)


def earned_on(day: date, sales: Sequence[Sale], zone: ZoneInfo) -> int:
    """One order after the other."""
    earned = 0
    for sale in sales:
        if sale.delivered_at is None:
            continue
        earned += sale.total_minor if sale.delivered_at.astimezone(zone).date() == day else 0
        earned -= sum(amount for when, amount in sale.credits if when.astimezone(zone).date() == day)
    return earned


def amounts_of(sales: Sequence[Sale]) -> dict[uuid.UUID, int]:
    """One line after the other."""
    amounts: dict[uuid.UUID, int] = {}
    for sale in sales:
        for line in sale.lines:
            product = uuid.UUID(line.product_id)
            amounts[product] = amounts.get(product, 0) + line.amount_minor
    return amounts
