"""What plans, edits and replans did to a route's figures."""

import uuid
from collections.abc import Sequence
from typing import Literal

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel import clock
from cloud_api.logistics.deliveries import lookup
from cloud_api.logistics.deliveries.models import Route
from cloud_api.logistics.deliveries.queries import EVERY_ROUTE, VisibleRoutes
from cloud_api.logistics.dispatch.models import RouteOptimization
from cloud_api.logistics.dispatch.solutions import Figures
from cloud_api.logistics.dispatch.view_schemas import OptimizationsQuery


def note(
    db: AsyncSession,
    route_id: uuid.UUID,
    *,
    before: Figures,
    after: Figures,
    kind: Literal["plan", "edit", "replan"],
    objective: str,
    job_id: uuid.UUID | None = None,
) -> None:
    """Write down a change of a route."""
    db.add(
        RouteOptimization(
            route_id=route_id,
            job_id=job_id,
            kind=kind,
            objective=objective,
            made_at=clock.now(),
            distance_before_m=before.distance_m,
            distance_m=after.distance_m,
            duration_before_s=before.duration_s,
            duration_s=after.duration_s,
            fuel_before_ml=before.fuel_ml,
            fuel_ml=after.fuel_ml,
            co2_before_g=before.co2_g,
            co2_g=after.co2_g,
            cost_before_minor=before.cost_minor,
            cost_minor=after.cost_minor,
        )
    )


def of_routes(seen: VisibleRoutes, wanted: OptimizationsQuery) -> Select[tuple[RouteOptimization]]:
    """What was done to the routes that somebody may see, or to those that are asked for."""
    its = select(RouteOptimization).where(RouteOptimization.route_id.in_(select(Route.id).where(seen.routes())))
    if wanted.route_id is not None:
        its = its.where(RouteOptimization.route_id.in_(wanted.route_id))
    return its if wanted.kind is None else its.where(RouteOptimization.kind == wanted.kind)


async def of_route(
    db: AsyncSession, route_id: uuid.UUID, *, seen: VisibleRoutes = EVERY_ROUTE
) -> Sequence[RouteOptimization]:
    """What was done to a route's figures, the first first.

    Raises:
        NotFound: when there is no such route to be seen.
    """
    route = await lookup.get_route(db, route_id, seen=seen)
    its = select(RouteOptimization).where(RouteOptimization.route_id == route.id).order_by(RouteOptimization.id)
    return (await db.scalars(its)).all()
