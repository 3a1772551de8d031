"""What every entry that somebody books must pass, whatever room it is booked in.

What it is counted and weighed in, whether it may leave, and what holds come to cover what arrives.
"""

import uuid
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.products import measures
from cloud_api.catalog.products import service as catalog
from cloud_api.catalog.products.models import Product
from cloud_api.inventory.errors import StockExpired, StockOnHold, WeightMissing
from cloud_api.inventory.events import GoodsReceived
from cloud_api.inventory.holds import service as holds
from cloud_api.inventory.ledger import service as ledger
from cloud_api.inventory.ledger.models import Lot, StockLevel, StockMovement
from cloud_api.kernel import outbox
from cloud_api.places import service as places

#: what leaves by these must be free to leave, and must not have expired
_SOLD_OR_USED = ("outbound", "production")


async def in_stock_units(
    db: AsyncSession, product: Product, quantity: Decimal, unit: str | None, *, field: str = "quantity"
) -> Decimal:
    """A signed quantity, as people said it, in the product's own unit.

    Raises:
        UnknownUnit: when nobody said how the unit converts.
        WrongQuantity: when it is nothing, not whole where it must be, or more exact than stock is.
    """
    if unit is not None and unit != product.unit:
        exact = await measures.to_stock_quantity(db, product, abs(quantity), unit)
        quantity = exact if quantity > 0 else -exact
    catalog.check_quantity(product, quantity, field=field)
    return quantity


def check_weight(product: Product, quantity: Decimal, weight_g: int | None, *, field: str = "weight_g") -> int | None:
    """The weight of an entry, with its quantity's sign.

    Raises:
        WeightMissing: when catch weight comes in without one, or other goods have one.
    """
    if weight_g is None:
        if product.catch_weight and quantity > 0:
            raise WeightMissing(f"each {product.unit} of {product.sku} is weighed: say what they weigh", field=field)
        return None
    if not product.catch_weight:
        raise WeightMissing(f"{product.sku} is counted in {product.unit} and not weighed: say a quantity", field=field)
    return weight_g if quantity > 0 else -weight_g


async def book(db: AsyncSession, entries: Sequence[ledger.Entry]) -> list[StockMovement]:
    """Write entries, all or none, and let holds go with the goods. The two ends of a transfer stand side by side.

    Raises:
        NotEnoughStock: naming what there is.
        NotYet: when one is to have happened later than now.
        StockOnHold: when what is to be sold or used may not leave.
        StockExpired: when it had expired by then; as waste it may go.
    """
    written = await ledger.append_all(db, entries)
    for number, (movement, level) in enumerate(written):
        if movement.quantity < 0:
            if movement.movement_type in _SOLD_OR_USED:
                await _check_free(db, movement, level, entries[number].lot)
            continue
        if entries[number].mirrors_last:
            await holds.carry(db, from_level=written[number - 1][1], to_level=level)
        await holds.hold_arrival(db, level)
        if movement.movement_type == "inbound":
            outbox.emit(db, GoodsReceived(movement.lot_id, movement.location_id, movement.id))
    return [movement for movement, _ in written]


async def _check_free(db: AsyncSession, movement: StockMovement, level: StockLevel, lot: Lot) -> None:
    if level.status == "on_hold":
        raise StockOnHold(f"lot {lot.lot_number} is on hold there: somebody must decide about it first", field="lot_id")
    keeps_until = level.keeps_until or lot.expires_on
    if keeps_until is not None and keeps_until < await _day_of(db, level.location_id, movement.effective_at):
        raise StockExpired(f"lot {lot.lot_number} expired on {keeps_until}: book it as waste", field="lot_id")


async def _day_of(db: AsyncSession, location_id: uuid.UUID, at: datetime) -> date:
    """The calendar day of an instant, where a place is."""
    warehouse_id = (await places.get_location(db, location_id)).warehouse_id
    return at.astimezone(await places.zone_of(db, warehouse_id)).date()
