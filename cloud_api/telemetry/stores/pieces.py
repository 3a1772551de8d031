"""Pieces of one sensor's readings: cut, and put together."""

from collections.abc import Collection

import numpy as np

from cloud_api.telemetry.stores.port import NO_READINGS, Readings

#: of a day (UTC), as readings are sealed and kept
DAY_MS = 86_400_000


def merged(pieces: Collection[Readings]) -> Readings:
    """Pieces of one sensor's readings as one, by (time, sequence), each reading once."""
    filled = [piece for piece in pieces if len(piece)]
    if len(filled) < 2:
        return filled[0] if filled else NO_READINGS
    times_ms = np.concatenate([piece.times_ms for piece in filled])
    sequences = np.concatenate([piece.sequences for piece in filled])
    order = np.lexsort((sequences, times_ms))
    times_ms, sequences = times_ms[order], sequences[order]
    new = np.concatenate(([True], (times_ms[1:] != times_ms[:-1]) | (sequences[1:] != sequences[:-1])))
    order = order[new]
    return Readings(
        times_ms[new],
        sequences[new],
        np.concatenate([piece.values for piece in filled])[order],
        np.concatenate([piece.qualities for piece in filled])[order],
    )


def between(readings: Readings, from_ms: int, to_ms: int) -> Readings:
    """Those in [from, to)."""
    begin, end = np.searchsorted(readings.times_ms, (from_ms, to_ms))
    return _cut(readings, slice(begin, end))


def behind(readings: Readings, after: tuple[int, int] | None) -> Readings:
    """Those behind (time, sequence)."""
    if after is None:
        return readings
    same, later = np.searchsorted(readings.times_ms, (after[0], after[0] + 1))
    return _cut(readings, slice(same + np.searchsorted(readings.sequences[same:later], after[1], side="right"), None))


def first(readings: Readings, limit: int | None) -> Readings:
    """At most `limit`; None: all."""
    return readings if limit is None else _cut(readings, slice(0, limit))


def _cut(readings: Readings, part: slice) -> Readings:
    if part == slice(0, len(readings)):
        return readings
    return Readings(readings.times_ms[part], readings.sequences[part], readings.values[part], readings.qualities[part])
