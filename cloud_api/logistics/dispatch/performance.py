"""Planned against driven: written down when a route ends, read by week."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.organizations import service as organizations
from cloud_api.kernel.db import insert_missing
from cloud_api.logistics.deliveries import service as deliveries
from cloud_api.logistics.deliveries.models import Delivery, Route
from cloud_api.logistics.deliveries.queries import EVERY_ROUTE, VisibleRoutes
from cloud_api.logistics.deliveries.states import DeliveryStatus, RouteStatus
from cloud_api.logistics.dispatch import gathering
from cloud_api.logistics.dispatch.models import RoutePerformance
from cloud_api.logistics.dispatch.view_schemas import (
    PerformanceRead,
)
from cloud_api.logistics.fleet import footprints
from cloud_api.logistics.fleet import service as fleet
from cloud_api.logistics.tracking.models import VehiclePosition
from route_optimizer.matrices import GreatCircles, Point

#: positions that are less sure than this say nothing of a distance
_MOST_ACCURACY_M = 200.0
#: a van that stands still seems to wander about by less than this
_STANDING_M = 15
_SUMS = (
    "planned_distance_m",
    "planned_fuel_ml",
    "planned_co2_g",
    "planned_duration_s",
    "duration_s",
    "stops",
    "delivered",
    "on_time",
)
_MEASURED = ("distance_m", "fuel_ml", "co2_g")


async def write_down(db: AsyncSession, route_id: uuid.UUID) -> None:
    """What a completed route was planned to be and what it was. Once for each route."""
    route = await deliveries.get_route(db, route_id)
    if route.status != RouteStatus.COMPLETED or route.started_at is None or route.completed_at is None:
        return
    vehicle = await fleet.get_vehicle(db, route.vehicle_id)
    stops = [stop for stop in await deliveries.deliveries_of(db, route.id) if stop.status != DeliveryStatus.CANCELLED]
    delivered = [stop for stop in stops if stop.status == DeliveryStatus.DELIVERED]
    driven_m = await _distance_m(db, route)
    planned = footprints.footprint(vehicle, route.distance_m)
    actual = None if driven_m is None else footprints.footprint(vehicle, driven_m)
    await insert_missing(
        db,
        RoutePerformance,
        {
            "route_id": route.id,
            "warehouse_id": route.warehouse_id,
            "driver_id": route.driver_id,
            "delivery_date": route.delivery_date,
            "planned_distance_m": route.distance_m,
            "distance_m": driven_m,
            "planned_duration_s": route.duration_s,
            "duration_s": max(0, int((route.completed_at - route.started_at).total_seconds())),
            "planned_fuel_ml": planned.fuel_ml,
            "fuel_ml": None if actual is None else actual.fuel_ml,
            "planned_co2_g": planned.co2_g,
            "co2_g": None if actual is None else actual.co2_g,
            "stops": len(stops),
            "delivered": len(delivered),
            "on_time": await _on_time(db, delivered),
        },
    )


async def _distance_m(db: AsyncSession, route: Route) -> int | None:
    """By the odometer, else by the positions; None: neither is known."""
    if route.odometer_start_km is not None and route.odometer_end_km is not None:
        return (route.odometer_end_km - route.odometer_start_km) * 1_000
    its = (
        select(VehiclePosition.latitude, VehiclePosition.longitude, VehiclePosition.accuracy_m)
        .where(VehiclePosition.route_id == route.id)
        .order_by(VehiclePosition.recorded_at)
    )
    rows = (await db.execute(its)).tuples()
    return driven_m([Point(latitude, longitude) for latitude, longitude, accuracy in rows if _is_sure(accuracy)])


def _is_sure(accuracy_m: float | None) -> bool:
    return accuracy_m is None or accuracy_m <= _MOST_ACCURACY_M


def driven_m(points: Sequence[Point]) -> int | None:
    """From position to position, a van that stands still driving nowhere; None of fewer than two positions."""
    if len(points) < 2:
        return None
    circles, here, metres = GreatCircles(points, detour_factor=1.0), 0, 0
    for there in range(1, len(points)):
        step_m = circles.metres(here, there)
        if step_m >= _STANDING_M:
            metres, here = metres + step_m, there
    return metres


async def _on_time(db: AsyncSession, delivered: Iterable[Delivery]) -> int:
    """How many were reached before their window closed."""
    by_order = {stop.order_id: stop for stop in delivered}
    found = await gathering.orders_by_id(db, list(by_order))
    zone = await organizations.zone(db)
    closes = {order.id: gathering.window_of(order, zone)[1] for order in found.values()}
    return sum(_reached(stop) <= closes[stop.order_id] for stop in by_order.values() if stop.order_id in closes)


def _reached(stop: Delivery) -> datetime:
    reached = stop.arrived_at or stop.delivered_at or stop.planned_arrival_at
    if reached is None:
        raise ValueError(f"{stop.number} is delivered at no time")  # the database does not let it happen
    return reached


async def by_week(
    db: AsyncSession,
    *,
    since: date,
    until: date,
    by_driver: bool = False,
    seen: VisibleRoutes = EVERY_ROUTE,
) -> Sequence[PerformanceRead]:
    """Completed routes of these days, the newest week first.

    Args:
        since: first day.
        until: last day.
        by_driver: each driver by themselves.
        seen: whose routes somebody may see.
    """
    its = (
        select(RoutePerformance)
        .join(Route, Route.id == RoutePerformance.route_id)
        .where(RoutePerformance.delivery_date.between(since, until), seen.routes())
        .order_by(RoutePerformance.delivery_date, RoutePerformance.id)
    )
    return summed((await db.scalars(its)).all(), by_driver=by_driver)


def summed(rows: Iterable[RoutePerformance], *, by_driver: bool) -> list[PerformanceRead]:
    """Weeks, Monday first, the newest first; what nobody measured counts neither as planned nor as driven."""
    groups: dict[tuple[date, uuid.UUID | None], list[RoutePerformance]] = {}
    for row in rows:
        monday = row.delivery_date - timedelta(days=row.delivery_date.weekday())
        groups.setdefault((monday, row.driver_id if by_driver else None), []).append(row)
    ordered = sorted(groups.items(), key=lambda each: (-each[0][0].toordinal(), str(each[0][1])))
    return [_read(week, driver_id, its) for (week, driver_id), its in ordered]


def _read(week: date, driver_id: uuid.UUID | None, rows: Sequence[RoutePerformance]) -> PerformanceRead:
    measured = [row for row in rows if row.distance_m is not None]
    sums = {name: sum(getattr(row, name) for row in rows) for name in _SUMS if not name.startswith("planned_")}
    sums |= {name: sum(getattr(row, name) or 0 for row in measured) for name in _MEASURED}
    sums |= {f"planned_{name}": sum(getattr(row, f"planned_{name}") for row in measured) for name in _MEASURED}
    sums["planned_duration_s"] = sum(row.planned_duration_s for row in rows)
    share = round(sums["on_time"] / sums["delivered"], 4) if sums["delivered"] else None
    return PerformanceRead(
        week=week, driver_id=driver_id, routes=len(rows), measured=len(measured), on_time_share=share, **sums
    )
