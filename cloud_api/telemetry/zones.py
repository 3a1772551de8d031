"""Hours and days as the clock on the wall of a place has them, for whole arrays of times.

An hour is a stretch over which that clock shows one hour without being set: its beginning is when the clock shows, or
would have shown, the full hour. A day begins at the first instant of its date: it has 23, 24 or 25 hours where clocks
are changed.
"""

from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = _EPOCH.toordinal()

Integers = npt.NDArray[np.int64]


class Zone:
    """One time zone."""

    def __init__(self, name: str) -> None:
        self._zone = ZoneInfo(name)
        #: year -> [(when the clock is set, its offset from then on)]
        self._changes: dict[int, list[tuple[int, int]]] = {}
        self._day_begins: dict[int, int] = {}

    def hours(self, times_ms: Integers) -> tuple[Integers, Integers]:
        """(when the hour of each time begins, its date as days since 1970); shapes (n,), n >= 1."""
        offsets = self._offsets(times_ms)
        local_hours_ms = (times_ms + offsets) // HOUR_MS * HOUR_MS
        return local_hours_ms - offsets, local_hours_ms // DAY_MS

    def day_begins(self, dates: Integers) -> Integers:
        """When dates, as days since 1970, begin; shape (n,)."""
        known = self._day_begins
        for date in np.unique(dates).tolist():
            if date not in known:
                midnight = datetime.fromordinal(_EPOCH_DAY + date).replace(tzinfo=self._zone)
                known[date] = round(midnight.timestamp() * 1000)
        return np.array([known[date] for date in dates.tolist()], np.int64)

    def stretches(self, from_ms: int, to_ms: int) -> list[tuple[int, int, int]]:
        """(begin, end, how far the clock is ahead of UTC) of what lies between its changes in [from, to), from < to."""
        marks = [(from_ms, self._offset_ms(from_ms)), *self._changes_in(from_ms, to_ms - 1)]
        ends = [*(at_ms for at_ms, _ in marks[1:]), to_ms]
        return [(begin_ms, end_ms, offset_ms) for (begin_ms, offset_ms), end_ms in zip(marks, ends, strict=True)]

    def _changes_in(self, first_ms: int, last_ms: int) -> list[tuple[int, int]]:
        """Those after the first moment, the last one included."""
        return [
            change
            for year in range(_at(first_ms).year, _at(last_ms).year + 1)
            for change in self._changes_of(year)
            if first_ms < change[0] <= last_ms
        ]

    def _offsets(self, times_ms: Integers) -> Integers | int:
        """How far the clock is ahead of UTC at each time."""
        first_ms, last_ms = int(times_ms.min()), int(times_ms.max())
        changes, offset_ms = self._changes_in(first_ms, last_ms), self._offset_ms(first_ms)
        if not changes:
            return offset_ms
        since = np.array([at_ms for at_ms, _ in changes], np.int64)
        offsets = np.array([offset_ms, *(after_ms for _, after_ms in changes)], np.int64)
        ahead: Integers = offsets[np.searchsorted(since, times_ms, side="right")]
        return ahead

    def _changes_of(self, year: int) -> list[tuple[int, int]]:
        if year not in self._changes:
            days_ms = range(_year_ms(year), _year_ms(year + 1), DAY_MS)
            self._changes[year] = [
                (changed_ms, self._offset_ms(changed_ms))
                for day_ms in days_ms
                if self._offset_ms(day_ms) != self._offset_ms(day_ms + DAY_MS)
                for changed_ms in [self._change_after(day_ms)]
            ]
        return self._changes[year]

    def _change_after(self, day_ms: int) -> int:
        """The second within a day at which the clock is set."""
        seconds, before = range(DAY_MS // 1000 + 1), self._offset_ms(day_ms)
        return day_ms + 1000 * bisect_right(
            seconds, False, key=lambda second: self._offset_ms(day_ms + second * 1000) != before
        )

    def _offset_ms(self, at_ms: int) -> int:
        offset = _at(at_ms).astimezone(self._zone).utcoffset()
        return round((offset or timedelta()).total_seconds() * 1000)


@lru_cache(maxsize=600)
def zone_called(name: str) -> Zone:
    """The zone of an IANA name."""
    return Zone(name)


_numbers: dict[str, int] = {}
_names: list[str] = []


def number_of(name: str) -> int:
    """The number by which this process knows the zone of an IANA name."""
    if name not in _numbers:
        _names.append(name)
        _numbers[name] = len(_numbers)
    return _numbers[name]


def zone_numbered(number: int) -> Zone:
    """The zone of a number that `number_of` gave."""
    return zone_called(_names[number])


def _at(at_ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=at_ms)


def _year_ms(year: int) -> int:
    return (datetime(year, 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1)
