"""Packing: what is really in the box, to the gram, and what the order costs by that."""

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.inventory.errors import StockExpired, StockOnHold
from cloud_api.inventory.reservations import service as reservations
from cloud_api.inventory.reservations.exact import Promise
from cloud_api.kernel import clock, outbox
from cloud_api.kernel.errors import Invalid, NotFound
from cloud_api.orders.book import service as book
from cloud_api.orders.book.events import OrderPacked
from cloud_api.orders.book.models import CustomerOrder, OrderLine
from cloud_api.orders.book.states import ORDER, OrderAction, OrderStatus
from cloud_api.orders.picking import lists
from cloud_api.orders.picking.amounts import is_counted
from cloud_api.orders.picking.errors import Backordered, NothingToPack, WeightOutOfTolerance
from cloud_api.orders.picking.lines import amount_of
from cloud_api.orders.picking.models import OrderPacking
from cloud_api.orders.picking.schemas import LinePack, OrderFulfill, OrderPack
from cloud_api.orders.picking.walk import (
    CLOSED,
    Picker,
    Walk,
    due,
    follow_the_money,
    miss,
    open_walk,
    promises_of,
    serve_backorder,
    total,
)

_NOBODY = OrderPack()


async def pack_order(
    db: AsyncSession, order_id: uuid.UUID, *, picker: Picker, packed: OrderPack = _NOBODY
) -> CustomerOrder:
    """Close the boxes: what is promised and was not picked is taken as promised, what was weighed is exact.

    What went on hold, or keeps too short a time by now, is replaced where nobody has picked it yet.

    Raises:
        NotFound: when the order, a line, its lot or a weight is not there to be seen.
        InvalidTransition: when it is not confirmed.
        NotEnoughStock: when a held lot cannot be replaced, or more was weighed than is free there.
        StockOnHold, StockExpired: naming the lot in the box that may not leave.
        WeightOutOfTolerance: naming the line, what was promised and what was weighed.
        Backordered: when the order waits for goods that have not come.
        NothingToPack: when nothing of it is there.
    """
    order = await book.lock_order(db, order_id, seen=picker.seen)
    status = ORDER.apply(OrderStatus(order.status), OrderAction.PACK)
    walk = await open_walk(db, order, picker)
    for line in walk.lines.values():
        if line.fulfillment_status == "backordered":
            await _wait_or_give_up(db, walk, line, give_up=packed.deliver_short)
    for line in walk.lines.values():
        await _replace_unfit(db, walk, line, short=False)
    await _weigh(db, walk, packed.lines)
    return await _close(db, walk, status, boxes=packed.boxes, weight_g=packed.packed_weight_g)


async def fulfill_order(
    db: AsyncSession, order_id: uuid.UUID, *, picker: Picker, wanted: OrderFulfill | None = None
) -> CustomerOrder:
    """Pick and pack what there is in one step; what cannot be had is neither delivered nor paid.

    Raises:
        NotFound, InvalidTransition, StockOnHold, StockExpired, NothingToPack: as `pack_order`.
    """
    wanted = wanted or OrderFulfill()
    order = await book.lock_order(db, order_id, seen=picker.seen)
    status = ORDER.apply(OrderStatus(order.status), OrderAction.PACK)
    walk = await open_walk(db, order, picker)
    for line in walk.lines.values():
        if line.fulfillment_status == "backordered":
            await _wait_or_give_up(db, walk, line, give_up=True)
        await _replace_unfit(db, walk, line, short=True)
    return await _close(db, walk, status, boxes=wanted.boxes, weight_g=wanted.packed_weight_g)


async def _wait_or_give_up(db: AsyncSession, walk: Walk, line: OrderLine, *, give_up: bool) -> None:
    """A line that waits gets what has come in; of what has not, somebody has decided, or the order waits on."""
    missing = await serve_backorder(db, walk, line)
    if missing <= 0:
        return
    if not give_up:
        raise Backordered(
            f"{missing} of {walk.product_of(line).sku} have not come in: wait, or send deliver_short to give them up",
            field="lines",
        )
    await miss(db, walk, line, missing, reason="it had not come in when the order was packed", give_up=True)


async def _replace_unfit(db: AsyncSession, walk: Walk, line: OrderLine, *, short: bool) -> None:
    """Promise anew what may not leave, where nobody has picked it; with `short` as far as there is any.

    Raises:
        StockOnHold, StockExpired: when it is in the box already.
        NotEnoughStock: when it cannot be replaced, and must be.
    """
    unfit = [row for row in await promises_of(db, line) if _is_unfit(walk, row)]
    if not unfit:
        return
    for row in unfit:
        if row[0].picked_at is not None:
            raise _refusal(walk, line, row)
    source, level_ids = book.source_of(line), {level.id for _, level, _ in unfit}
    missing = total(unfit)
    await reservations.give_back(db, source, missing, level_ids=level_ids)
    wish = reservations.Wish(line.product_id, missing, source)
    if not short:
        await reservations.reserve(db, [wish], location_ids=walk.location_ids, on=walk.through)
        return
    missing -= await reservations.reserve_what_there_is(
        db,
        wish,
        location_ids=walk.location_ids,
        through=walk.through,
        without=level_ids,
        whole=is_counted(walk.product_of(line)),
    )
    if missing > 0:
        await miss(db, walk, line, missing, reason="it may not leave, and there is no other", give_up=True)


def _is_unfit(walk: Walk, row: Promise) -> bool:
    reservation, level, lot = row
    needed_on = max(reservation.needed_on or walk.today, walk.today)
    return level.status == "on_hold" or reservations.last_day(level, lot) < needed_on


def _refusal(walk: Walk, line: OrderLine, row: Promise) -> StockOnHold | StockExpired:
    _, level, lot = row
    what = f"lot {lot.lot_number} of {walk.product_of(line).sku} is in the box and"
    remedy = "take it out, and pick another lot with swap"
    if level.status == "on_hold":
        return StockOnHold(f"{what} on hold: {remedy}", field="lines")
    return StockExpired(f"{what} keeps until {reservations.last_day(level, lot)}: {remedy}", field="lines")


async def _weigh(db: AsyncSession, walk: Walk, weighed: Sequence[LinePack]) -> None:
    """Promise exactly what was weighed, line by line."""
    said: dict[uuid.UUID, dict[uuid.UUID | None, Decimal]] = defaultdict(dict)
    for number, one in enumerate(weighed):
        line = walk.line(one.line_id, field=f"lines.{number}.line_id")
        lots = said[line.id]
        if one.lot_id in lots or (lots and None in {one.lot_id, *lots}):
            raise Invalid(
                "say once how much of the line is in the box: of all of it, or of each lot", field=f"lines.{number}"
            )
        lots[one.lot_id] = await amount_of(db, walk, line, one, at=f"lines.{number}")
    for line_id, lots in said.items():
        await _make_exact(db, walk, walk.lines[line_id], lots)


async def _make_exact(db: AsyncSession, walk: Walk, line: OrderLine, lots: Mapping[uuid.UUID | None, Decimal]) -> None:
    rows = await promises_of(db, line)
    sku = walk.product_of(line).sku
    if not rows or line.fulfillment_status in CLOSED:
        raise NothingToPack(f"nothing of {sku} is promised to the line: leave it out", field="lines")
    levels = _levels(rows)
    wanted = _spread(rows, lots[None]) if None in lots else _by_lot(rows, lots, sku)
    before = total(rows)
    after = before + sum((wanted[level_id] - levels[level_id] for level_id in wanted), Decimal(0))
    allowed = walk.bounds_of(line, min(due(line), before))
    if not allowed.hold(after):
        raise WeightOutOfTolerance(
            f"of {sku} {line.quantity} were ordered, {before} are promised and {after} are in the box: "
            f"put {allowed.least} to {allowed.most} into it, or say with pick what is short",
            field="lines",
        )
    await reservations.adjust(db, book.source_of(line), wanted)


def _levels(rows: Sequence[Promise]) -> dict[uuid.UUID, Decimal]:
    """level -> what is promised of it."""
    levels: dict[uuid.UUID, Decimal] = defaultdict(Decimal)
    for reservation, level, _ in rows:
        levels[level.id] += reservation.quantity
    return levels


def _spread(rows: Sequence[Promise], quantity: Decimal) -> dict[uuid.UUID, Decimal]:
    """So much of a line by level: more of what expires first and has more, less of what expires last."""
    levels, free = _levels(rows), {level.id: level.on_hand - level.reserved for _, level, _ in rows}
    in_turn = [level.id for _, level, lot in sorted(rows, key=lambda row: reservations.last_day(row[1], row[2]))]
    more = quantity - sum(levels.values())
    for level_id in dict.fromkeys(in_turn if more > 0 else reversed(in_turn)):
        part = min(more, free[level_id]) if more > 0 else max(more, -levels[level_id])
        levels[level_id] += part
        more -= part
    levels[in_turn[0]] += more  # what nothing covers: the lot that is first says so
    return levels


def _by_lot(rows: Sequence[Promise], lots: Mapping[uuid.UUID | None, Decimal], sku: str) -> dict[uuid.UUID, Decimal]:
    wanted: dict[uuid.UUID, Decimal] = {}
    for lot_id, quantity in lots.items():
        its = [row for row in rows if row[2].id == lot_id]
        if not its:
            raise NotFound(f"no lot with id {lot_id} is promised to the line of {sku}", field="lot_id")
        wanted |= _spread(its, quantity)
    return wanted


async def _close(
    db: AsyncSession, walk: Walk, status: OrderStatus, *, boxes: int, weight_g: int | None
) -> CustomerOrder:
    """What is promised now is in the boxes."""
    order, now = walk.order, clock.now()
    await reservations.pick(db, [book.source_of(line) for line in walk.lines.values()])
    for line in walk.lines.values():
        line.packed_quantity = total(await promises_of(db, line))
        line.fulfillment_status = "packed" if line.packed_quantity else "cancelled"
    if not any(line.packed_quantity for line in walk.lines.values()):
        raise NothingToPack("nothing of the order is there: cancel it", field="lines")
    order.status, order.packed_at, order.packed_weight_g = status, now, weight_g
    db.add(OrderPacking(order_id=order.id, boxes=boxes, packed_by=walk.picker.user_id, packed_at=now))
    await follow_the_money(db, order, why="it costs what is in the box")
    outbox.emit(db, OrderPacked(order.id))
    await lists.follow(db, order.id, by=walk.picker.user_id)
    return order


async def packing_of(db: AsyncSession, order_id: uuid.UUID) -> OrderPacking:
    """The boxes of a packed order."""
    return (await db.scalars(select(OrderPacking).where(OrderPacking.order_id == order_id))).one()
