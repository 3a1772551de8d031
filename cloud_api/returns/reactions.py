"""What returns do when the money of an order has gone back."""

from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel.outbox import Subscription, reaction
from cloud_api.orders.payments.events import PaymentRefunded
from cloud_api.returns import service


async def note_refund(db: AsyncSession, event: PaymentRefunded) -> None:
    """Its returns may be refunded now."""
    await service.settle_refunds(db, event.order_id)


REACTIONS: list[Subscription] = [reaction(PaymentRefunded, "returns.note_refund", note_refund)]
