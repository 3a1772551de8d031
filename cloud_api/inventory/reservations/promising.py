"""Promising stock: what expires first goes first; never what is on hold or has expired, and nothing twice.

First by the last day on which it may be sold from where it lies: the label's, or what temperatures left of it
(`StockLevel.keeps_until`). Of the same day what was warm goes first, then what came first, then by key: two who ask at
the same time come to the same order.

One wish that a single level can meet is, on PostgreSQL, one conditional UPDATE that waits for nobody (`at_once`).
Whoever finds that level locked, or with less than is wanted, goes the other way: all levels of the product that have
something are locked in key order, looked at again, and changed together. So are several wishes, and the requests of
many (`serve`). Nobody waits for a level while holding one that comes after it, so nobody deadlocks.
"""

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import ARRAY, Insert, case, column, func, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.selectable import TableValuedAlias
from sqlalchemy.types import TypeEngine

from cloud_api.inventory.errors import NotEnoughStock
from cloud_api.inventory.ledger.models import Lot, StockLevel, StockReservation
from cloud_api.inventory.reservations import at_once
from cloud_api.inventory.reservations.queries import among, is_postgresql
from cloud_api.kernel import clock
from cloud_api.kernel.columns import Quantity
from cloud_api.kernel.db import Base
from cloud_api.kernel.ids import new_id
from cloud_api.kernel.tenancy import STAMPED


@dataclass(frozen=True)
class Wish:
    """What somebody wants of a product."""

    product_id: uuid.UUID
    quantity: Decimal
    #: for whom, as `order_line:<id>`
    source: str
    #: of this level and no other; None: of any
    level_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """Wishes that are met together, or none of them."""

    wishes: Sequence[Wish]
    #: the day through which all of it must keep
    through: date
    #: when the promise lapses by itself; None: never
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Promised:
    """What one level was made to promise."""

    id: uuid.UUID
    level_id: uuid.UUID
    wish: Wish
    quantity: Decimal


@dataclass(eq=False, slots=True)
class _Shelf:
    """A locked level, and what of it can still be promised."""

    level_id: uuid.UUID
    product_id: uuid.UUID
    #: None: it never expires
    last_day: date | None
    free: Decimal
    taken: Decimal = Decimal(0)


async def reserve(
    db: AsyncSession,
    wishes: Sequence[Wish],
    *,
    location_ids: Collection[uuid.UUID],
    on: date,
    expires_at: datetime | None = None,
    min_remaining_days: int = 0,
) -> list[Promised]:
    """Promise every wish in full from these places, or none of them.

    Args:
        on: the day by which nothing promised may have expired.
        expires_at: when the promise lapses by itself; None: never.
        min_remaining_days: for how many days after `on` it must keep.

    Raises:
        NotEnoughStock: naming the first wish that cannot be met, and what there is.
    """
    request = Request(wishes, on + timedelta(days=min_remaining_days), expires_at)
    return await reserve_request(db, request, location_ids=location_ids)


async def reserve_request(db: AsyncSession, request: Request, *, location_ids: Collection[uuid.UUID]) -> list[Promised]:
    """The same of a request.

    Raises:
        NotEnoughStock: naming the first wish that cannot be met, and what there is.
    """
    if len(request.wishes) == 1 and is_postgresql(db) and request.wishes[0].level_id is None:
        made = await _promise_at_once(db, request, location_ids)
        if made is not None:
            return [made]
    [answer] = await serve(db, [request], location_ids=location_ids)
    if isinstance(answer, NotEnoughStock):
        raise answer
    return answer


async def serve(
    db: AsyncSession, requests: Sequence[Request], *, location_ids: Collection[uuid.UUID]
) -> list[list[Promised] | NotEnoughStock]:
    """Meet each request by itself, in turn: all of its wishes, or none of them and why."""
    shelves = await _lock_shelves(db, {wish.product_id for one in requests for wish in one.wishes}, location_ids)
    answers = [_meet(request, shelves) for request in requests]
    taken = [shelf for its in shelves.values() for shelf in its if shelf.taken]
    answered = zip(requests, answers, strict=True)
    made = [(one, asked) for asked, its in answered if not isinstance(its, NotEnoughStock) for one in its]
    await _write(db, taken, made)
    return answers


async def _promise_at_once(db: AsyncSession, request: Request, location_ids: Collection[uuid.UUID]) -> Promised | None:
    """Promise the only wish from the level that comes first, if that has enough and nobody is at it."""
    [wish] = request.wishes
    id = new_id()
    level_id = await at_once.promise(
        db,
        at_once.Promise(
            id=id,
            product_id=wish.product_id,
            location_ids=location_ids,
            quantity=wish.quantity,
            source=wish.source,
            through=request.through,
            expires_at=request.expires_at,
        ),
    )
    return None if level_id is None else Promised(id, level_id, wish, wish.quantity)


async def _lock_shelves(
    db: AsyncSession, product_ids: Collection[uuid.UUID], location_ids: Collection[uuid.UUID]
) -> Mapping[uuid.UUID, list[_Shelf]]:
    """What of these products may be sold, by product, first to expire first; all of it locked in key order."""
    rows = await db.execute(
        select(
            StockLevel.id,
            StockLevel.product_id,
            StockLevel.on_hand,
            StockLevel.reserved,
            StockLevel.keeps_until,
            Lot.expires_on,
            Lot.received_at,
            Lot.id,
        )
        .join(Lot, Lot.id == StockLevel.lot_id)
        .where(
            among(db, StockLevel.product_id, product_ids),
            among(db, StockLevel.location_id, location_ids),
            StockLevel.status == "available",
            StockLevel.on_hand > 0,
        )
        .order_by(StockLevel.id)
        .with_for_update(of=StockLevel)
    )
    in_order = []
    for level_id, product_id, on_hand, reserved, keeps_until, expires_on, received_at, lot_id in rows:
        if on_hand > reserved:
            last_day = keeps_until or expires_on
            rank = (last_day or date.max, keeps_until is None, received_at, lot_id, level_id)
            in_order.append((rank, _Shelf(level_id, product_id, last_day, on_hand - reserved)))
    shelves: dict[uuid.UUID, list[_Shelf]] = defaultdict(list)
    for _, shelf in sorted(in_order, key=lambda one: one[0]):
        shelves[shelf.product_id].append(shelf)
    return shelves


def _meet(request: Request, shelves: Mapping[uuid.UUID, list[_Shelf]]) -> list[Promised] | NotEnoughStock:
    """Take what a request wants from the shelves, or put everything back."""
    made: list[tuple[_Shelf, Promised]] = []
    for wish in request.wishes:
        missing = wish.quantity
        for shelf in shelves.get(wish.product_id, ()):
            if _suits(shelf, wish, request.through) and (taken := min(missing, shelf.free)) > 0:
                _move(shelf, taken)
                missing -= taken
                made.append((shelf, Promised(new_id(), shelf.level_id, wish, taken)))
                if not missing:
                    break
        if missing:
            for shelf, promised in made:
                _move(shelf, -promised.quantity)
            return not_enough(wish.product_id, wish.quantity, wish.quantity - missing)
    return [promised for _, promised in made]


def not_enough(product_id: uuid.UUID, wanted: Decimal, there_is: Decimal) -> NotEnoughStock:
    """The refusal of a wish."""
    return NotEnoughStock(
        f"of product {product_id} {wanted} are wanted and {there_is} may be sold: "
        "order less, or wait for the next receipt",
        field="quantity",
    )


def _suits(shelf: _Shelf, wish: Wish, through: date) -> bool:
    return (shelf.last_day is None or shelf.last_day >= through) and wish.level_id in {None, shelf.level_id}


def _move(shelf: _Shelf, quantity: Decimal) -> None:
    shelf.free -= quantity
    shelf.taken += quantity


async def _write(db: AsyncSession, shelves: Sequence[_Shelf], made: Sequence[tuple[Promised, Request]]) -> None:
    """Write down what was taken from locked levels, and the promises."""
    if not made:
        return
    organization_id = db.sync_session.info["scope"].organization_id
    always = {"organization_id": organization_id, "status": "active", "reserved_at": clock.now()}
    stamped = {STAMPED: organization_id}
    if is_postgresql(db):
        await db.execute(_written_together(shelves, made, always), execution_options=stamped)
        return
    taken = case({shelf.level_id: literal(shelf.taken, Quantity) for shelf in shelves}, value=StockLevel.id)
    change = update(StockLevel).where(StockLevel.id.in_([shelf.level_id for shelf in shelves]))
    change = change.values(reserved=StockLevel.reserved + taken)
    await db.execute(change.execution_options(synchronize_session=False))
    rows = [{**always, **_row(promised, request)} for promised, request in made]
    await db.execute(insert(StockReservation), rows, execution_options=stamped)


def _row(promised: Promised, request: Request) -> dict[str, object]:
    return {
        "id": promised.id,
        "stock_level_id": promised.level_id,
        "quantity": promised.quantity,
        "source": promised.wish.source,
        "needed_on": request.through,
        "expires_at": request.expires_at,
    }


def _written_together(
    shelves: Sequence[_Shelf], made: Sequence[tuple[Promised, Request]], always: Mapping[str, object]
) -> Insert:
    """For PostgreSQL: levels and promises in one statement."""
    taken = _unnested(
        StockLevel, {"id": [shelf.level_id for shelf in shelves], "reserved": [shelf.taken for shelf in shelves]}
    )
    change = update(StockLevel).where(StockLevel.id == taken.c.id)
    change = change.values(reserved=StockLevel.reserved + taken.c.reserved)
    listed = [_row(promised, request) for promised, request in made]
    rows = _unnested(StockReservation, {name: [row[name] for row in listed] for name in listed[0]})
    values = [literal(value, _type_of(StockReservation, name)) for name, value in always.items()]
    statement = insert(StockReservation).from_select(
        [*always, *rows.c.keys()], select(*values, *rows.c), include_defaults=False
    )
    return statement.add_cte(change.cte("taken"))


def _unnested(model: type[Base], columns: Mapping[str, Sequence[object]]) -> TableValuedAlias:
    """Rows as arrays of their columns: the statement is the same, and compiled once, however many there are."""
    arrays = (literal(values, ARRAY(_type_of(model, name))) for name, values in columns.items())
    named = (column(name, _type_of(model, name)) for name in columns)
    return func.unnest(*arrays).table_valued(*named).render_derived()


def _type_of(model: type[Base], name: str) -> TypeEngine[object]:
    its: TypeEngine[object] = model.__table__.c[name].type
    return its
