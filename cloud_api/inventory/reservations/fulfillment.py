"""Which warehouses serve an order, and from which lots: as few as possible, then the nearest. Nothing is promised.

Up to `_EXACT` warehouses all sets are tried, the small ones first; of more than that the one that covers most of what
is still missing is added until nothing is, which may be one warehouse more than needed.
"""

import itertools
import math
import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.products import service as catalog
from cloud_api.inventory.ledger.models import Lot, StockLevel
from cloud_api.inventory.reservations.booking import shelf_life_asked
from cloud_api.inventory.reservations.queries import first_to_expire, last_day
from cloud_api.places import service as places
from cloud_api.places.models import Location, Warehouse
from cloud_api.places.queries import EVERYWHERE, Visible

_EXACT = 12
_EARTH_KM = 6371.0088


@dataclass(frozen=True, slots=True)
class Batch:
    """What one level has to sell of a product."""

    level_id: uuid.UUID
    product_id: uuid.UUID
    lot: Lot
    location_id: uuid.UUID
    free: Decimal
    last_day: date | None


@dataclass(slots=True)
class Supply:
    """What a warehouse has to sell of what is wanted, first to expire first."""

    warehouse: Warehouse
    #: as the crow flies; None: not known
    distance_km: float | None
    batches: list[Batch] = field(default_factory=list)

    @property
    def there_is(self) -> Mapping[uuid.UUID, Decimal]:
        """Product -> how much."""
        found: dict[uuid.UUID, Decimal] = defaultdict(Decimal)
        for batch in self.batches:
            found[batch.product_id] += batch.free
        return found


@dataclass(frozen=True, slots=True)
class Served:
    """What is taken from each warehouse, and what nobody has."""

    picks: Sequence[tuple[Supply, Sequence[tuple[Batch, Decimal]]]]
    missing: Mapping[uuid.UUID, Decimal]


async def find_stock(
    db: AsyncSession,
    wanted: Mapping[uuid.UUID, Decimal],
    *,
    needed_on: date | None = None,
    customer_id: uuid.UUID | None = None,
    at: tuple[float, float] | None = None,
    warehouse_ids: Collection[uuid.UUID] | None = None,
    seen: Visible = EVERYWHERE,
) -> Served:
    """Choose warehouses and lots for an order.

    Args:
        wanted: product -> how much.
        at: latitude and longitude, in degrees, of where it goes.
        warehouse_ids: only from these; None: from all that are to be seen.

    Raises:
        NotFound: when a product, a warehouse or the customer is not there, or not to be seen.
        WrongQuantity: when a product is counted in whole units and its quantity is not.
    """
    for product_id, quantity in wanted.items():
        catalog.check_quantity(await catalog.get_product(db, product_id), quantity)
    for warehouse_id in warehouse_ids or ():
        await places.get_warehouse(db, warehouse_id, seen=seen)
    days = await shelf_life_asked(db, customer_id)
    supplies = await _supplies(db, wanted, needed_on, days, at, warehouse_ids, seen)
    return serve_from(choose(supplies, wanted), wanted)


def choose(supplies: Sequence[Supply], wanted: Mapping[uuid.UUID, Decimal]) -> list[Supply]:
    """The fewest warehouses that have together what can be had at all; of as few the nearest, the nearest first."""
    had = {
        product_id: min(quantity, sum((supply.there_is.get(product_id, Decimal(0)) for supply in supplies), Decimal(0)))
        for product_id, quantity in wanted.items()
    }
    useful = sorted((supply for supply in supplies if supply.batches), key=_near)
    if len(useful) > _EXACT:
        return _greedily(useful, had)
    for size in range(len(useful) + 1):
        enough = [some for some in itertools.combinations(useful, size) if not _lacking(some, had)]
        if enough:
            return [*min(enough, key=lambda some: [_near(supply) for supply in some][::-1])]
    return []


def serve_from(chosen: Sequence[Supply], wanted: Mapping[uuid.UUID, Decimal]) -> Served:
    """Take what is wanted from these warehouses, the first first, in each what expires first."""
    missing = dict(wanted)
    picks = []
    for supply in chosen:
        taken: list[tuple[Batch, Decimal]] = []
        for batch in supply.batches:
            quantity = min(batch.free, missing.get(batch.product_id, Decimal(0)))
            if quantity > 0:
                missing[batch.product_id] -= quantity
                taken.append((batch, quantity))
        if taken:
            picks.append((supply, taken))
    return Served(picks, {product_id: quantity for product_id, quantity in missing.items() if quantity > 0})


def _greedily(useful: Sequence[Supply], had: Mapping[uuid.UUID, Decimal]) -> list[Supply]:
    chosen: list[Supply] = []
    while lacking := _lacking(chosen, had):
        rest = [supply for supply in useful if supply not in chosen]
        # in parts of what is lacking: kilograms and pieces do not add up; the first of as good ones is the nearest
        chosen.append(max(rest, key=lambda supply: _part(supply, lacking)))
    return sorted(chosen, key=_near)


def _part(supply: Supply, lacking: Mapping[uuid.UUID, Decimal]) -> Decimal:
    there_is = supply.there_is
    return sum((min(there_is.get(id, Decimal(0)), missing) / missing for id, missing in lacking.items()), Decimal(0))


def _lacking(supplies: Sequence[Supply], wanted: Mapping[uuid.UUID, Decimal]) -> Mapping[uuid.UUID, Decimal]:
    left = dict(wanted)
    for supply in supplies:
        for product_id, quantity in supply.there_is.items():
            left[product_id] = left.get(product_id, Decimal(0)) - quantity
    return {product_id: quantity for product_id, quantity in left.items() if quantity > 0}


def _near(supply: Supply) -> tuple[float, str]:
    return (math.inf if supply.distance_km is None else supply.distance_km, supply.warehouse.code)


async def _supplies(
    db: AsyncSession,
    wanted: Collection[uuid.UUID],
    needed_on: date | None,
    min_remaining_days: int,
    at: tuple[float, float] | None,
    warehouse_ids: Collection[uuid.UUID] | None,
    seen: Visible,
) -> list[Supply]:
    its_last_day = last_day()
    statement = (
        select(StockLevel, Lot, Warehouse, its_last_day)
        .join(Lot, Lot.id == StockLevel.lot_id)
        .join(Location, Location.id == StockLevel.location_id)
        .join(Warehouse, Warehouse.id == Location.warehouse_id)
        .where(
            StockLevel.product_id.in_(wanted),
            StockLevel.status == "available",
            StockLevel.on_hand > StockLevel.reserved,
            seen.warehouses(Location.warehouse_id),
        )
        .order_by(*first_to_expire(StockLevel))
    )
    if warehouse_ids is not None:
        statement = statement.where(Location.warehouse_id.in_(warehouse_ids))
    supplies: dict[uuid.UUID, Supply] = {}
    through: dict[uuid.UUID, date] = {}
    for level, lot, warehouse, day in await db.execute(statement):
        if warehouse.id not in supplies:
            supplies[warehouse.id] = Supply(warehouse, _distance_km(warehouse, at))
            today = await places.today_in(db, warehouse.id)
            through[warehouse.id] = max(needed_on or today, today) + timedelta(days=min_remaining_days)
        if day is None or day >= through[warehouse.id]:
            batch = Batch(level.id, level.product_id, lot, level.location_id, level.on_hand - level.reserved, day)
            supplies[warehouse.id].batches.append(batch)
    return [*supplies.values()]


def _distance_km(warehouse: Warehouse, at: tuple[float, float] | None) -> float | None:
    """Along the great circle (haversine formula)."""
    if at is None or warehouse.latitude is None or warehouse.longitude is None:
        return None
    (north, east), (there, away) = map(math.radians, at), map(math.radians, (warehouse.latitude, warehouse.longitude))
    half = math.sin((there - north) / 2) ** 2 + math.cos(north) * math.cos(there) * math.sin((away - east) / 2) ** 2
    return 2 * _EARTH_KM * math.asin(min(1.0, math.sqrt(half)))
