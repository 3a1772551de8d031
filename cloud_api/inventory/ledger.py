"""The ledger: the only place that writes movements, and with each the level it changes.

Nothing here is ever rewritten. The place is kept from being put on hold meanwhile, then the level is locked by its one
UPDATE; several of either are locked in key order.
"""

import uuid
from decimal import Decimal

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.inventory.errors import NotEnoughStock
from cloud_api.inventory.models import Lot, StockLevel, StockMovement
from cloud_api.kernel import clock
from cloud_api.kernel.db import insert_missing
from cloud_api.kernel.numbers import next_number
from cloud_api.places import service as places


async def append(
    db: AsyncSession,
    *,
    movement_type: str,
    lot: Lot,
    location_id: uuid.UUID,
    quantity: Decimal,
    reserved: Decimal = Decimal(0),
    unit_cost: int | None = None,
    reference: str = "",
    recorded_by: uuid.UUID | None = None,
) -> tuple[StockMovement, StockLevel]:
    """Write one movement and change its level by it.

    Args:
        quantity: signed, in the product's unit, not zero.
        reserved: signed, what it changes of what is promised there.
        unit_cost: ten-thousandths of the organisation's currency a unit.

    Raises:
        NotEnoughStock: when the place would hold less than what is reserved there.
    """
    await places.keep(db, location_id)
    await open_level(db, product_id=lot.product_id, lot_id=lot.id, location_id=location_id)
    level = (
        await db.scalars(
            update(StockLevel)
            .where(
                StockLevel.lot_id == lot.id,
                StockLevel.location_id == location_id,
                StockLevel.on_hand + quantity >= StockLevel.reserved + reserved,
            )
            .values(on_hand=StockLevel.on_hand + quantity, reserved=StockLevel.reserved + reserved)
            .returning(StockLevel)
            .execution_options(populate_existing=True)
        )
    ).one_or_none()
    if level is None:
        raise NotEnoughStock(
            f"lot {lot.lot_number} has not that much left here beyond what is reserved", field="quantity"
        )
    movement = StockMovement(
        number=await next_number(db, "MOV"),
        movement_type=movement_type,
        product_id=lot.product_id,
        lot_id=lot.id,
        location_id=location_id,
        quantity=quantity,
        unit_cost=unit_cost,
        reference=reference,
        recorded_at=clock.now(),
        recorded_by=recorded_by,
    )
    db.add(movement)
    await db.flush()
    return movement, level


async def open_level(db: AsyncSession, *, product_id: uuid.UUID, lot_id: uuid.UUID, location_id: uuid.UUID) -> None:
    """Begin the level of a lot in a place, at nothing, unless it has been begun."""
    await insert_missing(
        db,
        StockLevel,
        {
            "product_id": product_id,
            "lot_id": lot_id,
            "location_id": location_id,
            "on_hand": Decimal(0),
            "reserved": Decimal(0),
            "status": "available",
        },
    )


async def differences(db: AsyncSession) -> list[tuple[uuid.UUID, uuid.UUID, Decimal, Decimal]]:
    """Where levels and ledger disagree: (lot, place, level says, ledger says). Empty when all is well."""
    booked = (
        select(
            StockMovement.lot_id,
            StockMovement.location_id,
            func.sum(StockMovement.quantity).label("quantity"),
        )
        .group_by(StockMovement.lot_id, StockMovement.location_id)
        .subquery()
    )
    rows = await db.execute(
        select(
            func.coalesce(StockLevel.lot_id, booked.c.lot_id),
            func.coalesce(StockLevel.location_id, booked.c.location_id),
            StockLevel.on_hand,
            booked.c.quantity,
        )
        .select_from(StockLevel)
        .join(
            booked,
            (booked.c.lot_id == StockLevel.lot_id) & (booked.c.location_id == StockLevel.location_id),
            full=True,
        )
    )
    zero = Decimal(0)
    return [
        (lot_id, location_id, on_hand or zero, quantity or zero)
        for lot_id, location_id, on_hand, quantity in rows
        if (on_hand or zero) != (quantity or zero)
    ]
