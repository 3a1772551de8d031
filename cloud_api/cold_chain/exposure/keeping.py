"""What was warm is to be sold sooner: what temperatures left of a lot's shelf life becomes the last day of its level.

The day is the last that its remaining shelf life reaches the end of, as a label's day is, in UTC; so a lot that was
kept as it should be keeps its label's day. Only what lay beyond a limit gets one, and it is never taken back: an
excursion that is retracted afterwards has been acted upon by then.
"""

import uuid
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.products.models import Product
from cloud_api.cold_chain.exposure.history import remaining_shelf_life, stretches_by_lot
from cloud_api.cold_chain.exposure.models import LotExposure
from cloud_api.inventory.ledger import service as ledger
from cloud_api.inventory.ledger.models import Lot, StockLevel
from cloud_api.kernel import clock

#: floating-point days fall short of a whole day by less
_TOLERANCE = timedelta(seconds=1)
_DAY = timedelta(days=1)


async def shorten_what_was_warm(db: AsyncSession, excursion_id: uuid.UUID) -> None:
    """Write how long what still lies where an excursion exposed it may be sold from there; never longer than before."""
    rows = await db.execute(
        select(Lot, StockLevel.location_id)
        .join(StockLevel, StockLevel.lot_id == Lot.id)
        .join(
            LotExposure,
            (LotExposure.lot_id == StockLevel.lot_id) & (LotExposure.location_id == StockLevel.location_id),
        )
        .where(LotExposure.excursion_id == excursion_id, LotExposure.minutes > 0, StockLevel.on_hand > 0)
        .order_by(StockLevel.id)
    )
    lying = [(lot, location_id) for lot, location_id in rows]
    if not lying:
        return
    now = clock.now()
    # read at once what is looked up lot by lot
    await db.scalars(select(Product).where(Product.id.in_({lot.product_id for lot, _ in lying})))
    stretches = await stretches_by_lot(db, {lot.id for lot, _ in lying}, until_ms=clock.to_ms(now))
    for lot, location_id in lying:
        left = await remaining_shelf_life(db, lot, stretches[lot.id], at_ms=clock.to_ms(now))
        if left is not None:
            day = last_whole_day(now, left.remaining_days)
            await ledger.keep_until(db, lot_id=lot.id, location_id=location_id, day=day)


def last_whole_day(now: datetime, remaining_days: float) -> date:
    """The last day at whose end, in UTC, so much shelf life from now on has not run out."""
    return (now.astimezone(UTC) + timedelta(days=remaining_days) + _TOLERANCE).date() - _DAY
