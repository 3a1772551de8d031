"""A lot's whole temperature history: place by place, vehicles and stops too, as far back as it has lain anywhere."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.categories.models import Category
from cloud_api.catalog.products.models import Product
from cloud_api.cold_chain.exposure.models import LotExposure
from cloud_api.cold_chain.exposure.queries import Stay, Watch, nearest_watches, paths_of, sensors_ever_in, stays_of
from cloud_api.cold_chain.exposure.service import Total, total
from cloud_api.cold_chain.exposure.shelf_life import HOUR_MS, HourlyTemperature, ShelfLife, ageing_of, remaining
from cloud_api.inventory.ledger.models import Lot
from cloud_api.inventory.ledger.service import get_lot
from cloud_api.kernel import clock
from cloud_api.places.models import Location
from cloud_api.places.queries import EVERYWHERE, Visible
from cloud_api.telemetry.models import SensorHour


@dataclass(frozen=True, slots=True)
class Hour:
    """What a sensor measured in an hour, corrected."""

    begins_ms: int
    minimum: float
    mean: float
    maximum: float


@dataclass(frozen=True, slots=True)
class Stretch:
    """A lot lay in a place, watched by one sensor or by none, over [from_ms, to_ms)."""

    stay: Stay
    watch: Watch | None
    from_ms: int
    to_ms: int
    hours: Sequence[Hour]
    #: stretches of whole hours without a reading, [from, to) in milliseconds
    gaps: Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Exposure:
    """Everything that is known of what a lot has been through."""

    lot: Lot
    stretches: Sequence[Stretch]
    exposures: Sequence[LotExposure]
    total: Total
    #: None: neither its label nor its product says how long it keeps
    shelf_life: ShelfLife | None


async def exposure(
    db: AsyncSession, lot_id: uuid.UUID, *, at: datetime | None = None, seen: Visible = EVERYWHERE
) -> Exposure:
    """What a lot has been through up to `at`; now, unless told otherwise. Temperatures are air, in °C.

    An hour belongs to the place where its sensor was when it began.

    Raises:
        NotFound: when there is no such lot to be seen.
    """
    lot = await get_lot(db, lot_id, seen=seen)
    at_ms = clock.to_ms(at or clock.now())
    stretches = await stretches_of(db, lot_id, until_ms=at_ms)
    rows = await db.scalars(select(LotExposure).where(LotExposure.lot_id == lot_id).order_by(LotExposure.from_at))
    exposures = rows.all()
    shelf_life = await remaining_shelf_life(db, lot, stretches, at_ms=at_ms)
    if seen.warehouse_ids is not None:
        places = {*(stretch.stay.location_id for stretch in stretches), *(row.location_id for row in exposures)}
        shown = set(await db.scalars(select(Location.id).where(Location.id.in_(places), seen.locations(Location.id))))
        stretches = [stretch for stretch in stretches if stretch.stay.location_id in shown]
        exposures = [row for row in exposures if row.location_id in shown]
    return Exposure(lot, stretches, exposures, total(exposures), shelf_life)


async def stretches_of(db: AsyncSession, lot_id: uuid.UUID, *, until_ms: int) -> list[Stretch]:
    """Where a lot lay up to a time and what was measured there, in the order of time."""
    return (await stretches_by_lot(db, [lot_id], until_ms=until_ms))[lot_id]


async def stretches_by_lot(
    db: AsyncSession, lot_ids: Collection[uuid.UUID], *, until_ms: int
) -> Mapping[uuid.UUID, list[Stretch]]:
    """The same of several lots, in as many queries as of one."""
    found = dict[uuid.UUID, list[Stretch]]({lot_id: [] for lot_id in lot_ids})
    stays = [stay for stay in await stays_of(db, lot_ids) if stay.from_ms < until_ms]
    if not stays:
        return found
    paths = await paths_of(db, {stay.location_id for stay in stays})
    around = {location_id for path in paths.values() for location_id in path}
    sensors = await sensors_ever_in(db, around)
    hours = await _hours(db, {sensor.id for sensor in sensors}, stays[0].from_ms, until_ms)
    for stay in stays:
        to_ms = min(stay.to_ms or until_ms, until_ms)
        watched = nearest_watches(sensors, paths[stay.location_id], from_ms=stay.from_ms, to_ms=to_ms)
        found[stay.lot_id] += [_stretch(stay, watch, hours.get(watch.sensor.id, ())) for watch in watched]
        if not watched:
            found[stay.lot_id].append(Stretch(stay, None, stay.from_ms, to_ms, (), ((stay.from_ms, to_ms),)))
    return found


async def remaining_shelf_life(
    db: AsyncSession, lot: Lot, stretches: Sequence[Stretch], *, at_ms: int
) -> ShelfLife | None:
    """What a lot's temperatures have left of its shelf life; None when nobody said how long it keeps."""
    product = await db.get_one(Product, lot.product_id)
    received_ms = clock.to_ms(lot.received_at)
    label_days = total_days = None
    if lot.expires_on is not None:
        ends_ms = clock.to_ms(datetime.combine(lot.expires_on, time.max, UTC))
        total_days, label_days = (ends_ms - received_ms) / (24 * HOUR_MS), (ends_ms - at_ms) / (24 * HOUR_MS)
    elif product.shelf_life_days is not None:
        total_days = float(product.shelf_life_days)
    if total_days is None:
        return None
    category = None if product.category_id is None else await db.get(Category, product.category_id)
    first = None if not stretches else await db.get_one(Location, stretches[0].stay.location_id)
    ageing = ageing_of(product, category, "cold_storage" if first is None else first.storage_type)
    return remaining(
        ageing,
        _by_sensor(stretches),
        from_ms=received_ms,
        at_ms=at_ms,
        total_days=max(total_days, 0.0),
        label_days=label_days,
    )


def _by_sensor(stretches: Iterable[Stretch]) -> Mapping[uuid.UUID, list[HourlyTemperature]]:
    hours: dict[uuid.UUID, list[HourlyTemperature]] = defaultdict(list)
    for stretch in stretches:
        if stretch.watch is not None:
            hours[stretch.watch.sensor.id] += [HourlyTemperature(hour.begins_ms, hour.mean) for hour in stretch.hours]
    return hours


async def _hours(
    db: AsyncSession, sensor_ids: set[uuid.UUID], from_ms: int, to_ms: int
) -> Mapping[uuid.UUID, list[SensorHour]]:
    """The hours of some sensors that have readings and touch [from_ms, to_ms), by sensor, in order."""
    found: dict[uuid.UUID, list[SensorHour]] = defaultdict(list)
    for row in await db.scalars(
        select(SensorHour)
        .where(
            SensorHour.sensor_id.in_(sensor_ids),
            SensorHour.begins_ms > from_ms - HOUR_MS,
            SensorHour.begins_ms < to_ms,
            SensorHour.count > 0,
        )
        .order_by(SensorHour.begins_ms)
    ):
        found[row.sensor_id].append(row)
    return found


def _stretch(stay: Stay, watch: Watch, rows: Iterable[SensorHour]) -> Stretch:
    """The hours of one sensor that touch one stay, corrected by the calibration in force when each began."""
    hours = []
    for row in rows:
        if watch.from_ms < row.begins_ms + HOUR_MS and row.begins_ms < watch.to_ms:
            how = watch.sensor.correction_at(row.begins_ms)
            low, mean, high = (
                value * how.gain + how.offset for value in (row.minimum, row.total / row.count, row.maximum)
            )
            hours.append(Hour(row.begins_ms, low, mean, high))
    return Stretch(stay, watch, watch.from_ms, watch.to_ms, hours, _gaps(hours, watch.from_ms, watch.to_ms))


def _gaps(hours: Sequence[Hour], from_ms: int, to_ms: int) -> list[tuple[int, int]]:
    gaps, reached = [], from_ms
    for hour in hours:
        if hour.begins_ms > reached:
            gaps.append((reached, hour.begins_ms))
        reached = max(reached, hour.begins_ms + HOUR_MS)
    if reached < to_ms:
        gaps.append((reached, to_ms))
    return gaps
