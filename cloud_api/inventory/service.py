"""The verbs of inventory."""

import uuid
from datetime import date
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog import service as catalog
from cloud_api.catalog.models import Product
from cloud_api.inventory import holds, ledger
from cloud_api.inventory.errors import LotDiffers, WrongQuantity
from cloud_api.inventory.events import GoodsReceived
from cloud_api.inventory.models import Lot, StockMovement
from cloud_api.inventory.queries import visible_lots
from cloud_api.kernel import clock, outbox
from cloud_api.kernel.db import insert_missing
from cloud_api.kernel.errors import NotFound
from cloud_api.places import service as places
from cloud_api.places.queries import EVERYWHERE, Visible

#: units of which there is no half
_WHOLE = frozenset({"piece", "bunch", "box", "crate", "pallet"})


async def receive_goods(
    db: AsyncSession,
    *,
    product_id: uuid.UUID,
    location_id: uuid.UUID,
    lot_number: str,
    expires_on: date | None,
    quantity: Decimal,
    unit_cost: int | None = None,
    reference: str = "",
    recorded_by: uuid.UUID | None = None,
    seen: Visible = EVERYWHERE,
) -> StockMovement:
    """Take goods in: their lot, a movement, the level. What arrives in a place under a hold is held.

    Raises:
        NotFound: when the product or the place is not there.
        LotDiffers: when the lot number stands for another expiry date.
        WrongQuantity: when the product is counted in whole units and this is not one.
    """
    product = await catalog.get_product(db, product_id)
    await places.get_location(db, location_id, seen=seen)
    check_quantity(product, quantity)
    lot = await _open_lot(db, product, lot_number, expires_on)
    movement, level = await ledger.append(
        db,
        movement_type="inbound",
        lot=lot,
        location_id=location_id,
        quantity=quantity,
        unit_cost=unit_cost,
        reference=reference,
        recorded_by=recorded_by,
    )
    await holds.hold_arrival(db, level)
    outbox.emit(db, GoodsReceived(lot.id, location_id, movement.id))
    return movement


async def adjust_stock(
    db: AsyncSession,
    *,
    lot_id: uuid.UUID,
    location_id: uuid.UUID,
    delta: Decimal,
    reason: str,
    recorded_by: uuid.UUID | None = None,
    seen: Visible = EVERYWHERE,
) -> StockMovement:
    """Correct what a place holds of a lot, by a counter-entry.

    Raises:
        NotFound: when the lot or the place is not there.
        NotEnoughStock: when less would be left than is reserved.
        WrongQuantity: when `delta` is zero, or not whole where it must be.
    """
    lot = await get_lot(db, lot_id, seen=seen)
    await places.get_location(db, location_id, seen=seen)
    check_quantity(await catalog.get_product(db, lot.product_id), delta)
    movement, level = await ledger.append(
        db,
        movement_type="adjustment",
        lot=lot,
        location_id=location_id,
        quantity=delta,
        reference=reason,
        recorded_by=recorded_by,
    )
    await holds.hold_arrival(db, level)
    return movement


async def get_lot(db: AsyncSession, lot_id: uuid.UUID, *, seen: Visible = EVERYWHERE) -> Lot:
    """One lot.

    Raises:
        NotFound: when there is none to be seen.
    """
    lot = (await db.scalars(select(Lot).where(Lot.id == lot_id, visible_lots(seen)))).one_or_none()
    if lot is None:
        raise NotFound(f"no lot with id {lot_id}", field="lot_id")
    return lot


async def get_movement(db: AsyncSession, movement_id: uuid.UUID, *, seen: Visible = EVERYWHERE) -> StockMovement:
    """One entry of the ledger.

    Raises:
        NotFound: when there is none to be seen.
    """
    its = select(StockMovement).where(StockMovement.id == movement_id, seen.locations(StockMovement.location_id))
    movement = (await db.scalars(its)).one_or_none()
    if movement is None:
        raise NotFound(f"no movement with id {movement_id}")
    return movement


async def _open_lot(db: AsyncSession, product: Product, lot_number: str, expires_on: date | None) -> Lot:
    await insert_missing(
        db,
        Lot,
        {
            "product_id": product.id,
            "lot_number": lot_number,
            "expires_on": expires_on,
            "received_at": clock.now(),
        },
    )
    lot = (await db.scalars(select(Lot).where(Lot.product_id == product.id, Lot.lot_number == lot_number))).one()
    if lot.expires_on != expires_on:
        raise LotDiffers(
            f"lot {lot_number} of {product.sku} expires on {lot.expires_on}, not on {expires_on}: "
            "give other goods another lot number",
            field="expires_on",
        )
    return lot


def check_quantity(product: Product, quantity: Decimal) -> None:
    """Whether a product can have this quantity.

    Raises:
        WrongQuantity: when it is zero, or not whole where there is no half.
    """
    if quantity == 0:
        raise WrongQuantity("the quantity must not be zero", field="quantity")
    if product.unit in _WHOLE and quantity != quantity.to_integral_value():
        raise WrongQuantity(f"{product.sku} is counted in whole units ({product.unit})", field="quantity")
