"""The verbs of orders. Stock moves only through `inventory.reservations`, each line under its own source."""

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import time
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.products import service as catalog
from cloud_api.customers import service as customers
from cloud_api.inventory.reservations import service as reservations
from cloud_api.kernel import clock, outbox
from cloud_api.kernel.errors import NotFound
from cloud_api.kernel.numbers import next_number
from cloud_api.orders.book import doors, pricing, searchable
from cloud_api.orders.book import telling as telling  # announces every change of an order
from cloud_api.orders.book.errors import BadOrder, CustomerInactive, TooLateToCancel
from cloud_api.orders.book.events import (
    OrderCancelled,
    OrderChanged,
    OrderConfirmed,
    OrderDelivered,
    OrderReturned,
)
from cloud_api.orders.book.models import CustomerOrder, OrderLine
from cloud_api.orders.book.queries import EVERY_ORDER, VisibleOrders
from cloud_api.orders.book.schemas import OrderCreate
from cloud_api.orders.book.states import ORDER, OrderAction, OrderStatus
from cloud_api.orders.book.stock_check import needed_on
from cloud_api.orders.slots import service as slots
from cloud_api.places import service as places
from cloud_api.search import service as search


def source_of(line: OrderLine) -> str:
    """Under which name inventory promises stock to a line."""
    return f"order_line:{line.id}"


async def create_order(db: AsyncSession, *, new: OrderCreate, seen: VisibleOrders = EVERY_ORDER) -> CustomerOrder:
    """Take an order, of one of those that `seen` shows. Nothing is promised before it is confirmed.

    Raises:
        NotFound: when the customer, the address, the warehouse or a product is not there.
        CustomerInactive: when no more orders are taken from the customer.
        WarehouseNeeded: when no warehouse is named, and there is no default and not just one.
        BadOrder: when a product stands in two lines, or the window ends before it begins.
        WrongQuantity: when a product counted in whole units is not.
        PriceIsTheStores: when somebody who orders for themselves says what it costs.
        NoPrice: when nobody said what a product costs.
        NoSuchSlot: when the warehouse delivers in other windows.
        SlotFull: when the window is taken by as many orders as it can be.
    """
    customer = await customers.get_customer(db, await _buyer(db, new.customer_id, seen))
    if not customer.is_active:
        raise CustomerInactive(f"no more orders are taken from {customer.name}", field="customer_id")
    door = await customers.get_address(db, customer.id, new.address_id)
    warehouse_id = await doors.warehouse_for(db, new.warehouse_id, seen=seen.places)
    check_window(new.window_from, new.window_until)
    today = await places.today_in(db, warehouse_id)
    lines = await pricing.new_lines(db, new.lines, on=today, by_buyer=seen.buyer_id is not None)
    order = CustomerOrder(
        number=await next_number(db, "ORD"),
        customer_id=customer.id,
        warehouse_id=warehouse_id,
        delivery_date=new.delivery_date,
        window_from=new.window_from,
        window_until=new.window_until,
        total_minor=pricing.total_minor(lines),
        payment_method=new.payment_method,
        note=new.note,
        created_at=clock.now(),
    )
    doors.copy_door(order, door)
    await doors.copy_contact(db, order, customer)
    db.add(order)
    await db.flush()
    for line in lines:
        line.order_id = order.id
    db.add_all(lines)
    await take_slot(db, order)
    await search.put(db, searchable.entry_of(order))
    return order


async def confirm_order(db: AsyncSession, order_id: uuid.UUID, *, seen: VisibleOrders = EVERY_ORDER) -> CustomerOrder:
    """Promise stock to every line, first expired first, or to none.

    Raises:
        NotFound: when there is no such order.
        InvalidTransition: when it is not pending.
        AddressNotConfirmed: when nobody is certain where its door is.
        NotEnoughStock: naming the product and what may be sold of it.
    """
    order = await lock_order(db, order_id, seen=seen)
    status = ORDER.apply(OrderStatus(order.status), OrderAction.CONFIRM)
    await doors.make_sure(db, order)
    lines = await lines_of(db, order.id)
    await reserve_lines(db, order, lines)
    mark(lines, "reserved")
    # both at the end: what is written at once is one statement, and one entry of the trail
    order.status, order.confirmed_at = status, clock.now()
    outbox.emit(db, OrderConfirmed(order.id))
    return order


async def cancel_order(
    db: AsyncSession, order_id: uuid.UUID, *, reason: str, seen: VisibleOrders = EVERY_ORDER
) -> CustomerOrder:
    """Give the order up; its stock is free again.

    Raises:
        NotFound: when there is no such order.
        InvalidTransition: when it is on the road, delivered or cancelled.
        TooLateToCancel: when a customer gives up what is packed.
    """
    order = await lock_order(db, order_id, seen=seen)
    if seen.buyer_id is not None and order.status == OrderStatus.PACKED:
        raise TooLateToCancel("the order is packed: ask the store to cancel it")
    order.status = ORDER.apply(OrderStatus(order.status), OrderAction.CANCEL)
    order.cancel_reason = reason
    lines = await lines_of(db, order.id)
    await reservations.release(db, [source_of(line) for line in lines])
    mark(lines, "cancelled")
    await slots.free(db, order.id)
    outbox.emit(db, OrderCancelled(order.id, reason))
    return order


async def lock_stock(db: AsyncSession, order_ids: Sequence[uuid.UUID], *, to_location_id: uuid.UUID) -> None:
    """Lock several orders, and all that is promised to them, before they are moved one by one."""
    locked = select(CustomerOrder.id).where(CustomerOrder.id.in_(order_ids)).order_by(CustomerOrder.id)
    await db.execute(locked.with_for_update())
    lines = await db.scalars(select(OrderLine).where(OrderLine.order_id.in_(order_ids)))
    await reservations.lock_all(db, [source_of(line) for line in lines], to_location_id=to_location_id)


async def load_orders(
    db: AsyncSession,
    order_ids: Collection[uuid.UUID],
    *,
    van_location_id: uuid.UUID,
    reference: str,
    user_id: uuid.UUID,
) -> None:
    """Transfer what is promised to these orders into a van: all of it, or nothing.

    Raises:
        InvalidTransition: when one is not packed.
        StockOnHold: when any of it may not leave.
    """
    its = select(CustomerOrder).where(CustomerOrder.id.in_(order_ids)).order_by(CustomerOrder.id)
    for order in await db.scalars(its.with_for_update()):
        order.status = ORDER.apply(OrderStatus(order.status), OrderAction.SHIP)
    of_them = select(OrderLine).where(OrderLine.order_id.in_(order_ids)).order_by(OrderLine.id)
    lines = (await db.scalars(of_them)).all()
    sources = [source_of(line) for line in lines]
    await reservations.move(db, sources, to_location_id=van_location_id, reference=reference, moved_by=user_id)
    mark(lines, "shipped")


async def deliver_order(db: AsyncSession, order_id: uuid.UUID, *, reference: str, user_id: uuid.UUID) -> CustomerOrder:
    """Let what was promised leave the van: the order is delivered.

    Raises:
        InvalidTransition: when it is not on the road.
        StockOnHold: when the van was too warm: it may not be handed over.
    """
    [order] = await deliver_orders(db, {order_id: reference}, user_id=user_id)
    return order


async def deliver_orders(
    db: AsyncSession, references: Mapping[uuid.UUID, str], *, user_id: uuid.UUID
) -> Sequence[CustomerOrder]:
    """The same of several orders at once, each with a reference of its own: all of them are delivered, or none.

    Raises:
        NotFound: when one is not there.
        InvalidTransition: when one is not on the road.
        StockOnHold: when the van was too warm: it may not be handed over.
    """
    its = select(CustomerOrder).where(CustomerOrder.id.in_(references)).order_by(CustomerOrder.id)
    found = (await db.scalars(its.with_for_update().execution_options(populate_existing=True))).all()
    for missing in references.keys() - {order.id for order in found}:
        raise NotFound(f"no order with id {missing}", field="order_id")
    now = clock.now()
    for order in found:
        order.status, order.delivered_at = ORDER.apply(OrderStatus(order.status), OrderAction.DELIVER), now
    lines = await db.scalars(select(OrderLine).where(OrderLine.order_id.in_(references)))
    leaving = {source_of(line): references[line.order_id] for line in lines}
    await reservations.consume_each(db, leaving, consumed_by=user_id)
    for order in found:
        outbox.emit(db, OrderDelivered(order.id))
    return found


async def bring_back_order(
    db: AsyncSession, order_id: uuid.UUID, *, to_location_id: uuid.UUID, reference: str, user_id: uuid.UUID | None
) -> CustomerOrder:
    """An attempt failed: what was promised goes back into the store, still promised, for another attempt.

    What is on hold is on hold there too: goods that come back have to lie somewhere.

    Raises:
        InvalidTransition: when it is not on the road.
    """
    order = await lock_order(db, order_id)
    order.status = ORDER.apply(OrderStatus(order.status), OrderAction.BRING_BACK)
    lines = await lines_of(db, order.id)
    sources = [source_of(line) for line in lines]
    await reservations.move(
        db, sources, to_location_id=to_location_id, reference=reference, moved_by=user_id, even_held=True
    )
    mark(lines, "packed")
    return order


async def return_order(
    db: AsyncSession, order_id: uuid.UUID, *, to_location_id: uuid.UUID, reference: str, user_id: uuid.UUID | None
) -> CustomerOrder:
    """It was refused for good, or all of it came back later: nothing is promised to it any more.

    What was still promised, because it never left the van, is moved to `to_location_id` and is free there; what is on
    hold is on hold there too.

    Raises:
        InvalidTransition: when it is neither on the road nor delivered.
    """
    order = await lock_order(db, order_id)
    order.status = ORDER.apply(OrderStatus(order.status), OrderAction.RETURN)
    sources = [source_of(line) for line in await lines_of(db, order.id)]
    await reservations.move(
        db, sources, to_location_id=to_location_id, reference=reference, moved_by=user_id, even_held=True
    )
    await reservations.release(db, sources)
    outbox.emit(db, OrderReturned(order.id))
    return order


async def reprice(db: AsyncSession, order: CustomerOrder) -> bool:
    """Add the order up again: what is in the box where it is packed, else what was ordered. Whether that moved it."""
    total_minor = pricing.total_minor(await lines_of(db, order.id))
    if total_minor == order.total_minor:
        return False
    order.total_minor = total_minor
    outbox.emit(db, OrderChanged(order.id))
    return True


async def get_order(db: AsyncSession, order_id: uuid.UUID, *, seen: VisibleOrders = EVERY_ORDER) -> CustomerOrder:
    """One order.

    Raises:
        NotFound: when there is none to be seen.
    """
    its = select(CustomerOrder).where(CustomerOrder.id == order_id, seen.orders())
    order = (await db.scalars(its)).one_or_none()
    if order is None:
        raise NotFound(f"no order with id {order_id}", field="order_id")
    return order


async def orders_in_turn(db: AsyncSession, order_ids: Sequence[uuid.UUID]) -> Sequence[CustomerOrder]:
    """These orders, as their keys are given."""
    found = await db.scalars(select(CustomerOrder).where(CustomerOrder.id.in_(order_ids)))
    by_id = {order.id: order for order in found}
    return [by_id[order_id] for order_id in order_ids]


async def lines_of(db: AsyncSession, order_id: uuid.UUID) -> Sequence[OrderLine]:
    """The lines of an order, in key order."""
    return (await db.scalars(select(OrderLine).where(OrderLine.order_id == order_id).order_by(OrderLine.id))).all()


async def weight_g(db: AsyncSession, order_id: uuid.UUID) -> int:
    """What an order weighs, packed, rounded up to grams: as it was weighed, else by its products' own weights."""
    order = await get_order(db, order_id)
    if order.packed_weight_g is not None:
        return order.packed_weight_g
    total = Decimal(0)
    for line in await lines_of(db, order_id):
        in_it = line.quantity if line.packed_quantity is None else line.packed_quantity
        total += in_it * (await catalog.get_product(db, line.product_id)).unit_weight_g
    return int(total.to_integral_value(rounding="ROUND_CEILING"))


async def _buyer(db: AsyncSession, customer_id: uuid.UUID | None, seen: VisibleOrders) -> uuid.UUID:
    """Whose order it is to be: the one named, or of somebody who orders for themselves their own, and no other."""
    if seen.buyer_id is not None:
        own = await customers.own_customer(db, seen.buyer_id)
        if customer_id not in {None, own}:
            raise NotFound(f"no customer with id {customer_id}", field="customer_id")
        return own
    if customer_id is None:
        raise BadOrder("say whose order it is", field="customer_id")
    return customer_id


def check_window(window_from: time, window_until: time) -> None:
    """Refuse a window that cannot be meant.

    Raises:
        BadOrder: when it ends before it begins.
    """
    if window_from >= window_until:
        raise BadOrder("window_from must lie before window_until", field="window_from")


async def take_slot(db: AsyncSession, order: CustomerOrder) -> None:
    """Give the order its place in its window, where the warehouse has windows.

    Raises:
        NoSuchSlot: when it has others.
        SlotFull: when there is no place in it.
    """
    await slots.take(
        db,
        warehouse_id=order.warehouse_id,
        day=order.delivery_date,
        window_from=order.window_from,
        window_until=order.window_until,
        order_id=order.id,
    )


def mark(lines: Iterable[OrderLine], fulfillment_status: str) -> None:
    """How far these lines are; what was given up when it was picked stays so."""
    for line in lines:
        if line.fulfillment_status != "cancelled":
            line.fulfillment_status = fulfillment_status


async def reserve_lines(db: AsyncSession, order: CustomerOrder, lines: Sequence[OrderLine]) -> None:
    """Promise stock to these lines, all of them or none.

    Raises:
        NotEnoughStock: naming the first that cannot be met.
    """
    await reservations.reserve(
        db,
        [reservations.Wish(line.product_id, line.quantity, source_of(line)) for line in lines],
        location_ids=await places.of_warehouse(db, order.warehouse_id),
        on=await needed_on(db, order),
        min_remaining_days=(await customers.get_customer(db, order.customer_id)).min_remaining_shelf_life_days,
    )


async def lock_order(db: AsyncSession, order_id: uuid.UUID, *, seen: VisibleOrders = EVERY_ORDER) -> CustomerOrder:
    """One order, locked until the unit of work ends.

    Raises:
        NotFound: when there is none to be seen.
    """
    its = select(CustomerOrder).where(CustomerOrder.id == order_id, seen.orders())
    order = (await db.scalars(its.with_for_update())).one_or_none()
    if order is None:
        raise NotFound(f"no order with id {order_id}", field="order_id")
    return order
