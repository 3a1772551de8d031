"""What lies in the stores now: how it stands, what there is too little of, what will not keep, how full places are."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import BigInteger, ColumnElement, and_, case, func, literal, or_, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.analytics.operations.asked import Asked, Zones
from cloud_api.catalog.products.models import Product
from cloud_api.inventory.ledger.models import Lot, StockLevel
from cloud_api.inventory.lots.queries import keeps_until
from cloud_api.inventory.occupancy import maps
from cloud_api.inventory.occupancy.maps import Use
from cloud_api.inventory.replenishment import queries as replenishment
from cloud_api.inventory.replenishment.queries import Standing
from cloud_api.inventory.stock.valuation import Method, Worth
from cloud_api.inventory.stock.worth import worth_of
from cloud_api.places.models import Location, Warehouse

STATUSES = ("available", "reserved", "on_hold", "expired")
#: rows of a list within an answer
MOST_ROWS = 50
_ON_HAND = type_coerce(StockLevel.on_hand, BigInteger)
_RESERVED = type_coerce(StockLevel.reserved, BigInteger)
_COST = func.coalesce(Lot.unit_cost, 0)


@dataclass(frozen=True)
class Lying:
    """Thousandths, and at what their lots cost in ten-millionths, of goods that stand alike."""

    category_id: uuid.UUID | None
    status: str
    quantity: int
    cost: int


@dataclass(frozen=True)
class Expiring:
    """A lot in a warehouse that does not keep much longer."""

    lot_id: uuid.UUID
    lot_number: str
    product_id: uuid.UUID
    warehouse_id: uuid.UUID | None
    quantity: Decimal
    cost: int
    keeps_until: date
    days_left: int


@dataclass(frozen=True)
class Soon:
    """All that does not keep much longer, and the first of it."""

    lots: int
    quantity: int
    cost: int
    first: Sequence[Expiring]


async def by_status(db: AsyncSession, asked: Asked) -> list[Lying]:
    """What lies there, each unit in one state: promised, on hold, expired, or free to be sold."""
    expired = and_(keeps_until.is_not(None), keeps_until < _today(asked.zones))
    rest = _ON_HAND - _RESERVED
    held = StockLevel.status == "on_hold"
    quantities: Mapping[str, ColumnElement[int]] = {
        "available": case((or_(held, expired), 0), else_=rest),
        "reserved": _RESERVED,
        "on_hold": case((held, rest), else_=0),
        "expired": case((and_(~held, expired), rest), else_=0),
    }
    sums = [
        func.sum(told)
        for status in STATUSES
        for told in (func.coalesce(quantities[status], 0), quantities[status] * _COST)
    ]
    rows = await db.execute(
        select(Product.category_id, *sums)
        .join(Product, Product.id == StockLevel.product_id)
        .join(Lot, Lot.id == StockLevel.lot_id)
        .join(Location, Location.id == StockLevel.location_id)
        .where(StockLevel.on_hand > 0, asked.here(Location.warehouse_id))
        .group_by(Product.category_id)
        .order_by(Product.category_id)
    )
    return [
        Lying(category_id, status, int(figures[2 * at]), int(figures[2 * at + 1]))
        for category_id, *figures in rows.tuples()
        for at, status in enumerate(STATUSES)
        if figures[2 * at]
    ]


async def too_little(db: AsyncSession, asked: Asked) -> list[Standing]:
    """Products of which no more may be sold than their reorder point, as `/products/low-stock` lists them."""
    days = await replenishment.days_in_warehouses(db)
    its = replenishment.standings(days, seen=asked.seen, warehouse_id=asked.warehouse_id, only_low=True)
    return [replenishment.standing_of(*row) for row in (await db.execute(its)).tuples()]


async def expiring(db: AsyncSession, asked: Asked, *, days: int, expired: bool = False) -> Soon:
    """What lies there and has at most so many days left, the first to expire first.

    Args:
        expired: what has none left, instead.
    """
    today = _today(asked.zones)
    until = max(asked.zones.today(one) for one in (None, *asked.zones.own))
    near = keeps_until <= until + timedelta(days=days)
    lying = (
        select(
            Lot.id,
            Lot.lot_number,
            Lot.product_id,
            Location.warehouse_id,
            func.sum(StockLevel.on_hand),
            func.sum(_ON_HAND * _COST),
            func.min(keeps_until),
        )
        .join(Lot, Lot.id == StockLevel.lot_id)
        .join(Location, Location.id == StockLevel.location_id)
        .where(
            StockLevel.on_hand > 0,
            keeps_until.is_not(None),
            keeps_until < today if expired else and_(keeps_until >= today, near),
            asked.here(Location.warehouse_id),
        )
        .group_by(Lot.id, Lot.lot_number, Lot.product_id, Location.warehouse_id)
    )
    found = [
        Expiring(id, number, product_id, where, quantity, int(cost), day, (day - asked.zones.today(where)).days)
        for id, number, product_id, where, quantity, cost, day in (await db.execute(lying)).tuples()
    ]
    found = sorted(
        (one for one in found if expired or one.days_left <= days), key=lambda one: (one.days_left, one.lot_number)
    )
    quantity = sum((one.quantity for one in found), Decimal(0))
    return Soon(len(found), int(quantity * 1000), sum(one.cost for one in found), found[:MOST_ROWS])


async def storage_use(db: AsyncSession, asked: Asked) -> tuple[Use, Mapping[str, Use]]:
    """How full the warehouses are: as a whole, and their places of each storage class."""
    its = select(Warehouse).where(Warehouse.is_active, asked.here(Warehouse.id)).order_by(Warehouse.id)
    return await maps.use_of_all(db, (await db.scalars(its)).all())


async def worth(db: AsyncSession, asked: Asked, *, method: Method) -> dict[tuple[uuid.UUID, uuid.UUID | None], Worth]:
    """What each product in each warehouse was worth when the last day was over: what the valuation report says."""
    found = await worth_of(db, method=method, on=asked.last)
    return {
        key: worth for key, worth in found.items() if asked.seen.shows(key[1]) and asked.warehouse_id in {None, key[1]}
    }


def _today(zones: Zones) -> ColumnElement[date]:
    """The day where the joined place is."""
    usual = zones.today(None)
    others = {one: zones.today(one) for one in zones.own}
    told = [(Location.warehouse_id == one, literal(day)) for one, day in others.items() if day != usual]
    return case(*told, else_=literal(usual)) if told else literal(usual)
