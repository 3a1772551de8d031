"""What places hold, in kilograms: whether something more may be put there, and whether a place may go.

Whoever puts something into a place with a capacity locks that place: of two who would both just fit, the second counts
what the first has put there. Places without one are only kept, and let everybody in at once.
"""

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import BigInteger, Float, Select, case, cast, func, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.products.models import Product
from cloud_api.devices.models import Sensor
from cloud_api.inventory.holds import service as holds
from cloud_api.inventory.ledger.models import StockLevel
from cloud_api.places import service as places
from cloud_api.places.errors import PlaceInUse, WrongStorage
from cloud_api.places.models import FITS, Location, Warehouse
from cloud_api.places.queries import EVERYWHERE, Visible
from cloud_api.places.schemas import LocationUpdate, WarehouseUpdate

_G_PER_KG = 1000
#: how much of what hinders is named
_NAMED = 3

_GRAMS = case(
    # pieces that were weighed weigh what they weigh
    (StockLevel.weight_g > 0, cast(StockLevel.weight_g, Float)),
    else_=cast(type_coerce(StockLevel.on_hand, BigInteger), Float) / 1000 * Product.unit_weight_g,
)


@dataclass(frozen=True, slots=True)
class Arrival:
    """Goods that are to be put into a place."""

    location: Location
    product: Product
    quantity: Decimal
    #: of goods that are counted and weighed; None: as their unit weighs
    weight_g: int | None = None

    @property
    def kg(self) -> float:
        """What they weigh."""
        grams = float(self.quantity) * self.product.unit_weight_g if self.weight_g is None else self.weight_g
        return grams / _G_PER_KG


async def check_put_away(db: AsyncSession, arrivals: Sequence[Arrival], *, leaving: Collection[uuid.UUID] = ()) -> None:
    """Whether goods may be put into their places; keeps or locks these and those that something leaves, in key order.

    Call it before anything else locks a level or a place.

    Args:
        leaving: the places from which something goes in the same unit of work.

    Raises:
        PlaceClosed: when a place takes nothing in.
        WrongStorage: when it is kept otherwise than the goods must be.
        PlaceFull: when it, or what it lies in, would hold more than it can carry.
    """
    around = {
        location_id: await places.around(db, location_id)
        for location_id in sorted({arrival.location.id for arrival in arrivals})
    }
    outer = {place for path in around.values() for place in path}
    limited = await db.scalars(select(Location).where(Location.id.in_(outer), Location.capacity_kg.is_not(None)))
    capacities = {location.id: location for location in limited}
    everywhere = {*around, *leaving, *capacities}
    if capacities:
        for location_id in sorted(everywhere):
            if location_id in capacities:
                await places.lock(db, [location_id])
            else:
                await places.keep(db, location_id)
    else:
        await places.keep_all(db, everywhere)
    # asked again: somebody may have closed or removed one while we waited
    again = select(Location).where(Location.id.in_(around)).execution_options(populate_existing=True)
    standing = {location.id: location for location in await db.scalars(again)}
    for location_id, storage_type in sorted({(one.location.id, one.product.storage_type or "") for one in arrivals}):
        location = standing[location_id]
        wanted = None if location.location_type == "transit" else storage_type or None
        await places.check_put_away(db, location, storage_type=wanted, quantity_kg=0.0)
    brought = defaultdict[uuid.UUID, float](float)
    for arrival in arrivals:
        for place in around[arrival.location.id]:
            brought[place] += arrival.kg
    for location_id, location in sorted(capacities.items()):
        inside = await places.within(db, location_id)
        there = sum((await used_kg(db, inside)).values())
        places.check_capacity(location, there + brought[location_id])


async def used_kg(db: AsyncSession, location_ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, float]:
    """What lies in each of these places itself."""
    rows = await db.execute(_weights().where(StockLevel.location_id.in_(location_ids)))
    return {location_id: grams / _G_PER_KG for location_id, grams in rows.tuples()}


async def used_in(db: AsyncSession, warehouse_ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, float]:
    """What lies in each of these warehouses."""
    rows = await db.execute(
        select(Location.warehouse_id, func.sum(_GRAMS))
        .join(StockLevel, StockLevel.location_id == Location.id)
        .join(Product, Product.id == StockLevel.product_id)
        .where(Location.warehouse_id.in_(warehouse_ids), StockLevel.on_hand > 0)
        .group_by(Location.warehouse_id)
    )
    return {warehouse_id: grams / _G_PER_KG for warehouse_id, grams in rows.tuples() if warehouse_id is not None}


async def update_warehouse(
    db: AsyncSession, warehouse_id: uuid.UUID, *, changes: WarehouseUpdate, seen: Visible = EVERYWHERE
) -> Warehouse:
    """Change what is sent of a warehouse; one that is to take nothing in any more is empty.

    Raises:
        PlaceInUse: naming how much lies there.
        NotFound, AlreadyExists: as `places.update_warehouse` says.
    """
    if changes.is_active is False:
        await places.get_warehouse(db, warehouse_id, seen=seen)
        its_places = await places.of_warehouse(db, warehouse_id)
        await places.lock(db, its_places)  # nothing arrives meanwhile
        await _refuse_stock(db, its_places, "deactivate the warehouse")
    return await places.update_warehouse(db, warehouse_id, changes=changes, seen=seen)


async def update_location(
    db: AsyncSession, location_id: uuid.UUID, *, changes: LocationUpdate, seen: Visible = EVERYWHERE
) -> Location:
    """Change what is sent of a place. What is moved into a place under a hold comes under it.

    Raises:
        WrongStorage: when what lies there may not lie in a place that is kept so.
        PlaceFull: when what it is moved into, or it itself, cannot carry what lies there.
        NotFound, Invalid, InvalidTransition, AlreadyExists: as `places.update_location` says.
    """
    before = await places.get_present(db, location_id, seen=seen)
    parent_id, capacity_kg = before.parent_id, before.capacity_kg
    around = [] if changes.parent_id is None else await places.around(db, changes.parent_id)
    await places.lock(db, {*await places.within(db, location_id), *around})  # nothing arrives or is held meanwhile
    if changes.storage_type is not None:
        await _refuse_unfit(db, before, changes.storage_type)
    location = await places.update_location(db, location_id, changes=changes, seen=seen)
    if location.parent_id != parent_id or location.capacity_kg != capacity_kg:
        await _check_moved(db, location)
    return location


async def remove_location(db: AsyncSession, location_id: uuid.UUID, *, seen: Visible = EVERYWHERE) -> Location:
    """Take an empty place away.

    Raises:
        NotFound: when it is not there to be seen.
        PlaceInUse: naming the stock, the sensors or the places that are still in it.
    """
    location = await places.get_present(db, location_id, seen=seen)
    await places.lock(db, [location_id])
    await _refuse_stock(db, [location_id], "remove the place")
    its = select(Sensor.code).where(Sensor.location_id == location_id, Sensor.status == "active")
    codes = (await db.scalars(its.order_by(Sensor.code).limit(_NAMED))).all()
    if codes:
        raise PlaceInUse(f"sensors hang in {location.code}: {', '.join(codes)}; move or retire them first", field="id")
    return await places.remove_location(db, location_id, seen=seen)


def _weights() -> Select[tuple[uuid.UUID, float]]:
    return (
        select(StockLevel.location_id, func.sum(_GRAMS))
        .join(Product, Product.id == StockLevel.product_id)
        .where(StockLevel.on_hand > 0)
        .group_by(StockLevel.location_id)
    )


async def _refuse_stock(db: AsyncSession, location_ids: Collection[uuid.UUID], to: str) -> None:
    there = await used_kg(db, location_ids)
    if there:
        raise PlaceInUse(
            f"{sum(there.values()):.3f} kg of stock lie in {len(there)} of its places: transfer or book it out "
            f"before you {to}",
            field="id",
        )


async def _refuse_unfit(db: AsyncSession, location: Location, storage_type: str) -> None:
    lying = (
        select(Product.sku, Product.storage_type)
        .join(StockLevel, StockLevel.product_id == Product.id)
        .where(StockLevel.location_id == location.id, StockLevel.on_hand > 0, Product.storage_type.is_not(None))
        .distinct()
        .order_by(Product.sku)
    )
    unfit = [sku for sku, wanted in (await db.execute(lying)).tuples() if storage_type not in FITS[wanted or ""]]
    if unfit:
        raise WrongStorage(
            f"{', '.join(unfit[:_NAMED])} lie in {location.code} and may not lie in a place that is {storage_type}: "
            "transfer them first",
            field="storage_type",
        )


async def _check_moved(db: AsyncSession, location: Location) -> None:
    """What lies in a place that was moved weighs on what it lies in now, and shares its holds."""
    around = await places.around(db, location.id)
    limited = select(Location).where(Location.id.in_(around), Location.capacity_kg.is_not(None)).order_by(Location.id)
    for outer in (await db.scalars(limited)).all():
        inside = await places.within(db, outer.id)
        places.check_capacity(outer, sum((await used_kg(db, inside)).values()))
    inside = await places.within(db, location.id)
    levels = (
        await db.scalars(
            select(StockLevel)
            .where(StockLevel.location_id.in_(inside), StockLevel.on_hand > 0)
            .order_by(StockLevel.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    ).all()
    for level in levels:
        await holds.hold_arrival(db, level)
