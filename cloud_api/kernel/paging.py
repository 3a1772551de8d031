"""Keyset pages: stable while rows arrive, no OFFSET scan."""

import base64
import binascii
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

from fastapi import Query
from sqlalchemy import ColumnElement, Select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from cloud_api.kernel.errors import Invalid

T = TypeVar("T")
Ts = TypeVar("Ts", bound=tuple[object, ...])


class BadCursor(Invalid):
    """A cursor that no answer of ours contained."""

    code = "BAD_CURSOR"

    def __init__(self) -> None:
        super().__init__("not a cursor of ours: pass meta.next_cursor of the page before, unchanged", field="cursor")


@dataclass(frozen=True)
class PageQuery:
    """Query parameters of every list."""

    limit: Annotated[int, Query(ge=1, le=200)] = 50
    cursor: str | None = None


@dataclass(frozen=True)
class RowsQuery(PageQuery):
    """Query parameters of a list whose rows others name by their ids: `?id=…&id=…` asks for those, in one question."""

    id: Annotated[list[uuid.UUID] | None, Query(max_length=200, description="Only these.")] = None


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page, newest first; the envelope puts the cursor into `meta`."""

    items: Sequence[T]
    limit: int
    next_cursor: str | None


def encode_cursor(key: bytes) -> str:
    """An opaque cursor of a key."""
    return base64.urlsafe_b64encode(key).decode().rstrip("=")


def decode_cursor(cursor: str) -> bytes:
    """The key of a cursor.

    Raises:
        BadCursor: when it is not one of ours.
    """
    try:
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise BadCursor from None


def decode_key(cursor: str) -> uuid.UUID:
    """The row key of a cursor.

    Raises:
        BadCursor: when it is not one of ours.
    """
    raw = decode_cursor(cursor)
    if len(raw) != 16:
        raise BadCursor
    return uuid.UUID(bytes=raw)


def asked_for(key: InstrumentedAttribute[uuid.UUID], query: PageQuery) -> Sequence[ColumnElement[bool]]:
    """The condition that rows are among those that `query` names; none, when it names none."""
    return () if not isinstance(query, RowsQuery) or query.id is None else (key.in_(query.id),)


async def page(
    db: AsyncSession, statement: Select[tuple[T]], key: InstrumentedAttribute[uuid.UUID], query: PageQuery
) -> Page[T]:
    """The page of `statement` that `query` asks for, by the UUIDv7 `key`, newest first."""
    rows = (await db.scalars(_part(statement, key, query))).all()
    return _page(rows, [getattr(row, key.key) for row in rows[: query.limit][-1:]], query)


async def page_with(
    db: AsyncSession, statement: Select[Ts], key: InstrumentedAttribute[uuid.UUID], query: PageQuery
) -> Page[Ts]:
    """The same of a statement that selects more beside its rows; the row that has the key is the first of each."""
    rows = (await db.execute(_part(statement, key, query))).tuples().all()
    return _page(rows, [getattr(row[0], key.key) for row in rows[: query.limit][-1:]], query)


def _part(statement: Select[Ts], key: InstrumentedAttribute[uuid.UUID], query: PageQuery) -> Select[Ts]:
    """One row more than is asked for: it says whether there is another page."""
    statement = statement.where(*asked_for(key, query))
    if query.cursor is not None:
        statement = statement.where(key < decode_key(query.cursor))
    return statement.order_by(key.desc()).limit(query.limit + 1)


def _page(rows: Sequence[T], last: Sequence[uuid.UUID], query: PageQuery) -> Page[T]:
    more = encode_cursor(last[0].bytes) if len(rows) > query.limit else None
    return Page(rows[: query.limit], query.limit, more)
