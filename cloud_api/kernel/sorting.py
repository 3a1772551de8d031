"""Lists in another order than newest first, page by page: the same rows once each, whatever is added meanwhile."""

import json
import uuid
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, and_, or_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from cloud_api.kernel.paging import BadCursor, Page, PageQuery, asked_for, decode_cursor, encode_cursor, page

T = TypeVar("T")
Value = str | int | date
#: name of an order -> its column: text, whole numbers, days or moments, and never null
Columns = Mapping[str, InstrumentedAttribute[Any]]
#: the newest first, as every list is
NEWEST = "-created_at"
_MOST = 2**63


async def sorted_page(
    db: AsyncSession,
    statement: Select[tuple[T]],
    key: InstrumentedAttribute[uuid.UUID],
    query: PageQuery,
    *,
    sort: str,
    columns: Columns,
) -> Page[T]:
    """The page of `statement` that `query` asks for, sorted; rows that are alike in it go by their UUIDv7 `key`.

    Args:
        sort: a name of `columns` or `created_at`; after a minus sign the other way round.

    Raises:
        BadCursor: when the cursor is none of a page that was sorted like this.
    """
    if sort == NEWEST:
        return await page(db, statement, key, query)
    descending, column = sort.startswith("-"), columns.get(sort.removeprefix("-"))
    statement = statement.where(*asked_for(key, query))
    if query.cursor is not None:
        statement = statement.where(_after(query.cursor, sort, column, key))
    keys = [key] if column is None else [column, key]
    statement = statement.order_by(*(one.desc() if descending else one.asc() for one in keys))
    rows = (await db.scalars(statement.limit(query.limit + 1))).all()
    kept = rows[: query.limit]
    more = len(rows) > query.limit
    return Page(kept, query.limit, _cursor(kept[-1], sort, column, key) if more else None)


def _cursor(
    last: object, sort: str, column: InstrumentedAttribute[Any] | None, key: InstrumentedAttribute[uuid.UUID]
) -> str:
    value: Value | None = None if column is None else getattr(last, column.key)
    told = value.isoformat() if isinstance(value, date) else value
    return encode_cursor(json.dumps([sort, told, getattr(last, key.key).hex], ensure_ascii=True).encode())


def _after(
    cursor: str, sort: str, column: InstrumentedAttribute[Any] | None, key: InstrumentedAttribute[uuid.UUID]
) -> ColumnElement[bool]:
    """What comes after the row that a cursor names."""
    try:
        made_for, told, raw = json.loads(decode_cursor(cursor))
        last_id = uuid.UUID(hex=raw)
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise BadCursor from None
    if made_for != sort:
        raise BadCursor
    descending = sort.startswith("-")
    later = key < last_id if descending else key > last_id
    if column is None:
        return later
    last = _value(told, column)
    beyond = column < last if descending else column > last
    return or_(beyond, and_(column == last, later))


def _value(told: object, column: InstrumentedAttribute[Any]) -> Value:
    """What a cursor says of a column, if that may be its value."""
    kind = column.type.python_type
    if kind in (date, datetime) and isinstance(told, str):
        return _time(told, kind)
    if kind is str and isinstance(told, str) and "\0" not in told:
        return told
    if kind is int and isinstance(told, int) and not isinstance(told, bool) and abs(told) < _MOST:
        return told
    raise BadCursor


def _time(told: str, kind: type[date]) -> date:
    """The day that a cursor says, or the moment, which has a zone."""
    try:
        at = kind.fromisoformat(told)
        if isinstance(at, datetime):
            if at.tzinfo is None:
                raise BadCursor
            return at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadCursor from None
    return at
