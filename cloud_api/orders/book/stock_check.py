"""What of an order could be promised now. A look, and no promise: who confirms first gets it."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import func, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.customers import service as customers
from cloud_api.inventory.ledger.models import Lot, StockLevel
from cloud_api.inventory.reservations.queries import keeps_through
from cloud_api.kernel.columns import Quantity
from cloud_api.orders.book.models import CustomerOrder, OrderLine
from cloud_api.places import service as places


async def needed_on(db: AsyncSession, order: CustomerOrder) -> date:
    """The day by which nothing that is promised to the order may have expired."""
    return max(order.delivery_date, await places.today_in(db, order.warehouse_id))


async def promisable(db: AsyncSession, order: CustomerOrder, lines: Sequence[OrderLine]) -> Mapping[uuid.UUID, Decimal]:
    """line -> how much of what it wants may be sold now, and keeps as long as the customer asks."""
    days = (await customers.get_customer(db, order.customer_id)).min_remaining_shelf_life_days
    through = await needed_on(db, order) + timedelta(days=days)
    rows = await db.execute(
        select(StockLevel.product_id, type_coerce(func.sum(StockLevel.on_hand - StockLevel.reserved), Quantity))
        .join(Lot, Lot.id == StockLevel.lot_id)
        .where(
            StockLevel.product_id.in_([line.product_id for line in lines]),
            StockLevel.location_id.in_(await places.of_warehouse(db, order.warehouse_id)),
            StockLevel.status == "available",
            keeps_through(StockLevel, through),
        )
        .group_by(StockLevel.product_id)
    )
    free: dict[uuid.UUID, Decimal] = {product_id: quantity for product_id, quantity in rows}
    return {line.id: min(line.quantity, max(Decimal(0), free.get(line.product_id, Decimal(0)))) for line in lines}
