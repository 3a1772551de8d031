"""Every change of an order is announced to who watches orders, whichever room makes it; only the topic travels."""

import uuid
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.orm import Mapper, object_session

from cloud_api.orders.book.models import CustomerOrder
from cloud_api.realtime.hub import topic_of


def orders_topic(organization_id: uuid.UUID) -> str:
    """What is announced when any order of an organisation has changed."""
    return topic_of("orders", organization_id, organization_id)


@event.listens_for(CustomerOrder, "after_insert")
@event.listens_for(CustomerOrder, "after_update")
def _announce(_mapper: Mapper[Any], _connection: Connection, order: CustomerOrder) -> None:
    session = object_session(order)
    if session is not None:  # `kernel.db.announce` is for who holds the session that is asynchronous
        session.info.setdefault("topics", set()).add(orders_topic(order.organization_id))
