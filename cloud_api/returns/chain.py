"""Whether somebody can vouch for how returned goods were kept, from the store's door and back to it.

Until it was handed over, by the exposure that is written on the lot: in the van, and in quarantine since. For the time
outside, which no sensor of ours saw, by a temperature measured when it was taken back and a declared time without
cold. Goods that need no cold need neither.
"""

import uuid
from collections.abc import Sequence

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.products.models import Product
from cloud_api.cold_chain.exposure.models import LotExposure
from cloud_api.configuration import service as configuration
from cloud_api.configuration.definitions import RETURN_OUTSIDE_MINUTES
from cloud_api.inventory.holds.models import HeldLevel, StockHold
from cloud_api.inventory.ledger.models import Lot, StockLevel
from cloud_api.orders.book.models import CustomerOrder
from cloud_api.places import service as places
from cloud_api.returns import queries
from cloud_api.returns.models import CustomerReturn, ReturnedGoods, ReturnLine

#: of goods whose product does not say it: by what it is kept in, in °C
_COLD_C = (-2.0, 8.0)
_FROZEN_C = (-60.0, -15.0)
_UNCOLD = frozenset({"ambient", "dry_storage"})
HOLD_PREFIX = "return:"


async def doubts(db: AsyncSession, one: CustomerReturn, goods: ReturnedGoods, *, order: CustomerOrder) -> list[str]:
    """Why goods that came back may not be sold again; nothing: they may, as far as their chain goes."""
    lot = await db.get_one(Lot, goods.lot_id)
    product = await db.get_one(Product, lot.product_id)
    level = (
        await db.scalars(
            select(StockLevel).where(StockLevel.lot_id == lot.id, StockLevel.location_id == goods.location_id)
        )
    ).one()
    found = []
    keeps_until = level.keeps_until or lot.expires_on
    if keeps_until is not None and keeps_until < await places.today_in(db, order.warehouse_id):
        found.append(f"lot {lot.lot_number} could be sold until {keeps_until}")
    if await _held_otherwise(db, level):
        found.append(f"lot {lot.lot_number} is on hold for another reason as well")
    if product.storage_type in _UNCOLD and product.storage_temperature_max_c is None:
        return found
    found += await _outside(db, goods, product)
    if await _exposed(db, one, goods, order):
        found.append(f"lot {lot.lot_number} was too warm or too cold in the van, or since it is back")
    return found


async def _outside(db: AsyncSession, goods: ReturnedGoods, product: Product) -> list[str]:
    """What speaks against it of the time that no sensor saw."""
    low, high = _limits(product)
    at_most = await configuration.value(db, RETURN_OUTSIDE_MINUTES)
    found = []
    if goods.temperature_c is None:
        found.append("nobody measured its temperature when it was taken back")
    elif not low <= goods.temperature_c <= high:
        found.append(f"it had {goods.temperature_c:g} °C when it was taken back: {low:g} to {high:g} °C are its limits")
    if goods.outside_minutes is None:
        found.append("nobody declares how long it was outside of any cold")
    elif goods.outside_minutes > at_most:
        found.append(f"it was outside of any cold for {goods.outside_minutes} minutes: {at_most} are allowed")
    return found


def _limits(product: Product) -> tuple[float, float]:
    low, high = _FROZEN_C if product.storage_type == "freezer" else _COLD_C
    if product.storage_temperature_min_c is not None:
        low = product.storage_temperature_min_c
    if product.storage_temperature_max_c is not None:
        high = product.storage_temperature_max_c
    return low, high


async def _exposed(db: AsyncSession, one: CustomerReturn, goods: ReturnedGoods, order: CustomerOrder) -> bool:
    """Whether an excursion is written on the lot for where and when these goods were in our hands."""
    vans = await _left_from(db, goods)
    on_the_road = and_(
        LotExposure.location_id.in_(vans),
        LotExposure.from_at <= (order.delivered_at or one.requested_at),
        or_(LotExposure.to_at.is_(None), LotExposure.to_at >= (order.packed_at or order.created_at)),
    )
    since_it_is_back = and_(
        LotExposure.location_id == goods.location_id,
        or_(LotExposure.to_at.is_(None), LotExposure.to_at >= (one.received_at or one.requested_at)),
    )
    its = select(LotExposure.id).where(
        LotExposure.lot_id == goods.lot_id, LotExposure.minutes > 0, or_(on_the_road, since_it_is_back)
    )
    return (await db.scalars(its.limit(1))).first() is not None


async def _left_from(db: AsyncSession, goods: ReturnedGoods) -> Sequence[uuid.UUID]:
    """From which places the goods were handed over."""
    line = await db.get_one(ReturnLine, goods.return_line_id)
    handed_over = await queries.delivered_line(db, line.order_line_id)
    _, levels = handed_over.get(goods.lot_id, (None, ()))
    return [level.location_id for level in levels]


async def _held_otherwise(db: AsyncSession, level: StockLevel) -> bool:
    its = (
        select(HeldLevel.id)
        .join(StockHold, StockHold.id == HeldLevel.hold_id)
        .where(
            HeldLevel.stock_level_id == level.id,
            HeldLevel.released_at.is_(None),
            StockHold.source.not_like(f"{HOLD_PREFIX}%"),
        )
    )
    return (await db.scalars(its.limit(1))).first() is not None
