"""The verbs of returns. Whoever changes one locks its order first, then the return; then places, then levels."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.products import service as catalog
from cloud_api.configuration import service as configuration
from cloud_api.configuration.definitions import RETURN_WITHIN_DAYS
from cloud_api.inventory.ledger.models import StockLevel
from cloud_api.kernel import clock, outbox
from cloud_api.kernel.errors import NotFound
from cloud_api.kernel.money import amount_minor
from cloud_api.kernel.numbers import next_number
from cloud_api.kernel.quantity import to_thousandths
from cloud_api.orders.book import service as orders
from cloud_api.orders.book.events import OrderReturned
from cloud_api.orders.book.models import CustomerOrder, OrderLine
from cloud_api.orders.book.queries import EVERY_ORDER, VisibleOrders
from cloud_api.orders.book.states import ORDER, OrderAction, OrderStatus
from cloud_api.orders.payments import service as payments
from cloud_api.places import service as places
from cloud_api.places.models import Location
from cloud_api.places.queries import Visible
from cloud_api.returns import chain, goods, queries
from cloud_api.returns.errors import BadReturn, NotDelivered, NotRestockable, OverReturned, TooLateToReturn
from cloud_api.returns.models import CustomerReturn, ReturnedGoods, ReturnLine
from cloud_api.returns.schemas import (
    GoodsInspect,
    GoodsReceive,
    GoodsRestock,
    OrderReturnCreate,
    ReturnReceive,
    ReturnRefund,
    ReturnUpdate,
)
from cloud_api.returns.states import OPEN, REFUND, RETURN, RefundAction, RefundStatus, ReturnAction, ReturnStatus

#: as it was sold
_SOUND = frozenset({"intact", "wrong"})
_REFUNDABLE = frozenset({ReturnStatus.INSPECTED, ReturnStatus.COMPLETED})


async def request_return(
    db: AsyncSession,
    order_id: uuid.UUID,
    *,
    new: OrderReturnCreate,
    requested_by: uuid.UUID | None,
    seen: VisibleOrders = EVERY_ORDER,
) -> CustomerReturn:
    """Ask for lines of a delivered order to be taken back.

    Raises:
        NotFound: when there is no such order, or line of it, to be seen.
        NotDelivered: when it was not handed over.
        TooLateToReturn: when a customer asks later than the store allows.
        BadReturn: when a line is named twice.
        OverReturned: when more is to come back than was handed over, and has not.
    """
    order = await orders.lock_order(db, order_id, seen=seen)
    await _check_time(db, order, by_buyer=seen.buyer_id is not None)
    if len({line.order_line_id for line in new.lines}) < len(new.lines):
        raise BadReturn("a line is named twice: add it up", field="lines")
    by_id = {line.id: line for line in await orders.lines_of(db, order.id)}
    left = await _returnable(db, [*by_id.values()])
    for number, wanted in enumerate(new.lines):
        line = by_id.get(wanted.order_line_id)
        if line is None:
            raise NotFound(f"the order has no line {wanted.order_line_id}", field=f"lines.{number}.order_line_id")
        catalog.check_quantity(
            await catalog.get_product(db, line.product_id), wanted.quantity, field=f"lines.{number}.quantity"
        )
        if wanted.quantity > left[line.id]:
            raise OverReturned(
                f"{left[line.id]} of it were delivered and have not come back, nor are to",
                field=f"lines.{number}.quantity",
            )
    one = CustomerReturn(
        number=await next_number(db, "RET"),
        order_id=order.id,
        customer_id=order.customer_id,
        reason=new.reason,
        note=new.note,
        requested_by=requested_by,
        requested_at=clock.now(),
    )
    db.add(one)
    await db.flush()
    db.add_all(
        ReturnLine(
            return_id=one.id,
            order_line_id=wanted.order_line_id,
            product_id=by_id[wanted.order_line_id].product_id,
            quantity=wanted.quantity,
        )
        for wanted in new.lines
    )
    await db.flush()
    return one


async def get_return(db: AsyncSession, return_id: uuid.UUID, *, seen: VisibleOrders = EVERY_ORDER) -> CustomerReturn:
    """One return.

    Raises:
        NotFound: when there is none to be seen.
    """
    its = select(CustomerReturn).where(CustomerReturn.id == return_id, queries.visible_returns(seen))
    one = (await db.scalars(its)).one_or_none()
    if one is None:
        raise NotFound(f"no return with id {return_id}")
    return one


async def lock_return(
    db: AsyncSession, return_id: uuid.UUID, *, seen: VisibleOrders = EVERY_ORDER
) -> tuple[CustomerReturn, CustomerOrder]:
    """A return to be changed, and its order, which is locked first.

    Raises:
        NotFound: when there is none to be seen.
    """
    one = await get_return(db, return_id, seen=seen)
    order = await orders.lock_order(db, one.order_id, seen=seen)
    await db.refresh(one, with_for_update=True)
    return one, order


async def update_return(
    db: AsyncSession,
    return_id: uuid.UUID,
    *,
    decision: ReturnUpdate,
    decided_by: uuid.UUID | None,
    seen: VisibleOrders = EVERY_ORDER,
) -> CustomerReturn:
    """Approve or reject what was asked for.

    Raises:
        NotFound, InvalidTransition: as their names say.
    """
    one, _ = await lock_return(db, return_id, seen=seen)
    action = ReturnAction.APPROVE if decision.status == "approved" else ReturnAction.REJECT
    return await _decide(db, one, action, reason=decision.reason, by=decided_by)


async def cancel_return(
    db: AsyncSession,
    return_id: uuid.UUID,
    *,
    reason: str,
    cancelled_by: uuid.UUID | None,
    seen: VisibleOrders = EVERY_ORDER,
) -> CustomerReturn:
    """Nothing comes back after all.

    Raises:
        NotFound, InvalidTransition: as their names say.
    """
    one, _ = await lock_return(db, return_id, seen=seen)
    return await _decide(db, one, ReturnAction.CANCEL, reason=reason, by=cancelled_by)


async def receive_return(
    db: AsyncSession,
    return_id: uuid.UUID,
    *,
    arrived: ReturnReceive,
    received_by: uuid.UUID | None,
    seen: VisibleOrders = EVERY_ORDER,
) -> CustomerReturn:
    """The goods are back: into quarantine, on hold, under the lots that they left under.

    What was announced and did not come is not asked for any more.

    Raises:
        NotFound, InvalidTransition: as their names say.
        BadReturn: when nobody says which of several lots it is, or the place stands in another warehouse.
        OverReturned: when more comes back than was announced, or was delivered of the lot.
        MixedStock, WeightMissing, WrongQuantity, PlaceClosed, WrongStorage, PlaceFull: when it cannot lie there so.
    """
    one, order = await lock_return(db, return_id, seen=seen)
    one.status = RETURN.apply(ReturnStatus(one.status), ReturnAction.RECEIVE)
    location = await _place_of(db, order, arrived.location_id, seen=seen.places, field="location_id")
    lines = {line.id: line for line in (await queries.lines_of(db, [one.id]))[one.id]}
    rows: list[ReturnedGoods] = []
    levels: list[StockLevel] = []
    for number, came in enumerate(arrived.goods):
        line = lines.get(came.line_id)
        if line is None:
            raise NotFound(f"the return has no line {came.line_id}", field=f"goods.{number}.line_id")
        handed_over = await queries.delivered_line(db, line.order_line_id)
        lot_id = _lot_of(came, handed_over, number)
        await _check_arrived(db, came, line, lot_id, rows, handed_over[lot_id][0], number)
        levels += handed_over[lot_id][1]
        rows.append(_row(one, came, lot_id, location))
    one.received_at = clock.now()
    await goods.into_quarantine(db, one, rows, location=location, levels=levels, by=received_by)
    db.add_all(rows)
    await db.flush()
    return one


async def inspect_return(
    db: AsyncSession,
    return_id: uuid.UUID,
    *,
    found: Sequence[GoodsInspect],
    seen: VisibleOrders = EVERY_ORDER,
) -> CustomerReturn:
    """Say how everything that came back was found.

    Raises:
        NotFound, InvalidTransition: as their names say.
        BadReturn: when something is left out.
    """
    one, _ = await lock_return(db, return_id, seen=seen)
    one.status = RETURN.apply(ReturnStatus(one.status), ReturnAction.INSPECT)
    rows = {row.id: row for row in await queries.goods_of(db, one.id)}
    for number, finding in enumerate(found):
        row = rows.get(finding.goods_id)
        if row is None:
            raise NotFound(f"nothing came back under {finding.goods_id}", field=f"goods.{number}.goods_id")
        row.condition, row.finding = finding.condition, finding.finding
    if any(row.condition is None for row in rows.values()):
        raise BadReturn("say of everything that came back how it was found", field="goods")
    one.inspected_at = clock.now()
    await db.flush()
    return one


async def restock_return(
    db: AsyncSession,
    return_id: uuid.UUID,
    *,
    wanted: Sequence[GoodsRestock],
    restocked_by: uuid.UUID | None,
    seen: VisibleOrders = EVERY_ORDER,
) -> CustomerReturn:
    """Sell again what is as it was sold, and whose cold chain somebody vouches for all the way.

    Raises:
        NotFound, InvalidTransition: as their names say.
        NotRestockable: saying why it has to be scrapped.
        BadReturn: when the place stands in another warehouse.
        PlaceClosed, WrongStorage, PlaceFull: when it may not lie there.
    """
    one, order = await lock_return(db, return_id, seen=seen)
    for number, wish in enumerate(wanted):
        row = await _undecided(db, one, wish.goods_id, field=f"goods.{number}.goods_id")
        at = f"goods.{number}.location_id"
        place = await _place_of(db, order, wish.location_id, seen=seen.places, field=at)
        if place.id == row.location_id:
            raise BadReturn("it lies there, in quarantine: say where it is sold from", field=at)
        why = [] if row.condition in _SOUND else [f"it was found {row.condition}"]
        why += await chain.doubts(db, one, row, order=order)
        if why:
            raise NotRestockable(f"scrap it: {'; '.join(why)}", field=f"goods.{number}.goods_id")
        await goods.restock(db, one, row, to=place, by=restocked_by)
    return await _complete(db, one, order)


async def scrap_return(
    db: AsyncSession,
    return_id: uuid.UUID,
    *,
    goods_ids: Sequence[uuid.UUID],
    reason: str,
    scrapped_by: uuid.UUID | None,
    seen: VisibleOrders = EVERY_ORDER,
) -> CustomerReturn:
    """Throw away what may not be sold again.

    Raises:
        NotFound, InvalidTransition: as their names say.
    """
    one, order = await lock_return(db, return_id, seen=seen)
    for number, goods_id in enumerate(goods_ids):
        row = await _undecided(db, one, goods_id, field=f"goods_ids.{number}")
        await goods.scrap(db, one, row, reason=reason, by=scrapped_by)
    return await _complete(db, one, order)


async def refund_return(
    db: AsyncSession, return_id: uuid.UUID, *, grant: ReturnRefund, seen: VisibleOrders = EVERY_ORDER
) -> CustomerReturn:
    """Let the order owe less by what came back, and give back what was paid for it.

    Raises:
        NotFound: when there is none to be seen.
        InvalidTransition: the second time.
        OverReturned: when it is more than the goods cost.
        BadReturn: before it is inspected; and when it is another sum than that, and nobody says why.
    """
    one, order = await lock_return(db, return_id, seen=seen)
    if one.status not in _REFUNDABLE:
        raise BadReturn(f"it is {one.status}: what came back is inspected first", field="status")
    worth = await worth_minor(db, one)
    amount = worth if grant.amount_minor is None else grant.amount_minor
    if amount > worth:
        raise OverReturned(f"what came back cost {worth}", field="amount_minor")
    if amount != worth and not grant.note:
        raise BadReturn(f"what came back cost {worth}: say why it is another sum", field="note")
    one.refund_status = REFUND.apply(RefundStatus(one.refund_status), RefundAction.GRANT)
    one.refund_note = grant.note
    one.refund_minor = 0
    if amount > 0:
        source = f"return:{one.id}"
        one.refund_minor = await payments.credit(
            db, order.id, amount_minor=amount, why=f"given back: {one.number}", source=source
        )
    await db.flush()
    await settle_refunds(db, order.id)
    return one


async def settle_refunds(db: AsyncSession, order_id: uuid.UUID) -> None:
    """When nothing of an order's money is on its way back any more, its returns are refunded."""
    await orders.lock_order(db, order_id)
    if await payments.refunds_under_way(db, order_id):
        return
    its = select(CustomerReturn).where(
        CustomerReturn.order_id == order_id, CustomerReturn.refund_status == RefundStatus.PENDING
    )
    for one in await db.scalars(its.order_by(CustomerReturn.id)):
        one.refund_status = REFUND.apply(RefundStatus.PENDING, RefundAction.SETTLE)
    await db.flush()


async def worth_minor(db: AsyncSession, one: CustomerReturn) -> int:
    """What the goods cost that came back: of a line that comes back in parts, together what the line cost."""
    came = dict[uuid.UUID, Decimal]()
    for row in await queries.goods_of(db, one.id):
        came[row.return_line_id] = came.get(row.return_line_id, Decimal(0)) + row.quantity
    total = 0
    for line in (await queries.lines_of(db, [one.id]))[one.id]:
        price = (await db.get_one(OrderLine, line.order_line_id)).unit_price
        before = await queries.back_before(db, one, line.order_line_id)
        after = before + came.get(line.id, Decimal(0))
        total += amount_minor(price, to_thousandths(after)) - amount_minor(price, to_thousandths(before))
    return total


async def _check_time(db: AsyncSession, order: CustomerOrder, *, by_buyer: bool) -> None:
    """Refuse what was not handed over, or what a customer thinks of too late."""
    if order.status != OrderStatus.DELIVERED or order.delivered_at is None:
        raise NotDelivered(f"{order.number} is {order.status}: what was not handed over is not given back")
    days = await configuration.value(db, RETURN_WITHIN_DAYS)
    if by_buyer and clock.now() > order.delivered_at + timedelta(days=days):
        raise TooLateToReturn(f"{days} days have passed since it was delivered: ask the store")


async def _decide(
    db: AsyncSession, one: CustomerReturn, action: ReturnAction, *, reason: str, by: uuid.UUID | None
) -> CustomerReturn:
    one.status = RETURN.apply(ReturnStatus(one.status), action)
    one.decision, one.decided_by, one.decided_at = reason, by, clock.now()
    await db.flush()
    return one


async def _returnable(db: AsyncSession, lines: Sequence[OrderLine]) -> Mapping[uuid.UUID, Decimal]:
    """How much of each line was handed over, and has not come back, nor is to."""
    handed_over = await queries.delivered(db, lines)
    back = await queries.came_back(db, [line.id for line in lines])
    return {
        line_id: sum((quantity for quantity, _ in lots.values()), Decimal(0)) - back[line_id]
        for line_id, lots in handed_over.items()
    }


async def _place_of(
    db: AsyncSession, order: CustomerOrder, location_id: uuid.UUID, *, seen: Visible, field: str
) -> Location:
    location = await places.get_present(db, location_id, seen=seen)
    if location.warehouse_id != order.warehouse_id:
        raise BadReturn(f"{location.code} does not stand in the warehouse that sold it", field=field)
    return location


def _lot_of(came: GoodsReceive, handed_over: Mapping[uuid.UUID, object], number: int) -> uuid.UUID:
    if came.lot_id is None and len(handed_over) == 1:
        return next(iter(handed_over))
    if came.lot_id is None:
        raise BadReturn("it was delivered of several lots: say of which this is", field=f"goods.{number}.lot_id")
    if came.lot_id not in handed_over:
        raise BadReturn("nothing of this lot was delivered of that line", field=f"goods.{number}.lot_id")
    return came.lot_id


async def _check_arrived(
    db: AsyncSession,
    came: GoodsReceive,
    line: ReturnLine,
    lot_id: uuid.UUID,
    before: Sequence[ReturnedGoods],
    of_lot: Decimal,
    number: int,
) -> None:
    """Refuse more than was announced of the line, or was handed over of the lot."""
    field = f"goods.{number}.quantity"
    catalog.check_quantity(await catalog.get_product(db, line.product_id), came.quantity, field=field)
    of_line = sum((row.quantity for row in before if row.return_line_id == line.id), came.quantity)
    if of_line > line.quantity:
        raise OverReturned(f"{line.quantity} of it were announced, and {of_line} came", field=field)
    back = (await queries.lots_back(db, line.order_line_id)).get(lot_id, Decimal(0))
    mine = [row.quantity for row in before if (row.return_line_id, row.lot_id) == (line.id, lot_id)]
    if sum(mine, back + came.quantity) > of_lot:
        raise OverReturned(f"{of_lot} of this lot were delivered, and {back} are back", field=field)


def _row(one: CustomerReturn, came: GoodsReceive, lot_id: uuid.UUID, location: Location) -> ReturnedGoods:
    return ReturnedGoods(
        return_id=one.id,
        return_line_id=came.line_id,
        lot_id=lot_id,
        location_id=location.id,
        quantity=came.quantity,
        weight_g=came.weight_g,
        temperature_c=came.temperature_c,
        outside_minutes=came.outside_minutes,
    )


async def _undecided(db: AsyncSession, one: CustomerReturn, goods_id: uuid.UUID, *, field: str) -> ReturnedGoods:
    """Goods of an inspected return of which nobody has said what becomes of them."""
    RETURN.apply(ReturnStatus(one.status), ReturnAction.COMPLETE)
    for row in await queries.goods_of(db, one.id):
        if row.id == goods_id and row.disposition is None:
            return row
    raise NotFound(f"nothing that came back under {goods_id} waits to be decided about", field=field)


async def _complete(db: AsyncSession, one: CustomerReturn, order: CustomerOrder) -> CustomerReturn:
    """When nothing is left to be decided it is done; when everything came back, so is the order."""
    if any(row.disposition is None for row in await queries.goods_of(db, one.id)):
        return one
    one.status = RETURN.apply(ReturnStatus(one.status), ReturnAction.COMPLETE)
    one.completed_at = clock.now()
    await db.flush()
    lines = await orders.lines_of(db, order.id)
    under_way = select(CustomerReturn.id).where(CustomerReturn.order_id == order.id, CustomerReturn.status.in_(OPEN))
    all_back = not any((await _returnable(db, lines)).values())
    if all_back and order.status == OrderStatus.DELIVERED and await db.scalar(under_way.limit(1)) is None:
        order.status = ORDER.apply(OrderStatus.DELIVERED, OrderAction.RETURN)
        outbox.emit(db, OrderReturned(order.id))
        await db.flush()
    return one
