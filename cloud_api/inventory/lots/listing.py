"""Lots in pages: the newest first, or first those that expire first."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.inventory.ledger.models import Lot
from cloud_api.inventory.ledger.queries import products_named, visible_lots, words_of
from cloud_api.inventory.lots.queries import Calendar, keeps_until, lying, with_status
from cloud_api.kernel.paging import BadCursor, Page, PageQuery, asked_for, decode_cursor, encode_cursor, page
from cloud_api.places.models import Location
from cloud_api.places.queries import Visible

#: a cursor's day, before the key, for lots that never expire
_NEVER = b"\xff\xff\xff\xff"


@dataclass(frozen=True)
class LotFilter:
    """Which lots somebody asks for."""

    product_id: uuid.UUID | None = None
    variant_id: uuid.UUID | None = None
    lot_number: str | None = None
    #: one of `queries.STATUSES`
    status: str | None = None
    #: words, of which each is in the lot's number or in the name or number of its product
    search: str | None = None
    #: where some of them lies
    warehouse_id: uuid.UUID | None = None

    def conditions(self, days: Calendar, seen: Visible) -> list[ColumnElement[bool]]:
        """The same, as conditions on `Lot`."""
        asked = [
            (self.product_id, Lot.product_id == self.product_id),
            (self.variant_id, Lot.variant_id == self.variant_id),
            (self.lot_number, Lot.lot_number == self.lot_number),
        ]
        conditions = [visible_lots(seen), *(condition for value, condition in asked if value is not None)]
        conditions += named(self.search)
        if self.warehouse_id is not None:
            conditions.append(lying(Location.warehouse_id == self.warehouse_id, seen=seen))
        if self.status is not None:
            conditions.append(with_status(self.status, days))
        return conditions


def named(search: str | None) -> list[ColumnElement[bool]]:
    """That lots go by each of these words."""
    return [
        or_(Lot.lot_number.icontains(word, autoescape=True), Lot.product_id.in_(products_named(word)))
        for word in words_of(search)
    ]


def expiring(
    today: Calendar,
    *,
    days: int,
    product_id: uuid.UUID | None,
    warehouse_id: uuid.UUID | None,
    seen: Visible,
) -> list[ColumnElement[bool]]:
    """Lots of which something lies somewhere that keeps for at most so many days, or has expired."""
    there = [] if warehouse_id is None else [Location.warehouse_id == warehouse_id]
    conditions = [lying(today.before(keeps_until, days + 1), *there, seen=seen)]
    return conditions if product_id is None else [*conditions, Lot.product_id == product_id]


async def newest(db: AsyncSession, conditions: Sequence[ColumnElement[bool]], query: PageQuery) -> Page[Lot]:
    """A page of lots, newest first."""
    return await page(db, select(Lot).where(*conditions), Lot.id, query)


async def first_expired(db: AsyncSession, conditions: Sequence[ColumnElement[bool]], query: PageQuery) -> Page[Lot]:
    """A page of lots, first those that expire first; what never expires comes last."""
    conditions = [*conditions, *asked_for(Lot.id, query)]
    after = None if query.cursor is None else _decode(query.cursor)
    rows: list[Lot] = []
    if after is None or after[0] is not None:
        dated = select(Lot).where(Lot.expires_on.is_not(None), *conditions).order_by(Lot.expires_on, Lot.id)
        if after is not None:
            day, key = after
            dated = dated.where(or_(Lot.expires_on > day, and_(Lot.expires_on == day, Lot.id > key)))
        rows += await db.scalars(dated.limit(query.limit + 1))
    if len(rows) <= query.limit:
        undated = select(Lot).where(Lot.expires_on.is_(None), *conditions).order_by(Lot.id)
        if after is not None and after[0] is None:
            undated = undated.where(Lot.id > after[1])
        rows += await db.scalars(undated.limit(query.limit + 1 - len(rows)))
    kept = rows[: query.limit]
    return Page(kept, query.limit, _encode(kept[-1]) if len(rows) > query.limit else None)


async def soonest(db: AsyncSession, conditions: Sequence[ColumnElement[bool]], query: PageQuery) -> Page[Lot]:
    """The same, in one query that sorts what it finds: for conditions that few lots meet."""
    day = func.coalesce(Lot.expires_on, date.max)
    statement = select(Lot).where(*conditions).order_by(day, Lot.id)
    if query.cursor is not None:
        last, key = _decode(query.cursor)
        after = last or date.max
        statement = statement.where(or_(day > after, and_(day == after, Lot.id > key)))
    rows = (await db.scalars(statement.limit(query.limit + 1))).all()
    kept = rows[: query.limit]
    return Page(kept, query.limit, _encode(kept[-1]) if len(rows) > query.limit else None)


def _encode(lot: Lot) -> str:
    day = _NEVER if lot.expires_on is None else lot.expires_on.toordinal().to_bytes(4, "big")
    return encode_cursor(day + lot.id.bytes)


def _decode(cursor: str) -> tuple[date | None, uuid.UUID]:
    raw = decode_cursor(cursor)
    day, key = raw[:4], raw[4:]
    if len(key) != 16:
        raise BadCursor
    if day == _NEVER:
        return None, uuid.UUID(bytes=key)
    try:
        return date.fromordinal(int.from_bytes(day, "big")), uuid.UUID(bytes=key)
    except (ValueError, OverflowError):
        raise BadCursor from None
