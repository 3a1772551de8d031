"""What deliveries do when they hear of orders, and of their own stops."""

from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.people import service as people
from cloud_api.kernel.outbox import Subscription, reaction
from cloud_api.logistics.deliveries import service
from cloud_api.logistics.events import ProofUnverified, StopIsNext
from cloud_api.notifications import service as notifications
from cloud_api.orders.book import service as orders
from cloud_api.orders.book.events import OrderCancelled
from cloud_api.places import service as places


async def take_off_the_route(db: AsyncSession, event: OrderCancelled) -> None:
    """An order was cancelled: its stop is off the route."""
    await service.cancel_deliveries(db, event.order_id)


async def send_the_code(db: AsyncSession, event: StopIsNext) -> None:
    """A customer is next: they get the code that they tell the driver."""
    await service.announce_code(db, event.delivery_id)


async def tell_of_the_doubt(db: AsyncSession, event: ProofUnverified) -> None:
    """Goods were handed over, and the code could not be checked: whoever may let it pass has to look."""
    delivery = await service.get_delivery(db, event.delivery_id)
    order = await orders.get_order(db, delivery.order_id)
    wrong = "was wrong" if delivery.otp_status == "unverified" else "could not be checked"
    inside = await places.of_warehouse(db, order.warehouse_id)
    deciders = await people.users_with_permission(db, "deliveries:write")
    watchers = await places.who_may_see(db, deciders, location_id=next(iter(inside), None))
    await notifications.notify(
        db,
        title=f"{delivery.number}: delivered, the code {wrong}",
        message=f"Order {order.number} was handed over without signal, and its code {wrong}. Look at the proof, and "
        "let it pass with a reason, or ask the customer.",
        severity="warning",
        category="delivery",
        subject=f"delivery:{delivery.id}",
        user_ids=watchers,
        collapse_key=f"proof:{delivery.id}",
        data={"delivery_id": str(delivery.id)},
    )


REACTIONS: list[Subscription] = [
    reaction(OrderCancelled, "logistics.take_off_the_route", take_off_the_route),
    reaction(StopIsNext, "deliveries.send_the_code", send_the_code),
    reaction(ProofUnverified, "deliveries.tell_of_the_doubt", tell_of_the_doubt),
]
