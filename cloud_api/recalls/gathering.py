"""What a recall concerns: who has some of it, who would have got it, and which vans carry it."""

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal

from sqlalchemy import case, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.products.models import Product
from cloud_api.customers.models import Customer
from cloud_api.inventory.ledger.models import Lot, StockLevel, StockMovement, StockReservation
from cloud_api.inventory.lots.tracing import descendants, shipped
from cloud_api.kernel import clock
from cloud_api.kernel.columns import Quantity
from cloud_api.logistics.deliveries.models import Delivery, Route
from cloud_api.logistics.fleet.models import Vehicle
from cloud_api.orders.book.models import CustomerOrder, OrderLine
from cloud_api.places.queries import Visible
from cloud_api.recalls.models import Recall
from cloud_api.recalls.schemas import (
    OtherShipment,
    RecalledCustomer,
    RecalledLot,
    RecalledStop,
    RecallRead,
    RecallReport,
)

_LINE = "order_line:"


async def report(db: AsyncSession, recall: Recall, *, seen: Visible) -> RecallReport:
    """What a recall concerns, of the warehouses that somebody may see."""
    lot_ids = await descendants(db, recall.lot_id)
    customers = await _customers(db, lot_ids, seen)
    numbers = {one.order_id: one.order_number for one in customers}
    return RecallReport(
        recall=RecallRead.model_validate(recall),
        made_at=clock.now(),
        lots=await _lots(db, lot_ids, seen),
        customers=customers,
        stops=await _stops(db, numbers),
        other_shipments=await _others(db, lot_ids, seen),
    )


async def _lots(db: AsyncSession, lot_ids: Sequence[uuid.UUID], seen: Visible) -> list[RecalledLot]:
    nothing = literal(Decimal(0), Quantity)
    there = select(
        StockLevel.lot_id,
        func.sum(StockLevel.on_hand).label("on_hand"),
        func.sum(case((StockLevel.status == "on_hold", StockLevel.on_hand), else_=nothing)).label("on_hold"),
    ).where(StockLevel.lot_id.in_(lot_ids), seen.locations(StockLevel.location_id))
    lying = {row.lot_id: row for row in await db.execute(there.group_by(StockLevel.lot_id))}
    rows = await db.execute(
        select(Lot, Product).join(Product, Product.id == Lot.product_id).where(Lot.id.in_(lot_ids)).order_by(Lot.id)
    )
    return [
        RecalledLot(
            lot_id=lot.id,
            lot_number=lot.lot_number,
            product_id=product.id,
            product_name=product.name,
            sku=product.sku,
            on_hand=lying[lot.id].on_hand if lot.id in lying else Decimal(0),
            on_hold=lying[lot.id].on_hold if lot.id in lying else Decimal(0),
        )
        for lot, product in rows
    ]


async def _customers(db: AsyncSession, lot_ids: Sequence[uuid.UUID], seen: Visible) -> list[RecalledCustomer]:
    """By order and lot: what was promised and not taken back is theirs, or would have been."""
    promised = await db.execute(
        select(StockReservation.source, Lot, func.sum(StockReservation.quantity))
        .join(StockLevel, StockLevel.id == StockReservation.stock_level_id)
        .join(Lot, Lot.id == StockLevel.lot_id)
        .where(
            Lot.id.in_(lot_ids),
            StockReservation.status.in_(("active", "consumed")),
            StockReservation.source.startswith(_LINE),
        )
        .group_by(StockReservation.source, Lot.id)
        .order_by(StockReservation.source, Lot.id)
    )
    theirs = defaultdict[uuid.UUID, list[tuple[Lot, Decimal]]](list)
    for source, lot, quantity in promised:
        theirs[uuid.UUID(source.removeprefix(_LINE))].append((lot, quantity))
    rows = await db.execute(
        select(OrderLine.id, CustomerOrder, Customer, Product)
        .join(CustomerOrder, CustomerOrder.id == OrderLine.order_id)
        .join(Customer, Customer.id == CustomerOrder.customer_id)
        .join(Product, Product.id == OrderLine.product_id)
        .where(OrderLine.id.in_(theirs), seen.warehouses(CustomerOrder.warehouse_id))
        .order_by(CustomerOrder.id, OrderLine.id)
    )
    return [
        RecalledCustomer(
            customer_id=customer.id,
            customer_name=customer.name,
            phone=customer.phone,
            email=customer.email,
            address=order.address,
            order_id=order.id,
            order_number=order.number,
            order_status=order.status,
            lot_number=lot.lot_number,
            product_name=product.name,
            quantity=quantity,
            unit=product.unit,
            delivered=order.delivered_at is not None,
            delivered_at=order.delivered_at,
        )
        for line_id, order, customer, product in rows
        for lot, quantity in theirs[line_id]
    ]


async def _stops(db: AsyncSession, numbers: Mapping[uuid.UUID, str]) -> list[RecalledStop]:
    """Where these orders are or were to be brought; by their numbers."""
    rows = await db.execute(
        select(Delivery, Route, Vehicle)
        .join(Route, Route.id == Delivery.route_id)
        .join(Vehicle, Vehicle.id == Route.vehicle_id)
        .where(Delivery.order_id.in_(numbers))
        .order_by(Route.id, Delivery.sequence)
    )
    return [
        RecalledStop(
            route_number=route.number,
            vehicle=vehicle.number,
            sequence=delivery.sequence,
            delivery_number=delivery.number,
            order_number=numbers[delivery.order_id],
            status=delivery.status,
            planned_arrival_at=delivery.planned_arrival_at,
        )
        for delivery, route, vehicle in rows
    ]


async def _others(db: AsyncSession, lot_ids: Sequence[uuid.UUID], seen: Visible) -> list[OtherShipment]:
    """What went out, and not by a delivery of an order."""
    its = shipped(lot_ids).where(
        seen.locations(StockMovement.location_id),
        StockMovement.reference.not_in(select(Delivery.number)),
    )
    movements = (await db.scalars(its.order_by(StockMovement.id))).all()
    numbers = {lot.id: lot.lot_number for lot in await db.scalars(select(Lot).where(Lot.id.in_(lot_ids)))}
    return [
        OtherShipment(
            movement_id=movement.id,
            number=movement.number,
            lot_number=numbers[movement.lot_id],
            quantity=-movement.quantity,
            reference=movement.reference,
            effective_at=movement.effective_at,
        )
        for movement in movements
    ]
