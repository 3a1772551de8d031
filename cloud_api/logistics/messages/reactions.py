"""Who is told what when something happens to an order on its way."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.cold_chain.events import ExcursionOpened
from cloud_api.kernel.outbox import Subscription, reaction, reaction_to_all
from cloud_api.logistics.events import (
    EtaMoved,
    PhoneFellSilent,
    ReplanProposed,
    RouteChanged,
    RoutePublished,
    StopArrived,
    StopDelivered,
    StopFailed,
    StopIsNext,
)
from cloud_api.logistics.messages import crew, customers
from cloud_api.orders.book.events import OrderPacked
from cloud_api.orders.payments.events import PaymentRefunded


async def order_packed(db: AsyncSession, event: OrderPacked) -> None:
    """The customer knows when to be there."""
    await customers.tell_packed(db, event.order_id)


async def stop_is_next(db: AsyncSession, event: StopIsNext) -> None:
    """The customer knows that the van is coming."""
    await customers.tell_next(db, event.delivery_id)


async def eta_moved(db: AsyncSession, event: EtaMoved) -> None:
    """The customer knows the new time."""
    await customers.tell_eta_moved(db, event.delivery_id)


async def stops_arrived(db: AsyncSession, events: Sequence[StopArrived]) -> None:
    """Customers open their doors."""
    for event in events:
        await customers.tell_arrived(db, event.delivery_id)


async def stops_delivered(db: AsyncSession, events: Sequence[StopDelivered]) -> None:
    """Whoever ordered knows that it was handed over."""
    for event in events:
        await customers.tell_delivered(db, event.delivery_id)


async def stop_failed(db: AsyncSession, event: StopFailed) -> None:
    """The customer knows why nothing came."""
    await customers.tell_failed(db, event.delivery_id, reason=event.reason)


async def stop_failed_at_the_desk(db: AsyncSession, event: StopFailed) -> None:
    """Whoever dispatches decides what comes next."""
    await crew.tell_failed(db, event.delivery_id, reason=event.reason)


async def payment_refunded(db: AsyncSession, event: PaymentRefunded) -> None:
    """The customer looks for the money."""
    await customers.tell_refunded(db, event.order_id, payment_id=event.payment_id)


async def route_published(db: AsyncSession, event: RoutePublished) -> None:
    """The driver has a day."""
    await crew.tell_published(db, event.route_id)


async def route_changed(db: AsyncSession, event: RouteChanged) -> None:
    """The driver looks again."""
    await crew.tell_changed(db, event.route_id, why=event.why)


async def phone_fell_silent(db: AsyncSession, event: PhoneFellSilent) -> None:
    """Somebody calls the driver."""
    await crew.tell_silent(db, event.route_id)


async def replan_proposed(db: AsyncSession, event: ReplanProposed) -> None:
    """Somebody decides."""
    await crew.tell_proposal(db, event.job_id)


async def van_is_warm(db: AsyncSession, event: ExcursionOpened) -> None:
    """The driver closes the doors, and somebody decides."""
    await crew.tell_warm(db, event.excursion_id, location_id=event.location_id)


REACTIONS: list[Subscription] = [
    reaction(OrderPacked, "messages.order_packed", order_packed),
    reaction(StopIsNext, "messages.stop_is_next", stop_is_next),
    reaction(EtaMoved, "messages.eta_moved", eta_moved),
    reaction_to_all(StopArrived, "messages.stop_arrived", stops_arrived),
    reaction_to_all(StopDelivered, "messages.stop_delivered", stops_delivered),
    reaction(StopFailed, "messages.stop_failed", stop_failed),
    reaction(StopFailed, "messages.stop_failed_at_the_desk", stop_failed_at_the_desk),
    reaction(PaymentRefunded, "messages.payment_refunded", payment_refunded),
    reaction(RoutePublished, "messages.route_published", route_published),
    reaction(RouteChanged, "messages.route_changed", route_changed),
    reaction(PhoneFellSilent, "messages.phone_fell_silent", phone_fell_silent),
    reaction(ReplanProposed, "messages.replan_proposed", replan_proposed),
    reaction(ExcursionOpened, "messages.van_is_warm", van_is_warm),
]
