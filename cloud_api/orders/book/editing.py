"""Changing what was ordered, until the cut-off: all of a change or nothing of it."""

import uuid
from collections.abc import Collection, Sequence
from datetime import date, time, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.configuration import definitions
from cloud_api.configuration import service as configuration
from cloud_api.customers import service as customers
from cloud_api.identity.organizations import service as organizations
from cloud_api.inventory.reservations import service as reservations
from cloud_api.kernel import clock, outbox
from cloud_api.kernel.errors import StaleVersion
from cloud_api.kernel.money import unit_price_to_integer
from cloud_api.orders.book import doors, pricing, searchable, service
from cloud_api.orders.book.errors import CutOffPassed, PickingBegun
from cloud_api.orders.book.events import OrderChanged
from cloud_api.orders.book.models import CustomerOrder, OrderLine
from cloud_api.orders.book.queries import EVERY_ORDER, VisibleOrders
from cloud_api.orders.book.schemas import OrderLineCreate, OrderUpdate
from cloud_api.orders.book.states import ORDER, OrderAction, OrderStatus
from cloud_api.places import service as places
from cloud_api.search import service as search

#: of lines that nobody has gone to the shelf for
_UNTOUCHED = frozenset({"open", "reserved"})


async def change_order(
    db: AsyncSession, order_id: uuid.UUID, *, changes: OrderUpdate, seen: VisibleOrders = EVERY_ORDER
) -> CustomerOrder:
    """Change what is sent. What is promised to a confirmed order follows; what it is already changes nothing.

    Raises:
        NotFound: when the order, the address or a product is not there.
        InvalidTransition: when it is neither pending nor confirmed.
        StaleVersion: when `changes` was made of another version than there is now.
        CutOffPassed: when its window is too near, or the one that is wanted.
        PickingBegun: when lines are to change, and goods stand in the box.
        BadOrder, WrongQuantity, PriceIsTheStores, NoPrice: as when an order is taken.
        NoSuchSlot, SlotFull: when the window that is wanted cannot be had.
        NotEnoughStock: when the stock does not suffice for what is wanted.
    """
    order = await service.lock_order(db, order_id, seen=seen)
    order.status = ORDER.apply(OrderStatus(order.status), OrderAction.CHANGE)
    if changes.version not in {None, order.version}:
        raise StaleVersion(f"order {order.number}", seen=changes.version or 0, current=order.version)
    await _refuse_after_cut_off(db, order.delivery_date, order.window_from)
    was = _facts(order)
    if changes.note is not None:
        order.note = changes.note
    if changes.address_id is not None:
        doors.copy_door(order, await customers.get_address(db, order.customer_id, changes.address_id))
        if order.status == OrderStatus.CONFIRMED:
            await doors.make_sure(db, order)
    day_before = order.delivery_date
    await _move(db, order, changes)
    changed = await _change_lines(
        db, order, changes.lines, by_buyer=seen.buyer_id is not None, again=order.delivery_date != day_before
    )
    if changed or _facts(order) != was:
        order.version += 1
        order.total_minor = pricing.total_minor(await service.lines_of(db, order.id))
        outbox.emit(db, OrderChanged(order.id))
        await search.put(db, searchable.entry_of(order))
    return order


def _facts(order: CustomerOrder) -> tuple[object, ...]:
    """What of an order can be changed, but for its lines."""
    door = (order.address_id, order.address, order.latitude, order.longitude)
    return (*door, order.delivery_date, order.window_from, order.window_until, order.note)


async def _move(db: AsyncSession, order: CustomerOrder, changes: OrderUpdate) -> None:
    """To another day or window, where there is a place in it."""
    wanted = (
        changes.delivery_date or order.delivery_date,
        changes.window_from or order.window_from,
        changes.window_until or order.window_until,
    )
    if wanted == (order.delivery_date, order.window_from, order.window_until):
        return
    order.delivery_date, order.window_from, order.window_until = wanted
    service.check_window(order.window_from, order.window_until)
    await _refuse_after_cut_off(db, order.delivery_date, order.window_from)
    await service.take_slot(db, order)


async def _change_lines(
    db: AsyncSession, order: CustomerOrder, wanted: Sequence[OrderLineCreate] | None, *, by_buyer: bool, again: bool
) -> bool:
    """Put other lines in the place of these; whether any is another.

    Args:
        wanted: None: the lines stay.
        again: what is promised has to keep for another day: it is promised anew.
    """
    lines = await service.lines_of(db, order.id)
    there = {line.product_id: line for line in lines}
    asked = {one.product_id: one for one in wanted or ()}
    gone = [] if wanted is None else [line for line in lines if line.product_id not in asked]
    moved = [line for line in lines if line.product_id in asked and asked[line.product_id].quantity != line.quantity]
    added = [one for one in wanted or () if one.product_id not in there]
    confirmed = order.status == OrderStatus.CONFIRMED
    if confirmed and (gone or moved or added or again):
        await _lock_untouched(db, order, lines, product_ids=asked.keys() | there.keys())
    changed = await _reprice(db, order, wanted, there, by_buyer=by_buyer)
    freed = [*lines] if again else [*gone, *moved]
    if confirmed and freed:
        await reservations.release(db, [service.source_of(line) for line in freed])
    for line in moved:
        line.quantity = asked[line.product_id].quantity
    for line in gone:
        await db.delete(line)
    today = await places.today_in(db, order.warehouse_id)
    new = await pricing.new_lines(db, added, on=today, by_buyer=by_buyer)
    for line in new:
        line.order_id = order.id
    db.add_all(new)
    await db.flush()
    promised = [line for line in freed if line not in gone] + new
    if confirmed and promised:
        await service.reserve_lines(db, order, promised)
        service.mark(promised, "reserved")
    return bool(changed or gone or moved or new)


async def _lock_untouched(
    db: AsyncSession, order: CustomerOrder, lines: Sequence[OrderLine], *, product_ids: Collection[uuid.UUID]
) -> None:
    """Lock all that is promised to the order and all that may be, if nobody has gone to the shelf for it."""
    sources = [service.source_of(line) for line in lines]
    or_else = await places.of_warehouse(db, order.warehouse_id)
    await reservations.lock_all(db, sources, or_else=or_else, product_ids=product_ids)
    picked = any(promise.picked_at for promise, _, _ in await reservations.promises_to(db, sources))
    if picked or any(line.fulfillment_status not in _UNTOUCHED for line in lines):
        raise PickingBegun("this order is being picked: ask the store to change it, or cancel it", field="lines")


async def _reprice(
    db: AsyncSession,
    order: CustomerOrder,
    wanted: Sequence[OrderLineCreate] | None,
    there: dict[uuid.UUID, OrderLine],
    *,
    by_buyer: bool,
) -> bool:
    """Another quantity may have another price, unless it was agreed; whether any price is another."""
    if wanted is None:
        return False
    products = await pricing.check_lines(db, wanted, by_buyer=by_buyer)
    today = await places.today_in(db, order.warehouse_id)
    changed = False
    for one in wanted:
        line = there.get(one.product_id)
        if line is None:
            continue
        before = line.unit_price
        if one.unit_price is not None:
            line.unit_price, line.price_is_agreed = unit_price_to_integer(one.unit_price), True
        elif one.quantity != line.quantity and not line.price_is_agreed:
            line.unit_price = (await pricing.price_of(db, one, products[one.product_id], on=today)).unit_price
        changed = changed or line.unit_price != before
    return changed


async def _refuse_after_cut_off(db: AsyncSession, day: date, window_from: time) -> None:
    hours = await configuration.value(db, definitions.ORDER_CUT_OFF_HOURS)
    last = await organizations.instant(db, day, window_from) - timedelta(hours=hours)
    if clock.now() >= last:
        local = last.astimezone(await organizations.zone(db))
        raise CutOffPassed(
            f"what is delivered on {day} from {window_from:%H:%M} on could be changed until "
            f"{local:%Y-%m-%d %H:%M} ({local.tzname()}): choose a later window, or ask the store",
            field="delivery_date",
        )
