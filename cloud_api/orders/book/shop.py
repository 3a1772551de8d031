"""What anybody may see of an organisation's shop: what it offers to consumers, the price, and whether there is any."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.products.models import Product, ProductPrice
from cloud_api.identity.organizations import service as organizations
from cloud_api.identity.organizations.models import Organization
from cloud_api.inventory.ledger.models import Lot, StockLevel
from cloud_api.inventory.reservations.queries import keeps_through
from cloud_api.kernel.money import unit_price_from_integer
from cloud_api.orders.book.schemas import OfferRead
from cloud_api.places.models import Location, Warehouse

#: prices are shown for one unit
_ONE = Decimal(1)


def offered() -> Select[tuple[Product]]:
    """What the organisation of the session offers to consumers."""
    return select(Product).where(Product.is_b2c_available, Product.status == "active")


async def whose(db: AsyncSession, slug: str) -> uuid.UUID | None:
    """The organisation of a shop; None when it has closed, or there is none: the answer must not tell.

    Needs a system session.
    """
    its = select(Organization.id).where(Organization.slug == slug, Organization.is_active)
    return (await db.scalars(its)).one_or_none()


async def read_offers(db: AsyncSession, products: Sequence[Product]) -> list[OfferRead]:
    """Products as consumers see them: how many there are is the store's business."""
    ids = [product.id for product in products]
    today = await organizations.today(db)
    listed, there = await _list_prices(db, ids, on=today), await _in_stock(db, ids, on=today)
    scope = db.sync_session.info["scope"]
    currency = (await organizations.get_organization(db, scope.organization_id)).currency
    return [
        OfferRead(
            id=product.id,
            sku=product.sku,
            name=product.name,
            description=product.description,
            brand=product.brand,
            unit=product.unit,
            unit_weight_g=product.unit_weight_g,
            price=None if price is None else unit_price_from_integer(price),
            currency=currency,
            price_per="kg" if product.catch_weight else product.unit,
            is_available=product.id in there,
        )
        for product in products
        for price in [listed.get(product.id, product.price)]
    ]


async def _list_prices(db: AsyncSession, product_ids: Collection[uuid.UUID], *, on: date) -> Mapping[uuid.UUID, int]:
    """Product -> what one unit costs by the list in force, as `catalog.products.prices.price_of` has it for one."""
    lines = await db.scalars(
        select(ProductPrice)
        .where(ProductPrice.offered_id.in_(product_ids), ProductPrice.valid_from <= on)
        .order_by(ProductPrice.valid_from, ProductPrice.min_quantity)
    )
    in_force: dict[uuid.UUID, date] = {}
    found: dict[uuid.UUID, int] = {}
    for line in lines:
        if in_force.get(line.offered_id) != line.valid_from:
            in_force[line.offered_id] = line.valid_from
            found.pop(line.offered_id, None)
        if line.min_quantity <= _ONE:
            found[line.offered_id] = line.price
    return found


async def _in_stock(db: AsyncSession, product_ids: Collection[uuid.UUID], *, on: date) -> set[uuid.UUID]:
    """Those of which some warehouse has something that may be sold on that day."""
    its = (
        select(StockLevel.product_id)
        .join(Lot, Lot.id == StockLevel.lot_id)
        .join(Location, Location.id == StockLevel.location_id)
        .join(Warehouse, Warehouse.id == Location.warehouse_id)
        .where(
            StockLevel.product_id.in_(product_ids),
            StockLevel.status == "available",
            StockLevel.on_hand > StockLevel.reserved,
            Warehouse.is_active,
            keeps_through(StockLevel, on),
        )
        .distinct()
    )
    return set(await db.scalars(its))
