"""What an excursion did to the lots that lay in its place.

Each excursion is of one sensor, and so is what it did: two sensors of one room that are both too warm expose a lot
twice in the table, but not twice as much. Whoever wants one figure for a lot asks `total`, which counts of exposures
that overlap in time only the worst.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.cold_chain.exposure import steps as stepping
from cloud_api.cold_chain.exposure.models import LotExposure
from cloud_api.cold_chain.exposure.queries import Stay, cadences_ms, stays_in
from cloud_api.devices.sensors.known import KnownSensor, known_sensors
from cloud_api.kernel import clock
from cloud_api.places import service as places
from cloud_api.telemetry.stores.port import ReadingStore


@dataclass(frozen=True, slots=True)
class ExposureSource:
    """Of an excursion what exposure is reckoned from; times in milliseconds since 1970-01-01 UTC."""

    excursion_id: uuid.UUID
    sensor_id: uuid.UUID
    #: where the sensor was; what lay there or inside it was exposed
    location_id: uuid.UUID
    kind: Literal["high", "low"]
    #: the limit, in the sensor's unit, corrected
    set_at: float
    started_at_ms: int
    #: None: it goes on
    ended_at_ms: int | None


@dataclass(frozen=True, slots=True)
class Total:
    """What a lot has been through, all in all."""

    minutes: float
    degree_minutes: float


async def write_exposure(db: AsyncSession, source: ExposureSource, *, store: ReadingStore) -> None:
    """Reckon anew how long and how far each lot in the place of an excursion was beyond its limit.

    What lay there is asked of the ledger, also what came or left meanwhile. A reading holds until the next one, at most
    `steps.holds_ms`; where nothing is known nothing is counted. The same again writes the same; an excursion
    that ended when it began, because it never was, exposed nothing.
    """
    sensor = (await known_sensors(db, sensor_ids={source.sensor_id}))[source.sensor_id]
    until_ms = max(clock.now_ms() if source.ended_at_ms is None else source.ended_at_ms, source.started_at_ms)
    inside = await places.within(db, source.location_id)
    stays: dict[tuple[uuid.UUID, uuid.UUID], list[Stay]] = defaultdict(list)
    for stay in await stays_in(db, inside, from_ms=source.started_at_ms, to_ms=until_ms):
        stays[stay.lot_id, stay.location_id].append(stay)
    steps = await _steps(db, sensor, source.started_at_ms, until_ms, store) if stays else stepping.together([])
    present = {
        (row.lot_id, row.location_id): row
        for row in await db.scalars(
            select(LotExposure).where(LotExposure.excursion_id == source.excursion_id).with_for_update()
        )
    }
    for key, row in present.items():
        if key not in stays:
            await db.delete(row)
    for key, its in stays.items():
        reckoned = _reckoned(source, sensor, its, steps, until_ms)
        if key in present:
            for name, value in reckoned.items():
                setattr(present[key], name, value)
        else:
            db.add(LotExposure(excursion_id=source.excursion_id, lot_id=key[0], location_id=key[1], **reckoned))
    await db.flush()


def total(exposures: Iterable[LotExposure]) -> Total:
    """The minutes and degree-minutes of a lot: of exposures that overlap in time only the worst counts.

    Two sensors in one room, or one lot in two warm rooms at once, are one stretch of time; the worst is the one with
    the most degree-minutes.
    """
    forever = clock.from_ms(253_402_300_799_999)
    groups: list[list[LotExposure]] = []
    reaches = None
    for row in sorted(exposures, key=lambda row: (row.from_at, row.id)):
        if reaches is None or row.from_at >= reaches:
            groups.append([])
            reaches = row.from_at
        groups[-1].append(row)
        reaches = max(reaches, row.to_at or forever)
    worst = [max(group, key=lambda row: (row.degree_minutes, row.minutes)) for group in groups]
    return Total(sum(row.minutes for row in worst), sum(row.degree_minutes for row in worst))


async def _steps(
    db: AsyncSession, sensor: KnownSensor, from_ms: int, until_ms: int, store: ReadingStore
) -> stepping.Steps:
    holds_ms = stepping.holds_ms((await cadences_ms(db, [sensor]))[sensor.id])
    read = await store.read(db, sensor.id, from_ms=from_ms - holds_ms, to_ms=until_ms)
    counted = stepping.good(read)
    times_ms = read.times_ms[counted]
    values = sensor.correct(times_ms, read.values[counted])
    return stepping.steps_of(times_ms, values, holds_ms=holds_ms, until_ms=until_ms).within(from_ms, until_ms)


def _reckoned(
    source: ExposureSource, sensor: KnownSensor, stays: list[Stay], steps: stepping.Steps, until_ms: int
) -> dict[str, object]:
    """What is written of one lot in one place, however often it came and went."""
    lain = stepping.together([steps.within(stay.from_ms, stay.to_ms or until_ms) for stay in stays])
    beyond = stepping.beyond(lain, source.kind, source.set_at)
    last = stays[-1].to_ms or source.ended_at_ms
    return {
        "sensor_id": sensor.id,
        "quantity": sensor.quantity,
        "unit": sensor.unit,
        "kind": source.kind,
        "set_at": source.set_at,
        "from_at": clock.from_ms(stays[0].from_ms),
        "to_at": None if last is None else clock.from_ms(last),
        "minutes": round(beyond.minutes, 3),
        "degree_minutes": round(beyond.degree_minutes, 3),
        "peak": beyond.peak,
        "mean_kinetic_c": stepping.mean_kinetic_c(lain) if sensor.unit == "Cel" else None,
    }
