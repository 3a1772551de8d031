"""How far an order is, for whoever waits for it: steps, an honest time, and the van once it is near.

Nothing here names anybody: an address may be passed on, and the page that it leads to is read by strangers.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.organizations import service as organizations
from cloud_api.kernel import clock
from cloud_api.logistics.deliveries.models import Delivery
from cloud_api.logistics.deliveries.states import DeliveryStatus, RouteStatus
from cloud_api.logistics.tracking.arrivals import Drive, drives, expected
from cloud_api.logistics.tracking.eta import FRESH
from cloud_api.logistics.tracking.following import stops_before, to_the_minute
from cloud_api.logistics.tracking.geometry import distance_m
from cloud_api.logistics.tracking.schemas import OrderTrackRead, StepRead, VanRead
from cloud_api.orders.book.models import CustomerOrder
from cloud_api.orders.book.states import OrderStatus

#: nearer than this a customer sees the van, even if it goes to other doors first
NEAR_M = 3_000
STEPS = ("taken", "packed", "on_the_way", "next", "arrived", "delivered")
_OVER = {
    OrderStatus.CANCELLED: "cancelled",
    OrderStatus.RETURNED: "returned",
}
_COMING = frozenset({DeliveryStatus.OUT_FOR_DELIVERY, DeliveryStatus.ARRIVED})
Reader = Literal["customer", "staff"]


@dataclass(frozen=True, slots=True)
class _Attempt:
    """The order's latest, and the route that it is on."""

    delivery: Delivery
    drive: Drive | None

    @property
    def before(self) -> int | None:
        """Doors that come first; None: it is not on the road."""
        if self.drive is None or self.drive.status != RouteStatus.IN_PROGRESS or self.delivery.status not in _COMING:
            return None
        return stops_before(self.drive, self.delivery.id)


async def progress_of(db: AsyncSession, order: CustomerOrder, *, reader: Reader) -> OrderTrackRead:
    """How far an order is. A customer sees the van only when it is near: next to them, or within three kilometres."""
    attempt = await _latest(db, order.id)
    delivery = attempt.delivery if attempt else None
    etas = await expected(db, [attempt.drive]) if attempt and attempt.drive and not _is_over(order) else {}
    before = attempt.before if attempt else None
    reached = _reached(order, delivery, before)
    return OrderTrackRead(
        order_number=order.number,
        status=_OVER.get(OrderStatus(order.status)) or _said(reached, delivery),
        steps=_steps(order, delivery, attempt.drive if attempt else None, reached),
        window_from=await organizations.instant(db, order.delivery_date, order.window_from),
        window_until=await organizations.instant(db, order.delivery_date, order.window_until),
        eta=to_the_minute(etas.get(delivery.id)) if delivery else None,
        stops_before=before,
        van=_van(order, attempt, before, reader),
        delivered_at=delivery.delivered_at if delivery and order.status == OrderStatus.DELIVERED else None,
        has_photo=bool(delivery and delivery.delivered_at and delivery.photo_sha256),
        has_signature=bool(delivery and delivery.delivered_at and delivery.signature_sha256),
        cargo_temperature_c=delivery.cargo_temperature_c if delivery else None,
    )


async def ended_at(db: AsyncSession, order: CustomerOrder) -> datetime | None:
    """When an order was handed over, or its last attempt began of one that came to nothing; None: it is not over."""
    if order.status == OrderStatus.DELIVERED:
        return order.delivered_at
    if not _is_over(order):
        return None
    attempt = await _latest(db, order.id)
    last = attempt.delivery if attempt else None
    if last is not None and (last.arrived_at or last.planned_arrival_at):
        return last.arrived_at or last.planned_arrival_at
    return order.packed_at or order.confirmed_at or order.created_at


def _is_over(order: CustomerOrder) -> bool:
    return order.status in _OVER or order.status == OrderStatus.DELIVERED


async def _latest(db: AsyncSession, order_id: uuid.UUID) -> _Attempt | None:
    its = select(Delivery).where(
        Delivery.order_id == order_id,
        Delivery.route_id.is_not(None),
        Delivery.status != DeliveryStatus.CANCELLED,
    )
    delivery = (await db.scalars(its.order_by(Delivery.attempt.desc()).limit(1))).one_or_none()
    if delivery is None or delivery.route_id is None:
        return None
    these = await drives(db, [delivery.route_id])
    return _Attempt(delivery, these[0] if these else None)


def _reached(order: CustomerOrder, delivery: Delivery | None, before: int | None) -> int:
    """The last of `STEPS` that is done, by its place among them."""
    if order.status == OrderStatus.DELIVERED:
        return STEPS.index("delivered")
    if delivery is not None and delivery.status == DeliveryStatus.ARRIVED:
        return STEPS.index("arrived")
    if before is not None:
        return STEPS.index("next" if before == 0 else "on_the_way")
    return STEPS.index("taken" if order.packed_at is None else "packed")


def _said(reached: int, delivery: Delivery | None) -> str:
    """In one word; an attempt that failed is told until the next one is planned."""
    if delivery is not None and delivery.status in {DeliveryStatus.FAILED, DeliveryStatus.RETURNED}:
        return "failed"
    return STEPS[reached]


def _steps(order: CustomerOrder, delivery: Delivery | None, drive: Drive | None, reached: int) -> list[StepRead]:
    times = {
        "taken": order.created_at,
        "packed": order.packed_at,
        "on_the_way": drive.started_at if drive else None,
        "arrived": delivery.arrived_at if delivery else None,
        "delivered": order.delivered_at,
    }
    return [
        StepRead(step=step, is_done=place <= reached, at=times.get(step) if place <= reached else None)
        for place, step in enumerate(STEPS)
    ]


def _van(order: CustomerOrder, attempt: _Attempt | None, before: int | None, reader: Reader) -> VanRead | None:
    """Where it is, when whoever asks may know and it is known."""
    last = attempt.drive.last if attempt and attempt.drive else None
    if last is None or before is None or clock.now() - last.recorded_at > FRESH:
        return None
    away_m = distance_m(last.latitude, last.longitude, order.latitude, order.longitude)
    if reader == "customer" and before > 0 and away_m > NEAR_M:
        return None
    return VanRead(
        latitude=last.latitude, longitude=last.longitude, recorded_at=last.recorded_at, distance_m=round(away_m)
    )
