"""The verbs of recalls: everything that was made of a lot is held in one unit of work, wherever it lies or arrives."""

import uuid

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.inventory.holds import service as holds
from cloud_api.inventory.holds.models import StockHold
from cloud_api.inventory.ledger import service as ledger
from cloud_api.inventory.ledger.models import Lot
from cloud_api.inventory.ledger.queries import visible_lots
from cloud_api.inventory.lots.tracing import descendants
from cloud_api.kernel import clock
from cloud_api.kernel.errors import NotFound
from cloud_api.kernel.numbers import next_number
from cloud_api.places.queries import EVERYWHERE, Visible
from cloud_api.recalls.models import Recall
from cloud_api.recalls.states import RECALL, RecallAction, RecallStatus


async def open_recall(
    db: AsyncSession,
    lot_id: uuid.UUID,
    *,
    reason: str,
    opened_by: uuid.UUID | None = None,
    seen: Visible = EVERYWHERE,
) -> Recall:
    """Call a lot back, with all that was made of it. Called back already, it stays so, and what was made since is held.

    Raises:
        NotFound: when there is no such lot to be seen.
    """
    await ledger.get_lot(db, lot_id, seen=seen)
    await db.execute(select(Lot.id).where(Lot.id == lot_id).with_for_update(key_share=True))  # one at a time
    its = select(Recall).where(Recall.lot_id == lot_id, Recall.status == RecallStatus.OPEN)
    recall = (await db.scalars(its)).one_or_none()
    if recall is None:
        recall = Recall(
            number=await next_number(db, "REC"),
            lot_id=lot_id,
            reason=reason,
            status=RECALL.initial,
            opened_at=clock.now(),
            opened_by=opened_by,
        )
        db.add(recall)
        await db.flush()
    await _hold_all(db, recall)
    return recall


async def close_recall(
    db: AsyncSession,
    recall_id: uuid.UUID,
    *,
    reason: str,
    outcome: str,
    closed_by: uuid.UUID | None = None,
    seen: Visible = EVERYWHERE,
) -> Recall:
    """End a recall: what it held may be sold again, or never.

    Args:
        outcome: one of `models.OUTCOMES`.

    Raises:
        NotFound: when there is none to be seen.
        InvalidTransition: when it is closed.
    """
    recall = await get_recall(db, recall_id, seen=seen, locked=True)
    recall.status = RECALL.apply(RecallStatus(recall.status), RecallAction.CLOSE)
    recall.closed_at, recall.closed_by = clock.now(), closed_by
    recall.close_reason, recall.outcome = reason, outcome
    held = select(StockHold).where(StockHold.source.startswith(f"recall:{recall.id}:"), StockHold.released_at.is_(None))
    rows = (await db.scalars(held.order_by(StockHold.id))).all()
    await holds.lock_lots(db, [row.lot_id for row in rows if row.lot_id is not None])
    for row in rows:
        if outcome == "release":
            await holds.release(db, source=row.source, reason=reason, decided_by=closed_by)
        else:
            await holds.reject(db, source=row.source, disposition=outcome, reason=reason, decided_by=closed_by)
    await db.flush()
    return recall


async def get_recall(
    db: AsyncSession, recall_id: uuid.UUID, *, seen: Visible = EVERYWHERE, locked: bool = False
) -> Recall:
    """One recall; locked until the unit of work ends when it is to change.

    Raises:
        NotFound: when there is none to be seen.
    """
    its = select(Recall).where(Recall.id == recall_id, visible(seen))
    recall = (await db.scalars(its.with_for_update() if locked else its)).one_or_none()
    if recall is None:
        raise NotFound(f"no recall with id {recall_id}")
    return recall


def visible(seen: Visible) -> ColumnElement[bool]:
    """Whether a recall is of a lot that somebody may see."""
    return Recall.lot_id.in_(select(Lot.id).where(visible_lots(seen)))


async def _hold_all(db: AsyncSession, recall: Recall) -> None:
    """Hold the lot and its descendants. All levels are locked at once; then nothing new can be made of any of them."""
    lots = await descendants(db, recall.lot_id)
    await holds.lock_lots(db, lots)
    lots = await descendants(db, recall.lot_id)  # whoever was making another has ended by now
    await holds.lock_lots(db, lots)
    for lot_id in lots:
        source = f"recall:{recall.id}:{lot_id}"
        await holds.hold(db, lot_id=lot_id, kind="recall", reason=f"{recall.number}: {recall.reason}", source=source)
