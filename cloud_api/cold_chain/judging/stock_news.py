"""What the shelves say of themselves that somebody must look into: alerts of what runs low and what expires."""

import uuid

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.products.service import get_product
from cloud_api.cold_chain.alerts import service as alerts
from cloud_api.inventory.events import LotsExpiring, LotsGone, LowStock, StockRecovered
from cloud_api.inventory.ledger.models import Lot
from cloud_api.kernel import clock
from cloud_api.places import service as places


async def tell_of_low_stock(db: AsyncSession, event: LowStock) -> None:
    """Somebody has to buy."""
    product, warehouse = (
        await get_product(db, event.product_id),
        await places.get_warehouse(db, event.warehouse_id),
    )
    await alerts.raise_alert(
        db,
        group=_low(event.product_id, event.warehouse_id),
        subject=_low(event.product_id, event.warehouse_id),
        alert_type="low_stock",
        severity="warning",
        title=f"{product.name} is low in {warehouse.name}",
        message=f"{event.available} {product.unit} of {product.sku} may be sold there, at a reorder point of "
        f"{event.reorder_point}: buy {event.suggested_quantity}",
        location_id=await _place_in(db, event.warehouse_id),
        at=clock.now(),
    )


async def hear_of_recovery(db: AsyncSession, event: StockRecovered) -> None:
    """There is enough again."""
    await alerts.clear_alert(db, subject=_low(event.product_id, event.warehouse_id), at=clock.now())


async def tell_of_expiring_lots(db: AsyncSession, event: LotsExpiring) -> None:
    """Somebody has to sell them, or throw them away."""
    warehouse = await places.get_warehouse(db, event.warehouse_id)
    lots = (await db.scalars(select(Lot).where(Lot.id.in_(event.lot_ids)).order_by(Lot.expires_on, Lot.id))).all()
    for lot in lots:
        product = await get_product(db, lot.product_id)
        await alerts.raise_alert(
            db,
            group=f"expiring:{event.warehouse_id}:{lot.product_id}",
            subject=_expiring(lot.id, event.warehouse_id),
            alert_type="expiring",
            severity="warning",
            title=f"{product.name} expires soon in {warehouse.name}",
            message=f"lot {lot.lot_number} of {product.sku}"
            + ("" if lot.expires_on is None else f" can be sold until {lot.expires_on:%d %b %Y} at the latest"),
            location_id=await _place_in(db, event.warehouse_id),
            at=clock.now(),
        )


async def hear_of_gone_lots(db: AsyncSession, event: LotsGone) -> None:
    """Nothing of them is left to be sold."""
    for lot_id in event.lot_ids:
        await alerts.clear_alert(db, subject=_expiring(lot_id, event.warehouse_id), at=clock.now())


async def _place_in(db: AsyncSession, warehouse_id: uuid.UUID) -> uuid.UUID | None:
    """A place by which an alert belongs to the warehouse: only who may see that is told."""
    return next(iter(await places.of_warehouse(db, warehouse_id)), None)


def _low(product_id: uuid.UUID, warehouse_id: uuid.UUID) -> str:
    return f"low_stock:{product_id}:{warehouse_id}"


def _expiring(lot_id: uuid.UUID, warehouse_id: uuid.UUID) -> str:
    return f"expiring:{lot_id}:{warehouse_id}"
