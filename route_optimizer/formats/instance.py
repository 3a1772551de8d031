"""A benchmark instance: the problem a file states, and how to speak of it in the file's own numbers.

Benchmark files count in plain units of a plane. A convention says how the real distances become whole numbers, without
which two costs cannot be compared:

| convention | distance | scale | used for |
| --- | --- | --- | --- |
| dimacs | Euclidean, truncated to one decimal | 10 | time windows (DIMACS challenge 2021-22) |
| euc2d | Euclidean, rounded to the nearest integer | 1 | capacities only (TSPLIB's EUC_2D) |
| exact | Euclidean, truncated to three decimals | 1000 | comparisons with real-valued costs |

Travel takes one unit of time per unit of distance. A "metre" or "second" of the problem is one unit divided by the
scale.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np

from route_optimizer.problem import ANY_TIME, Capacity, Load, Matrix, Problem, Stop, Vehicle, Window

#: the one dimension of benchmark files
DEMAND = "demand"


class Convention(StrEnum):
    """How real distances become whole numbers."""

    DIMACS = "dimacs"
    EUC2D = "euc2d"
    EXACT = "exact"

    @property
    def scale(self) -> int:
        """Whole numbers in one unit of the file."""
        return {Convention.DIMACS: 10, Convention.EUC2D: 1, Convention.EXACT: 1_000}[self]


class FormatError(ValueError):
    """A file that cannot be read: where, what is wrong, what to do; one sentence."""

    def __init__(self, path: Path, line: int | None, wrong: str, remedy: str) -> None:
        place = f"{path.name}, line {line}" if line else path.name
        super().__init__(f"{place}: {wrong}; {remedy}")


@dataclass(frozen=True, slots=True)
class Row:
    """One client or depot as a file states it; times None when the file has none."""

    number: int
    x: float
    y: float
    demand: int
    opens: float | None = None
    closes: float | None = None
    service: float = 0


@dataclass(frozen=True, slots=True)
class Instance:
    """A problem and where it comes from."""

    name: str
    #: `solomon` or `vrplib`
    format: str
    convention: Convention
    problem: Problem
    #: cost in the file's units of the best solution known, from the `.sol` beside it; None when there is none, or when
    #: it was counted in another convention
    best_known: float | None

    def in_file_units(self, number: int) -> float:
        """A distance, time or cost of the problem as the file would write it."""
        return number / self.convention.scale


def instance(
    path: Path,
    *,
    name: str,
    format_name: str,
    convention: Convention,
    usual: Convention,
    vehicles: Sequence[int],
    rows: Sequence[Row],
) -> Instance:
    """Put together what a file said. The first row is the depot.

    Args:
        path: the file, beside which a `.sol` may lie.
        name: as the file states it.
        format_name: which format it was in.
        convention: how to count.
        usual: in which convention this kind of file's best known costs are counted.
        vehicles: the capacity of each.
        rows: depot and clients.
    """
    scale = convention.scale
    depot, *clients = rows

    def windows(row: Row) -> tuple[Window, ...]:
        if row.opens is None or row.closes is None:
            return ()
        return (Window(int(row.opens * scale), int(row.closes * scale)),)

    stops = tuple(
        Stop(
            id=str(row.number),
            location=place,
            windows=windows(row),
            service_time_s=int(row.service * scale),
            loads=(Load(DEMAND, row.demand),),
        )
        for place, row in enumerate(clients, start=1)
    )
    shift = next(iter(windows(depot)), ANY_TIME)
    fleet = tuple(
        Vehicle(str(number), 0, 0, (Capacity(DEMAND, capacity),), shift)
        for number, capacity in enumerate(vehicles, start=1)
    )
    return Instance(
        name=name,
        format=format_name,
        convention=convention,
        problem=Problem(stops, fleet, plane(rows, convention)),
        best_known=best_known(path) if convention is usual else None,
    )


def plane(rows: Sequence[Row], convention: Convention) -> Matrix:
    """Euclidean distances in a convention; travel takes as long as the way is."""
    points = np.array([(row.x, row.y) for row in rows])
    euclidean = np.hypot(points[:, None, 0] - points[None, :, 0], points[:, None, 1] - points[None, :, 1])
    scaled = euclidean * convention.scale
    whole = (np.floor(scaled + 0.5) if convention is Convention.EUC2D else np.floor(scaled)).astype(np.int64)
    return Matrix(whole, whole)


def best_known(path: Path) -> float | None:
    """The cost in the `.sol` beside an instance, in the file's units.

    Raises:
        FormatError: when there is such a file and it names no cost.
    """
    solution = path.with_suffix(".sol")
    if not solution.is_file():
        return None
    found = re.search(r"^\s*cost\s*:?\s*([0-9.eE+]+)\s*$", text_of(solution), re.IGNORECASE | re.MULTILINE)
    if found is None:
        raise FormatError(solution, None, "names no cost", "write a line such as `Cost 827.3`, or move the file away")
    return float(found[1])


def text_of(path: Path) -> str:
    """A file's text.

    Raises:
        FormatError: when it is no text, or cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError(path, None, f"is no text ({error.reason})", "give a Solomon or VRPLIB file") from None
    except OSError as error:
        raise FormatError(path, None, f"cannot be read ({error.strerror})", "check the path") from None
