"""Nobody is told the same thing over and over: each matter has a row that says when it was last told."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel import clock
from cloud_api.kernel.db import insert_missing
from cloud_api.notifications.models import Pacing

#: of what is told at most once, ever
ONCE = timedelta.max


async def take_turn(db: AsyncSession, key: str, *, at_most_every: timedelta) -> bool:
    """Whether the matter `key` may be told now; if so, it counts as told.

    Two transactions that ask at the same moment wait for each other at the matter's row, so one of them is refused.
    """
    await insert_missing(db, Pacing, {"key": key, "told_at": None})
    its = select(Pacing).where(Pacing.key == key).with_for_update().execution_options(populate_existing=True)
    row = (await db.scalars(its)).one()
    now = clock.now()
    if row.told_at is not None and now - row.told_at < at_most_every:
        return False
    row.told_at = now
    await db.flush()
    return True
