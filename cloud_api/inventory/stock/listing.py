"""Levels in pages: the newest first, or by what lies there, until when it keeps, and how much of it there is."""

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import Select, SQLColumnExpression, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.products.models import Product
from cloud_api.inventory.ledger.models import Lot, StockLevel
from cloud_api.inventory.stock.queries import LevelFilter
from cloud_api.kernel.paging import BadCursor, Page, PageQuery, decode_cursor, encode_cursor, page
from cloud_api.kernel.quantity import from_thousandths, to_thousandths
from cloud_api.places.queries import Visible

LevelSort = Literal["-created_at", "product", "-product", "keeps_until", "-keeps_until", "on_hand", "-on_hand"]
_Levels = Select[tuple[StockLevel, Any]]


@dataclass(frozen=True)
class _Order:
    """What levels are sorted by, and how a cursor says it."""

    by: SQLColumnExpression[Any]
    joined: Callable[[_Levels], _Levels]
    said: Callable[[Any], object]
    #: raises `ValueError` or `TypeError` for what no cursor of ours says
    read: Callable[[Any], object]


async def levels(
    db: AsyncSession, asked: LevelFilter, *, seen: Visible, sort: LevelSort, query: PageQuery
) -> Page[StockLevel]:
    """The page of levels that `query` asks for: each once, whatever is booked meanwhile.

    Raises:
        BadCursor: when the cursor is none of a page that was sorted like this.
    """
    order = _ORDERS.get(sort.lstrip("-"))
    if order is None:
        return await page(db, select(StockLevel).where(*asked.conditions(seen)), StockLevel.id, query)
    descending = sort.startswith("-")
    statement: _Levels = order.joined(select(StockLevel, order.by)).where(*asked.conditions(seen))
    if query.cursor is not None:
        last, last_id = _read(query.cursor, sort, order)
        beyond = order.by < last if descending else order.by > last
        later = StockLevel.id < last_id if descending else StockLevel.id > last_id
        statement = statement.where(or_(beyond, and_(order.by == last, later)))
    keys = (order.by, StockLevel.id)
    statement = statement.order_by(*(key.desc() if descending else key.asc() for key in keys))
    rows = (await db.execute(statement.limit(query.limit + 1))).all()
    kept = rows[: query.limit]
    cursor = None
    if len(rows) > query.limit:
        level, value = kept[-1]
        cursor = encode_cursor(json.dumps([sort, order.said(value), level.id.hex]).encode())
    return Page([level for level, _ in kept], query.limit, cursor)


def _read(cursor: str, sort: str, order: _Order) -> tuple[object, uuid.UUID]:
    """The value and the key of the row that a cursor names."""
    try:
        made_for, last, raw = json.loads(decode_cursor(cursor))
        if made_for != sort:
            raise BadCursor
        return order.read(last), uuid.UUID(hex=raw)
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise BadCursor from None


def _text(said: object) -> str:
    if not isinstance(said, str) or "\0" in said:
        raise TypeError
    return said


def _quantity(said: object) -> Decimal:
    if not isinstance(said, int) or abs(said) >= 2**63:
        raise TypeError
    return from_thousandths(said)


#: what never expires comes last
_LAST_DAY = func.coalesce(StockLevel.keeps_until, Lot.expires_on, date.max)
_ORDERS: Mapping[str, _Order] = {
    "product": _Order(
        Product.name, lambda levels: levels.join(Product, Product.id == StockLevel.product_id), str, _text
    ),
    "keeps_until": _Order(
        _LAST_DAY, lambda levels: levels.join(Lot, Lot.id == StockLevel.lot_id), str, date.fromisoformat
    ),
    "on_hand": _Order(StockLevel.on_hand, lambda levels: levels, to_thousandths, _quantity),
}
