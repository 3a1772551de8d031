"""What payments tell: the rooms above them, and what goes out to the provider after the commit."""

import uuid
from dataclasses import dataclass


@dataclass(frozen=True)
class PaymentReceived:
    """Money of an order is there."""

    order_id: uuid.UUID
    payment_id: uuid.UUID


@dataclass(frozen=True)
class PaymentRefunded:
    """Money of an order went back, or is written as a credit."""

    order_id: uuid.UUID
    payment_id: uuid.UUID


@dataclass(frozen=True)
class CaptureDue:
    """The provider holds a customer's money for us: it is to be captured."""

    payment_id: uuid.UUID
    #: the provider's name for the attempt that succeeded
    provider_payment_id: str


@dataclass(frozen=True)
class RefundDue:
    """Money is to go back through the provider."""

    payment_id: uuid.UUID
