"""The readings of a batch as arrays, and what becomes of each by the lane's cursor. Nothing here is trusted."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from gateway.contract import Refusal

#: a sequence on the wire stays below this; the lane's number stands above it in the stored key
SEQUENCES = 2**40

#: (sensor, quantity, unit)
Series = tuple[str, str, str]
Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_BEFORE_TIME = "lies before 1970"
_FAR_AHEAD = "lies further ahead of the cloud's clock than is believed: set the gateway's clock"
_LONG_AGO = "lies longer ago than readings are taken: set the gateway's clock, or let the row go"
#: message -> code of what has one of its own
CODES = {_FAR_AHEAD: "TIME_AHEAD", _LONG_AGO: "TIME_TOO_OLD"}

#: what can be wrong with a row, the first that applies is named: field, message
_PROBLEMS = (
    ("", ""),
    ("sequence", "must lie between 1 and 2^40"),
    ("recorded_at_ms", _BEFORE_TIME),
    ("recorded_at_ms", _FAR_AHEAD),
    ("recorded_at_ms", _LONG_AGO),
    ("value", "must be a finite number"),
    ("rows", "names none of columns.series"),
    ("", ""),  # of the series: `wrong_series` says it
    ("flags", "is no sum of bits"),
    ("", ""),  # could not even be read: `unreadable` says it
)
_SEQUENCE, _EARLY, _AHEAD, _OLD, _VALUE, _INDEX, _OF_SERIES, _FLAGS, _UNREADABLE = range(1, len(_PROBLEMS))


@dataclass(frozen=True, slots=True)
class Window:
    """The times that are believed, both ends included."""

    earliest_ms: int
    latest_ms: int


def problems_of_time(name: str, at_ms: int, window: Window) -> list[tuple[bool, str, str]]:
    """(whether it is so, field, message) of all that can be wrong with a time."""
    return [
        (at_ms < 0, name, _BEFORE_TIME),
        (at_ms > window.latest_ms, name, _FAR_AHEAD),
        (at_ms < window.earliest_ms, name, _LONG_AGO),
    ]


def is_name(text: str, longest: int) -> bool:
    """PostgreSQL's text holds everything but NUL."""
    return 1 <= len(text) <= longest and "\0" not in text


@lru_cache(maxsize=8_192)
def problem_of_series(series: Series) -> tuple[str, str] | None:
    """(field, message) of what is wrong with the names of a series."""
    for name, text, longest in zip(("sensor", "quantity", "unit"), series, (200, 64, 16), strict=True):
        if not is_name(text, longest):
            return name, f"must have 1 to {longest} characters, none of them NUL"
    return None


@dataclass(slots=True)
class ReadingRows:
    """All rows of one batch, in its order; arrays of shape (n,)."""

    names: Sequence[Series]
    #: of each row: index into `names`
    which: Integers
    #: as the wire counts; outside of [1, 2^40): the row has none
    sequences: Integers
    times_ms: Integers
    values: npt.NDArray[np.float64]
    qualities: npt.NDArray[np.int8]
    #: index into `_PROBLEMS`; None: nothing is wrong with any row
    problems: npt.NDArray[np.int8] | None = None
    wrong_series: Sequence[tuple[str, str] | None] = ()
    #: (field, message) of rows that could not be read
    unreadable: dict[int, tuple[str, str]] = field(default_factory=dict)

    @classmethod
    def checked(
        cls,
        names: Sequence[Series],
        *,
        which: Integers,
        sequences: Integers,
        times_ms: Integers,
        values: npt.NDArray[np.float64],
        qualities: npt.NDArray[np.int8],
        window: Window,
        wrong_series: Sequence[tuple[str, str] | None] = (),
        unreadable: dict[int, tuple[str, str]] | None = None,
    ) -> "ReadingRows":
        """The rows with what is wrong with each."""
        rows = cls(names, which, sequences, times_ms, values, qualities, None, wrong_series, unreadable or {})
        right = (sequences >= 1) & (sequences < SEQUENCES)
        right &= (times_ms >= window.earliest_ms) & (times_ms <= window.latest_ms)
        right &= np.isfinite(values) & (which >= 0) & (which < len(names)) & (qualities >= 0)
        if unreadable or any(wrong_series) or not right.all():
            rows.problems = rows._find_problems(window)
        return rows

    def _find_problems(self, window: Window) -> npt.NDArray[np.int8]:
        wrong = np.array([problem is not None for problem in self.wrong_series] or [False])
        listed = (self.which >= 0) & (self.which < len(self.names))
        unread = np.zeros(len(self.which), np.bool_)
        unread[list(self.unreadable)] = True
        found = {
            _UNREADABLE: unread,
            _SEQUENCE: (self.sequences < 1) | (self.sequences >= SEQUENCES),
            _EARLY: self.times_ms < 0,
            _AHEAD: self.times_ms > window.latest_ms,
            _OLD: self.times_ms < window.earliest_ms,
            _VALUE: ~np.isfinite(self.values),
            _INDEX: ~listed,
            _OF_SERIES: wrong[np.where(listed & (self.which < len(wrong)), self.which, 0)] & listed,
            _FLAGS: self.qualities < 0,
        }
        return np.select(list(found.values()), [np.int8(problem) for problem in found], np.int8(0)).astype(np.int8)

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.which)

    def refusal(self, index: int) -> Refusal:
        """Why a row is not taken."""
        assert self.problems is not None  # noqa: S101 - asked of rows with a problem only
        problem, sequence = int(self.problems[index]), self.sequence_of(index)
        name, message = _PROBLEMS[problem]
        if problem == _UNREADABLE:
            name, message = self.unreadable[index]
        elif problem == _OF_SERIES:
            name, message = self.wrong_series[self.which[index]] or (name, message)
        return Refusal(index, sequence, CODES.get(message, "INVALID_ROW"), name, message)

    def sequence_of(self, index: int) -> int | None:
        """A row's sequence, when it has one."""
        sequence = int(self.sequences[index])
        return sequence if 1 <= sequence < SEQUENCES else None


@dataclass(frozen=True, slots=True)
class SortedReadings:
    """A batch's rows by what becomes of them: indices into its arrays."""

    #: new ones, in the order of their sequences
    fresh: Integers
    #: at or below the cursor, or in this batch before
    duplicates: Integers
    refused: Integers
    #: the cursor from here on
    through: int


_NONE: Integers = np.empty(0, np.int64)


def sort_readings(rows: ReadingRows, acked_through: int) -> SortedReadings:
    """What is at or below the cursor, or was in this batch before, is a duplicate; the rest is new or refused."""
    sequences = rows.sequences
    rising = bool((sequences[1:] > sequences[:-1]).all())
    if rows.problems is None and rising:
        known = int(np.searchsorted(sequences, acked_through, side="right"))
        every = np.arange(len(sequences))
        through = max(acked_through, int(sequences[-1]))
        return SortedReadings(every[known:], every[:known], _NONE, through)
    valid = (sequences >= 1) & (sequences < SEQUENCES)
    first = np.zeros(len(sequences), np.bool_)
    first[np.unique(sequences, return_index=True)[1]] = True
    known_before = valid & ((sequences <= acked_through) | ~first)
    wrong = rows.problems != 0 if rows.problems is not None else np.zeros(len(sequences), np.bool_)
    fresh = np.flatnonzero(~known_before & ~wrong)
    settled = sequences[valid & ~known_before]
    return SortedReadings(
        fresh[np.argsort(sequences[fresh], kind="stable")],
        np.flatnonzero(known_before),
        np.flatnonzero(~known_before & wrong),
        int(settled.max()) if len(settled) else acked_through,
    )
