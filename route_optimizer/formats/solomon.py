"""Solomon's and Homberger's files: a name, the fleet, and one line for each customer; 0 is the depot."""

import math
from collections.abc import Iterator
from pathlib import Path

from route_optimizer.formats.instance import Convention, FormatError, Instance, Row, instance, text_of

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
    lines = [(number, line.split()) for number, line in enumerate(text_of(path).splitlines(), start=1)]
    words = iter([(number, line) for number, line in lines if line])
    name = _name(path, words)
    number, fleet = _numbers_after(path, words, "VEHICLE", "how many vehicles and their capacity", 2)
    count, capacity = (_whole(path, number, value) for value in fleet)
    if count < 1:
        raise FormatError(path, number, "there are no vehicles", "state at least one")
    rows = list(_rows(path, words))
    return instance(
        path,
        name=name,
        format_name="solomon",
        convention=convention or USUAL,
        usual=USUAL,
        vehicles=[capacity] * count,
        rows=rows,
    )


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
            return number, _numbers(path, number, line, columns, what)
    raise FormatError(path, last, f"the file ends before {what}", f"complete the {heading} section")


def _rows(path: Path, words: Iterator[tuple[int, list[str]]]) -> Iterator[Row]:
    seen: dict[int, int] = {}
    number = 0
    for number, line in words:
        if not (line[0].lstrip("+-")[:1].isdigit() or seen):
            continue  # headings
        client, x, y, demand, opens, closes, service = _numbers(path, number, line, 7, COLUMNS)
        row = Row(_whole(path, number, client), x, y, _whole(path, number, demand), opens, closes, service)
        if row.number in seen:
            wrong = f"customer {row.number} stands on line {seen[row.number]} already"
            raise FormatError(path, number, wrong, "give each a number of its own")
        _sensible(path, number, row)
        seen[row.number] = number
        yield row
    if not seen:
        raise FormatError(path, number, "there are no customers", f"give one line each: {COLUMNS}")


def _sensible(path: Path, number: int, row: Row) -> None:
    if min(row.demand, row.opens or 0, row.service) < 0:
        raise FormatError(path, number, f"customer {row.number} has a negative number", "give 0 or more")
    if row.opens is not None and row.closes is not None and row.closes < row.opens:
        wrong = f"the window of {row.number} closes at {row.closes:g} before it opens at {row.opens:g}"
        raise FormatError(path, number, wrong, "exchange the two")


def _numbers(path: Path, number: int, line: list[str], columns: int, what: str) -> list[float]:
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


def _whole(path: Path, number: int, value: float) -> int:
    if not value.is_integer():
        raise FormatError(path, number, f"{value:g} is not whole", "give a whole number")
    return int(value)
