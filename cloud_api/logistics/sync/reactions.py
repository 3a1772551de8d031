"""What phones hear of what happens: each event brings the feeds of those whom it concerns up to date."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel.outbox import Subscription, reaction, reaction_to_all
from cloud_api.logistics.events import (
    PhotoArrived,
    RouteCompleted,
    RouteMoved,
    RoutePublished,
    RouteStarted,
    StopArrived,
    StopDelivered,
    StopFailed,
)
from cloud_api.logistics.sync import feed, taking_in
from cloud_api.notifications.events import NotificationWritten
from cloud_api.orders.book.events import OrderCancelled, OrderChanged

_OfARoute = RoutePublished | RouteMoved | RouteStarted | RouteCompleted
_OfAStop = StopArrived | StopDelivered | StopFailed


async def hear_of_route(db: AsyncSession, event: _OfARoute) -> None:
    """A route is another one than its driver knew."""
    await feed.refresh_route(db, event.route_id)


async def hear_of_stops(db: AsyncSession, events: Sequence[_OfAStop]) -> None:
    """Stops are others than their drivers knew."""
    await feed.refresh_stops(db, {event.delivery_id for event in events})


async def hear_of_order(db: AsyncSession, event: OrderChanged | OrderCancelled) -> None:
    """An order has other lines, another total, or is given up."""
    await feed.refresh_order(db, event.order_id)


async def hear_of_message(db: AsyncSession, event: NotificationWritten) -> None:
    """Somebody who may be driving was written to."""
    await feed.add_message(db, event.notification_id)


async def hear_of_photo(db: AsyncSession, event: PhotoArrived) -> None:
    """A picture is here that commands have waited for."""
    await taking_in.take_up(db, photo_sha256=event.sha256)


REACTIONS: list[Subscription] = [
    reaction(RoutePublished, "sync.hear_of_published_route", hear_of_route),
    reaction(RouteMoved, "sync.hear_of_moved_route", hear_of_route),
    reaction(RouteStarted, "sync.hear_of_started_route", hear_of_route),
    reaction(RouteCompleted, "sync.hear_of_completed_route", hear_of_route),
    reaction_to_all(StopArrived, "sync.hear_of_arrival", hear_of_stops),
    reaction_to_all(StopDelivered, "sync.hear_of_delivery", hear_of_stops),
    reaction_to_all(StopFailed, "sync.hear_of_failure", hear_of_stops),
    reaction(OrderChanged, "sync.hear_of_changed_order", hear_of_order),
    reaction(OrderCancelled, "sync.hear_of_cancelled_order", hear_of_order),
    reaction(NotificationWritten, "sync.hear_of_message", hear_of_message),
    reaction(PhotoArrived, "sync.hear_of_photo", hear_of_photo),
]
