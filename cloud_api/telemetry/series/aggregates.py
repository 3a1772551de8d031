"""What many readings come to: least, greatest, mean and count of stretches of time, for charts and comparisons.

Hours and days come from the roll-ups that are kept at ingest, corrected by the calibration in force: min, max and
mean of `raw x gain + offset` follow from those of raw. A stretch in which a calibration begins, or in which the sensor
comes or goes, is counted from its readings. Nothing is interpolated: a bucket without readings has none. Readings of
quality bad do not count.
"""

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel import clock
from cloud_api.kernel.errors import Invalid
from cloud_api.telemetry.models import ReadingDay, ReadingHour, SensorDay, SensorSeries
from cloud_api.telemetry.series import kinetics
from cloud_api.telemetry.series.buckets import MOST_BUCKETS, Bucket, edges, parse
from cloud_api.telemetry.series.holding import BAD, Held, held, longest_ms
from cloud_api.telemetry.series.streams import Stream
from cloud_api.telemetry.stores.columnar import Fetched, fetch_nearly
from cloud_api.telemetry.stores.port import NO_READINGS, Readings, ReadingStore
from cloud_api.telemetry.zones import DAY_MS, HOUR_MS

Instants = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]

#: sensors x buckets of one answer
MOST_CELLS = 200_000
#: readings that one question may have looked at one by one
MOST_READINGS = 1_000_000
HOUR, DAY = parse("hour"), parse("day")
_SUMS = ("count", "total", "minimum", "maximum")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of streams, beside count, least, mean and greatest."""

    bucket: Bucket
    #: IANA name of the zone whose hours and days are meant
    zone: str
    since_ms: int
    until_ms: int
    #: limits, of which seconds beyond are counted
    above: float | None = None
    below: float | None = None
    #: whether mean kinetic temperatures are
    kinetic: bool = False

    @property
    def needs_readings(self) -> bool:
        """Whether roll-ups cannot answer it."""
        return self.bucket.from_raw or self.lasting or self.kinetic

    @property
    def lasting(self) -> bool:
        """Whether it matters how long values lasted."""
        return self.above is not None or self.below is not None


@dataclass(slots=True)
class Tally:
    """Count, total, least and greatest of each stream and bucket; arrays of shape (streams, buckets)."""

    counts: Instants
    totals: Numbers
    minima: Numbers
    maxima: Numbers

    @classmethod
    def empty(cls, streams: int, buckets: int) -> "Tally":
        """Nothing counted yet."""
        shape = (streams, buckets)
        return cls(np.zeros(shape, np.int64), np.zeros(shape), np.full(shape, np.inf), np.full(shape, -np.inf))

    def add(self, cells: Instants, counts: Instants, totals: Numbers, minima: Numbers, maxima: Numbers) -> None:
        """Add rows; `cells` are stream x buckets + bucket, arrays of one shape (n,)."""
        size = self.counts.size
        self.counts += np.bincount(cells, counts, size).astype(np.int64).reshape(self.counts.shape)
        self.totals += np.bincount(cells, totals, size).reshape(self.totals.shape)
        np.minimum.at(self.minima.reshape(-1), cells, minima)
        np.maximum.at(self.maxima.reshape(-1), cells, maxima)

    def means(self) -> Numbers:
        """NaN where there is nothing."""
        with np.errstate(invalid="ignore"):
            means: Numbers = self.totals / np.where(self.counts > 0, self.counts, np.nan)
        return means


@dataclass(frozen=True, slots=True)
class Extras:
    """What only readings tell; arrays of shape (streams, buckets)."""

    above_s: Numbers
    below_s: Numbers
    #: for how long a value is known
    known_s: Numbers
    #: sums of `kinetics.rates`, and how many
    rates: Numbers
    rate_counts: Instants


@dataclass(frozen=True, slots=True)
class Answer:
    """Streams over time."""

    streams: Sequence[Stream]
    #: where buckets begin, and the last ends; shape (buckets + 1,)
    edges_ms: Instants
    tally: Tally
    extras: Extras | None = None
    #: whether a stream's values are temperatures in degrees Celsius
    warm: Sequence[bool] = field(default_factory=tuple)


async def aggregate(db: AsyncSession, store: ReadingStore, streams: Sequence[Stream], asked: Asked) -> Answer:
    """Whole buckets: those that touch [since, until).

    Raises:
        Invalid: when it is too much at a time; the message says what to ask for.
    """
    check_cells(len(streams), asked)
    grid = edges(asked.zone, asked.bucket, asked.since_ms, asked.until_ms)
    if asked.needs_readings:
        await check_readings(db, streams, int(grid[0]), int(grid[-1]))
    tally = Tally.empty(len(streams), len(grid) - 1)
    readings: Mapping[uuid.UUID, Readings] = {}
    if asked.needs_readings:
        lead_ms = max((longest_ms(stream.expected_ms) for stream in streams), default=0) if asked.lasting else 0
        ids = [stream.sensor.id for stream in streams]
        readings = await store.read_many(db, ids, from_ms=int(grid[0]) - lead_ms, to_ms=int(grid[-1]))
    if asked.bucket.from_raw:
        for index, stream in enumerate(streams):
            _count(tally, grid, index, stream, readings.get(stream.sensor.id, NO_READINGS))
    else:
        await _roll_up(db, store, streams, grid, asked, tally)
    extras = _extras(streams, readings, grid, asked) if asked.lasting or asked.kinetic else None
    return Answer(streams, grid, tally, extras, [stream.sensor.unit == "Cel" for stream in streams])


def check_cells(streams: int, asked: Asked) -> None:
    """Refuse more buckets than an answer can hold.

    Raises:
        Invalid: then.
    """
    buckets = (asked.until_ms - asked.since_ms) // asked.bucket.width_ms + 2
    if buckets > MOST_BUCKETS or buckets * max(1, streams) > MOST_CELLS:
        raise Invalid(
            f"{streams} sensors in about {buckets} buckets are too much for one answer: ask for a wider bucket "
            f"(auto chooses one), a shorter time, or fewer sensors; {MOST_BUCKETS:,} buckets, and {MOST_CELLS:,} of "
            "all sensors together, are the most",
            field="bucket",
        )


async def check_readings(db: AsyncSession, streams: Sequence[Stream], from_ms: int, to_ms: int) -> int:
    """About how many readings [from, to) has, by the days' roll-ups.

    Raises:
        Invalid: when looking at each of them would take too long.
    """
    count = await about(db, [stream.sensor.id for stream in streams], from_ms, to_ms)
    if count > MOST_READINGS:
        raise Invalid(
            f"about {count:,} readings would have to be looked at one by one, and {MOST_READINGS:,} are the most: ask "
            "for a shorter time or fewer sensors, or for hours or days without limits and mean kinetic temperature",
            field="until",
        )
    return count


async def about(db: AsyncSession, sensor_ids: Sequence[uuid.UUID], from_ms: int, to_ms: int) -> int:
    """How many readings the days have that touch [from, to)."""
    counted = await db.scalar(
        select(func.sum(SensorDay.count)).where(
            SensorDay.sensor_id.in_(sensor_ids),
            SensorDay.begins_ms > from_ms - DAY_MS - HOUR_MS,
            SensorDay.begins_ms < to_ms,
        )
    )
    return int(counted or 0)


async def _roll_up(
    db: AsyncSession, store: ReadingStore, streams: Sequence[Stream], grid: Instants, asked: Asked, tally: Tally
) -> None:
    """Count hours or days; what zone a stream's roll-ups are of decides which of them fit."""
    by_source: dict[tuple[str, Bucket | None], list[int]] = defaultdict(list)
    for index, stream in enumerate(streams):
        by_source[stream.zone, _source(stream.zone, grid, asked)].append(index)
    for (zone, source), indexes in by_source.items():
        if source is None:
            ids = [streams[index].sensor.id for index in indexes]
            await check_readings(db, [streams[index] for index in indexes], int(grid[0]), int(grid[-1]))
            found = await store.read_many(db, ids, from_ms=int(grid[0]), to_ms=int(grid[-1]))
            for index in indexes:
                _count(tally, grid, index, streams[index], found.get(streams[index].sensor.id, NO_READINGS))
        else:
            await _roll_up_from(db, store, streams, indexes, zone, source, grid, tally)


def _source(zone: str, grid: Instants, asked: Asked) -> Bucket | None:
    """The widest roll-up of a zone that the grid's buckets are made of; None: neither hours nor days fit."""
    candidates = (DAY, HOUR) if asked.bucket.width_ms >= DAY.width_ms else (HOUR,)
    for source in candidates:
        if zone == asked.zone or np.all(np.isin(grid, edges(zone, source, int(grid[0]), int(grid[-1])))):
            return source
    return None


async def _roll_up_from(
    db: AsyncSession,
    store: ReadingStore,
    streams: Sequence[Stream],
    indexes: Sequence[int],
    zone: str,
    source: Bucket,
    grid: Instants,
    tally: Tally,
) -> None:
    from_ms, to_ms = int(grid[0]), int(grid[-1])
    rows = await _fetch_rows(db, source, [streams[index].sensor.id for index in indexes], from_ms, to_ms)
    place = {streams[index].sensor.id: index for index in indexes}
    mixed = _mixed(streams, indexes, edges(zone, source, from_ms, to_ms))
    which = np.array([place[sensor_id] for sensor_id in rows.keys], np.int64)[rows.which]
    begins = rows.columns["begins_ms"]
    gains, offsets, kept = _corrections(streams, indexes, which, begins)
    for index, spans in mixed.items():
        for begin, end in spans:
            kept &= ~((which == index) & (begins >= begin) & (begins < end))
    buckets = np.searchsorted(grid, begins, side="right") - 1
    chosen = np.flatnonzero(kept)
    gains, offsets, counts = gains[chosen], offsets[chosen], rows.columns["count"][chosen]
    tally.add(
        (which * (len(grid) - 1) + buckets)[chosen],
        counts,
        rows.columns["total"][chosen] * gains + offsets * counts,
        rows.columns["minimum"][chosen] * gains + offsets,
        rows.columns["maximum"][chosen] * gains + offsets,
    )
    for (begin, end), those in _by_span(mixed).items():
        ids = [streams[index].sensor.id for index in those]
        found = await store.read_many(db, ids, from_ms=begin, to_ms=end)
        for index in those:
            _count(tally, grid, index, streams[index], found.get(streams[index].sensor.id, NO_READINGS))


async def _fetch_rows(
    db: AsyncSession, source: Bucket, sensor_ids: Sequence[uuid.UUID], from_ms: int, to_ms: int
) -> Fetched:
    """Hours or days of sensors that begin in [from, to): closed ones, and what is open with the series.

    What was open when the series were read, and is closed a moment later, is there twice: the closed one counts.
    """
    model, name = (ReadingDay, "day") if source == DAY else (ReadingHour, "hour")
    open_ = [getattr(SensorSeries, f"{name}_{field}") for field in ("begins_ms", *_SUMS)]
    theirs = select(SensorSeries.number, SensorSeries.sensor_id, *open_).where(SensorSeries.sensor_id.in_(sensor_ids))
    series = (await db.execute(theirs)).all()
    sensors = {row[0]: row[1] for row in series}
    closed = await fetch_nearly(
        db,
        select(model.series).where(model.series.in_([*sensors]), model.begins_ms >= from_ms, model.begins_ms < to_ms),
        model.series,
        (
            ("begins_ms", model.begins_ms, np.int64),
            ("count", model.count, np.int64),
            ("total", model.total, np.float64),
            ("minimum", model.minimum, np.float64),
            ("maximum", model.maximum, np.float64),
        ),
    )
    keys = {number: index for index, number in enumerate(sensors)}
    which = np.array([keys[number] for number in closed.keys], np.int64)[closed.which]
    begun = [(keys[row[0]], *row[2:]) for row in series if row[2] is not None and from_ms <= row[2] < to_ms]
    late = closed.columns["begins_ms"] >= min((bucket[1] for bucket in begun), default=to_ms)
    there = set(zip(which[late].tolist(), closed.columns["begins_ms"][late].tolist(), strict=True))
    opened = [bucket for bucket in begun if bucket[:2] not in there]
    columns = closed.columns
    if opened:
        first, *added = (np.array(column) for column in zip(*opened, strict=True))
        which = np.concatenate([which, first])
        columns = {
            field: np.concatenate([columns[field], more])
            for field, more in zip(("begins_ms", *_SUMS), added, strict=True)
        }
    return Fetched([*sensors.values()], which, columns)


def _mixed(
    streams: Sequence[Stream], indexes: Sequence[int], source_edges: Instants
) -> dict[int, list[tuple[int, int]]]:
    """The source's stretches of each stream in which something changes, [begin, end)."""
    mixed: dict[int, list[tuple[int, int]]] = {}
    for index in indexes:
        spans = set()
        for change_ms in streams[index].changes_ms(int(source_edges[0]), int(source_edges[-1])):
            at = int(np.searchsorted(source_edges, change_ms, side="right")) - 1
            if source_edges[at] != change_ms:
                spans.add((int(source_edges[at]), int(source_edges[at + 1])))
        if spans:
            mixed[index] = sorted(spans)
    return mixed


def _by_span(mixed: Mapping[int, Sequence[tuple[int, int]]]) -> dict[tuple[int, int], list[int]]:
    turned: dict[tuple[int, int], list[int]] = defaultdict(list)
    for index, spans in mixed.items():
        for span in spans:
            turned[span].append(index)
    return turned


def _corrections(
    streams: Sequence[Stream], indexes: Sequence[int], which: Instants, begins: Instants
) -> tuple[Numbers, Numbers, npt.NDArray[np.bool_]]:
    """Gain and offset of each row by when it begins, and whether its sensor belonged to the answer then."""
    gains, offsets = np.ones(len(streams)), np.zeros(len(streams))
    for index in indexes:
        first = streams[index].sensor.corrections[0]
        gains[index], offsets[index] = first.gain, first.offset
    row_gains, row_offsets, kept = gains[which], offsets[which], np.ones(len(which), np.bool_)
    for index in indexes:
        stream = streams[index]
        if len(stream.sensor.corrections) == 1 and stream.is_whole:
            continue
        mine = np.flatnonzero(which == index)
        kept[mine] = stream.belongs(begins[mine])
        starts = np.array([correction.from_ms for correction in stream.sensor.corrections[1:]], np.int64)
        in_force = np.searchsorted(starts, begins[mine], side="right")
        row_gains[mine] = np.array([correction.gain for correction in stream.sensor.corrections])[in_force]
        row_offsets[mine] = np.array([correction.offset for correction in stream.sensor.corrections])[in_force]
    return row_gains, row_offsets, kept


def _count(tally: Tally, grid: Instants, index: int, stream: Stream, readings: Readings) -> None:
    """Count readings one by one."""
    times_ms, values = usable(stream, readings, int(grid[0]), int(grid[-1]))
    buckets = np.searchsorted(grid, times_ms, side="right") - 1
    ones = np.ones(len(times_ms), np.int64)
    tally.add(index * (len(grid) - 1) + buckets, ones, values, values, values)


def usable(stream: Stream, readings: Readings, from_ms: int, to_ms: int) -> tuple[Instants, Numbers]:
    """Times and corrected values of what counts in [from, to)."""
    chosen = (readings.qualities != BAD) & (readings.times_ms >= from_ms) & (readings.times_ms < to_ms)
    if not stream.is_whole:
        chosen &= stream.belongs(readings.times_ms)
    times_ms = readings.times_ms[chosen]
    return times_ms, stream.sensor.correct(times_ms, readings.values[chosen])


def _extras(streams: Sequence[Stream], readings: Mapping[uuid.UUID, Readings], grid: Instants, asked: Asked) -> Extras:
    shape = (len(streams), len(grid) - 1)
    made = Extras(np.zeros(shape), np.zeros(shape), np.zeros(shape), np.zeros(shape), np.zeros(shape, np.int64))
    until_ms = min(int(grid[-1]), clock.now_ms())
    for index, stream in enumerate(streams):
        found = readings.get(stream.sensor.id, NO_READINGS)
        if asked.lasting:
            lasted = held(stream, found, until_ms=until_ms)
            above, below = beyond(lasted, asked.above, asked.below)
            made.above_s[index] = above.seconds(grid)
            made.below_s[index] = below.seconds(grid)
            made.known_s[index] = lasted.seconds(grid)
        if asked.kinetic:
            times_ms, values = usable(stream, found, int(grid[0]), int(grid[-1]))
            buckets = np.searchsorted(grid, times_ms, side="right") - 1
            made.rates[index] = np.bincount(buckets, kinetics.rates(values), shape[1])
            made.rate_counts[index] = np.bincount(buckets, minlength=shape[1])
    return made


def beyond(lasted: Held, above: float | None, below: float | None) -> tuple[Held, Held]:
    """What lay above the one limit, and below the other; at a limit is in range."""
    never = np.zeros(len(lasted.values), np.bool_)
    too_high = never if above is None else lasted.values > above
    too_low = never if below is None else lasted.values < below
    return lasted.where(too_high), lasted.where(too_low)
