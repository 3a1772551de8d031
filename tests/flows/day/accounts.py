"""The evening: what the platform says of the day, beside what the scenario meant and what the phones believe."""

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from cloud_api.inventory.ledger import service as ledger
from cloud_api.inventory.ledger.models import StockMovement
from cloud_api.kernel.outbox import OutboxDelivery, OutboxEvent
from cloud_api.kernel.tenancy import SystemScope
from cloud_api.logistics.deliveries.models import Delivery
from cloud_api.notifications.models import ContactMessage
from cloud_api.orders.book.models import CustomerOrder, OrderLine
from tests.flows.day.farm import Farm


@dataclass(frozen=True)
class Evening:
    """Orders and their attempts, as they ended."""

    #: order -> status
    orders: Mapping[str, str]
    #: order -> its attempts, the first first
    attempts: Mapping[str, Sequence[Delivery]]

    def reason(self, order_id: str) -> str:
        """Why the last attempt at an order came to nothing; empty: there was none, or it did not."""
        attempts = self.attempts.get(order_id, ())
        return (attempts[-1].failure_reason or "") if attempts else ""


async def evening(farm: Farm) -> Evening:
    """Read it."""
    async with farm.platform.database.unit_of_work(farm.tenant.organization, read_only=True) as db:
        orders = {str(order.id): order.status for order in await db.scalars(select(CustomerOrder))}
        attempts: dict[str, list[Delivery]] = {}
        for delivery in await db.scalars(select(Delivery).order_by(Delivery.attempt)):
            attempts.setdefault(str(delivery.order_id), []).append(delivery)
    return Evening(orders, attempts)


async def stock_differences(farm: Farm) -> Sequence[Any]:
    """Where levels and ledger do not say the same."""
    async with farm.platform.database.unit_of_work(farm.tenant.organization, read_only=True) as db:
        return await ledger.differences(db)


async def left_for_good(farm: Farm) -> dict[str, Decimal]:
    """What left by the ledger under each delivery's number."""
    async with farm.platform.database.unit_of_work(farm.tenant.organization, read_only=True) as db:
        rows = await db.execute(
            select(StockMovement.reference, func.sum(StockMovement.quantity))
            .where(StockMovement.movement_type == "outbound")
            .group_by(StockMovement.reference)
        )
        return {reference: -quantity for reference, quantity in rows}


async def ordered(farm: Farm) -> dict[str, Decimal]:
    """What is in the boxes of each order."""
    async with farm.platform.database.unit_of_work(farm.tenant.organization, read_only=True) as db:
        rows = await db.execute(
            select(OrderLine.order_id, func.sum(func.coalesce(OrderLine.packed_quantity, OrderLine.quantity))).group_by(
                OrderLine.order_id
            )
        )
        return {str(order_id): quantity for order_id, quantity in rows}


async def unheard(farm: Farm) -> Sequence[str]:
    """Reactions to this organisation's events that are not done."""
    async with farm.platform.database.unit_of_work(SystemScope("test"), read_only=True) as db:
        rows = await db.execute(
            select(OutboxDelivery.reaction, OutboxDelivery.state, OutboxDelivery.last_error)
            .join(OutboxEvent, OutboxEvent.id == OutboxDelivery.event_id)
            .where(OutboxDelivery.state != "done")
        )
        return [f"{reaction} {state}: {error}" for reaction, state, error in rows]


async def told_twice(farm: Farm, templates: Sequence[str]) -> list[str]:
    """Customers who were told one matter more than once on one channel."""
    async with farm.platform.database.unit_of_work(farm.tenant.organization, read_only=True) as db:
        rows = await db.scalars(select(ContactMessage).where(ContactMessage.template.in_(templates)))
        told = Counter(f"{row.template} {row.subject} {row.channel}" for row in rows)
    return [matter for matter, count in told.items() if count > 1]


def driven_for(farm: Farm) -> dict[str, str]:
    """Delivery -> the hash that its driver's phone believes to be its proof."""
    return {delivery: sha256 for van in farm.vans for delivery, sha256 in van.proofs.items()}


def by_id(attempts: Mapping[str, Sequence[Delivery]]) -> dict[uuid.UUID, Delivery]:
    """All attempts, by their own ids."""
    return {delivery.id: delivery for those in attempts.values() for delivery in those}
