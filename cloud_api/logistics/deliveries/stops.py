"""Which stop is next, and in what sequence a route's stops are driven."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel import clock, outbox
from cloud_api.logistics.deliveries.errors import BadRoute
from cloud_api.logistics.deliveries.lookup import AHEAD, deliveries_of
from cloud_api.logistics.deliveries.models import Delivery, Route
from cloud_api.logistics.deliveries.states import DeliveryStatus, RouteStatus
from cloud_api.logistics.events import RouteMoved, StopIsNext


async def announce_next(db: AsyncSession, route: Route) -> None:
    """Tell the first stop ahead that nobody comes before it, once, unless the driver still stands at another."""
    if route.status != RouteStatus.IN_PROGRESS:
        return
    await db.flush()
    stops = await deliveries_of(db, route.id)
    if any(stop.status == DeliveryStatus.ARRIVED for stop in stops):
        return
    following = next((stop for stop in stops if stop.status == DeliveryStatus.OUT_FOR_DELIVERY), None)
    if following is not None and following.announced_at is None:
        following.announced_at = clock.now()
        outbox.emit(db, StopIsNext(following.id))


async def reorder(db: AsyncSession, route: Route, arrivals: Sequence[tuple[uuid.UUID, datetime]]) -> Sequence[Delivery]:
    """Drive the stops ahead in this order; those that are not named follow in the order that they had.

    The route is locked by the caller. What has happened keeps its place: stops ahead are numbered behind it.

    Raises:
        BadRoute: when one is named twice, is not on the route, or not ahead any more.
    """
    stops = await deliveries_of(db, route.id, locked=True)
    ahead = {stop.id: stop for stop in stops if stop.status in AHEAD}
    named = [delivery_id for delivery_id, _ in arrivals]
    if len(set(named)) < len(named):
        raise BadRoute("a stop is named twice", field="delivery_ids")
    for delivery_id in named:
        if delivery_id not in ahead:
            raise BadRoute(f"delivery {delivery_id} is not ahead on route {route.number}", field="delivery_ids")
    for delivery_id, planned_at in arrivals:
        ahead[delivery_id].planned_arrival_at = planned_at
    order = [ahead[delivery_id] for delivery_id in named]
    order += [stop for stop in ahead.values() if stop.id not in set(named)]
    await renumber(db, order, others=[stop for stop in stops if stop.id not in ahead])
    route.version += 1
    outbox.emit(db, RouteMoved(route.id))
    await announce_next(db, route)
    return order


async def renumber(db: AsyncSession, order: Sequence[Delivery], *, others: Sequence[Delivery]) -> None:
    """Give stops the free numbers behind all that has happened, in this order.

    In two steps, so that no two have one number in between.
    """
    taken = {stop.sequence for stop in others}
    happened = (stop.sequence or 0 for stop in others if stop.status != DeliveryStatus.CANCELLED)
    number, wanted = max(happened, default=0), []
    for _ in order:
        number += 1
        while number in taken:
            number += 1
        wanted.append(number)
    moved = [(stop, sequence) for stop, sequence in zip(order, wanted, strict=True) if stop.sequence != sequence]
    for stop, sequence in moved:
        stop.sequence = -sequence
    await db.flush()
    for stop, sequence in moved:
        stop.sequence = sequence
    await db.flush()
