"""What drivers and dispatchers are told: each of those who may see the warehouse, by the ways they want."""

import uuid
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import case, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.cold_chain.excursions import words as excursion_words
from cloud_api.cold_chain.excursions.models import Excursion
from cloud_api.identity.people import service as people
from cloud_api.logistics.deliveries import service as deliveries
from cloud_api.logistics.deliveries.models import Route
from cloud_api.logistics.deliveries.states import DeliveryStatus, RouteStatus
from cloud_api.logistics.dispatch.models import PlanningJob
from cloud_api.logistics.fleet import service as fleet
from cloud_api.logistics.messages import words
from cloud_api.notifications import colleagues
from cloud_api.orders.book import service as orders
from cloud_api.places import service as places

#: who answers for what happens on the road
DISPATCHING = "deliveries:write"
#: a phone that falls silent again and again is one story
_SILENCE_PAUSE = timedelta(minutes=10)


async def dispatchers_of(db: AsyncSession, warehouse_id: uuid.UUID | None) -> Sequence[uuid.UUID]:
    """Who answers for the deliveries of a warehouse, and may see it; of none: everybody who answers for some."""
    deciders = await people.users_with_permission(db, DISPATCHING)
    return await places.who_may_see_warehouse(db, deciders, warehouse_id=warehouse_id)


async def tell_published(db: AsyncSession, route_id: uuid.UUID) -> None:
    """A driver has a new route."""
    route = await deliveries.get_route(db, route_id)
    if route.driver_id is None or route.status != RouteStatus.PLANNED:
        return
    stops = [one for one in await deliveries.deliveries_of(db, route_id) if one.status != DeliveryStatus.CANCELLED]
    zone = await places.zone_of(db, route.warehouse_id)
    when = {"day": str(route.delivery_date), "departs_at": words.clock_time(route.departs_at, zone)}
    await colleagues.tell(
        db,
        [route.driver_id],
        template="route.published",
        values={**await _named(db, route), **when, "stops": str(len(stops))},
        severity="info",
        subject=f"route:{route.id}",
        collapse_key=f"route:{route.id}",
        turn=f"published:{route.id}:{route.version}",
        data={"route_id": str(route.id)},
    )


async def tell_changed(db: AsyncSession, route_id: uuid.UUID, *, why: str) -> None:
    """The route that a driver knows has other stops; urgent when they are under way."""
    route = await deliveries.get_route(db, route_id)
    if route.driver_id is None or route.status not in (RouteStatus.PLANNED, RouteStatus.IN_PROGRESS):
        return
    await colleagues.tell(
        db,
        [route.driver_id],
        template="route.changed",
        values={**await _named(db, route), "why": why},
        severity="warning",
        subject=f"route:{route.id}",
        urgent=route.status == RouteStatus.IN_PROGRESS,
        collapse_key=f"route:{route.id}",
        turn=f"changed:{route.id}:{route.version}",
        data={"route_id": str(route.id)},
    )


async def tell_failed(db: AsyncSession, delivery_id: uuid.UUID, *, reason: str) -> None:
    """An attempt came to nothing: whoever dispatches decides what comes next."""
    delivery = await deliveries.get_delivery(db, delivery_id)
    order = await orders.get_order(db, delivery.order_id)
    route = None if delivery.route_id is None else await deliveries.get_route(db, delivery.route_id)
    named = {"route": "-", "vehicle": "-"} if route is None else await _named(db, route)
    await colleagues.tell(
        db,
        await dispatchers_of(db, order.warehouse_id),
        template="delivery.failed",
        values={**named, "order": order.number, "customer": order.customer_name, "reason": words.reason(reason, "en")},
        severity="warning",
        subject=f"delivery:{delivery.id}",
        collapse_key=f"delivery:{delivery.id}",
        turn=f"failed:{delivery.id}",
        data={"delivery_id": str(delivery.id), "order_id": str(order.id)},
    )


async def tell_silent(db: AsyncSession, route_id: uuid.UUID) -> None:
    """A van is under way, and its phone says nothing."""
    route = await deliveries.get_route(db, route_id)
    if route.status != RouteStatus.IN_PROGRESS:
        return
    await colleagues.tell(
        db,
        await dispatchers_of(db, route.warehouse_id),
        template="phone.silent",
        values=await _named(db, route),
        severity="warning",
        subject=f"route:{route.id}",
        collapse_key=f"silent:{route.id}",
        turn=f"silent:{route.id}",
        at_most_every=_SILENCE_PAUSE,
        data={"route_id": str(route.id)},
    )


async def tell_proposal(db: AsyncSession, job_id: uuid.UUID) -> None:
    """Something happened on the road, and somebody has to say yes or no to what to do about it."""
    job = await db.get_one(PlanningJob, job_id)
    warehouse = await places.get_warehouse(db, job.warehouse_id)
    await colleagues.tell(
        db,
        await dispatchers_of(db, job.warehouse_id),
        template="replan.proposed",
        values={"warehouse": warehouse.name, "day": str(job.delivery_date), "why": job.why},
        severity="warning",
        subject=f"planning_job:{job.id}",
        urgent=True,
        collapse_key=f"replan:{job.warehouse_id}:{job.cause}",
        turn=f"replan:{job.id}",
        data={"job_id": str(job.id)},
    )


async def tell_warm(db: AsyncSession, excursion_id: uuid.UUID, *, location_id: uuid.UUID) -> None:
    """A van is outside its limits: its driver and whoever dispatches are told at once. A place without wheels is none
    of ours.
    """
    vehicle = await fleet.vehicle_in(db, location_id)
    if vehicle is None:
        return
    excursion = await db.get_one(Excursion, excursion_id)
    route = await _present_route(db, vehicle.id)
    driver_id = vehicle.driver_id if route is None else route.driver_id
    watching = await dispatchers_of(db, vehicle.home_warehouse_id if route is None else route.warehouse_id)
    await colleagues.tell(
        db,
        list(dict.fromkeys([*([driver_id] if driver_id else []), *watching])),
        template="van.warm",
        values={"vehicle": vehicle.number, "what": excursion_words.breach_of(excursion)},
        severity="error",
        category="quality",
        subject=excursion_words.source(excursion),
        urgent=True,
        collapse_key=f"warm:{vehicle.id}",
        turn=f"warm:{excursion.id}",
        data={"excursion_id": str(excursion.id), "vehicle_id": str(vehicle.id)},
    )


async def _present_route(db: AsyncSession, vehicle_id: uuid.UUID) -> Route | None:
    """The one under way, or the next that is planned."""
    its = select(Route).where(
        Route.vehicle_id == vehicle_id, Route.status.in_((RouteStatus.PLANNED, RouteStatus.IN_PROGRESS))
    )
    under_way_first = case((Route.status == RouteStatus.IN_PROGRESS, 0), else_=1)
    return (await db.scalars(its.order_by(under_way_first, Route.departs_at, Route.id).limit(1))).one_or_none()


async def _named(db: AsyncSession, route: Route) -> dict[str, str]:
    vehicle = await fleet.get_vehicle(db, route.vehicle_id)
    return {"route": route.number, "vehicle": vehicle.number}
