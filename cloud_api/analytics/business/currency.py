"""Whether an organisation has said any sum of money yet: until then its currency can be another."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.products.models import Product, ProductPrice, ProductVariant
from cloud_api.identity.errors import CurrencyInUse
from cloud_api.inventory.ledger.models import Lot, StockMovement
from cloud_api.logistics.fleet.models import Vehicle, VehicleMaintenance
from cloud_api.orders.book.models import CustomerOrder

#: sums that others follow from; a payment, say, is of an order
_SUMS: Mapping[str, Select[tuple[Any]]] = {
    "a product": select(Product.id).where(or_(Product.price.is_not(None), Product.cost_price.is_not(None))),
    "a variant": select(ProductVariant.id).where(
        or_(ProductVariant.price.is_not(None), ProductVariant.cost_price.is_not(None))
    ),
    "a price": select(ProductPrice.id),
    "a lot": select(Lot.id).where(Lot.unit_cost.is_not(None)),
    "a movement of stock": select(StockMovement.id).where(StockMovement.unit_cost.is_not(None)),
    "a vehicle": select(Vehicle.id).where(or_(Vehicle.fixed_cost_minor != 0, Vehicle.cost_per_km_minor != 0)),
    "a visit to the workshop": select(VehicleMaintenance.id).where(VehicleMaintenance.cost_minor != 0),
    "an order": select(CustomerOrder.id),
}


async def guard_currency(db: AsyncSession) -> None:
    """Let the currency be changed: no sum is in it.

    Raises:
        CurrencyInUse: when one is, naming what says it.
    """
    for what, rows in _SUMS.items():
        if await db.scalar(rows.limit(1)) is not None:
            raise CurrencyInUse(what)
