"""The verbs of stock takes.

A take is locked before its lines, places before levels, levels before lines. What it books is one unit of work: all
differences, or none.
"""

import uuid
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Literal

from sqlalchemy import and_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.products.models import Product
from cloud_api.configuration import service as configuration
from cloud_api.configuration.definitions import STOCK_TAKE_VARIANCE_PERCENT
from cloud_api.inventory.ledger import service as ledger
from cloud_api.inventory.ledger.locking import lock_levels
from cloud_api.inventory.ledger.models import Lot, StockLevel, StockReservation
from cloud_api.inventory.stock.booking import book
from cloud_api.inventory.takes import counting, queries
from cloud_api.inventory.takes.counting import Count
from cloud_api.inventory.takes.errors import (
    CountedElsewhere,
    NeedsApproval,
    NotCounted,
    OwnCount,
    PromisedStockMissing,
)
from cloud_api.inventory.takes.models import StockTake, StockTakeLine
from cloud_api.inventory.takes.schemas import TakeCreate
from cloud_api.inventory.takes.states import TAKE, TakeAction, TakeStatus
from cloud_api.kernel import clock
from cloud_api.kernel.errors import Detail, Invalid, NotFound
from cloud_api.kernel.ids import new_id
from cloud_api.kernel.numbers import next_number
from cloud_api.kernel.registers import flush_unique
from cloud_api.places import service as places
from cloud_api.places.queries import EVERYWHERE, Visible

#: more than that is nobody's work of one go
MOST_LINES = 5_000

Uncounted = Literal["refuse", "skip", "zero"]


async def create_take(
    db: AsyncSession, *, new: TakeCreate, created_by: uuid.UUID | None, seen: Visible = EVERYWHERE
) -> StockTake:
    """Say what is to be counted; begin at once unless told otherwise.

    Raises:
        NotFound: when the warehouse, a place or a product is not there to be seen.
        Invalid: when a place stands elsewhere, or nothing says what is to be counted.
        CountedElsewhere: when another take counts some of it.
    """
    if new.warehouse_id is not None:
        await places.get_warehouse(db, new.warehouse_id, seen=seen)
    elif not new.location_ids:
        raise Invalid("say which warehouse, or which vehicles, are to be counted", field="warehouse_id")
    for location_id in new.location_ids:
        location = await places.get_present(db, location_id, seen=seen)
        if location.warehouse_id != new.warehouse_id:
            raise Invalid(
                f"place {location.code} stands elsewhere: count it in a take of its own", field="location_ids"
            )
    known = set(await db.scalars(select(Product.id).where(Product.id.in_(new.product_ids))))
    for missing in sorted(set(new.product_ids) - known):
        raise NotFound(f"no product with id {missing}", field="product_ids")
    take = StockTake(
        number=await next_number(db, "STK"),
        warehouse_id=new.warehouse_id,
        location_ids=[str(one) for one in new.location_ids],
        product_ids=[str(one) for one in new.product_ids],
        blind=new.blind,
        note=new.note,
        status=TAKE.initial,
        created_by=created_by,
        created_at=clock.now(),
    )
    db.add(take)
    await db.flush()
    if new.start:
        await _start(db, take, started_by=created_by)
    return take


async def start_take(
    db: AsyncSession, take_id: uuid.UUID, *, started_by: uuid.UUID | None, seen: Visible = EVERYWHERE
) -> StockTake:
    """Write down what ought to lie there, and let people count.

    Raises:
        NotFound, InvalidTransition, CountedElsewhere: as their names say.
    """
    take = await get_take(db, take_id, seen=seen, locked=True)
    await _start(db, take, started_by=started_by)
    return take


async def get_take(
    db: AsyncSession, take_id: uuid.UUID, *, seen: Visible = EVERYWHERE, locked: bool = False, kept: bool = False
) -> StockTake:
    """One stock take; locked until the unit of work ends when its status is to change, kept when it is not to.

    Raises:
        NotFound: when there is none to be seen.
    """
    its = select(StockTake).where(StockTake.id == take_id, seen.warehouses(StockTake.warehouse_id))
    if locked or kept:
        its = its.with_for_update(read=kept).execution_options(populate_existing=True)
    take = (await db.scalars(its)).one_or_none()
    if take is None:
        raise NotFound(f"no stock take with id {take_id}")
    return take


async def enter_count(
    db: AsyncSession,
    take_id: uuid.UUID,
    *,
    lot_id: uuid.UUID,
    location_id: uuid.UUID,
    quantity: Decimal,
    weight_g: int | None = None,
    method: str,
    counted_by: uuid.UUID | None,
    additive: bool = False,
    seen: Visible = EVERYWHERE,
) -> StockTakeLine:
    """Write down what was counted of one lot in one place, as `enter_counts`."""
    count = Count(
        lot_id=lot_id,
        location_id=location_id,
        quantity=quantity,
        weight_g=weight_g,
        method=method,
        additive=additive,
    )
    [line] = await enter_counts(db, take_id, [count], counted_by=counted_by, seen=seen)
    return line


async def enter_counts(
    db: AsyncSession,
    take_id: uuid.UUID,
    counts: Sequence[Count],
    *,
    counted_by: uuid.UUID | None,
    seen: Visible = EVERYWHERE,
) -> list[StockTakeLine]:
    """Write down what was counted: all of it, or nothing. Many people may count for one take at once.

    Raises:
        NotFound: when the take or a lot is not there.
        InvalidTransition: when nobody counts for it now.
        Invalid, WrongQuantity, WeightMissing, CountedElsewhere, CountAgain: as `counting.enter` says.
    """
    take = await get_take(db, take_id, seen=seen, kept=True)
    TAKE.apply(TakeStatus(take.status), TakeAction.COUNT)
    return await counting.enter(db, take, counts, counted_by=counted_by)


async def submit_take(
    db: AsyncSession,
    take_id: uuid.UUID,
    *,
    uncounted: Uncounted = "refuse",
    submitted_by: uuid.UUID | None,
    seen: Visible = EVERYWHERE,
) -> StockTake:
    """Nobody counts any more; the differences are reckoned.

    Args:
        uncounted: what of lines that nobody has counted: not yet, they stay as the books say, or nothing lies there.

    Raises:
        NotFound, InvalidTransition: as their names say.
        NotCounted: saying how many lines nobody has counted.
    """
    take = await get_take(db, take_id, seen=seen, locked=True)
    status = TAKE.apply(TakeStatus(take.status), TakeAction.SUBMIT)
    lines = await _lines(db, take)
    open_lines = [line for line in lines if line.counted is None]
    if open_lines and uncounted == "refuse":
        raise NotCounted(
            f"{len(open_lines)} of {len(lines)} lines have not been counted: count them, or say in `uncounted` that "
            "they stay as they are (skip), or that nothing lies there (zero)",
            field="uncounted",
        )
    if open_lines and uncounted == "zero":
        nothing = [Count(lot_id=line.lot_id, location_id=line.location_id, quantity=Decimal(0)) for line in open_lines]
        await counting.enter(db, take, nothing, counted_by=submitted_by)
    await _reckon(db, take, await _lines(db, take))
    take.status, take.submitted_by, take.submitted_at = status, submitted_by, clock.now()
    await db.flush()
    return take


async def reopen_take(db: AsyncSession, take_id: uuid.UUID, *, seen: Visible = EVERYWHERE) -> StockTake:
    """Something has to be counted again; an approval is void.

    Raises:
        NotFound, InvalidTransition: as their names say.
    """
    take = await get_take(db, take_id, seen=seen, locked=True)
    take.status = TAKE.apply(TakeStatus(take.status), TakeAction.REOPEN)
    take.approved_by = take.approved_at = None
    await db.flush()
    return take


async def approve_take(
    db: AsyncSession, take_id: uuid.UUID, *, approved_by: uuid.UUID, seen: Visible = EVERYWHERE
) -> StockTake:
    """The differences, as they are now, may be booked.

    Raises:
        NotFound, InvalidTransition: as their names say.
        OwnCount: when the same person has counted some of it.
    """
    take = await get_take(db, take_id, seen=seen, locked=True)
    take.status = TAKE.apply(TakeStatus(take.status), TakeAction.APPROVE)
    if approved_by in await queries.counters_of(db, take.id):
        raise OwnCount("you have counted some of this: somebody else has to approve it")
    await _reckon(db, take, await _lines(db, take))
    take.approved_by, take.approved_at = approved_by, clock.now()
    await db.flush()
    return take


async def complete_take(
    db: AsyncSession, take_id: uuid.UUID, *, completed_by: uuid.UUID | None, seen: Visible = EVERYWHERE
) -> StockTake:
    """Book all differences, by adjustments with the reference `take:<number>`. A completed one is left as it is.

    Raises:
        NotFound, InvalidTransition: as their names say.
        NeedsApproval: when a difference is larger than `stock_takes.variance_percent` of what the books said, and
            nobody has approved it as it is now.
        PromisedStockMissing: naming what is promised of less than that; then nothing is booked.
    """
    take = await get_take(db, take_id, seen=seen, locked=True)
    if take.status == TakeStatus.COMPLETED:
        return take
    status = TAKE.apply(TakeStatus(take.status), TakeAction.COMPLETE)
    lines = [line for line in await _lines(db, take) if line.counted is not None]
    await places.keep_all(db, {line.location_id for line in lines})
    levels = await lock_levels(db, {(line.lot_id, line.location_id): line.product_id for line in lines})
    approved = {line.id: (line.difference, line.difference_weight_g) for line in lines}
    await _reckon(db, take, lines)
    await _check_approval(db, take, lines, approved)
    await _check_promises(db, [(line, levels[line.lot_id, line.location_id]) for line in lines])
    await _book(db, take, lines, completed_by=completed_by)
    for line in lines:
        levels[line.lot_id, line.location_id].last_counted_at = line.counted_at
    await _close(db, take)
    take.status, take.completed_by, take.completed_at = status, completed_by, clock.now()
    await db.flush()
    return take


async def cancel_take(db: AsyncSession, take_id: uuid.UUID, *, seen: Visible = EVERYWHERE) -> StockTake:
    """Book nothing.

    Raises:
        NotFound, InvalidTransition: as their names say.
    """
    take = await get_take(db, take_id, seen=seen, locked=True)
    take.status = TAKE.apply(TakeStatus(take.status), TakeAction.CANCEL)
    await _close(db, take)
    await db.flush()
    return take


async def needs_approval(db: AsyncSession, lines: Collection[StockTakeLine]) -> list[StockTakeLine]:
    """Those with a difference, as it was reckoned last, that is not booked without approval."""
    percent = await configuration.value(db, STOCK_TAKE_VARIANCE_PERCENT)
    return [line for line in lines if _is_large(line, percent)]


def _is_large(line: StockTakeLine, percent: int) -> bool:
    off, booked = abs(line.difference or Decimal(0)), line.booked or Decimal(0)
    off_g, booked_g = abs(line.difference_weight_g or 0), line.booked_weight_g or 0
    return off * 100 > percent * booked or off_g * 100 > percent * booked_g


async def _start(db: AsyncSession, take: StockTake, *, started_by: uuid.UUID | None) -> None:
    take.status = TAKE.apply(TakeStatus(take.status), TakeAction.START)
    take.started_by, take.started_at = started_by, clock.now()
    lying = [StockLevel.location_id.in_(await counting.scope_of(db, take)), StockLevel.on_hand > 0]
    if take.product_ids:
        lying.append(StockLevel.product_id.in_(uuid.UUID(one) for one in take.product_ids))
    its = select(StockLevel).where(*lying).order_by(StockLevel.lot_id, StockLevel.location_id)
    levels = (await db.scalars(its.limit(MOST_LINES + 1))).all()
    if len(levels) > MOST_LINES:
        raise Invalid(
            f"more than {MOST_LINES} lots lie there: count some of the places, or some of the products, at a time",
            field="location_ids",
        )
    of_same = and_(StockTakeLine.lot_id == StockLevel.lot_id, StockTakeLine.location_id == StockLevel.location_id)
    other = await db.scalar(
        select(StockTake.number)
        .join(StockTakeLine, StockTakeLine.take_id == StockTake.id)
        .join(StockLevel, of_same)
        .where(StockTakeLine.is_open, *lying)
        .limit(1)
    )
    if other is not None:
        raise CountedElsewhere(f"{other} counts some of this already: finish or cancel it first", field="location_ids")
    db.add_all(
        StockTakeLine(
            take_id=take.id,
            product_id=level.product_id,
            lot_id=level.lot_id,
            location_id=level.location_id,
            expected=level.on_hand,
            expected_weight_g=level.weight_g,
        )
        for level in levels
    )
    # two that begin at the same moment meet at the unique key
    await flush_unique(db, "another stock take began to count some of this just now: finish it", field="location_ids")


async def _lines(db: AsyncSession, take: StockTake) -> Sequence[StockTakeLine]:
    its = select(StockTakeLine).where(StockTakeLine.take_id == take.id).order_by(StockTakeLine.id)
    return (await db.scalars(its.execution_options(populate_existing=True))).all()


async def _reckon(db: AsyncSession, take: StockTake, lines: Collection[StockTakeLine]) -> None:
    """What is there more or less than the books said, with what has been written later of the time before."""
    later = await queries.written_later(db, StockTakeLine.take_id == take.id)
    for line in lines:
        if line.counted is None or line.booked is None:
            continue
        quantity, weight_g = later.get(line.id, (Decimal(0), 0))
        line.difference = line.counted - line.booked - (quantity - (line.written_later or 0))
        line.difference_weight_g = (
            (line.counted_weight_g or 0) - (line.booked_weight_g or 0) - (weight_g - (line.written_later_weight_g or 0))
        )
    await db.flush()


async def _check_approval(
    db: AsyncSession,
    take: StockTake,
    lines: Collection[StockTakeLine],
    approved: Mapping[uuid.UUID, tuple[Decimal | None, int | None]],
) -> None:
    large = await needs_approval(db, lines)
    if not large:
        return
    if take.approved_by is None:
        raise NeedsApproval(
            f"{len(large)} differences are larger than what is booked without approval: somebody who has not counted, "
            "and may approve stock takes, has to approve them",
            field="status",
        )
    if any(approved[line.id] != (line.difference, line.difference_weight_g) for line in large):
        raise NeedsApproval(
            "something was written since that tells of the time before the count, and changed the differences: "
            "have them approved again",
            field="status",
        )


async def _check_promises(db: AsyncSession, counted: Sequence[tuple[StockTakeLine, StockLevel]]) -> None:
    """Nobody can promise what is not there: whoever promised it decides what is to become of the promise."""
    short = {
        level.id: (line, level)
        for line, level in counted
        if level.on_hand + (line.difference or Decimal(0)) < level.reserved
    }
    if not short:
        return
    promises = await db.execute(
        select(StockReservation, Lot.lot_number)
        .join(StockLevel, StockLevel.id == StockReservation.stock_level_id)
        .join(Lot, Lot.id == StockLevel.lot_id)
        .where(StockReservation.stock_level_id.in_(short), StockReservation.status == "active")
        .order_by(StockReservation.id)
    )
    details = []
    for promise, lot_number in promises.tuples():
        line, level = short[promise.stock_level_id]
        there = level.on_hand + (line.difference or Decimal(0))
        details.append(
            Detail(
                f"lines.{line.id}",
                f"of lot {lot_number} {there} are there and {level.reserved} promised, of which {promise.quantity} "
                f"to {promise.source}",
            )
        )
    raise PromisedStockMissing(
        f"in {len(short)} places less was counted than is promised: release or move these promises, or count again",
        details=details,
    )


async def _book(
    db: AsyncSession, take: StockTake, lines: Collection[StockTakeLine], *, completed_by: uuid.UUID | None
) -> None:
    lots = {
        lot.id: lot
        for lot in await db.scalars(
            select(Lot).join(StockTakeLine, StockTakeLine.lot_id == Lot.id).where(StockTakeLine.take_id == take.id)
        )
    }
    catch_weight = set(
        await db.scalars(
            select(Product.id)
            .join(StockTakeLine, StockTakeLine.product_id == Product.id)
            .where(StockTakeLine.take_id == take.id, Product.catch_weight)
        )
    )
    group_id = new_id()
    entries: list[ledger.Entry] = []
    for line in lines:
        for quantity, weight_g in _steps(line, weighed=line.product_id in catch_weight):
            entries.append(
                ledger.Entry(
                    movement_type="adjustment",
                    lot=lots[line.lot_id],
                    location_id=line.location_id,
                    quantity=quantity,
                    weight_g=weight_g,
                    reference=f"take:{take.number}",
                    source=line.method or "manual",
                    group_id=group_id,
                    recorded_by=completed_by,
                )
            )
    if entries:
        await book(db, entries)


def _steps(line: StockTakeLine, *, weighed: bool) -> list[tuple[Decimal, int | None]]:
    """What is booked for a line: (quantity, grams)."""
    off, off_g = line.difference or Decimal(0), line.difference_weight_g or 0
    if not weighed:
        return [(off, None)] if off else []
    if off:
        return [(off, off_g)]
    # as many pieces, of another weight: no entry is of nothing, so one comes with the difference and one leaves
    return [(Decimal(1), off_g), (Decimal(-1), 0)] if off_g else []


async def _close(db: AsyncSession, take: StockTake) -> None:
    """Let others count the same."""
    its_lines = update(StockTakeLine).where(StockTakeLine.take_id == take.id)
    await db.execute(its_lines.values(is_open=False))
