"""What orders tell the rooms above them."""

import uuid
from dataclasses import dataclass


@dataclass(frozen=True)
class OrderConfirmed:
    """Stock is promised to an order."""

    order_id: uuid.UUID


@dataclass(frozen=True)
class OrderPacked:
    """An order waits for its van."""

    order_id: uuid.UUID


@dataclass(frozen=True)
class OrderCancelled:
    """An order will not be delivered; its stock is free."""

    order_id: uuid.UUID
    reason: str
