"""Reusable reads of orders, and which of them somebody may see."""

import uuid
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, Select, and_, select

from cloud_api.customers.queries import customer_of
from cloud_api.inventory.ledger.models import Lot, StockLevel, StockReservation
from cloud_api.orders.book.models import CustomerOrder
from cloud_api.orders.book.states import OrderStatus
from cloud_api.places.queries import EVERYWHERE, Visible


@dataclass(frozen=True)
class VisibleOrders:
    """Which orders somebody may see."""

    #: of these warehouses
    places: Visible = EVERYWHERE
    #: somebody who may see only their own customer's orders; None: every customer's
    buyer_id: uuid.UUID | None = None

    def orders(self) -> ColumnElement[bool]:
        """Whether an order is one of them."""
        shipped_from_there = self.places.warehouses(CustomerOrder.warehouse_id)
        if self.buyer_id is None:
            return shipped_from_there
        return and_(shipped_from_there, CustomerOrder.customer_id.in_(customer_of(self.buyer_id)))


EVERY_ORDER = VisibleOrders()


def allocations(sources: list[str]) -> Select[tuple[StockReservation, StockLevel, Lot]]:
    """What is or was promised to lines, with its lots; what was taken back is left out."""
    return (
        select(StockReservation, StockLevel, Lot)
        .join(StockLevel, StockLevel.id == StockReservation.stock_level_id)
        .join(Lot, Lot.id == StockLevel.lot_id)
        .where(StockReservation.source.in_(sources), StockReservation.status != "released")
        .order_by(StockReservation.id)
    )


def packed_for(delivery_date: date, warehouse_id: uuid.UUID) -> Select[tuple[CustomerOrder]]:
    """Orders of a day that wait for a van."""
    return (
        select(CustomerOrder)
        .where(
            CustomerOrder.status == OrderStatus.PACKED,
            CustomerOrder.delivery_date == delivery_date,
            CustomerOrder.warehouse_id == warehouse_id,
        )
        .order_by(CustomerOrder.id)
    )
