"""What people ask of readings: last values, ranges, and places side by side."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.devices.models import Sensor
from cloud_api.kernel import clock
from cloud_api.places import service as places
from cloud_api.places.models import Location
from cloud_api.places.queries import Visible
from cloud_api.telemetry import queries
from cloud_api.telemetry.models import QUALITIES
from cloud_api.telemetry.series import kinetics
from cloud_api.telemetry.series.aggregates import beyond, check_readings, usable
from cloud_api.telemetry.series.holding import Held, held, longest_ms, union_s
from cloud_api.telemetry.series.streams import Stream, expected_ms, streams_in
from cloud_api.telemetry.stores.port import NO_READINGS, Readings, ReadingStore

#: how late a reading may be before it is overdue: transport takes its time
GRACE_MS = 10_000
#: calibrated values are told to the millionth: what a gain leaves behind it is nobody's measurement
PLACES = 6


class Latest(NamedTuple):
    """A sensor's last value; the fields of `schemas.LatestRead`."""

    sensor_id: uuid.UUID
    location_id: uuid.UUID | None
    code: str
    quantity: str
    unit: str
    value: float
    raw_value: float
    quality: str
    recorded_at_ms: int
    age_s: float
    expected_s: float | None
    stale: bool | None


async def latest(
    db: AsyncSession,
    *,
    seen: Visible,
    location_id: uuid.UUID | None = None,
    location_ids: Collection[uuid.UUID] | None = None,
) -> list[Latest]:
    """The last value of every active sensor, of those in one place and inside it, or of those in some, by code.

    Raises:
        NotFound: when the place is not there to be seen.
    """
    asked = queries.last_values(seen)
    if location_id is not None:
        await places.get_location(db, location_id, seen=seen)
        asked = asked.where(Sensor.location_id.in_(await places.within(db, location_id)))
    if location_ids is not None:
        asked = asked.where(Sensor.location_id.in_(location_ids))
    rows = (await db.execute(asked)).tuples().all()
    earlier: dict[uuid.UUID, list[tuple[int, float, float]]] = {}
    for sensor_id, from_ms, gain, offset in (await db.execute(queries.calibrations_to_come())).tuples():
        earlier.setdefault(sensor_id, []).append((from_ms, gain, offset))
    now_ms = clock.now_ms()
    made = []
    for sensor_id, place, code, quantity, unit, gain, offset, interval_s, cadence_ms, at_ms, raw, quality in rows:
        value, due_ms = raw or 0.0, expected_ms(interval_s, cadence_ms)
        for from_ms, its_gain, its_offset in earlier.get(sensor_id, ()):
            gain, offset = its_gain, its_offset  # the first holds for all time before it too
            if from_ms <= at_ms:
                break
        age_ms = now_ms - at_ms
        made.append(
            Latest(
                sensor_id,
                place,
                code,
                quantity,
                unit,
                round(value * gain + offset, PLACES),
                value,
                quality or QUALITIES[0],
                at_ms,
                age_ms / 1000,
                None if due_ms is None else due_ms / 1000,
                None if due_ms is None else age_ms > due_ms + GRACE_MS,
            )
        )
    return made


@dataclass(frozen=True, slots=True)
class Piece:
    """Readings of one stream that belong to an answer."""

    stream: Stream
    readings: Readings


async def pieces_between(
    db: AsyncSession,
    store: ReadingStore,
    streams: Sequence[Stream],
    *,
    from_ms: int,
    to_ms: int,
    limit: int,
    after: tuple[uuid.UUID, int, int] | None = None,
) -> list[Piece]:
    """At most `limit` readings in [from, to), stream by stream, of each the oldest first, behind `after`.

    Args:
        after: (sensor, time, sequence) of the last reading that was told; its sensor is among the streams.
    """
    made: list[Piece] = []
    key = None
    if after is not None:
        sensor_id, *rest = after
        begin = next(index for index, stream in enumerate(streams) if stream.sensor.id == sensor_id)
        streams, key = streams[begin:], (rest[0], rest[1])
    for stream in streams:
        for begin_ms, end_ms in stream.within(from_ms, to_ms):
            if limit <= 0:
                return made
            found = await store.read(db, stream.sensor.id, from_ms=begin_ms, to_ms=end_ms, limit=limit, after=key)
            if len(found):
                made.append(Piece(stream, found))
                limit -= len(found)
        key = None
    return made


@dataclass(frozen=True, slots=True)
class Comparison:
    """What one place was like; the fields of `schemas.PlaceComparisonRead`."""

    location: Location
    sensors: int
    count: int
    minimum: float | None
    mean: float | None
    maximum: float | None
    mkt_c: float | None
    in_range_share: float | None
    gap_share: float | None


async def compare(
    db: AsyncSession,
    store: ReadingStore,
    location_ids: Sequence[uuid.UUID],
    *,
    seen: Visible,
    quantity: str,
    from_ms: int,
    to_ms: int,
) -> list[Comparison]:
    """What these places, each with all that lies in it, were like in [from, to); in the order asked for.

    Raises:
        NotFound: when one of them is not there to be seen.
        Invalid: when it is too much at a time.
    """
    chosen = list(dict.fromkeys(location_ids))
    asked = [await streams_in(db, location_id, seen=seen, quantity=quantity) for location_id in chosen]
    await check_readings(db, [stream for streams in asked for stream in streams], from_ms, to_ms)
    made = []
    for location_id, streams in zip(chosen, asked, strict=True):
        location = await places.get_location(db, location_id, seen=seen)
        made.append(await _compare(db, store, location, streams, from_ms, to_ms))
    return made


async def _compare(
    db: AsyncSession, store: ReadingStore, location: Location, streams: Sequence[Stream], from_ms: int, to_ms: int
) -> Comparison:
    lead_ms = max((longest_ms(stream.expected_ms) for stream in streams), default=0)
    ids = [stream.sensor.id for stream in streams]
    found = await store.read_many(db, ids, from_ms=from_ms - lead_ms, to_ms=to_ms) if ids else {}
    readings = [found.get(sensor_id, NO_READINGS) for sensor_id in ids]
    counted = [usable(stream, its, from_ms, to_ms)[1] for stream, its in zip(streams, readings, strict=True)]
    values = np.concatenate(counted) if counted else np.empty(0)
    lasted_ms = min(to_ms, clock.now_ms())
    known = [held(stream, its, until_ms=lasted_ms) for stream, its in zip(streams, readings, strict=True)]
    span_s = (lasted_ms - from_ms) / 1000
    warm = bool(streams) and all(stream.sensor.unit == "Cel" for stream in streams)
    mkt_c = None
    if warm and len(values):
        total, count = np.array([kinetics.rates(values).sum()]), np.array([len(values)])
        mkt_c = round(float(kinetics.mean_kinetic_c(total, count)[0]), PLACES)
    return Comparison(
        location,
        len(streams),
        len(values),
        round(float(values.min()), PLACES) if len(values) else None,
        round(float(values.mean()), PLACES) if len(values) else None,
        round(float(values.max()), PLACES) if len(values) else None,
        mkt_c,
        _in_range_share(location, known, from_ms, to_ms) if warm else None,
        1 - union_s(known, from_ms, lasted_ms) / span_s if span_s > 0 else None,
    )


def _in_range_share(location: Location, known: Sequence[Held], from_ms: int, to_ms: int) -> float | None:
    """Of the seconds for which values are known, all sensors together."""
    low, high = location.temperature_min_c, location.temperature_max_c
    period = np.array([from_ms, to_ms], np.int64)
    all_s = sum(float(one.seconds(period)[0]) for one in known)
    if all_s == 0 or (low is None and high is None):
        return None
    out_s = sum(float(part.seconds(period)[0]) for one in known for part in beyond(one, high, low))
    return 1 - out_s / all_s
