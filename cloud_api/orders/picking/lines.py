"""Picking: what was taken of which lot, what was not there, and what goes in its place.

A line may be picked in several calls, lot by lot. Another lot than the promised one is refused by name, or takes its
place when whoever picks says so and it may: then the promise moves to it in the same unit of work. What is not there is
looked for in other lots first.
"""

import uuid
from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.errors import NoPrice
from cloud_api.catalog.products import prices
from cloud_api.catalog.products import service as catalog
from cloud_api.inventory.errors import StockExpired, StockOnHold
from cloud_api.inventory.labels.resolving import Onlooker, resolve
from cloud_api.inventory.ledger.models import Lot, StockLevel
from cloud_api.inventory.reservations import service as reservations
from cloud_api.inventory.reservations.exact import Promise
from cloud_api.inventory.sightings.weighing import service as weighing
from cloud_api.kernel import clock
from cloud_api.kernel.errors import Invalid, NotFound
from cloud_api.kernel.states import InvalidTransition
from cloud_api.orders.book import service as book
from cloud_api.orders.book.models import CustomerOrder, OrderLine
from cloud_api.orders.book.states import OrderStatus
from cloud_api.orders.picking import lists
from cloud_api.orders.picking.amounts import is_counted
from cloud_api.orders.picking.errors import BadSubstitute, NothingToPick, WeightOutOfTolerance, WrongLot
from cloud_api.orders.picking.models import PickStep
from cloud_api.orders.picking.schemas import LinePack, LinePick, LotPick, OrderPick, Substitute
from cloud_api.orders.picking.walk import (
    CLOSED,
    Picker,
    Walk,
    due,
    follow_the_money,
    miss,
    missing_in,
    not_picked,
    open_walk,
    promises_of,
    serve_backorder,
    settle_line,
    total,
    write_step,
)
from cloud_api.places.models import Location


async def pick_order(db: AsyncSession, order_id: uuid.UUID, *, picked: OrderPick, picker: Picker) -> CustomerOrder:
    """Write down what was taken for an order, what was not there, and what takes its place: all of it, or nothing.

    Raises:
        NotFound: when the order, a line, a lot or a weight is not there to be seen.
        InvalidTransition: when the order is not confirmed, or packed already.
        NothingToPick: when nothing of a line is left to be taken.
        WrongLot: when a lot is not the promised one, naming that, or may not take its place.
        StockOnHold, StockExpired: when a lot may not leave.
        NotEnoughStock: when more was taken than is free there, or of a substitute than there is.
        WeightOutOfTolerance: when more was taken than the customer has to bear.
        BadSubstitute: when the customer has not agreed, or it cannot stand for what was ordered.
    """
    order = await book.lock_order(db, order_id, seen=picker.seen)
    if order.status != OrderStatus.CONFIRMED:
        raise InvalidTransition(f"order is {order.status}: only a confirmed one is picked", field="status")
    others = [one.substitute.product_id for one in picked.lines if one.substitute is not None]
    walk = await open_walk(db, order, picker, product_ids=others)
    for number, one in enumerate(picked.lines):
        line = walk.line(one.line_id, field=f"lines.{number}.line_id")
        if line.fulfillment_status == "backordered":
            await serve_backorder(db, walk, line)
        if not not_picked(await promises_of(db, line)) and not any(lot.swap for lot in one.lots):
            raise NothingToPick(f"nothing of {_sku(walk, line)} is left to be taken", field=f"lines.{number}.line_id")
        await _pick_line(db, walk, line, one, at=f"lines.{number}")
        await settle_line(db, line)
    await follow_the_money(db, order, why="not all of it was there when it was picked")
    await lists.follow(db, order.id, by=picker.user_id)
    return order


async def amount_of(db: AsyncSession, walk: Walk, line: OrderLine, one: LotPick | LinePack, *, at: str) -> Decimal:
    """How much somebody says, or a scale does, in the product's unit.

    Raises:
        Invalid: when neither is said, or both are.
        WrongQuantity: when a product counted in whole units is not.
        NotFound, AppError: whatever the weight is refused for.
    """
    product = walk.product_of(line)
    if (one.quantity is None) == (one.weight_id is None):
        raise Invalid("say how much it is, or name the weight of a scale", field=f"{at}.quantity")
    quantity = one.quantity
    if one.weight_id is not None:
        weighed = await weighing.weigh_out(
            db,
            one.weight_id,
            product=product,
            container_g=one.container_g,
            pieces=one.pieces,
            reference=book.source_of(line),
            by=walk.picker.user_id,
            seen=walk.picker.seen.places,
        )
        quantity = weighed.quantity
    if quantity is None:
        raise Invalid("say how much it is", field=f"{at}.quantity")
    catalog.check_quantity(product, quantity, field=f"{at}.quantity")
    return quantity


async def _pick_line(db: AsyncSession, walk: Walk, line: OrderLine, one: LinePick, *, at: str) -> None:
    if line.fulfillment_status in CLOSED:
        raise NothingToPick(f"{_sku(walk, line)} is {line.fulfillment_status}", field=f"{at}.line_id")
    if not one.lots and one.substitute is None and one.short_reason is None:
        raise Invalid("say what was taken, or why nothing was", field=f"{at}.lots")
    for number, lot in enumerate(one.lots):
        await _take_lot(db, walk, line, lot, at=f"{at}.lots.{number}")
    if one.substitute is not None:
        await _substitute(db, walk, line, one.substitute, at=f"{at}.substitute")
    if one.short_reason is not None:
        await _look_elsewhere(db, walk, line, reason=one.short_reason, at=at)
    elif one.lots:
        await _close(db, walk, line)


async def _take_lot(db: AsyncSession, walk: Walk, line: OrderLine, one: LotPick, *, at: str) -> None:
    """So much of one lot goes into the box."""
    lot_id = await _lot_of(db, walk, one, at=at)
    quantity = await amount_of(db, walk, line, one, at=at)
    its = _here(await promises_of(db, line), lot_id, one.location_id)
    is_swap = not its
    if is_swap:
        level_id = await _swap(db, walk, line, one, lot_id=lot_id, quantity=quantity, at=at)
        its = [row for row in not_picked(await promises_of(db, line)) if row[1].id == level_id]
    _refuse_unfit(walk, its, at=at)
    await _make_room(db, walk, line, its, quantity, at=at)
    left = quantity
    for number, row in enumerate(its):
        part = left if number == len(its) - 1 else min(left, row[0].quantity)
        if part > 0:
            await reservations.take(db, book.source_of(line), level_id=row[1].id, quantity=part)
            step = _step(walk, line, row, part, kind="picked")
            step.weight_id, step.is_swap = one.weight_id, is_swap
            db.add(step)
            left -= part
    await db.flush()


def _step(walk: Walk, line: OrderLine, row: Promise, quantity: Decimal, *, kind: str, reason: str = "") -> PickStep:
    _, level, lot = row
    return PickStep(
        line_id=line.id,
        kind=kind,
        quantity=quantity,
        lot_id=lot.id,
        location_id=level.location_id,
        is_swap=False,
        reason=reason,
        done_by=walk.picker.user_id,
        done_at=clock.now(),
    )


async def _lot_of(db: AsyncSession, walk: Walk, one: LotPick, *, at: str) -> uuid.UUID:
    if one.lot_id is not None and one.code is None:
        return one.lot_id
    if one.lot_id is not None or one.code is None:
        raise Invalid("name the lot, or send what the scanner read", field=f"{at}.lot_id")
    # of what else may go by a code, nothing is picked
    scan = await resolve(db, one.code, by=Onlooker(walk.picker.seen.places, lambda _permission: False))
    if scan.lot is None:
        raise WrongLot("this code names no lot that is here: scan the label of the lot", field=f"{at}.code")
    return scan.lot.id


def _here(rows: Sequence[Promise], lot_id: uuid.UUID, location_id: uuid.UUID | None) -> list[Promise]:
    """What is promised of a lot and not picked yet; one row a level."""
    levels: dict[uuid.UUID, Promise] = {}
    for row in not_picked(rows):
        if row[2].id == lot_id and location_id in {None, row[1].location_id}:
            levels.setdefault(row[1].id, row)
    return list(levels.values())


def _refuse_unfit(walk: Walk, rows: Sequence[Promise], *, at: str) -> None:
    for _, level, lot in rows:
        if level.status == "on_hold":
            raise StockOnHold(
                f"lot {lot.lot_number} is on hold there: leave it, and take another lot with swap", field=f"{at}.lot_id"
            )
        if reservations.last_day(level, lot) < walk.today:
            raise StockExpired(
                f"lot {lot.lot_number} expired on {reservations.last_day(level, lot)}: leave it, and take another lot "
                "with swap",
                field=f"{at}.lot_id",
            )


async def _make_room(
    db: AsyncSession, walk: Walk, line: OrderLine, its: Sequence[Promise], quantity: Decimal, *, at: str
) -> None:
    """Where more is taken of a lot than is promised there, less is taken of the line's others; and not too much."""
    rows = await promises_of(db, line)
    level_ids = {row[1].id for row in its}
    others = [row for row in not_picked(rows) if row[1].id not in level_ids]
    here = total([row for row in not_picked(rows) if row[1].id in level_ids])
    excess = quantity - here
    if excess > 0 and others:
        given = min(excess, total(others))
        await reservations.give_back(db, book.source_of(line), given, level_ids={row[1].id for row in others})
        excess -= given
    if excess <= 0:
        return
    most = walk.bounds_of(line, due(line)).most
    if total(rows) + excess > most:
        raise WeightOutOfTolerance(
            f"of {_sku(walk, line)} {due(line)} are due and {total(rows) + excess} would be in the box: "
            f"take {most} at most",
            field=f"{at}.quantity",
        )


async def _swap(
    db: AsyncSession, walk: Walk, line: OrderLine, one: LotPick, *, lot_id: uuid.UUID, quantity: Decimal, at: str
) -> uuid.UUID:
    """Move so much of what is promised, or is in the box and held, to another lot: the level it is promised of now."""
    rows = await promises_of(db, line)
    movable = [row for row in rows if row[0].picked_at is None or row[1].status == "on_hold"]
    part = min(quantity, total(movable))
    if part <= 0:
        raise NothingToPick(f"nothing of {_sku(walk, line)} is left to be taken", field=f"{at}.lot_id")
    right = await _names(db, movable)
    found = await db.execute(
        select(StockLevel, Lot)
        .join(Lot, Lot.id == StockLevel.lot_id)
        .where(
            StockLevel.lot_id == lot_id,
            StockLevel.location_id.in_(walk.location_ids if one.location_id is None else [one.location_id]),
            StockLevel.on_hand > 0,
        )
        .order_by(StockLevel.status, (StockLevel.reserved - StockLevel.on_hand), StockLevel.id)
        .limit(1)
        .execution_options(populate_existing=True)
    )
    level, lot = found.tuples().one_or_none() or (None, None)
    if level is None or lot is None or level.location_id not in walk.location_ids:
        raise WrongLot(f"this lot does not lie there: take {right}", field=f"{at}.lot_id")
    why = _why_not(walk, line, level, lot, part)
    if why:
        raise WrongLot(f"lot {lot.lot_number} {why}: take {right}", field=f"{at}.lot_id")
    if not one.swap:
        raise WrongLot(
            f"lot {lot.lot_number} is not promised to this line: take {right}, or send swap to take this one instead",
            field=f"{at}.lot_id",
        )
    await reservations.give_back(db, book.source_of(line), part, held_as_well=True)
    wish = reservations.Wish(line.product_id, part, book.source_of(line), level.id)
    await reservations.reserve(db, [wish], location_ids=[level.location_id], on=walk.through)
    return level.id


def _why_not(walk: Walk, line: OrderLine, level: StockLevel, lot: Lot, quantity: Decimal) -> str:
    """Why a lot may not take the place of the promised one; empty: it may."""
    last = reservations.last_day(level, lot)
    if lot.product_id != line.product_id:
        return f"is no {_sku(walk, line)}"
    if level.status == "on_hold":
        return "is on hold"
    if last < walk.through:
        return f"keeps until {last} and this customer needs it until {walk.through}"
    if level.on_hand - level.reserved < quantity:
        return f"has only {level.on_hand - level.reserved} that nobody else is promised"
    return ""


async def _names(db: AsyncSession, rows: Sequence[Promise]) -> str:
    """The lots of promises, as whoever picks finds them."""
    places = await db.scalars(select(Location).where(Location.id.in_([level.location_id for _, level, _ in rows])))
    codes = {place.id: place.code for place in places}
    return " or ".join(dict.fromkeys(f"lot {lot.lot_number} in {codes[level.location_id]}" for _, level, lot in rows))


async def _close(db: AsyncSession, walk: Walk, line: OrderLine) -> None:
    """Of what is weighed, a line is picked when what is missing lies within the tolerance; that is free again."""
    rows = await promises_of(db, line)
    rest = total(not_picked(rows))
    if rest > 0 and total(rows) - rest >= walk.bounds_of(line, due(line)).least:
        await reservations.give_back(db, book.source_of(line), rest)


async def _look_elsewhere(db: AsyncSession, walk: Walk, line: OrderLine, *, reason: str, at: str) -> None:
    """What is left of a line is not where it was promised: promise it from elsewhere, or miss it."""
    gone = not_picked(await promises_of(db, line))
    rest = total(gone)
    if rest == 0:
        raise NothingToPick(f"all of {_sku(walk, line)} is picked: leave short_reason out", field=f"{at}.short_reason")
    db.add_all(_step(walk, line, row, row[0].quantity, kind="missing", reason=reason) for row in gone)
    await reservations.give_back(db, book.source_of(line), rest, level_ids={level.id for _, level, _ in gone})
    rest -= await reservations.reserve_what_there_is(
        db,
        reservations.Wish(line.product_id, rest, book.source_of(line)),
        location_ids=walk.location_ids,
        through=walk.through,
        without=await missing_in(db, line),
        whole=is_counted(walk.product_of(line)),
    )
    if rest > 0:
        await miss(db, walk, line, rest, reason=reason, give_up=walk.delivers_short)


async def _substitute(db: AsyncSession, walk: Walk, line: OrderLine, one: Substitute, *, at: str) -> None:
    """Another product takes the place of some of a line, at the lower of both prices."""
    await _check_substitute(db, walk, line, one, at=at)
    freed = await reservations.give_back(db, book.source_of(line), one.quantity)
    if freed < one.quantity:
        raise BadSubstitute(
            f"of {_sku(walk, line)} {freed} are left to be replaced: substitute that much at most",
            field=f"{at}.quantity",
        )
    product = walk.products[one.product_id]
    new = OrderLine(
        order_id=line.order_id,
        product_id=product.id,
        quantity=one.quantity,
        fulfillment_status="reserved",
        unit_price=min(line.unit_price, await _price_of(db, walk, one, line.unit_price)),
    )
    db.add(new)
    await db.flush()
    walk.lines[new.id] = new
    wish = reservations.Wish(product.id, one.quantity, book.source_of(new))
    await reservations.reserve(db, [wish], location_ids=walk.location_ids, on=walk.through)
    await write_step(
        db, walk, line, kind="substituted", quantity=one.quantity, reason=one.reason, substitute_line_id=new.id
    )
    line.packed_quantity = total(await promises_of(db, line))


async def _check_substitute(db: AsyncSession, walk: Walk, line: OrderLine, one: Substitute, *, at: str) -> None:
    """Whether a product may stand for another."""
    ordered, product = walk.product_of(line), walk.products.get(one.product_id)
    if product is None:
        raise NotFound(f"no product with id {one.product_id}", field=f"{at}.product_id")
    if not one.agreed:
        raise BadSubstitute("the customer has to agree: ask, and send agreed", field=f"{at}.agreed")
    if product.id in {other.product_id for other in walk.lines.values()}:
        raise BadSubstitute(
            f"{product.sku} stands on the order already: let the customer order more of it", field=f"{at}.product_id"
        )
    if (product.unit, product.catch_weight) != (ordered.unit, ordered.catch_weight) or product.status != "active":
        raise BadSubstitute(
            f"{product.sku} is counted in {product.unit} and is {product.status}: "
            f"only an active product in {ordered.unit} can stand for {ordered.sku}",
            field=f"{at}.product_id",
        )
    catalog.check_quantity(product, one.quantity, field=f"{at}.quantity")
    await db.flush()


async def _price_of(db: AsyncSession, walk: Walk, one: Substitute, otherwise: int) -> int:
    """What the catalogue asks for a unit, in ten-thousandths; where nobody said, as what was ordered."""
    product = walk.products[one.product_id]
    try:
        asked = await prices.price_of(db, product, on=walk.order.delivery_date, quantity=one.quantity)
    except NoPrice:
        return otherwise
    # of catch weight a kilogram's; the line has pieces
    return asked.unit_price * product.unit_weight_g // 1000 if product.catch_weight else asked.unit_price


def _sku(walk: Walk, line: OrderLine) -> str:
    return walk.product_of(line).sku
