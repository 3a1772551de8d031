"""`/ws/orders`: the orders of a day as they change, and how their deliveries stand."""

import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

import msgspec
from fastapi import APIRouter, WebSocket
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.organizations import service as organizations
from cloud_api.kernel.db import Database
from cloud_api.kernel.errors import Invalid
from cloud_api.kernel.permissions import Principal, watcher
from cloud_api.kernel.tenancy import OrganizationScope
from cloud_api.orders.book.models import CustomerOrder
from cloud_api.orders.book.queries import VisibleOrders
from cloud_api.orders.book.telling import orders_topic
from cloud_api.places import service as places
from cloud_api.realtime.feeds import Pace, Picture
from cloud_api.realtime.sockets import follow

live = APIRouter()

#: of a day that many orders come in on: a reading for many changes
_PACE = Pace(gather_s=0.05)
#: as many as a screen shows; the day's newest
_MOST = 2_000


class LiveDelivery(msgspec.Struct, frozen=True, gc=False):
    """The last attempt to deliver an order."""

    id: uuid.UUID
    status: str
    planned_arrival_at: datetime | None


#: orders -> each one's last attempt; `main` says who knows, for deliveries stand above orders
Attempts = Callable[[AsyncSession, Sequence[uuid.UUID]], Awaitable[Mapping[uuid.UUID, LiveDelivery]]]


class LiveOrder(msgspec.Struct, frozen=True, gc=False):
    """An order, as a board shows it."""

    id: uuid.UUID
    number: str
    customer_name: str
    warehouse_id: uuid.UUID
    delivery_date: date
    window_from: time
    window_until: time
    status: str
    payment_method: str
    payment_status: str
    total_minor: int
    version: int
    delivery: LiveDelivery | None


@dataclass(frozen=True)
class OrdersView:
    """The orders of one day that somebody may see."""

    scope: OrganizationScope
    seen: VisibleOrders
    #: None: whichever day it is
    day: date | None
    attempts: Attempts
    pace: Pace = _PACE

    async def look(self, db: AsyncSession) -> Picture:
        """Each order by its id, newest first."""
        day = self.day or await organizations.today(db)
        its = select(CustomerOrder).where(self.seen.orders(), CustomerOrder.delivery_date == day)
        orders = (await db.scalars(its.order_by(CustomerOrder.id.desc()).limit(_MOST))).all()
        attempts = await self.attempts(db, [order.id for order in orders])
        items = {str(order.id): msgspec.json.encode(_told(order, attempts.get(order.id))) for order in orders}
        return Picture(items, frozenset({orders_topic(self.scope.organization_id)}))


def _told(order: CustomerOrder, delivery: LiveDelivery | None) -> LiveOrder:
    return LiveOrder(
        id=order.id,
        number=order.number,
        customer_name=order.customer_name,
        warehouse_id=order.warehouse_id,
        delivery_date=order.delivery_date,
        window_from=order.window_from,
        window_until=order.window_until,
        status=order.status,
        payment_method=order.payment_method,
        payment_status=order.payment_status,
        total_minor=order.total_minor,
        version=order.version,
        delivery=delivery,
    )


@live.websocket("/ws/orders")
async def follow_orders(socket: WebSocket) -> None:
    """The orders to be delivered today, or on `?day=2026-11-22`, as they change; a customer sees their own.

    The token is the second subprotocol, after `bearer`. What is sent, and how a refusal looks, `realtime.sockets` says.
    """

    async def entitle() -> tuple[Principal, OrdersView]:
        principal = await watcher(socket, "orders:read")
        day = _day_of(socket.query_params.get("day"))
        database: Database = socket.app.state.database
        async with database.unit_of_work(principal.scope, read_only=True) as db:
            warehouses = await places.visible_to(db, principal)
        own_only = principal.may_only_own("orders:read")
        seen = VisibleOrders(warehouses, principal.id if own_only else None)
        return principal, OrdersView(principal.scope, seen, day, socket.app.state.delivery_attempts)

    await follow(socket, entitle)


def _day_of(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise Invalid("name a day as in ?day=2026-11-22", field="day") from None
