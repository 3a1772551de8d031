"""How the road went: doors in time, doors that stayed shut, kilometres, loads, drivers and what it cost.

Days are those on which routes were to be driven. What a route was planned to be and what it was is written down when it
ends (`logistics.dispatch.performance`): a route under way is in no figure that compares the two.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from cloud_api.analytics.operations.asked import Asked
from cloud_api.logistics.deliveries.models import Delivery, Route
from cloud_api.logistics.deliveries.states import DeliveryStatus, RouteStatus
from cloud_api.logistics.dispatch.models import RoutePerformance
from cloud_api.logistics.fleet.models import Vehicle, VehicleMaintenance
from cloud_api.orders.book.models import OrderFeedback

_MEASURED = RoutePerformance.distance_m.is_not(None)


@dataclass(frozen=True)
class Driven:
    """Completed routes of a day, of a driver, or of all of it. Distances are of the routes whose distance is known."""

    routes: int = 0
    stops: int = 0
    delivered: int = 0
    on_time: int = 0
    planned_distance_m: int = 0
    distance_m: int = 0
    planned_duration_s: int = 0
    duration_s: int = 0

    @property
    def on_time_share(self) -> float | None:
        """Of the delivered those that were reached before their window closed; 0 to 1."""
        return self.on_time / self.delivered if self.delivered else None

    @property
    def stops_per_hour(self) -> float | None:
        """Doors an hour, from leaving to being back."""
        return self.stops * 3600 / self.duration_s if self.duration_s else None


@dataclass(frozen=True)
class Loaded:
    """What a van carried of what it could."""

    vehicle_id: uuid.UUID
    number: str
    routes: int
    load_g: int
    capacity_g: int
    distance_m: int


@dataclass(frozen=True)
class Rated:
    """What customers said of a driver's deliveries."""

    ratings: int
    mean: float


@dataclass(frozen=True)
class Spent:
    """What driving cost; minor units of the organisation's currency."""

    driving_minor: int
    workshop_minor: int
    distance_m: int
    fuel_ml: int


async def by_day(db: AsyncSession, asked: Asked) -> Mapping[date, Driven]:
    """Completed routes by day."""
    rows = await db.execute(_driven(asked, RoutePerformance.delivery_date))
    return {day: Driven(*map(int, figures)) for day, *figures in rows.tuples()}


async def by_driver(db: AsyncSession, asked: Asked) -> Mapping[uuid.UUID, Driven]:
    """Completed routes by who drove them."""
    its = _driven(asked, RoutePerformance.driver_id).where(RoutePerformance.driver_id.is_not(None))
    return {driver_id: Driven(*map(int, figures)) for driver_id, *figures in (await db.execute(its)).tuples()}


def together(driven: Mapping[date, Driven]) -> Driven:
    """All of it as one."""
    names = Driven.__dataclass_fields__
    return Driven(**{name: sum(getattr(one, name) for one in driven.values()) for name in names})


async def not_delivered(db: AsyncSession, asked: Asked) -> Mapping[str, int]:
    """Attempts that failed, by reason; `refused` is one of them."""
    rows = await db.execute(
        select(Delivery.failure_reason, func.count())
        .join(Route, Route.id == Delivery.route_id)
        .where(
            Route.delivery_date.between(asked.first, asked.last),
            asked.here(Route.warehouse_id),
            Delivery.status.in_((DeliveryStatus.FAILED, DeliveryStatus.RETURNED)),
            Delivery.failure_reason.is_not(None),
        )
        .group_by(Delivery.failure_reason)
    )
    return {reason: count for reason, count in rows.tuples() if reason is not None}


async def by_vehicle(db: AsyncSession, asked: Asked) -> list[Loaded]:
    """What each van was to carry on its routes, but for those that were cancelled; by number."""
    rows = await db.execute(
        select(
            Vehicle.id,
            Vehicle.number,
            func.count(),
            func.sum(Route.load_g),
            func.sum(Vehicle.capacity_g),
            func.sum(Route.distance_m),
        )
        .join(Vehicle, Vehicle.id == Route.vehicle_id)
        .where(
            Route.delivery_date.between(asked.first, asked.last),
            asked.here(Route.warehouse_id),
            Route.status != RouteStatus.CANCELLED,
        )
        .group_by(Vehicle.id, Vehicle.number)
        .order_by(Vehicle.number)
    )
    return [Loaded(id, number, *map(int, figures)) for id, number, *figures in rows.tuples()]


async def ratings(db: AsyncSession, asked: Asked) -> Mapping[uuid.UUID, Rated]:
    """What customers said, by who drove to them."""
    rows = await db.execute(
        select(Route.driver_id, func.count(), func.sum(OrderFeedback.rating))
        .join(Delivery, Delivery.route_id == Route.id)
        .join(OrderFeedback, OrderFeedback.order_id == Delivery.order_id)
        .where(
            Route.delivery_date.between(asked.first, asked.last),
            asked.here(Route.warehouse_id),
            Delivery.status == DeliveryStatus.DELIVERED,
            Route.driver_id.is_not(None),
        )
        .group_by(Route.driver_id)
    )
    return {driver_id: Rated(count, int(total) / count) for driver_id, count, total in rows.tuples() if driver_id}


async def spent(db: AsyncSession, asked: Asked) -> Spent:
    """What vans cost: each kilometre that was driven, each day on which one left, and the workshop.

    Where nobody knows how far a route was, it counts as planned.
    """
    far = func.sum(func.coalesce(RoutePerformance.distance_m, RoutePerformance.planned_distance_m))
    burnt = func.sum(func.coalesce(RoutePerformance.fuel_ml, RoutePerformance.planned_fuel_ml))
    rows = await db.execute(
        select(
            Vehicle.fixed_cost_minor,
            Vehicle.cost_per_km_minor,
            func.count(RoutePerformance.delivery_date.distinct()),
            far,
            burnt,
        )
        .join(Route, Route.id == RoutePerformance.route_id)
        .join(Vehicle, Vehicle.id == Route.vehicle_id)
        .where(*_of_the_days(asked))
        .group_by(Vehicle.id, Vehicle.fixed_cost_minor, Vehicle.cost_per_km_minor)
    )
    driving, metres, fuel_ml = 0, 0, 0
    for fixed, per_km, days, distance_m, fuel in rows.tuples():
        driving += fixed * days + round(per_km * int(distance_m) / 1000)
        metres, fuel_ml = metres + int(distance_m), fuel_ml + int(fuel)
    workshop = await db.scalar(
        select(func.sum(VehicleMaintenance.cost_minor))
        .join(Vehicle, Vehicle.id == VehicleMaintenance.vehicle_id)
        .where(
            VehicleMaintenance.done_on.between(asked.first, asked.last),
            asked.here(Vehicle.home_warehouse_id),
        )
    )
    return Spent(driving, int(workshop or 0), metres, fuel_ml)


def _of_the_days(asked: Asked) -> list[ColumnElement[bool]]:
    return [
        RoutePerformance.delivery_date.between(asked.first, asked.last),
        asked.here(RoutePerformance.warehouse_id),
    ]


def _driven(asked: Asked, by: InstrumentedAttribute[Any]) -> Select[Any]:
    planned_m = case((_MEASURED, RoutePerformance.planned_distance_m), else_=0)
    return (
        select(
            by,
            func.count(),
            func.sum(RoutePerformance.stops),
            func.sum(RoutePerformance.delivered),
            func.sum(RoutePerformance.on_time),
            func.sum(planned_m),
            func.sum(func.coalesce(RoutePerformance.distance_m, 0)),
            func.sum(RoutePerformance.planned_duration_s),
            func.sum(RoutePerformance.duration_s),
        )
        .where(and_(*_of_the_days(asked)))
        .group_by(by)
    )
