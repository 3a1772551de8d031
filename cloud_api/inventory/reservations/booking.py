"""Reserving by hand: for a reference of one's own, for a while."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.audit import service as audit
from cloud_api.catalog.products import service as catalog
from cloud_api.customers import service as customers
from cloud_api.inventory.errors import ReservationOfAnother
from cloud_api.inventory.ledger.models import StockLevel, StockReservation
from cloud_api.inventory.reservations import queries, service
from cloud_api.inventory.reservations.promising import Promised, Request, Wish, reserve_request
from cloud_api.kernel import clock
from cloud_api.kernel.errors import Invalid, NotFound
from cloud_api.places import service as places
from cloud_api.places.queries import EVERYWHERE, Visible

#: what is reserved by hand is nobody's document: it can be given back by hand
BY_HAND = "manual:"
USUALLY = timedelta(minutes=30)
LONGEST = timedelta(days=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """What somebody reserves: of a product in a warehouse, or of one level."""

    reference: str
    quantity: Decimal
    product_id: uuid.UUID | None = None
    warehouse_id: uuid.UUID | None = None
    stock_level_id: uuid.UUID | None = None
    expires_at: datetime | None = None
    needed_on: date | None = None
    customer_id: uuid.UUID | None = None


async def book(db: AsyncSession, wanted: Booking, *, seen: Visible = EVERYWHERE) -> Sequence[StockReservation]:
    """Reserve it, for half an hour unless told otherwise: one promise a level.

    Raises:
        NotFound: when the product, the warehouse, the level or the customer is not there, or not to be seen.
        Invalid: when both a level and a product are named or neither, or `expires_at` is no time to come.
        WrongQuantity: when the product is counted in whole units and this is not one.
        NotEnoughStock: and what there is.
    """
    request, location_ids = await prepare(db, wanted, seen=seen)
    return await made(db, await reserve_request(db, request, location_ids=location_ids))


async def prepare(
    db: AsyncSession, wanted: Booking, *, seen: Visible = EVERYWHERE
) -> tuple[Request, Sequence[uuid.UUID]]:
    """What is asked of which places. Raises all that `book` does, but that there is not enough."""
    expires_at = _until(wanted.expires_at)
    product_id, warehouse_id, location_ids = await _where(db, wanted, seen)
    product = await catalog.get_product(db, product_id)
    catalog.check_quantity(product, wanted.quantity)
    today = await places.today_in(db, warehouse_id)
    through = max(wanted.needed_on or today, today) + timedelta(days=await shelf_life_asked(db, wanted.customer_id))
    wish = Wish(product.id, wanted.quantity, BY_HAND + wanted.reference, wanted.stock_level_id)
    return Request([wish], through, expires_at), location_ids


async def made(db: AsyncSession, promised: Sequence[Promised]) -> Sequence[StockReservation]:
    """The rows of what was just promised."""
    its = select(StockReservation).where(StockReservation.id.in_([one.id for one in promised]))
    return (await db.scalars(its.order_by(StockReservation.id))).all()


async def get_reservation(
    db: AsyncSession, reservation_id: uuid.UUID, *, seen: Visible = EVERYWHERE
) -> StockReservation:
    """One promise.

    Raises:
        NotFound: when there is none to be seen.
    """
    its = select(StockReservation).where(StockReservation.id == reservation_id, queries.visible_reservations(seen))
    reservation = (await db.scalars(its)).one_or_none()
    if reservation is None:
        raise NotFound(f"no reservation with id {reservation_id}", field="id")
    return reservation


async def give_back(
    db: AsyncSession, reservation_id: uuid.UUID, *, reason: str = "", seen: Visible = EVERYWHERE
) -> StockReservation:
    """Give back what was reserved by hand, and tell the audit trail. What is settled stays settled.

    Raises:
        NotFound: when there is none to be seen.
        ReservationOfAnother: when it is promised to an order, which would never hear of it.
    """
    reservation = await get_reservation(db, reservation_id, seen=seen)
    if not reservation.source.startswith(BY_HAND):
        raise ReservationOfAnother(
            f"it is promised to {reservation.source}: cancel that, and it is free again", field="id"
        )
    waited = reservation.status == "active"
    await service.release_one(db, reservation.id)
    await db.refresh(reservation)
    if waited and reservation.status == "released":
        audit.record(
            db,
            action="stock_reservations.released",
            entity="stock_reservations",
            entity_id=reservation.id,
            old={"source": reservation.source, "quantity": str(reservation.quantity)},
            note=reason,
        )
    return reservation


async def shelf_life_asked(db: AsyncSession, customer_id: uuid.UUID | None) -> int:
    """For how many days after its delivery what a customer gets must keep."""
    return 0 if customer_id is None else (await customers.get_customer(db, customer_id)).min_remaining_shelf_life_days


def _until(asked: datetime | None) -> datetime:
    now = clock.now()
    expires_at = now + USUALLY if asked is None else asked
    if not now < expires_at <= now + LONGEST:
        raise Invalid(f"expires_at must lie after now, and at most {LONGEST.days} days ahead", field="expires_at")
    return expires_at


async def _where(
    db: AsyncSession, wanted: Booking, seen: Visible
) -> tuple[uuid.UUID, uuid.UUID | None, Sequence[uuid.UUID]]:
    """Of which product, in which warehouse, in which places."""
    if wanted.stock_level_id is not None:
        if wanted.product_id is not None or wanted.warehouse_id is not None:
            raise Invalid("name a stock level, or a product and a warehouse, not both", field="stock_level_id")
        its = select(StockLevel).where(StockLevel.id == wanted.stock_level_id, seen.locations(StockLevel.location_id))
        level = (await db.scalars(its)).one_or_none()
        if level is None:
            raise NotFound(f"no stock level with id {wanted.stock_level_id}", field="stock_level_id")
        place = await places.get_location(db, level.location_id)
        return level.product_id, place.warehouse_id, [place.id]
    if wanted.product_id is None or wanted.warehouse_id is None:
        missing = "product_id" if wanted.product_id is None else "warehouse_id"
        raise Invalid("name a product and a warehouse, or a stock level", field=missing)
    warehouse = await places.get_warehouse(db, wanted.warehouse_id, seen=seen)
    return wanted.product_id, warehouse.id, await places.of_warehouse(db, warehouse.id)
