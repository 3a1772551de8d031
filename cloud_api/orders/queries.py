"""Reusable reads of orders."""

import uuid
from datetime import date

from sqlalchemy import Select, select

from cloud_api.inventory.models import Lot, StockLevel, StockReservation
from cloud_api.orders.models import CustomerOrder
from cloud_api.orders.states import OrderStatus


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
