"""Readings that come as columns, put together to rows again: the same checks, the same refusals as of objects.

What contradicts itself as a whole (lists of unequal lengths, sequences that do not rise) is refused as a whole: nobody
can tell which row is which. A value that is none, a series that is not listed, a time that cannot be: these refuse
their row.
"""

import json
import math
from collections.abc import Iterator
from itertools import accumulate, chain

import msgspec

from cloud_api.kernel.errors import Invalid
from gateway.contract import FLAG_BAD, FLAG_DEVICE_TIME, FLAG_SUSPECT, MAX_ROWS, Quality, Reading, Refusal, TimeSource

#: a sequence on the wire stays below this; the lane's number stands above it in the stored key
SEQUENCES = 2**40

#: number in `flags` -> what it says; a reading cannot be suspect and bad
_SAYS: dict[int, tuple[TimeSource, Quality]] = {
    0: ("gateway", "good"),
    FLAG_SUSPECT: ("gateway", "suspect"),
    FLAG_BAD: ("gateway", "bad"),
    FLAG_DEVICE_TIME: ("device", "good"),
    FLAG_DEVICE_TIME | FLAG_SUSPECT: ("device", "suspect"),
    FLAG_DEVICE_TIME | FLAG_BAD: ("device", "bad"),
}

Series = tuple[str, str, str]


class Columns(msgspec.Struct, forbid_unknown_fields=True):
    """`ReadingColumns`, in which a value may be missing: JSON has no word for a number that is none."""

    series: list[Series]
    rows: list[int]
    sequences: list[tuple[int, int]]
    times_ms: list[int]
    values: list[float | None]
    flags: list[int] = []


def is_name(text: str, longest: int) -> bool:
    """PostgreSQL's text holds everything but NUL."""
    return 1 <= len(text) <= longest and "\0" not in text


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


def read_rows(columns: Columns, latest_ms: int) -> Iterator[Reading | Refusal]:
    """Each row, checked, in order; `latest_ms` is the last moment believed."""
    series, wrong = columns.series, [_problem_of_series(one) for one in columns.series]
    flags = columns.flags or [0] * len(columns.rows)
    rows = zip(columns.rows, _sequences(columns), accumulate(columns.times_ms), columns.values, flags, strict=True)
    for index, (number, sequence, at_ms, value, said) in enumerate(rows):
        known = 0 <= number < len(series)
        says = _SAYS.get(said)
        if (
            1 <= sequence < SEQUENCES
            and 0 <= at_ms <= latest_ms
            and value is not None
            and math.isfinite(value)
            and known
            and wrong[number] is None
            and says is not None
        ):
            sensor, quantity, unit = series[number]
            yield Reading(sequence, sensor, quantity, value, unit, at_ms, says[0], says[1])
            continue
        of_series = wrong[number] if known else ("rows", "names none of columns.series")
        field, message = (
            _problem_of_row(sequence, at_ms, value, latest_ms) or of_series or ("flags", "is no sum of bits")
        )
        settled = sequence if 1 <= sequence < SEQUENCES else None
        yield Refusal(index, settled, "INVALID_ROW", field, message)


def raw_row(columns: Columns, index: int) -> bytes:
    """What a row says, for those who look into what was refused."""
    number = columns.rows[index]
    row = {
        "sequence": next(sequence for row, sequence in enumerate(_sequences(columns)) if row == index),
        "series": columns.series[number] if 0 <= number < len(columns.series) else number,
        "value": columns.values[index],
        "recorded_at_ms": sum(columns.times_ms[: index + 1]),
        "flags": columns.flags[index] if columns.flags else 0,
    }
    return json.dumps(row).encode()  # msgspec has no word for infinity, nor for sums beyond 64 bits


def _sequences(columns: Columns) -> Iterator[int]:
    return chain.from_iterable(range(first, first + count) for first, count in columns.sequences)


def _problem_of_series(series: Series) -> tuple[str, str] | None:
    for name, text, longest in zip(("sensor", "quantity", "unit"), series, (200, 64, 16), strict=True):
        if not is_name(text, longest):
            return name, f"must have 1 to {longest} characters, none of them NUL"
    return None


def _problem_of_row(sequence: int, at_ms: int, value: float | None, latest_ms: int) -> tuple[str, str] | None:
    if not 1 <= sequence < SEQUENCES:
        return "sequence", "must lie between 1 and 2^40"
    if not 0 <= at_ms <= latest_ms:
        return "recorded_at_ms", "lies before 1970 or over a day ahead"
    if value is None or not math.isfinite(value):
        return "value", "must be a finite number"
    return None
