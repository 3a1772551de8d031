"""The ledger, read for `valuation`: streamed, in the order in which things happened."""

from datetime import date, time, timedelta
from uuid import UUID

from sqlalchemy import BigInteger, func, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.organizations import service as organizations
from cloud_api.inventory.ledger.models import Lot, StockMovement
from cloud_api.inventory.stock.valuation import Book, Booked, Method, Worth
from cloud_api.places.models import Location

_AT_ONCE = 2000


async def worth_of(db: AsyncSession, *, method: Method, on: date) -> dict[tuple[UUID, UUID | None], Worth]:
    """What each product in each warehouse was worth at the end of a day of the organisation's."""
    until = await organizations.instant(db, on + timedelta(days=1), time.min)
    thousandths = type_coerce(StockMovement.quantity, BigInteger)
    made = await db.execute(
        select(StockMovement.group_id, func.sum(thousandths))
        .where(
            StockMovement.movement_type == "production",
            StockMovement.quantity > 0,
            StockMovement.group_id.is_not(None),
            StockMovement.effective_at < until,
        )
        .group_by(StockMovement.group_id)
    )
    book = Book(method, {group_id: int(quantity) for group_id, quantity in made if group_id is not None})
    rows = await db.stream(
        select(
            StockMovement.product_id,
            Location.warehouse_id,
            Lot.received_at,
            StockMovement.lot_id,
            StockMovement.movement_type,
            thousandths,
            func.coalesce(StockMovement.unit_cost, Lot.unit_cost),
            StockMovement.group_id,
            StockMovement.reference,
        )
        .join(Lot, Lot.id == StockMovement.lot_id)
        .join(Location, Location.id == StockMovement.location_id)
        .where(StockMovement.effective_at < until)
        .order_by(StockMovement.effective_at, StockMovement.id)
        .execution_options(yield_per=_AT_ONCE)
    )
    async for product_id, warehouse_id, received_at, lot_id, movement_type, quantity, cost, group_id, reference in rows:
        group = group_id or f"{reference} {lot_id}"
        book.add(Booked(product_id, warehouse_id, received_at, lot_id, movement_type, quantity, cost, group))
    return dict(book.worth)
