"""Goods taken from one place to another: two entries of the ledger each, in one group, or nothing.

What is promised stays. What is on hold goes on hold with the goods, and so does what warmth did to them.
"""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.products import service as catalog
from cloud_api.catalog.products.models import Product
from cloud_api.inventory.errors import WeightMissing
from cloud_api.inventory.ledger import service as ledger
from cloud_api.inventory.ledger.models import Lot, StockMovement
from cloud_api.inventory.occupancy import service as occupancy
from cloud_api.inventory.occupancy.service import Arrival
from cloud_api.inventory.stock.booking import book
from cloud_api.kernel.errors import Invalid, NotFound
from cloud_api.kernel.ids import new_id
from cloud_api.places.models import Location


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """So much of a lot, from one place to another."""

    lot: Lot
    product: Product
    from_location_id: uuid.UUID
    #: None: it is gone for good
    to: Location | None
    quantity: Decimal
    #: of goods that are counted and weighed; None: their share
    weight_g: int | None = None
    #: as what it is booked when it is gone for good
    movement_type: str = "transfer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """For what, and by whom, goods are moved."""

    reference: str
    #: who wrote it; what the platform writes for a document is undone there
    source: str
    moved_by: uuid.UUID | None


async def lots_of(db: AsyncSession, lot_ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, tuple[Lot, Product]]:
    """These lots with their products, by id.

    Raises:
        NotFound: naming one that is not there.
    """
    rows = await db.execute(select(Lot, Product).join(Product, Product.id == Lot.product_id).where(Lot.id.in_(lot_ids)))
    found = {lot.id: (lot, product) for lot, product in rows.tuples()}
    for missing in sorted(set(lot_ids) - set(found)):
        raise NotFound(f"no lot with id {missing}", field="lines.lot_id")
    return found


def check(leg: Leg, number: int) -> None:
    """Whether goods can be moved so.

    Raises:
        WrongQuantity, WeightMissing: when the product cannot be counted so.
        Invalid: when it goes nowhere.
    """
    catalog.check_quantity(leg.product, leg.quantity, field=f"lines.{number}.quantity")
    if leg.weight_g is not None and not leg.product.catch_weight:
        raise WeightMissing(
            f"{leg.product.sku} is not weighed piece by piece: leave weight_g out", field=f"lines.{number}.weight_g"
        )
    if leg.to is not None and leg.to.id == leg.from_location_id:
        raise Invalid("it lies there already: name another place", field=f"lines.{number}.to_location_id")


async def move(db: AsyncSession, legs: Sequence[Leg], booking: Booking) -> list[StockMovement]:
    """Move all of it, or nothing. Returns for each leg what left and, unless it is gone for good, what arrived.

    Raises:
        NotEnoughStock: when more is to leave than lies there and is not promised.
        PlaceClosed, WrongStorage, PlaceFull: as `occupancy.check_put_away` says.
    """
    arrivals = [
        Arrival(location=leg.to, product=leg.product, quantity=leg.quantity, weight_g=leg.weight_g)
        for leg in legs
        if leg.to is not None
    ]
    await occupancy.check_put_away(db, arrivals, leaving={leg.from_location_id for leg in legs})
    group_id = new_id()
    return await book(db, [entry for leg in legs for entry in _entries(leg, booking, group_id)])


def _entries(leg: Leg, booking: Booking, group_id: uuid.UUID) -> list[ledger.Entry]:
    left = ledger.Entry(
        movement_type=leg.movement_type,
        lot=leg.lot,
        location_id=leg.from_location_id,
        quantity=-leg.quantity,
        weight_g=None if leg.weight_g is None else -leg.weight_g,
        reference=booking.reference,
        source=booking.source,
        group_id=group_id,
        recorded_by=booking.moved_by,
    )
    if leg.to is None:
        return [left]
    return [left, replace(left, location_id=leg.to.id, quantity=leg.quantity, weight_g=None, mirrors_last=True)]
