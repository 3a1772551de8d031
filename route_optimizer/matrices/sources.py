"""Whoever knows the roads between places: a map on this machine (`roads`) or a server (`servers`), asked alike."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, NamedTuple, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from route_optimizer.matrices.points import Point, check_points
from route_optimizer.problem import LONGEST_S, UNREACHABLE, Matrix
from route_optimizer.validation import LONGEST_M, ProblemError

#: what an answer may hold: more is no way on Earth
Metres = Annotated[float, msgspec.Meta(ge=0, le=LONGEST_M)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=LONGEST_S)]


class SourceError(ProblemError):
    """A source of distances that cannot answer: which one, what it said, and what to do."""


class SourceMissing(SourceError):
    """A library, a tool or a file that it needs is not there."""


class SourceRefused(SourceError):
    """It will not answer this request, now or later: a wrong key, a malformed request, too much asked for."""


class SourceUnavailable(SourceError):
    """It did not answer this time, however patiently it was asked; later it may."""


class SourceConfused(SourceError):
    """It answered what its protocol does not allow."""


@dataclass(frozen=True, eq=False)
class Table:
    """Ways from some places to some others; `UNREACHABLE` in both arrays where no road leads."""

    #: metres from row to column, shape (origins, destinations), int64
    distance_m: NDArray[np.int64]
    #: seconds from row to column, the same shape
    duration_s: NDArray[np.int64]
    #: places that are not on the road network, each with the reason in words
    off_road: dict[Point, str] = field(default_factory=dict)

    @classmethod
    def blank(cls, origins: int, destinations: int) -> "Table":
        """Nothing reaches anything yet."""
        shape = (origins, destinations)
        return cls(np.full(shape, UNREACHABLE, dtype=np.int64), np.full(shape, UNREACHABLE, dtype=np.int64))

    def put(self, rows: Sequence[int], columns: Sequence[int], part: "Table") -> None:
        """Write a part of it, and what the part knows of places off the road."""
        cells = np.ix_(rows, columns)
        self.distance_m[cells] = part.distance_m
        self.duration_s[cells] = part.duration_s
        self.off_road.update(part.off_road)


class Limits(NamedTuple):
    """How much a source is asked at once, at most."""

    #: origins times destinations
    pairs: int
    #: origins and destinations together
    places: int = 1_000_000
    origins: int = 1_000_000


class Source(Protocol):
    """What answers for ways on roads."""

    @property
    def name(self) -> str:
        """Which map or server, and the kind of vehicle: answers are kept under it."""

    @property
    def limits(self) -> Limits:
        """How much one request to it may hold."""

    def table(self, origins: Sequence[Point], destinations: Sequence[Point]) -> Table:
        """The ways from each origin to each destination, asked for in blocks if need be.

        Raises:
            SourceError: when it cannot answer.
        """


@dataclass(frozen=True, eq=False)
class Survey:
    """A matrix on real roads, and what is known of its gaps."""

    matrix: Matrix
    #: row of a place that cannot be driven to or from, with the reason in words
    off_road: Mapping[int, str]


def survey(points: Sequence[Point], source: Source) -> Survey:
    """The matrix of some places as a source knows it.

    A place off the road keeps its row, so that a stop there comes back unserved with its reason instead of stopping
    the plan; `Survey.off_road` tells why.

    Raises:
        ProblemError: when a coordinate is not on Earth.
        SourceError: when the source cannot answer.
    """
    check_points(points)
    table = source.table(points, points) if points else Table.blank(0, 0)
    np.fill_diagonal(table.distance_m, 0)
    np.fill_diagonal(table.duration_s, 0)
    reasons = {row: table.off_road[point] for row, point in enumerate(points) if point in table.off_road}
    return Survey(Matrix(table.distance_m, table.duration_s), reasons | _cut_off(table, set(reasons)))


def _cut_off(table: Table, off_road: set[int]) -> dict[int, str]:
    """Places on roads that lead nowhere, at least to none of the others."""
    others = [row for row in range(len(table.distance_m)) if row not in off_road]
    if len(others) < 2:
        return {}
    reached = table.distance_m[np.ix_(others, others)] != UNREACHABLE
    np.fill_diagonal(reached, val=False)
    reasons = {}
    for number, row in enumerate(others):
        to, away = reached[:, number].any(), reached[number].any()
        if not to and not away:
            reasons[row] = "is on a road that no other place is connected to"
        elif not to:
            reasons[row] = "cannot be driven to from any other place"
        elif not away:
            reasons[row] = "cannot be left for any other place"
    return reasons


Block = tuple[list[int], list[int]]


def blocks(rows: Sequence[int], columns: Sequence[int], most: Limits) -> Iterator[Block]:
    """Rows × columns cut into pieces within the limits; where one side is short, the other is longer."""
    if not rows or not columns:
        return
    high = min(len(rows), most.origins, math.isqrt(most.pairs), most.places // 2)
    wide = min(len(columns), most.pairs // high, most.places - high)
    high = min(len(rows), most.origins, most.pairs // wide, most.places - wide)
    for top in range(0, len(rows), high):
        for left in range(0, len(columns), wide):
            yield list(rows[top : top + high]), list(columns[left : left + wide])


def fill(
    whole: Table,
    origins: Sequence[Point],
    destinations: Sequence[Point],
    most: Limits,
    ask: Callable[[list[Point], list[Point]], Table],
) -> None:
    """Ask for the ways between all places that are not known to be off the road, piece by piece within the limits.

    Raises:
        SourceError: what `ask` raises.
    """
    rows = [row for row, point in enumerate(origins) if point not in whole.off_road]
    columns = [column for column, point in enumerate(destinations) if point not in whole.off_road]
    for some_rows, some_columns in blocks(rows, columns, most):
        part = ask([origins[row] for row in some_rows], [destinations[column] for column in some_columns])
        whole.put(some_rows, some_columns, part)


def gaps(unknown: NDArray[np.bool_]) -> Iterator[Block]:
    """The unknown cells of a table as few full rectangles: rows that lack the same columns go together."""
    alike: dict[bytes, list[int]] = {}
    for row, lacking in enumerate(unknown):
        if lacking.any():
            alike.setdefault(lacking.tobytes(), []).append(row)
    for rows in alike.values():
        yield rows, np.flatnonzero(unknown[rows[0]]).tolist()
