"""How long values lasted: a reading holds until the next one, at most `longest_ms` long, and never into the future.

Readings of quality bad say nothing: they neither hold nor end what holds. Where a sensor is silent for longer,
nothing is known: such time is neither in range nor out of it.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cloud_api.telemetry.models import QUALITIES
from cloud_api.telemetry.series.streams import Stream
from cloud_api.telemetry.stores.port import Readings

#: so many times as far as readings should be apart
_PERIODS = 3
#: when nobody knows how far that is
_UNKNOWN_MS = 900_000
BAD = QUALITIES.index("bad")


def longest_ms(expected_ms: int | None) -> int:
    """How long a reading holds at most: three times as long as readings should be apart, or 15 minutes."""
    return _UNKNOWN_MS if expected_ms is None else max(1, _PERIODS * expected_ms)


@dataclass(frozen=True, slots=True)
class Held:
    """Stretches of time with one value each, in order and apart; arrays of one shape (n,)."""

    begins_ms: npt.NDArray[np.int64]
    ends_ms: npt.NDArray[np.int64]
    #: corrected
    values: npt.NDArray[np.float64]

    def where(self, chosen: npt.NDArray[np.bool_]) -> "Held":
        """Some of them."""
        return Held(self.begins_ms[chosen], self.ends_ms[chosen], self.values[chosen])

    def seconds(self, edges_ms: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """How many seconds of each bucket they cover; of edges of shape (m + 1,), shape (m,)."""
        if not len(self.begins_ms):
            return np.zeros(len(edges_ms) - 1)
        lengths = self.ends_ms - self.begins_ms
        before = np.concatenate([[0], np.cumsum(lengths)])
        last = np.searchsorted(self.begins_ms, edges_ms, side="right") - 1
        into = np.minimum(edges_ms - self.begins_ms[last], lengths[last])
        through = np.where(last < 0, 0, before[last] + into)
        seconds: npt.NDArray[np.float64] = np.diff(through) / 1000
        return seconds


def held(stream: Stream, readings: Readings, *, until_ms: int) -> Held:
    """What readings of a sensor, by time, say of the time until `until_ms`, as far as it belongs to the answer."""
    good = readings.qualities != BAD
    times_ms, raw = readings.times_ms[good], readings.values[good]
    ends_ms = np.minimum(np.append(times_ms[1:], until_ms), times_ms + longest_ms(stream.expected_ms))
    ends_ms = np.minimum(ends_ms, until_ms)
    values = stream.sensor.correct(times_ms, raw)
    if not stream.is_whole:
        for begin, end in stream.stays:
            ends_ms = np.where((times_ms >= begin) & (times_ms < end), np.minimum(ends_ms, end), ends_ms)
    counts = stream.belongs(times_ms) & (ends_ms > times_ms)
    return Held(times_ms[counts], ends_ms[counts], values[counts])


def union_s(pieces: list[Held], from_ms: int, to_ms: int) -> float:
    """How many seconds of [from, to) at least one of them covers."""
    if not pieces:
        return 0.0
    begins = np.concatenate([piece.begins_ms for piece in pieces])
    ends = np.concatenate([piece.ends_ms for piece in pieces])
    begins, ends = np.clip(begins, from_ms, to_ms), np.clip(ends, from_ms, to_ms)
    order = np.argsort(begins, kind="stable")
    begins, ends = begins[order], ends[order]
    if not len(begins):
        return 0.0
    reached = np.maximum.accumulate(ends)
    # what a stretch adds to all before it
    added = reached - np.maximum(begins, np.concatenate([[from_ms], reached[:-1]]))
    return float(np.maximum(added, 0).sum() / 1000)
