"""Figures that are made of others."""

import uuid
from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.analytics.operations import telling
from cloud_api.analytics.operations.asked import Asked
from cloud_api.analytics.operations.flows import Course, Flow, Wasted
from cloud_api.analytics.operations.road import Driven, Spent
from cloud_api.analytics.operations.schemas import CostsRead, FlowRead, TrendDayRead, TrendsRead, TurnoverRead
from cloud_api.catalog.products.models import Product
from cloud_api.kernel.quantity import from_thousandths

_YEAR_DAYS = 365
_MOST_PRODUCTS = 50


def turnover(asked: Asked, course: Course) -> TurnoverRead:
    """Cost of what was sold / mean cost of what lay there at the end of a day."""
    sold = sum(flow.cost for flow in course.sold.values())
    mean, days = course.mean_cost, len(asked.days)
    return TurnoverRead(
        **telling.about(asked),
        sold_cost=telling.money(sold),
        mean_stock_cost=telling.money(mean),
        turnover=telling.share(sold, mean),
        turnover_per_year=telling.share(sold * _YEAR_DAYS, mean * days),
        days_of_stock=round(mean * days / sold, 1) if sold > 0 else None,
    )


def trends(asked: Asked, course: Course, driven: Mapping[date, Driven]) -> TrendsRead:
    """Day by day."""
    nobody = Driven()
    return TrendsRead(
        **telling.about(asked),
        days=[
            TrendDayRead(
                day=day,
                stock=FlowRead(**telling.flow(course.closings[day])),
                received=FlowRead(**telling.flow(course.received[day])),
                sold=FlowRead(**telling.flow(course.sold[day])),
                wasted=FlowRead(**telling.flow(course.wasted[day])),
                delivered=driven.get(day, nobody).delivered,
                on_time_share=telling.punctuality(driven.get(day, nobody)).on_time_share,
            )
            for day in asked.days
        ],
    )


def costs(asked: Asked, wasted: Wasted, spent: Spent) -> CostsRead:
    """What operations cost."""
    waste, driving, workshop = (
        telling.money(wasted.total.cost),
        telling.minor(spent.driving_minor),
        telling.minor(spent.workshop_minor),
    )
    km = spent.distance_m / 1000
    return CostsRead(
        **telling.about(asked),
        waste=waste,
        driving=driving,
        workshop=workshop,
        total=waste + driving + workshop,
        driven_km=km,
        cost_per_km=None if not km else (driving * 1000 / spent.distance_m).quantize(Decimal("0.01")),
        fuel_l=spent.fuel_ml / 1000,
        fuel_l_per_100km=None if not km else round(spent.fuel_ml / 1000 / km * 100, 2),
    )


async def category_of(db: AsyncSession, product_ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, uuid.UUID | None]:
    """The category of each of these products."""
    rows = await db.execute(select(Product.id, Product.category_id).where(Product.id.in_(product_ids)))
    return dict(rows.tuples().all())


def most_costly(products: Mapping[uuid.UUID, Flow]) -> list[tuple[uuid.UUID, Flow]]:
    """The first of them."""
    return sorted(products.items(), key=lambda each: (-each[1].cost, each[0]))[:_MOST_PRODUCTS]


def quantity(thousandths: int) -> Decimal:
    """As it travels."""
    return from_thousandths(thousandths)
