"""What a piece of evidence is made of: everything that is known of a place or of a lot over a period."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.products.models import Product
from cloud_api.cold_chain.evidence.errors import BadPeriod, TooMuchEvidence
from cloud_api.cold_chain.evidence.figures import Limits, Series
from cloud_api.cold_chain.excursions.models import CorrectiveAction, Excursion
from cloud_api.cold_chain.exposure import history
from cloud_api.cold_chain.exposure import steps as stepping
from cloud_api.cold_chain.exposure.queries import (
    TEMPERATURE,
    Watch,
    cadences_ms,
    nearest_watches,
    paths_of,
    sensors_ever_in,
    watches,
)
from cloud_api.cold_chain.rules.models import AlertRule
from cloud_api.devices.models import SensorCalibration
from cloud_api.identity.organizations.models import Organization
from cloud_api.identity.people.models import User
from cloud_api.inventory.ledger.service import get_lot
from cloud_api.kernel import clock
from cloud_api.places import service as places
from cloud_api.places.models import Location
from cloud_api.places.queries import EVERYWHERE, Visible
from cloud_api.telemetry.models import SensorHour
from cloud_api.telemetry.stores.port import ReadingStore

#: of one piece of evidence: twenty sensors that are heard every minute, over a month
MOST_READINGS = 1_000_000
MOST_SENSORS = 200
HUMIDITY = "humidity"


@dataclass(frozen=True, slots=True)
class ExcursionFacts:
    """An excursion and what became of it."""

    row: Excursion
    sensor: str
    place: str
    actions: Sequence[tuple[datetime, str, str]]
    acknowledged_by: str
    closed_by: str


@dataclass(frozen=True, slots=True)
class CalibrationFacts:
    """A calibration that was in force in the period."""

    sensor: str
    row: SensorCalibration


@dataclass(frozen=True, slots=True)
class Case:
    """All of it."""

    #: `place <id>` or `lot <id>`
    subject: str
    title: str
    organization: str
    #: what stands above the figures: (what, value)
    facts: Sequence[tuple[str, str]]
    from_ms: int
    to_ms: int
    made_at: datetime
    series: Sequence[Series]
    excursions: Sequence[ExcursionFacts]
    calibrations: Sequence[CalibrationFacts]
    #: of a lot: what each excursion did to it, (excursion, place, minutes, degree-minutes, peak, mean kinetic)
    exposures: Sequence[tuple[str, str, float, float, float | None, float | None]] = ()


@dataclass(frozen=True, slots=True)
class _Sources:
    """Where evidence is looked for."""

    watches: Sequence[Watch]
    places: Mapping[uuid.UUID, Location]
    excursions: ColumnElement[bool]


async def of_place(
    db: AsyncSession,
    location_id: uuid.UUID,
    *,
    since: datetime,
    until: datetime,
    store: ReadingStore,
    seen: Visible = EVERYWHERE,
) -> Case:
    """Everything that is known of a place, and of what lies inside it, in [since, until).

    A place without a sensor of its own is known by the nearest around it that has one.

    Raises:
        NotFound: when there is no such place to be seen.
        BadPeriod: when `since` does not lie before `until` and before now.
        TooMuchEvidence: when that is more than one piece of evidence holds.
    """
    place = await places.get_location(db, location_id, seen=seen)
    from_ms, to_ms = _period(since, until)
    inside = set(await places.within(db, location_id))
    path = (await paths_of(db, [location_id]))[location_id]
    sensors = await sensors_ever_in(db, {*inside, *path}, quantities=(TEMPERATURE, HUMIDITY))
    found = watches(sensors, inside, from_ms=from_ms, to_ms=to_ms)
    found = found or nearest_watches(sensors, path, from_ms=from_ms, to_ms=to_ms)
    sources = _Sources(
        watches=found,
        places=await _places(db, {*inside, *path}),
        excursions=or_(
            Excursion.location_id.in_(inside), Excursion.sensor_id.in_({watch.sensor.id for watch in found})
        ),
    )
    facts = [
        ("Place", f"{place.name} ({place.code})"),
        ("Kind", f"{place.location_type}, {place.storage_type.replace('_', ' ')}"),
    ]
    case = Case(
        subject=f"place {place.id}",
        title=place.name,
        organization=await _organization(db),
        facts=facts,
        from_ms=from_ms,
        to_ms=to_ms,
        made_at=clock.now(),
        series=(),
        excursions=(),
        calibrations=(),
    )
    return await _filled(db, case, sources, store)


async def of_lot(
    db: AsyncSession,
    lot_id: uuid.UUID,
    *,
    since: datetime | None,
    until: datetime | None,
    store: ReadingStore,
    seen: Visible = EVERYWHERE,
) -> Case:
    """Everything that is known of where a lot lay, from when it was received, or from `since`, until now or `until`.

    Raises:
        NotFound: when there is no such lot to be seen.
        BadPeriod: as `of_place`.
        TooMuchEvidence: as `of_place`.
    """
    lot = await get_lot(db, lot_id, seen=seen)
    from_ms, to_ms = _period(since or lot.received_at, until or clock.now())
    lived = await history.exposure(db, lot_id, at=clock.from_ms(to_ms), seen=seen)
    product = await db.get_one(Product, lot.product_id)
    found = [_within(stretch.watch, from_ms, to_ms) for stretch in lived.stretches if stretch.watch is not None]
    where = {stretch.stay.location_id for stretch in lived.stretches}
    paths = await paths_of(db, where)
    by_id = await _places(db, {location_id for path in paths.values() for location_id in path})
    exposed = {row.excursion_id for row in lived.exposures}
    sources = _Sources([watch for watch in found if watch is not None], by_id, Excursion.id.in_(exposed))
    case = Case(
        subject=f"lot {lot.id}",
        title=f"{product.name}, lot {lot.lot_number}",
        organization=await _organization(db),
        facts=_facts_of_lot(lived, product, by_id),
        from_ms=from_ms,
        to_ms=to_ms,
        made_at=clock.now(),
        series=(),
        excursions=(),
        calibrations=(),
    )
    case = await _filled(db, case, sources, store)
    numbers = {facts.row.id: facts.row.number for facts in case.excursions}
    return replace(
        case,
        exposures=[
            (
                numbers[row.excursion_id],
                by_id[row.location_id].name,
                row.minutes,
                row.degree_minutes,
                row.peak,
                row.mean_kinetic_c,
            )
            for row in lived.exposures
            if row.excursion_id in numbers and row.location_id in by_id
        ],
    )


def _facts_of_lot(
    lived: history.Exposure, product: Product, by_id: Mapping[uuid.UUID, Location]
) -> list[tuple[str, str]]:
    lot, left = lived.lot, lived.shelf_life
    facts = [
        ("Lot", f"{lot.lot_number} of {product.name} ({product.sku})"),
        ("Received", _utc(lot.received_at)),
        ("Best before", "not said" if lot.expires_on is None else lot.expires_on.isoformat()),
        ("Lay in", ", ".join(dict.fromkeys(by_id[stretch.stay.location_id].name for stretch in lived.stretches))),
    ]
    if left is not None:
        model = f"Q10 {left.ageing.q10:g}, {left.ageing.reference_c:g} °C"
        facts.append(("Shelf life left", f"{left.remaining_days:.1f} of {left.total_days:.1f} days ({model})"))
    return facts


def _period(since: datetime, until: datetime) -> tuple[int, int]:
    if since.tzinfo is None or until.tzinfo is None:
        raise BadPeriod("give the times with their zones, as in 2026-01-31T08:00:00Z", field="since")
    until = min(until, clock.now())
    if since >= until:
        raise BadPeriod("since must lie before until, and before now", field="since")
    return clock.to_ms(since), clock.to_ms(until)


def _within(watch: Watch, from_ms: int, to_ms: int) -> Watch | None:
    begin, end = max(watch.from_ms, from_ms), min(watch.to_ms, to_ms)
    return replace(watch, from_ms=begin, to_ms=end) if begin < end else None


def _merged(found: Iterable[Watch]) -> list[Watch]:
    """Watches without an overlap, sensor by sensor: two bins of one room are watched by its sensor once."""
    merged: list[Watch] = []
    for watch in sorted(found, key=lambda one: (one.sensor.code, one.sensor.quantity, one.sensor.id, one.from_ms)):
        last = merged[-1] if merged else watch
        if (
            merged
            and (last.sensor.id, last.location_id) == (watch.sensor.id, watch.location_id)
            and (watch.from_ms <= last.to_ms)
        ):
            merged[-1] = replace(last, to_ms=max(last.to_ms, watch.to_ms))
        else:
            merged.append(watch)
    return merged


async def _filled(db: AsyncSession, case: Case, sources: _Sources, store: ReadingStore) -> Case:
    """The case with its series, excursions and calibrations."""
    found = _merged(sources.watches)
    if len(found) > MOST_SENSORS:
        raise TooMuchEvidence(
            f"{len(found)} sensors watched it, and evidence holds {MOST_SENSORS}: ask for one of the places inside it",
            field="location_id",
        )
    await _count(db, found, case)
    sensors = {watch.sensor.id: watch.sensor for watch in found}
    cadences = await cadences_ms(db, sensors.values())
    limits = await _limits(db, found, sources.places)
    series = []
    for watch in found:
        readings = await store.read(
            db, watch.sensor.id, from_ms=watch.from_ms, to_ms=watch.to_ms, limit=MOST_READINGS + 1
        )
        if len(readings) > MOST_READINGS:
            raise _too_much()
        series.append(
            Series(
                watch=watch,
                place=sources.places[watch.location_id].code,
                readings=readings,
                corrected=watch.sensor.correct(readings.times_ms, readings.values),
                limits=limits[watch.location_id, watch.sensor.quantity],
                holds_ms=stepping.holds_ms(cadences[watch.sensor.id]),
            )
        )
    return replace(
        case,
        series=series,
        excursions=await _excursions(db, case, sources),
        calibrations=await _calibrations(db, case, {sensor.id: sensor.code for sensor in sensors.values()}),
    )


async def _count(db: AsyncSession, found: Sequence[Watch], case: Case) -> None:
    """Refuse early what would be too much: the hours say how many readings there are."""
    its = select(func.sum(SensorHour.count)).where(
        SensorHour.sensor_id.in_({watch.sensor.id for watch in found}),
        SensorHour.begins_ms >= case.from_ms,
        SensorHour.begins_ms < case.to_ms,
    )
    if (await db.scalar(its) or 0) > MOST_READINGS:
        raise _too_much()


def _too_much() -> TooMuchEvidence:
    return TooMuchEvidence(
        f"more than {MOST_READINGS:,} readings: ask for a shorter period, or for one of the places inside it",
        field="since",
    )


async def _limits(
    db: AsyncSession, found: Sequence[Watch], by_id: Mapping[uuid.UUID, Location]
) -> dict[tuple[uuid.UUID, str], Limits]:
    """What each quantity in each place must keep to: as the place says, else the strictest rules around it."""
    wanted = {(watch.location_id, watch.sensor.quantity) for watch in found}
    paths = await paths_of(db, {location_id for location_id, _ in wanted})
    rules = (
        await db.scalars(
            select(AlertRule).where(
                AlertRule.enabled,
                AlertRule.deleted_at.is_(None),
                AlertRule.kind.in_(("high", "low")),
                AlertRule.quantity.in_({quantity for _, quantity in wanted}),
                AlertRule.location_id.in_({around for path in paths.values() for around in path}),
            )
        )
    ).all()
    limits = {}
    for location_id, quantity in wanted:
        its = [rule for rule in rules if rule.quantity == quantity and rule.location_id in paths[location_id]]
        low = max((rule.set_at for rule in its if rule.kind == "low"), default=None)
        high = min((rule.set_at for rule in its if rule.kind == "high"), default=None)
        place = by_id[location_id]
        if quantity == TEMPERATURE:
            low = low if place.temperature_min_c is None else place.temperature_min_c
            high = high if place.temperature_max_c is None else place.temperature_max_c
        limits[location_id, quantity] = Limits(low, high)
    return limits


async def _excursions(db: AsyncSession, case: Case, sources: _Sources) -> list[ExcursionFacts]:
    rows = (
        await db.scalars(
            select(Excursion)
            .where(
                sources.excursions,
                Excursion.started_at < clock.from_ms(case.to_ms),
                or_(Excursion.ended_at.is_(None), Excursion.ended_at > clock.from_ms(case.from_ms)),
            )
            .order_by(Excursion.started_at, Excursion.id)
        )
    ).all()
    actions = (
        await db.scalars(
            select(CorrectiveAction)
            .where(CorrectiveAction.excursion_id.in_([row.id for row in rows]))
            .order_by(CorrectiveAction.taken_at, CorrectiveAction.id)
        )
    ).all()
    people = await _people(
        db,
        {row.acknowledged_by for row in rows} | {row.closed_by for row in rows} | {done.taken_by for done in actions},
    )
    sensors = {watch.sensor.id: watch.sensor.code for watch in sources.watches}
    return [
        ExcursionFacts(
            row=row,
            sensor=sensors.get(row.sensor_id, str(row.sensor_id)),
            place=sources.places[row.location_id].name if row.location_id in sources.places else str(row.location_id),
            actions=[
                (done.taken_at, people.get(done.taken_by, ""), done.description)
                for done in actions
                if done.excursion_id == row.id
            ],
            acknowledged_by=people.get(row.acknowledged_by, ""),
            closed_by=people.get(row.closed_by, ""),
        )
        for row in rows
    ]


async def _calibrations(db: AsyncSession, case: Case, sensors: Mapping[uuid.UUID, str]) -> list[CalibrationFacts]:
    """Those in force in the period: the last one before it, and those within it."""
    rows = await db.scalars(
        select(SensorCalibration)
        .where(SensorCalibration.sensor_id.in_(sensors), SensorCalibration.from_ms < case.to_ms)
        .order_by(SensorCalibration.from_ms)
    )
    by_sensor: dict[uuid.UUID, list[SensorCalibration]] = defaultdict(list)
    for row in rows:
        its = by_sensor[row.sensor_id]
        if its and row.from_ms <= case.from_ms:
            its.clear()
        its.append(row)
    return [CalibrationFacts(sensors[key], row) for key in sensors for row in by_sensor.get(key, ())]


async def _places(db: AsyncSession, location_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Location]:
    return {place.id: place for place in await db.scalars(select(Location).where(Location.id.in_(location_ids)))}


async def _people(db: AsyncSession, user_ids: Collection[uuid.UUID | None]) -> dict[uuid.UUID | None, str]:
    named = await db.execute(select(User.id, User.full_name).where(User.id.in_([key for key in user_ids if key])))
    return {user_id: name for user_id, name in named}


async def _organization(db: AsyncSession) -> str:
    return str(await db.scalar(select(Organization.name)))


def _utc(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
