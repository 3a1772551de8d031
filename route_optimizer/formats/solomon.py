"""Solomon's and Homberger's files: a name, the fleet, and one line for each customer; 0 is the depot."""

import math
from collections.abc import Iterator
from pathlib import Path

from route_optimizer.formats import sol
from route_optimizer.formats.instance import (
    DEMAND,
    Convention,
    Instance,
    Row,
    check_fleet,
    check_row,
    plane,
    shift,
    stop,
)
from route_optimizer.formats.source import FormatError, text_of
from route_optimizer.problem import Capacity, Problem, Vehicle

USUAL = Convention.DIMACS
COLUMNS = "number, x, y, demand, ready time, due date, service time"


def looks_like(text: str) -> bool:
    """Whether this is such a file."""
    return any(line.split() == ["VEHICLE"] for line in text.splitlines())


def read(path: Path, convention: Convention | None = None) -> Instance:
    """Read one; counted in DIMACS' convention unless told otherwise.

    Raises:
        FormatError: naming the line.
    """
    counted = convention or USUAL
    lines = [(number, line.split()) for number, line in enumerate(text_of(path).splitlines(), start=1)]
    words = iter([(number, line) for number, line in lines if line])
    name = _name(path, words)
    number, fleet = _numbers_after(path, words, "VEHICLE", "how many vehicles and their capacity", 2)
    count, capacity = (whole(path, number, value) for value in fleet)
    check_fleet(path, number, count)
    if capacity < 0:
        raise FormatError(path, number, f"the capacity is {capacity}", "give 0 or more")
    rows = list(_rows(path, words, counted))
    depot, *clients = rows
    vehicles = tuple(
        Vehicle(str(n), 0, 0, (Capacity(DEMAND, capacity),), shift(depot, counted)) for n in range(1, count + 1)
    )
    stops = tuple(stop(row, place, counted) for place, row in enumerate(clients, start=1))
    instance = Instance(
        name=name,
        format="solomon",
        convention=counted,
        problem=Problem(stops, vehicles, plane(rows, counted)),
        points=[(row.x, row.y) for row in rows],
    )
    return sol.with_best_known(instance, path, USUAL)


def _name(path: Path, words: Iterator[tuple[int, list[str]]]) -> str:
    for _, line in words:
        return " ".join(line)
    raise FormatError(path, None, "is empty", "give a Solomon file")


def _numbers_after(
    path: Path, words: Iterator[tuple[int, list[str]]], heading: str, what: str, columns: int
) -> tuple[int, list[float]]:
    seen = False
    last = 0
    for number, line in words:
        last = number
        seen = seen or line == [heading]
        if seen and line[0][0].isdigit():
            return number, numbers(path, number, line, columns, what)
    raise FormatError(path, last or None, f"the file ends before {what}", f"complete the {heading} section")


def _rows(path: Path, words: Iterator[tuple[int, list[str]]], convention: Convention) -> Iterator[Row]:
    seen: dict[int, int] = {}
    number = 0
    for number, line in words:
        if not (line[0].lstrip("+-")[:1].isdigit() or seen):
            continue  # headings
        client, x, y, demand, opens, closes, service = numbers(path, number, line, 7, COLUMNS)
        row = Row(whole(path, number, client), x, y, whole(path, number, demand), opens, closes, service)
        if row.number in seen:
            wrong = f"customer {row.number} stands on line {seen[row.number]} already"
            raise FormatError(path, number, wrong, "give each a number of its own")
        if min(row.demand, opens, service) < 0:
            raise FormatError(path, number, f"customer {row.number} has a negative number", "give 0 or more")
        check_row(path, number, row, convention)
        seen[row.number] = number
        yield row
    if not seen:
        raise FormatError(path, number or None, "there are no customers", f"give one line each: {COLUMNS}")


def numbers(path: Path, number: int, line: list[str], columns: int, what: str) -> list[float]:
    """A line of finite numbers.

    Raises:
        FormatError: when it is not, or has more or fewer.
    """
    if len(line) != columns:
        wrong = f"{len(line)} {'word' if len(line) == 1 else 'words'} where {columns} numbers belong"
        raise FormatError(path, number, wrong, f"give {what}")
    try:
        found = [float(word) for word in line]
    except ValueError:
        raise FormatError(path, number, f"`{' '.join(line)}` are not all numbers", f"give {what}") from None
    if not all(math.isfinite(value) for value in found):
        raise FormatError(path, number, f"`{' '.join(line)}` are not all finite", f"give {what}")
    return found


def whole(path: Path, number: int, value: float) -> int:
    """A number without decimals.

    Raises:
        FormatError: when it has some.
    """
    if not value.is_integer():
        raise FormatError(path, number, f"{value:g} is not whole", "give a whole number")
    return int(value)
