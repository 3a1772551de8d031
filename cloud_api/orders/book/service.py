"""The verbs of orders. Stock moves only through `inventory.reservations`, each line under its own source."""

import uuid
from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.products import service as catalog
from cloud_api.customers import service as customers
from cloud_api.inventory.reservations import service as reservations
from cloud_api.kernel import clock, outbox
from cloud_api.kernel.errors import NotFound
from cloud_api.kernel.money import amount_minor, unit_price_to_integer
from cloud_api.kernel.numbers import next_number
from cloud_api.kernel.quantity import to_thousandths
from cloud_api.orders.book import searchable
from cloud_api.orders.book.errors import BadOrder, CustomerInactive, TooLateToCancel
from cloud_api.orders.book.events import OrderCancelled, OrderConfirmed, OrderPacked
from cloud_api.orders.book.models import CustomerOrder, OrderLine
from cloud_api.orders.book.queries import EVERY_ORDER, VisibleOrders
from cloud_api.orders.book.schemas import OrderCreate, OrderLineCreate
from cloud_api.orders.book.states import ORDER, OrderAction, OrderStatus
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
        BadOrder: when a product stands in two lines, or the window ends before it begins.
        WrongQuantity: when a product counted in whole units is not.
    """
    customer = await customers.get_customer(db, await _buyer(db, new.customer_id, seen))
    if not customer.is_active:
        raise CustomerInactive(f"no more orders are taken from {customer.name}", field="customer_id")
    door = await customers.get_address(db, customer.id, new.address_id)
    await places.get_warehouse(db, new.warehouse_id, seen=seen.places)
    await _check(db, new)
    order = CustomerOrder(
        number=await next_number(db, "ORD"),
        customer_id=customer.id,
        warehouse_id=new.warehouse_id,
        customer_name=customer.name,
        address=", ".join(part for part in (door.address, door.postal_code, door.city) if part),
        latitude=door.latitude,
        longitude=door.longitude,
        delivery_date=new.delivery_date,
        window_from=new.window_from,
        window_until=new.window_until,
        total_minor=sum(_amount_minor(line) for line in new.lines),
        note=new.note,
        created_at=clock.now(),
    )
    db.add(order)
    await db.flush()
    db.add_all(
        OrderLine(
            order_id=order.id,
            product_id=line.product_id,
            quantity=line.quantity,
            unit_price=unit_price_to_integer(line.unit_price),
        )
        for line in new.lines
    )
    await db.flush()
    await search.put(db, searchable.entry_of(order))
    return order


async def confirm_order(db: AsyncSession, order_id: uuid.UUID, *, seen: VisibleOrders = EVERY_ORDER) -> CustomerOrder:
    """Promise stock to every line, first expired first, or to none.

    Raises:
        NotFound: when there is no such order.
        InvalidTransition: when it is not pending.
        NotEnoughStock: naming the product and what may be sold of it.
    """
    order = await lock_order(db, order_id, seen=seen)
    order.status = ORDER.apply(OrderStatus(order.status), OrderAction.CONFIRM)
    await _reserve(db, order, await lines_of(db, order.id))
    order.confirmed_at = clock.now()
    outbox.emit(db, OrderConfirmed(order.id))
    return order


async def pack_order(db: AsyncSession, order_id: uuid.UUID, *, seen: VisibleOrders = EVERY_ORDER) -> CustomerOrder:
    """Pick and pack, in one step. A line whose lot went on hold meanwhile gets other lots, or the order stays.

    Raises:
        NotFound: when there is no such order.
        InvalidTransition: when it is not confirmed.
        NotEnoughStock: when a held lot cannot be replaced.
    """
    order = await lock_order(db, order_id, seen=seen)
    order.status = ORDER.apply(OrderStatus(order.status), OrderAction.PACK)
    lines = await lines_of(db, order.id)
    sources = [source_of(line) for line in lines]
    await reservations.lock_all(db, sources, or_else=await places.of_warehouse(db, order.warehouse_id))
    held = await reservations.held(db, sources)
    if held:
        again = [line for line in lines if source_of(line) in held]
        await reservations.release(db, held)
        await _reserve(db, order, again)
    await reservations.pick(db, sources)
    order.packed_at = clock.now()
    outbox.emit(db, OrderPacked(order.id))
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
    await reservations.release(db, [source_of(line) for line in await lines_of(db, order.id)])
    outbox.emit(db, OrderCancelled(order.id, reason))
    return order


async def lock_stock(db: AsyncSession, order_ids: Sequence[uuid.UUID], *, to_location_id: uuid.UUID) -> None:
    """Lock several orders, and all that is promised to them, before they are moved one by one."""
    locked = select(CustomerOrder.id).where(CustomerOrder.id.in_(order_ids)).order_by(CustomerOrder.id)
    await db.execute(locked.with_for_update())
    lines = await db.scalars(select(OrderLine).where(OrderLine.order_id.in_(order_ids)))
    await reservations.lock_all(db, [source_of(line) for line in lines], to_location_id=to_location_id)


async def load_order(
    db: AsyncSession, order_id: uuid.UUID, *, van_location_id: uuid.UUID, reference: str, user_id: uuid.UUID
) -> CustomerOrder:
    """Transfer what is promised to the order into a van.

    Raises:
        InvalidTransition: when it is not packed.
        StockOnHold: when any of it may not leave.
    """
    order = await lock_order(db, order_id)
    order.status = ORDER.apply(OrderStatus(order.status), OrderAction.SHIP)
    sources = [source_of(line) for line in await lines_of(db, order.id)]
    await reservations.move(db, sources, to_location_id=van_location_id, reference=reference, moved_by=user_id)
    return order


async def deliver_order(db: AsyncSession, order_id: uuid.UUID, *, reference: str, user_id: uuid.UUID) -> CustomerOrder:
    """Let what was promised leave the van: the order is delivered.

    Raises:
        InvalidTransition: when it is not on the road.
        StockOnHold: when the van was too warm: it may not be handed over.
    """
    order = await lock_order(db, order_id)
    order.status = ORDER.apply(OrderStatus(order.status), OrderAction.DELIVER)
    sources = [source_of(line) for line in await lines_of(db, order.id)]
    await reservations.consume(db, sources, reference=reference, consumed_by=user_id)
    order.delivered_at = clock.now()
    return order


async def bring_back_order(
    db: AsyncSession, order_id: uuid.UUID, *, to_location_id: uuid.UUID, reference: str, user_id: uuid.UUID
) -> CustomerOrder:
    """An attempt failed: what was promised goes back into the store, still promised, for another attempt.

    Raises:
        InvalidTransition: when it is not on the road.
        StockOnHold: when the van was too warm: somebody must decide first.
    """
    order = await lock_order(db, order_id)
    order.status = ORDER.apply(OrderStatus(order.status), OrderAction.BRING_BACK)
    sources = [source_of(line) for line in await lines_of(db, order.id)]
    await reservations.move(db, sources, to_location_id=to_location_id, reference=reference, moved_by=user_id)
    return order


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
    """What an order weighs, packed, rounded up to grams."""
    total = Decimal(0)
    for line in await lines_of(db, order_id):
        total += line.quantity * (await catalog.get_product(db, line.product_id)).unit_weight_g
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


async def _check(db: AsyncSession, new: OrderCreate) -> None:
    """Refuse what cannot be meant."""
    if new.window_from >= new.window_until:
        raise BadOrder("window_from must lie before window_until", field="window_from")
    if len({line.product_id for line in new.lines}) < len(new.lines):
        raise BadOrder("a product stands in two lines: add them up", field="lines")
    for line in new.lines:
        catalog.check_quantity(await catalog.get_product(db, line.product_id), line.quantity)


def _amount_minor(line: OrderLineCreate) -> int:
    return amount_minor(unit_price_to_integer(line.unit_price), to_thousandths(line.quantity))


async def _reserve(db: AsyncSession, order: CustomerOrder, lines: Sequence[OrderLine]) -> None:
    await reservations.reserve(
        db,
        [reservations.Wish(line.product_id, line.quantity, source_of(line)) for line in lines],
        location_ids=await places.of_warehouse(db, order.warehouse_id),
        on=max(order.delivery_date, await places.today_in(db, order.warehouse_id)),
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
