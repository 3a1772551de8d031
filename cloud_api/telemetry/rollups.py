"""What is kept of each series at ingest: its last value, how often it is heard, and its hours and days.

Of hours and days the open ones, the newest that have a reading, stay with the series; what is added to those before
goes into `reading_hours` and `reading_days`. All of it is right however late and shuffled readings come: sums are
added to, never set. Values are raw; readings of quality bad count for nothing but the last value and the cadence.

Everything here is arithmetic on whole arrays: many series of many gateways at once.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cloud_api.telemetry.models import QUALITIES
from cloud_api.telemetry.zones import zone_numbered

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Table = npt.NDArray[np.void]

_BAD = QUALITIES.index("bad")
#: in place of a time that there is not
NEVER = -(2**62)

_BUCKET = [("begins_ms", "i8"), ("count", "i8"), ("total", "f8"), ("minimum", "f8"), ("maximum", "f8")]
#: `SensorSeries` as it is kept in memory; zones are numbered by `zones`, a cadence of 0 is none
STATE = np.dtype(
    [
        ("number", "i8"),
        ("zone", "i8"),
        ("last_ms", "i8"),
        ("last_value", "f8"),
        ("last_quality", "i8"),
        ("heard_ms", "i8"),
        ("cadence_ms", "i8"),
        ("hour", _BUCKET),
        ("day", _BUCKET),
    ]
)
#: what is to be added to `reading_hours` or `reading_days`; `series` is `SensorSeries.number`
CLOSED = np.dtype([("series", "i8"), *_BUCKET])

#: one distance weighs this part of what was known, a batch of many more: a gap moves the cadence by a ninth at most
_CADENCE_MEMORY = 8


@dataclass(frozen=True, slots=True)
class Arrivals:
    """New readings, those of one series together, in the order of their lane; arrays of shape (n,), n >= 1."""

    #: index of the series' state, not falling
    which: Integers
    times_ms: Integers
    values: Floats
    qualities: npt.NDArray[np.int8]

    def by_time(self) -> "Arrivals":
        """Each series' readings by time; those of one instant as they came."""
        back = (self.times_ms[1:] < self.times_ms[:-1]) & (self.which[1:] == self.which[:-1])
        if not back.any():
            return self
        order = np.lexsort((self.times_ms, self.which))
        return Arrivals(self.which[order], self.times_ms[order], self.values[order], self.qualities[order])


@dataclass(frozen=True, slots=True)
class Closed:
    """What is to be added to hours and days that are not open, each at most once; of `CLOSED`."""

    hours: Table
    days: Table


def advance(state: Table, arrivals: Arrivals, *, heard_ms: int) -> Closed:
    """Bring `state`, an array of `STATE`, up to date in place, at `heard_ms`. Returns what does not stay in it."""
    new = arrivals.by_time()
    begins = np.flatnonzero(np.concatenate(([True], new.which[1:] != new.which[:-1])))
    touched = new.which[begins]
    _take_cadence(state, new, begins)
    _take_last(state, new, begins)
    state["heard_ms"][touched] = heard_ms
    good = new.qualities != _BAD
    if good.all():
        counted = new
    else:
        counted = Arrivals(new.which[good], new.times_ms[good], new.values[good], new.qualities[good])
    if not len(counted.which):
        return Closed(np.empty(0, CLOSED), np.empty(0, CLOSED))
    hours, days = _buckets(state, counted)
    return Closed(_take_buckets(state, "hour", hours), _take_buckets(state, "day", days))


def _take_last(state: Table, new: Arrivals, begins: Integers) -> None:
    ends = np.concatenate((begins[1:], [len(new.which)])) - 1
    newer = new.times_ms[ends] >= state["last_ms"][new.which[ends]]
    ends = ends[newer]
    series = new.which[ends]
    state["last_ms"][series] = new.times_ms[ends]
    state["last_value"][series] = new.values[ends]
    state["last_quality"][series] = new.qualities[ends]


def _take_cadence(state: Table, new: Arrivals, begins: Integers) -> None:
    """Move each series' cadence towards the median distance of its new readings.

    By n / (n + 8) of the way for n distances, and towards no more than n + 1 times what was known, nor less than that
    part of it: a gap or a burst moves it little, a cadence that has really changed is known after some dozen readings.
    """
    before_ms = np.concatenate((new.times_ms[:1], new.times_ms[:-1]))
    before_ms[begins] = state["last_ms"][new.which[begins]]
    distances = new.times_ms - before_ms
    told = (distances > 0) & (before_ms > NEVER)
    which, distances = new.which[told], np.minimum(distances[told], 2**40)
    if not len(which):
        return
    keys = np.sort(which << 41 | distances)  # by series, then by distance
    which, distances = keys >> 41, keys & (2**41 - 1)
    first = np.flatnonzero(np.concatenate(([True], which[1:] != which[:-1])))
    counts = np.diff(np.concatenate((first, [len(which)])))
    series, median = which[first], distances[first + (counts - 1) // 2]
    known = state["cadence_ms"][series]
    near = np.clip(median, known // (1 + counts), known * (1 + counts))
    moved = known + np.rint((near - known) * (counts / (counts + _CADENCE_MEMORY))).astype(np.int64)
    state["cadence_ms"][series] = np.maximum(1, np.where(known > 0, moved, median))


def _buckets(state: Table, counted: Arrivals) -> tuple[Table, Table]:
    """The new readings by hour and by day of their series' zone; `series` is the index of the state here."""
    hours_ms, dates = _hours(state, counted)
    changes = (counted.which[1:] != counted.which[:-1]) | (hours_ms[1:] != hours_ms[:-1])
    first = np.flatnonzero(np.concatenate(([True], changes)))
    hours = np.empty(len(first), CLOSED)
    hours["series"], hours["begins_ms"] = counted.which[first], hours_ms[first]
    hours["count"] = np.diff(np.concatenate((first, [len(hours_ms)])))
    hours["total"] = np.add.reduceat(counted.values, first)
    hours["minimum"] = np.minimum.reduceat(counted.values, first)
    hours["maximum"] = np.maximum.reduceat(counted.values, first)
    dates = dates[first]
    changes = (hours["series"][1:] != hours["series"][:-1]) | (dates[1:] != dates[:-1])
    first = np.flatnonzero(np.concatenate(([True], changes)))
    days = np.empty(len(first), CLOSED)
    days["series"] = hours["series"][first]
    days["begins_ms"] = _day_begins(state, days["series"], dates[first])
    days["count"] = np.add.reduceat(hours["count"], first)
    days["total"] = np.add.reduceat(hours["total"], first)
    days["minimum"] = np.minimum.reduceat(hours["minimum"], first)
    days["maximum"] = np.maximum.reduceat(hours["maximum"], first)
    return hours, days


def _hours(state: Table, counted: Arrivals) -> tuple[Integers, Integers]:
    zones = np.unique(state["zone"]).tolist()
    if len(zones) == 1:
        return zone_numbered(zones[0]).hours(counted.times_ms)
    zone_of = state["zone"][counted.which]
    hours_ms, dates = np.empty_like(counted.times_ms), np.empty_like(counted.times_ms)
    for number in zones:
        its = zone_of == number
        if its.any():
            hours_ms[its], dates[its] = zone_numbered(number).hours(counted.times_ms[its])
    return hours_ms, dates


def _day_begins(state: Table, series: Integers, dates: Integers) -> Integers:
    zone_of, begins_ms = state["zone"][series], np.empty_like(dates)
    for number in np.unique(zone_of).tolist():
        its = zone_of == number
        begins_ms[its] = zone_numbered(number).day_begins(dates[its])
    return begins_ms


def _take_buckets(state: Table, name: str, new: Table) -> Table:
    """Add buckets, by series and time, to the open ones in place. Returns those that are not open, or not any more."""
    open_ = state[name]
    series = new["series"]
    begins_ms = open_["begins_ms"][series]
    same = np.flatnonzero(new["begins_ms"] == begins_ms)
    _add(open_, series[same], new[same])
    newest = np.concatenate((series[1:] != series[:-1], [True])) & (new["begins_ms"] > begins_ms)
    ended = series[newest]
    ended = ended[open_["begins_ms"][ended] > NEVER]
    closed = np.empty(len(ended), CLOSED)
    closed["series"] = ended
    for column, _ in _BUCKET:
        closed[column] = open_[column][ended]
        open_[column][series[newest]] = new[column][newest]
    beside = new[(new["begins_ms"] != begins_ms) & ~newest]
    closed = np.concatenate((closed, beside))
    closed["series"] = state["number"][closed["series"]]
    return closed


def _add(open_: Table, series: Integers, more: Table) -> None:
    open_["count"][series] += more["count"]
    open_["total"][series] += more["total"]
    open_["minimum"][series] = np.minimum(open_["minimum"][series], more["minimum"])
    open_["maximum"][series] = np.maximum(open_["maximum"][series], more["maximum"])
