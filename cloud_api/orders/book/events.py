"""What the order book tells the rooms above it."""

import uuid
from dataclasses import dataclass


@dataclass(frozen=True)
class OrderConfirmed:
    """Stock is promised to an order."""

    order_id: uuid.UUID


@dataclass(frozen=True)
class OrderChanged:
    """An order has other lines, another door, another window, or another total."""

    order_id: uuid.UUID


@dataclass(frozen=True)
class OrderPacked:
    """An order waits for its van."""

    order_id: uuid.UUID


@dataclass(frozen=True)
class OrderDelivered:
    """An order was handed over."""

    order_id: uuid.UUID


@dataclass(frozen=True)
class OrderReturned:
    """An order came back for good, all of it."""

    order_id: uuid.UUID


@dataclass(frozen=True)
class OrderCancelled:
    """An order will not be delivered; its stock is free."""

    order_id: uuid.UUID
    reason: str
