"""How deliveries stand, for who watches orders and routes: every change is announced, whichever verb makes it."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, event, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapper, object_session

from cloud_api.logistics.deliveries.models import Delivery, Route
from cloud_api.orders.book.telling import orders_topic
from cloud_api.orders.live import LiveDelivery
from cloud_api.realtime.hub import topic_of


async def last_attempts(db: AsyncSession, order_ids: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, LiveDelivery]:
    """Order -> the last attempt to deliver it; orders that wait for their first are not among them."""
    its = select(Delivery).where(Delivery.order_id.in_(order_ids)).order_by(Delivery.attempt)
    return {
        delivery.order_id: LiveDelivery(delivery.id, delivery.status, delivery.planned_arrival_at)
        for delivery in await db.scalars(its)
    }


@event.listens_for(Delivery, "after_insert")
@event.listens_for(Delivery, "after_update")
def _announce_delivery(_mapper: Mapper[Any], _connection: Connection, delivery: Delivery) -> None:
    _announce(delivery, orders_topic(delivery.organization_id))
    if delivery.route_id is not None:
        _announce(delivery, topic_of("route", delivery.organization_id, delivery.route_id))


@event.listens_for(Route, "after_update")
def _announce_route(_mapper: Mapper[Any], _connection: Connection, route: Route) -> None:
    _announce(route, topic_of("route", route.organization_id, route.id))


def _announce(changed: Delivery | Route, topic: str) -> None:
    session = object_session(changed)
    if session is not None:
        session.info.setdefault("topics", set()).add(topic)
