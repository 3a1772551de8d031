"""Li and Lim's files of pickups and deliveries: the fleet, then one line for each task; 0 is the depot.

A line has the task's number, x, y, demand (negative at a delivery), ready time, due date, service time, and the numbers
of the pickup it belongs to and of the delivery it belongs to; one of the two is 0. The best known solutions have as few
vehicles as possible and then the shortest way. So each vehicle is charged with more than any way comes to.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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
from route_optimizer.formats.solomon import numbers, whole
from route_optimizer.formats.source import FormatError, text_of
from route_optimizer.problem import Capacity, Load, Objective, Problem, Shipment, Vehicle

USUAL = Convention.EXACT
COLUMNS = "number, x, y, demand, ready time, due date, service time, its pickup or 0, its delivery or 0"


@dataclass(frozen=True, slots=True)
class _Task:
    row: Row
    line: int
    #: negative at a delivery
    demand: int
    #: numbers of tasks; 0 is none
    pickup: int
    delivery: int


def looks_like(text: str) -> bool:
    """Whether this is such a file: three numbers, then lines of nine."""
    lines = [line.split() for line in text.splitlines()[:50] if line.strip()]
    return len(lines) > 1 and len(lines[0]) == 3 and len(lines[1]) == 9 and all(_is_number(word) for word in lines[1])


def _is_number(word: str) -> bool:
    return word.lstrip("+-").replace(".", "", 1).isdecimal()


def read(path: Path, convention: Convention | None = None) -> Instance:
    """Read one; counted to three decimals unless told otherwise.

    Raises:
        FormatError: naming the line.
    """
    counted = convention or USUAL
    lines = [(n, text.split()) for n, text in enumerate(text_of(path).splitlines(), start=1) if text.strip()]
    if not lines:
        raise FormatError(path, None, "is empty", "give Li and Lim's file")
    first, words = lines[0]
    fleet = numbers(path, first, words, 3, "the number of vehicles, their capacity and speed")
    count, capacity, _ = (whole(path, first, each) for each in fleet)
    check_fleet(path, first, count)
    tasks = list(_tasks(path, lines[1:], counted))
    if len(tasks) < 2:
        raise FormatError(path, lines[-1][0], "there are no tasks", f"give one line each: {COLUMNS}")
    rows = [task.row for task in tasks]
    problem = Problem(
        stops=tuple(stop(row, place, counted) for place, row in enumerate(rows[1:], start=1)),
        vehicles=_fleet(rows, counted, count, capacity),
        matrix=plane(rows, counted),
        objective=Objective.COST,
        shipments=tuple(_shipments(path, tasks)),
    )
    instance = Instance(
        name=path.stem,
        format="lilim",
        convention=counted,
        problem=problem,
        charge=problem.vehicles[0].fixed_cost_minor,
        points=[(row.x, row.y) for row in rows],
    )
    return sol.with_best_known(instance, path, USUAL)


def _fleet(rows: Sequence[Row], convention: Convention, count: int, capacity: int) -> tuple[Vehicle, ...]:
    across, up = (max(axis) - min(axis) for axis in zip(*((row.x, row.y) for row in rows), strict=True))
    longest = (math.hypot(across, up) * convention.scale + 1) * (len(rows) + count)
    charge = 10 ** len(str(math.ceil(longest)))
    holds, drives = (Capacity(DEMAND, capacity),), shift(rows[0], convention)
    return tuple(
        Vehicle(str(number), 0, 0, holds, drives, fixed_cost_minor=charge, cost_per_km_minor=1_000)
        for number in range(1, count + 1)
    )


def _tasks(path: Path, lines: Sequence[tuple[int, list[str]]], convention: Convention) -> Iterator[_Task]:
    seen: dict[int, int] = {}
    for line, words in lines:
        found = numbers(path, line, words, 9, COLUMNS)
        number, demand, pickup, delivery = (whole(path, line, found[column]) for column in (0, 3, 7, 8))
        if number in seen:
            wrong = f"task {number} stands on line {seen[number]} already"
            raise FormatError(path, line, wrong, "give each a number of its own")
        if not seen and number != 0:
            raise FormatError(path, line, f"the first task is {number}", "begin with the depot, 0")
        seen[number] = line
        # what is carried is the shipment's affair
        row = Row(number, found[1], found[2], 0, found[4], found[5], found[6])
        check_row(path, line, row, convention)
        yield _Task(row, line, demand, pickup, delivery)


def _shipments(path: Path, tasks: Sequence[_Task]) -> Iterator[Shipment]:
    known = {task.row.number: task for task in tasks[1:]}
    for task in known.values():
        number = task.row.number
        if (task.pickup == 0) == (task.delivery == 0):
            raise FormatError(
                path, task.line, f"task {number} is neither pickup nor delivery", "name the other end of it"
            )
        other = known.get(task.pickup or task.delivery)
        if other is None or number not in (other.pickup, other.delivery) or other.demand != -task.demand:
            wrong = f"task {number} and its other end {task.pickup or task.delivery} do not agree"
            raise FormatError(path, task.line, wrong, "name each on the other's line, with demands that cancel out")
        if task.delivery:
            if task.demand < 0:
                raise FormatError(path, task.line, f"the pickup {number} takes {task.demand}", "give 0 or more")
            yield Shipment(str(number), str(task.delivery), (Load(DEMAND, task.demand),))
