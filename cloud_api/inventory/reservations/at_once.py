"""The one statement by which PostgreSQL promises what the first level can meet.

It finds the level that expires first, takes from it only if it has enough and nobody else is at it, and writes the
promise; or it changes nothing. It waits for nobody: who had waited in vain would hold the level, and then wait for
others out of turn. It is made once, with a place for each value: SQLAlchemy takes as long to put it together as
PostgreSQL to run it. The walls of the organisation reach into all of its parts.
"""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import (
    ARRAY,
    BindParameter,
    Date,
    Select,
    String,
    Uuid,
    bindparam,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from cloud_api.inventory.ledger.models import Lot, StockLevel, StockReservation
from cloud_api.inventory.reservations.queries import first_to_expire, keeps_through
from cloud_api.kernel import clock
from cloud_api.kernel.columns import Quantity, UtcDateTime


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What is to be promised, and under which key."""

    id: uuid.UUID
    product_id: uuid.UUID
    location_ids: Collection[uuid.UUID]
    quantity: Decimal
    source: str
    through: date
    expires_at: datetime | None


async def promise(db: AsyncSession, promise: Promise) -> uuid.UUID | None:
    """Promise it from the level that comes first: that level, or None when it would not do at once."""
    values = {
        "its_id": promise.id,
        "its_organization_id": db.sync_session.info["scope"].organization_id,
        "its_product_id": promise.product_id,
        "its_location_ids": [*promise.location_ids],
        "its_quantity": promise.quantity,
        "its_source": promise.source,
        "its_through": promise.through,
        "its_now": clock.now(),
        "its_expires_at": promise.expires_at,
    }
    return (await db.scalars(_STATEMENT, values)).one_or_none()


def _statement() -> Select[tuple[uuid.UUID]]:
    # parameters are not called as columns are: an UPDATE would take them for what it is to set
    organization_id = bindparam("its_organization_id", type_=Uuid())
    quantity: BindParameter[Decimal] = bindparam("its_quantity", type_=Quantity())
    through: BindParameter[date] = bindparam("its_through", type_=Date())
    level, free = aliased(StockLevel), aliased(StockLevel)
    first = (
        select(level.id)
        .join(Lot, Lot.id == level.lot_id)
        .where(
            level.product_id == bindparam("its_product_id", type_=Uuid()),
            level.location_id == func.any(bindparam("its_location_ids", type_=ARRAY(Uuid()))),
            level.status == "available",
            level.on_hand > level.reserved,
            keeps_through(level, through),
        )
        .order_by(*first_to_expire(level))
        .limit(1)
    )
    its = select(free.id).where(free.id == first.scalar_subquery(), free.on_hand - free.reserved >= quantity)
    taken = (
        update(StockLevel)
        .where(
            StockLevel.id == its.with_for_update(skip_locked=True).scalar_subquery(),
            # another may have been quicker, by less time than it takes to say so
            StockLevel.status == "available",
            StockLevel.on_hand - StockLevel.reserved >= quantity,
            or_(StockLevel.keeps_until.is_(None), StockLevel.keeps_until >= through),
        )
        .values(reserved=StockLevel.reserved + quantity)
        .returning(StockLevel.id)
        .cte("taken")
    )
    values = {
        "id": bindparam("its_id", type_=Uuid()),
        "organization_id": organization_id,
        "stock_level_id": taken.c.id,
        "quantity": quantity,
        "source": bindparam("its_source", type_=String()),
        "status": literal("active"),
        "reserved_at": bindparam("its_now", type_=UtcDateTime()),
        "needed_on": through,
        "expires_at": bindparam("its_expires_at", type_=UtcDateTime()),
    }
    made = insert(StockReservation).from_select([*values], select(*values.values()), include_defaults=False)
    written = made.returning(StockReservation.stock_level_id).cte("made")
    return select(StockLevel.id).where(StockLevel.id.in_(select(written.c.stock_level_id)))


_STATEMENT = _statement()
