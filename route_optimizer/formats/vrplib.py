"""VRPLIB files: `KEY : value` lines and sections of numbered nodes.

Read are EUC_2D instances of one depot with capacities, and time windows where a section states them. A section that
means a rule this reader does not know is refused, never passed over. Clients keep the numbers of the file, in which the
depot is mostly 1 (the `.sol` files of CVRPLIB count from the depot as 0: one less).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from route_optimizer.formats.instance import Convention, FormatError, Instance, Row, instance, text_of

#: columns after the node's number
SECTIONS = {
    "NODE_COORD_SECTION": 2,
    "DEMAND_SECTION": 1,
    "TIME_WINDOW_SECTION": 2,
    "SERVICE_TIME_SECTION": 1,
}
TYPES = ("CVRP", "VRPTW", "TSP")


@dataclass
class _File:
    """A file cut into its parts, each value with the line it stands on."""

    path: Path
    keys: dict[str, tuple[int, str]] = field(default_factory=dict)
    sections: dict[str, dict[int, tuple[int, list[float]]]] = field(default_factory=dict)
    depots: list[tuple[int, int]] = field(default_factory=list)
    last: int = 0

    def error(self, line: int | None, wrong: str, remedy: str) -> FormatError:
        return FormatError(self.path, line, wrong, remedy)

    def whole(self, key: str) -> int | None:
        if key not in self.keys:
            return None
        line, text = self.keys[key]
        value = self.number(line, text)
        if not value.is_integer() or value < 0:
            raise self.error(line, f"{key} is {text}", "give a whole number of 0 or more")
        return int(value)

    def number(self, line: int, word: str) -> float:
        try:
            value = float(word)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise self.error(line, f"`{word}` is no number", "give a finite number")
        return value


def looks_like(text: str) -> bool:
    """Whether this is such a file."""
    return any(line.split(":")[0].strip() in ("DIMENSION", *SECTIONS) for line in text.splitlines())


def read(path: Path, convention: Convention | None = None) -> Instance:
    """Read one; rounded to integers, or in DIMACS' convention when it has time windows, unless told otherwise.

    Raises:
        FormatError: naming the line.
    """
    file = _cut(path)
    _supported(file)
    rows = _rows(file)
    usual = Convention.DIMACS if "TIME_WINDOW_SECTION" in file.sections else Convention.EUC2D
    return instance(
        path,
        name=file.keys["NAME"][1] if "NAME" in file.keys else path.stem,
        format_name="vrplib",
        convention=convention or usual,
        usual=usual,
        vehicles=_fleet(file, rows),
        rows=rows,
    )


def _cut(path: Path) -> _File:
    file = _File(path)
    section = ""
    for line, text in enumerate(text_of(path).splitlines(), start=1):
        words = text.split()
        file.last = line
        if not words:
            continue
        if words[0] == "EOF":
            break
        if words[0][0].isalpha():
            section = _heading(file, line, text)
        elif section == "DEPOT_SECTION":
            file.depots += [(line, int(number)) for word in words if (number := file.number(line, word)) >= 0]
        elif section:
            _node(file, line, section, words)
        else:
            raise file.error(line, f"`{text.strip()}` stands outside any section", "put a section's name before it")
    return file


def _heading(file: _File, line: int, text: str) -> str:
    key, _, value = (part.strip() for part in text.partition(":"))
    if not key.endswith("_SECTION"):
        file.keys[key] = line, value.strip('"').strip()
        return ""
    if key != "DEPOT_SECTION" and key not in SECTIONS:
        raise file.error(line, f"{key} states a rule that this reader does not know", f"use {', '.join(SECTIONS)}")
    if key in SECTIONS:
        file.sections.setdefault(key, {})
    return key


def _node(file: _File, line: int, section: str, words: Sequence[str]) -> None:
    node, *values = (file.number(line, word) for word in words)
    if len(values) != SECTIONS[section]:
        wrong = f"{len(words)} {'number' if len(words) == 1 else 'numbers'} where {1 + SECTIONS[section]} belong"
        raise file.error(line, wrong, f"{section} takes the node and {SECTIONS[section]} more")
    if not node.is_integer():
        raise file.error(line, f"the node {words[0]} is not whole", "number the nodes 1, 2, 3 ...")
    nodes = file.sections[section]
    if int(node) in nodes:
        wrong = f"node {int(node)} stands on line {nodes[int(node)][0]} already"
        raise file.error(line, wrong, "state each node once in a section")
    nodes[int(node)] = line, values


def _supported(file: _File) -> None:
    for key, accepted in (("TYPE", TYPES), ("EDGE_WEIGHT_TYPE", ("EUC_2D",))):
        if key in file.keys and file.keys[key][1].upper() not in accepted:
            line, value = file.keys[key]
            raise file.error(line, f"{key} is {value}", f"only {', '.join(accepted)} can be read")
    if "DISTANCE" in file.keys:
        raise file.error(
            file.keys["DISTANCE"][0], "DISTANCE limits the routes", "this reader does not know that rule yet"
        )
    if len(file.depots) != 1:
        raise file.error(
            file.depots[1][0] if file.depots else file.last,
            f"{len(file.depots)} depots in DEPOT_SECTION" if file.depots else "the file ends without a depot",
            "give DEPOT_SECTION one depot, closed by -1",
        )


def _rows(file: _File) -> list[Row]:
    """Depot first, then the clients as the file numbers them."""
    coordinates = file.sections.get("NODE_COORD_SECTION", {})
    depot_line, depot = file.depots[0]
    if depot not in coordinates:
        raise file.error(depot_line, f"the depot {depot} has no coordinates", "give it a line in NODE_COORD_SECTION")
    dimension = file.whole("DIMENSION")
    if dimension is not None and dimension != len(coordinates):
        wrong = f"DIMENSION is {dimension} and NODE_COORD_SECTION has {len(coordinates)} nodes"
        raise file.error(file.keys["DIMENSION"][0], wrong, "make the two agree")
    for name, section in file.sections.items():
        for node in coordinates.keys() ^ section.keys():
            line = (section.get(node) or coordinates[node])[0]
            raise file.error(
                line, f"node {node} has no line in {name if node not in section else 'NODE_COORD_SECTION'}", "add it"
            )
    return [_row(file, node) for node in (depot, *(node for node in coordinates if node != depot))]


def _row(file: _File, node: int) -> Row:
    def values(section: str) -> tuple[int, list[float]]:
        return file.sections[section][node] if section in file.sections else (file.last, [])

    _, (x, y) = values("NODE_COORD_SECTION")
    line, demand = values("DEMAND_SECTION")
    if demand and (not demand[0].is_integer() or demand[0] < 0):
        raise file.error(line, f"the demand of node {node} is {demand[0]:g}", "give a whole number of 0 or more")
    line, window = values("TIME_WINDOW_SECTION")
    if window and not 0 <= window[0] <= window[1]:
        wrong = f"the window of node {node} closes at {window[1]:g} before it opens at {window[0]:g}"
        raise file.error(line, wrong, "give two times of 0 or more, the earlier first")
    line, service = values("SERVICE_TIME_SECTION")
    if not service:
        service = [float(file.whole("SERVICE_TIME") or 0) if node != file.depots[0][1] else 0.0]
    if service[0] < 0:
        raise file.error(line, f"the service time of node {node} is {service[0]:g}", "give 0 or more")
    opens, closes = window or (None, None)
    return Row(node, x, y, int(demand[0]) if demand else 0, opens, closes, service[0])


def _fleet(file: _File, rows: Sequence[Row]) -> list[int]:
    """Capacities. Without VEHICLES: as many as the demand needs at least, and 5 or a tenth more."""
    demand = sum(row.demand for row in rows)
    capacity = file.whole("CAPACITY")
    if capacity is None:
        if demand:
            raise file.error(file.last, "the file states no CAPACITY", "add a line such as `CAPACITY : 100`")
        capacity = 0
    count = file.whole("VEHICLES")
    if count == 0:
        raise file.error(file.keys["VEHICLES"][0], "there are no vehicles", "state at least one")
    if count is None:
        fewest = max(1, -(-demand // capacity) if capacity else 1)
        count = fewest + max(5, fewest // 10)
    return [capacity] * count
