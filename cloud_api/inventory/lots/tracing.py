"""A lot followed both ways: one up, one down, and through everything that was made of it.

Lineage has no circles, and each lot is visited once: a trace always ends. What was undone is not followed.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import ColumnElement, Select, exists, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, aliased

from cloud_api.inventory.ledger import service as ledger
from cloud_api.inventory.ledger.models import Lot, StockLevel, StockMovement
from cloud_api.inventory.lots.models import LotLineage
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.places.queries import EVERYWHERE, Visible

Direction = Literal["up", "down", "both"]

#: of lots, receipts and places; shipments come in pages
MOST = 1000
_RECEIPTS = ("inbound", "opening", "return")
_FIRST = PageQuery(limit=200)


@dataclass(frozen=True)
class Trace:
    """What is known of a lot's way."""

    lots: Sequence[Lot]
    steps: Sequence[LotLineage]
    #: of the lot and what it was made of, newest first
    receipts: Sequence[StockMovement]
    #: of the lot and what was made of it
    shipments: Page[StockMovement]
    levels: Sequence[StockLevel]
    #: whether there are more lots, receipts or levels than `MOST`
    truncated: bool


async def trace(
    db: AsyncSession,
    lot_id: uuid.UUID,
    *,
    direction: Direction = "both",
    query: PageQuery = _FIRST,
    seen: Visible = EVERYWHERE,
) -> Trace:
    """Follow a lot.

    Args:
        direction: up: what it was made of and where that came from; down: what was made of it and where that went.
        query: which page of the shipments.

    Raises:
        NotFound: when there is none to be seen.
    """
    await ledger.get_lot(db, lot_id, seen=seen)
    above = [lot_id] if direction == "down" else await ancestors(db, lot_id, most=MOST + 1)
    below = [lot_id] if direction == "up" else await descendants(db, lot_id, most=MOST + 1)
    all_lots = [*dict.fromkeys([lot_id, *above, *below])]
    lots = (await db.scalars(select(Lot).where(Lot.id.in_(all_lots)).order_by(Lot.id))).all()
    steps = await db.scalars(
        select(LotLineage)
        .where(LotLineage.parent_lot_id.in_(all_lots), LotLineage.child_lot_id.in_(all_lots), _stands())
        .order_by(LotLineage.id)
    )
    there = seen.locations(StockMovement.location_id)
    receipts: Sequence[StockMovement] = []
    if direction != "down":
        came = select(StockMovement).where(
            StockMovement.lot_id.in_(above), StockMovement.movement_type.in_(_RECEIPTS), there
        )
        receipts = (await db.scalars(came.order_by(StockMovement.id.desc()).limit(MOST + 1))).all()
    shipments: Page[StockMovement] = Page([], query.limit, None)
    levels: Sequence[StockLevel] = []
    if direction != "up":
        shipments = await page(db, shipped(below).where(there), StockMovement.id, query)
        lying = select(StockLevel).where(
            StockLevel.lot_id.in_(below), StockLevel.on_hand > 0, seen.locations(StockLevel.location_id)
        )
        levels = (await db.scalars(lying.order_by(StockLevel.id).limit(MOST + 1))).all()
    return Trace(
        lots=lots,
        steps=steps.all(),
        receipts=receipts[:MOST],
        shipments=shipments,
        levels=levels[:MOST],
        truncated=max(len(above), len(below), len(receipts), len(levels)) > MOST,
    )


async def descendants(db: AsyncSession, lot_id: uuid.UUID, *, most: int | None = None) -> list[uuid.UUID]:
    """A lot and everything that was made of it, in key order; of all of it the first `most`."""
    return await _reach(db, lot_id, LotLineage.parent_lot_id, LotLineage.child_lot_id, most)


async def ancestors(db: AsyncSession, lot_id: uuid.UUID, *, most: int | None = None) -> list[uuid.UUID]:
    """A lot and everything that it was made of, in key order; of all of it the first `most`."""
    return await _reach(db, lot_id, LotLineage.child_lot_id, LotLineage.parent_lot_id, most)


def shipped(lot_ids: Sequence[uuid.UUID]) -> Select[tuple[StockMovement]]:
    """What of these lots went out, and did not come back by an undoing."""
    undoing = aliased(StockMovement)
    undone = exists(select(undoing.id).where(undoing.reverses_id == StockMovement.id).correlate(StockMovement))
    return select(StockMovement).where(
        StockMovement.lot_id.in_(lot_ids),
        StockMovement.movement_type == "outbound",
        StockMovement.reverses_id.is_(None),
        ~undone,
    )


async def _reach(
    db: AsyncSession,
    lot_id: uuid.UUID,
    from_column: InstrumentedAttribute[uuid.UUID],
    to_column: InstrumentedAttribute[uuid.UUID],
    most: int | None,
) -> list[uuid.UUID]:
    reached = select(Lot.id).where(Lot.id == lot_id).cte(recursive=True)
    # UNION, not UNION ALL: a lot that is reached by two ways is followed once
    reached = reached.union(select(to_column).join(reached, from_column == reached.c.id).where(_stands()))
    return [*await db.scalars(select(Lot.id).where(Lot.id.in_(select(reached.c.id))).order_by(Lot.id).limit(most))]


def _stands() -> ColumnElement[bool]:
    """Whether what a line of lineage tells has not been undone."""
    booked, undoing = aliased(StockMovement), aliased(StockMovement)
    return ~exists(
        select(undoing.id)
        .join(booked, booked.id == undoing.reverses_id)
        .where(booked.group_id == LotLineage.group_id)
        .correlate(LotLineage)
    )
