"""The ledger, read for `valuation`: streamed, in the order in which things happened.

The ledger only grows, so what a process has reckoned once is kept: the book of all that happened until some hours ago,
and how many entries that were. As long as there are as many, the book goes on from there; an entry that is written
later than that makes it begin anew.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Select, func, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.organizations import service as organizations
from cloud_api.inventory.ledger.models import Lot, StockMovement
from cloud_api.inventory.stock.valuation import Book, Booked, Method, Worth
from cloud_api.kernel import clock
from cloud_api.kernel.tenancy import OrganizationScope
from cloud_api.places.models import Location

_AT_ONCE = 2000
#: entries are seldom written later than that
_SETTLED = timedelta(hours=6)
#: books of a process
_MOST_KEPT = 32
#: entries that are read again rather than kept
_FEW = 200
_THOUSANDTHS = type_coerce(StockMovement.quantity, BigInteger)
_Key = tuple[str, UUID, Method]


@dataclass(frozen=True)
class _Kept:
    """All that happened before a moment."""

    until: datetime
    entries: int
    book: Book


_kept: OrderedDict[_Key, _Kept] = OrderedDict()


async def worth_of(db: AsyncSession, *, method: Method, on: date) -> dict[tuple[UUID, UUID | None], Worth]:
    """What each product in each warehouse was worth at the end of a day of the organisation's."""
    until = await organizations.instant(db, on + timedelta(days=1), time.min)
    key = _key(db, method)
    known = await _still_true(db, key, until)
    book = Book(method, {}) if known is None else known.book.copy()
    span = [StockMovement.effective_at < until]
    if known is not None:
        span.append(StockMovement.effective_at >= known.until)
    book.expect(await _made(db, span))
    entries, before = (0, 0) if known is None else (known.entries, known.entries)
    settled: datetime | None = min(until, clock.now() - _SETTLED)
    rows = await db.stream(_entries(span))
    async for at, product_id, warehouse_id, received_at, lot_id, kind, quantity, cost, group_id, reference in rows:
        if settled is not None and at >= settled:
            _keep(key, _Kept(settled, entries, book), few=entries - before < _FEW)
            settled = None
        group = group_id or f"{reference} {lot_id}"
        book.add(Booked(product_id, warehouse_id, received_at, lot_id, kind, quantity, cost, group))
        entries += 1
    if settled is not None:
        _keep(key, _Kept(settled, entries, book), few=entries - before < _FEW)
    return dict(book.worth)


def forget() -> None:
    """Keep nothing of what was reckoned."""
    _kept.clear()


def _key(db: AsyncSession, method: Method) -> _Key | None:
    scope = db.sync_session.info["scope"]
    if not isinstance(scope, OrganizationScope):
        return None
    return str(db.get_bind().engine.url), scope.organization_id, method


async def _still_true(db: AsyncSession, key: _Key | None, until: datetime) -> _Kept | None:
    """What is kept, when it ends before `until` and nothing was written into it since."""
    known = None if key is None else _kept.get(key)
    if key is None or known is None or known.until > until:
        return None
    _kept.move_to_end(key)
    its = select(func.count(StockMovement.id)).where(StockMovement.effective_at < known.until)
    return known if await db.scalar(its) == known.entries else None


def _keep(key: _Key | None, known: _Kept, *, few: bool) -> None:
    if key is None or few or (key in _kept and _kept[key].until > known.until):
        return
    _kept[key] = _Kept(known.until, known.entries, known.book.copy())
    while len(_kept) > _MOST_KEPT:
        _kept.popitem(last=False)


async def _made(db: AsyncSession, span: list[ColumnElement[bool]]) -> Mapping[UUID, int]:
    """What came out of each production; all of one happened at one moment."""
    made = await db.execute(
        select(StockMovement.group_id, func.sum(_THOUSANDTHS))
        .where(
            StockMovement.movement_type == "production",
            StockMovement.quantity > 0,
            StockMovement.group_id.is_not(None),
            *span,
        )
        .group_by(StockMovement.group_id)
    )
    return {group_id: int(quantity) for group_id, quantity in made if group_id is not None}


def _entries(
    span: list[ColumnElement[bool]],
) -> Select[tuple[datetime, UUID, UUID | None, datetime, UUID, str, int, int, UUID | None, str]]:
    return (
        select(
            StockMovement.effective_at,
            StockMovement.product_id,
            Location.warehouse_id,
            Lot.received_at,
            StockMovement.lot_id,
            StockMovement.movement_type,
            _THOUSANDTHS,
            func.coalesce(StockMovement.unit_cost, Lot.unit_cost),
            StockMovement.group_id,
            StockMovement.reference,
        )
        .join(Lot, Lot.id == StockMovement.lot_id)
        .join(Location, Location.id == StockMovement.location_id)
        .where(*span)
        .order_by(StockMovement.effective_at, StockMovement.id)
        .execution_options(yield_per=_AT_ONCE)
    )
