"""Readings that come as columns, taken apart: the same checks, the same refusals as of objects.

What contradicts itself as a whole (lists of unequal lengths, sequences that do not rise) is refused as a whole: nobody
can tell which row is which. A value that is none, a series that is not listed, a time that cannot be: these refuse
their row.
"""

import json
from itertools import accumulate, chain

import msgspec
import numpy as np
import numpy.typing as npt

from cloud_api.kernel.errors import Invalid
from cloud_api.telemetry.intake.reading_rows import ReadingRows, Series, Window, problem_of_series
from gateway.contract import FLAG_BAD, FLAG_SUSPECT, MAX_ROWS

#: numbers beyond this are no sequence, index or time, and their sums might not fit into 64 bits
_WILD = 2**50
#: number in `flags` -> index into `QUALITIES`; a reading cannot be suspect and bad; what is left out says nothing
_QUALITY_OF = np.array([0, FLAG_SUSPECT, FLAG_BAD, -1, 0, FLAG_SUSPECT, FLAG_BAD, -1], np.int8)


class Columns(msgspec.Struct, forbid_unknown_fields=True):
    """`ReadingColumns`, in which a value may be missing: JSON has no word for a number that is none."""

    series: list[Series]
    rows: list[int]
    sequences: list[tuple[int, int]]
    times_ms: list[int]
    values: list[float | None]
    flags: list[int] = []


def check_shape(columns: Columns) -> int:
    """How many rows the columns have.

    Raises:
        Invalid: when they do not fit together.
    """
    count = len(columns.rows)
    for name in ("times_ms", "values", "flags"):
        length = len(getattr(columns, name))
        if length != count and not (name == "flags" and length == 0):
            raise Invalid(f"columns.{name} has {length} entries and columns.rows {count}", field=f"columns.{name}")
    end = None
    for first, length in columns.sequences:
        if length < 1 or (end is not None and first < end):
            raise Invalid("runs of sequences must have a row at least, and rise", field="columns.sequences")
        end = first + length
    told = sum(length for _, length in columns.sequences)
    if told != count:
        raise Invalid(f"columns.sequences tells of {told} rows, columns.rows of {count}", field="columns.sequences")
    if len(columns.series) > MAX_ROWS:
        raise Invalid(f"columns.series may have {MAX_ROWS} entries", field="columns.series")
    return count


def read_columns(columns: Columns, window: Window) -> ReadingRows:
    """The rows, each with what is wrong with it."""
    qualities = np.zeros(len(columns.rows), np.int8)
    if columns.flags:
        flags = numbers(columns.flags)
        qualities = _QUALITY_OF[np.where((flags >= 0) & (flags < len(_QUALITY_OF)), flags, 3)]
    return ReadingRows.checked(
        columns.series,
        which=numbers(columns.rows),
        sequences=_sequences(columns),
        times_ms=_times_ms(columns.times_ms),
        values=np.array(columns.values, np.float64),  # None becomes NaN
        qualities=qualities,
        wrong_series=[problem_of_series(series) for series in columns.series],
        window=window,
    )


def raw_row(columns: Columns, index: int) -> bytes:
    """What a row says, for those who look into what was refused."""
    number = columns.rows[index]
    sequences = chain.from_iterable(range(first, first + count) for first, count in columns.sequences)
    row = {
        "sequence": next(sequence for row, sequence in enumerate(sequences) if row == index),
        "series": columns.series[number] if 0 <= number < len(columns.series) else number,
        "value": columns.values[index],
        "recorded_at_ms": sum(columns.times_ms[: index + 1]),
        "flags": columns.flags[index] if columns.flags else 0,
    }
    return json.dumps(row).encode()  # msgspec has no word for infinity, nor for sums beyond 64 bits


def numbers(listed: list[int]) -> npt.NDArray[np.int64]:
    """As an array; what is beyond 64 bits becomes a number that still means nothing."""
    try:
        return np.array(listed, np.int64)
    except OverflowError:
        return np.array([max(-_WILD, min(_WILD, number)) for number in listed], np.int64)


def _sequences(columns: Columns) -> npt.NDArray[np.int64]:
    runs = [(max(-_WILD, min(_WILD, first)), count) for first, count in columns.sequences]
    if len(runs) == 1:
        [(first, count)] = runs
        return np.arange(first, first + count, dtype=np.int64)
    firsts, counts = np.array(runs, np.int64).reshape(-1, 2).T
    begins = np.cumsum(counts) - counts
    sequences: npt.NDArray[np.int64] = np.repeat(firsts - begins, counts) + np.arange(int(counts.sum()))
    return sequences


def _times_ms(steps: list[int]) -> npt.NDArray[np.int64]:
    try:
        steps_ms = np.array(steps, np.int64)
        if len(steps_ms) == 0 or -_WILD < steps_ms.min() <= steps_ms.max() < _WILD:
            return np.cumsum(steps_ms)
    except OverflowError:
        pass
    return np.array([max(-_WILD, min(_WILD, at_ms)) for at_ms in accumulate(steps)], np.int64)
