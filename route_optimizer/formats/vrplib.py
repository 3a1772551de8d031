"""VRPLIB files, and what PyVRP's dialect of them adds: several depots, each vehicle's own rules, prizes, reloads.

Clients keep the numbers of the file, in which depots are mostly the first (`.sol` files count from 0: one less). What
a key or a section means:

| key or section | here |
| --- | --- |
| `EDGE_WEIGHT_TYPE` | `EUC_2D`, or `EXPLICIT` with an `EDGE_WEIGHT_SECTION` in the usual formats |
| `DEMAND`, `LINEHAUL` / `BACKHAUL` | brought / collected, one number for each dimension |
| `TIME_WINDOW` | of a depot: the shift of its vehicles |
| `DISTANCE` | the longest route: of driving and service, or where there are time windows of driving alone |
| `PRIZE` | in units of the cost; a client without one has to be served |
| `VEHICLES_ALLOWED_CLIENTS` | a skill for each set of vehicles that alone may serve some clients |
| `VEHICLES_FIXED_COST`, `VEHICLES_UNIT_DISTANCE_COST` | the cost in place of the distance |
| `VEHICLES_RELOAD_DEPOT` | one depot a vehicle, as often as `VEHICLES_MAX_RELOADS` says, else as often as it likes |
| `PICKUP_AND_DELIVERY` | shipments: demand, window, service, the node of its pickup or 0, of its delivery or 0 |
| `TYPE : VRPB` | nothing is delivered after something was collected, and nothing collected first |

What states a rule that this reader does not know is refused, never passed over. Without `VEHICLES` there are as many as
the demand needs at least, and 5 or a tenth more.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from route_optimizer.formats import sol, weights
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
from route_optimizer.formats.vrplib_text import NODES, VEHICLES, Line, Text, cut
from route_optimizer.problem import (
    UNREACHABLE,
    Capacity,
    Load,
    Matrix,
    Objective,
    Problem,
    Reload,
    Shipment,
    Stop,
    Vehicle,
    Ways,
)
from route_optimizer.validation import MOST_RELOADS

#: TYPE, and the convention in which the best known costs of such files are counted
TYPES = {
    "TSP": Convention.EUC2D,
    "CVRP": Convention.EUC2D,
    "ACVRP": Convention.EUC2D,
    "DCVRP": Convention.EUC2D,
    "PCVRP": Convention.EUC2D,
    "CPTP": Convention.EUC2D,
    "VRPB": Convention.EUC2D,
    "VRPTW": Convention.DIMACS,
    "CVRPTW": Convention.DIMACS,
    "PCVRPTW": Convention.DIMACS,
    "MTVRPTWR": Convention.DIMACS,
    "HFVRP": Convention.EXACT,
    "MDVRP": Convention.EXACT,
    "MDVRPTW": Convention.EXACT,
    "SDVRPTW": Convention.EXACT,
    "PDPTW": Convention.EXACT,
}


@dataclass(frozen=True)
class _Reading:
    """A file and what was found out about it; depots come first among its rows, place by place."""

    file: Text
    type: str
    convention: Convention
    depots: list[int]
    rows: list[Row]

    @property
    def clients(self) -> list[int]:
        return [row.number for row in self.rows[len(self.depots) :]]

    def place(self, node: int) -> int:
        """The row of the matrix of a depot."""
        return self.depots.index(node)


def read(path: Path, convention: Convention | None = None) -> Instance:
    """Read one, counted as its type usually is unless told otherwise.

    Raises:
        FormatError: naming the line.
    """
    file = cut(path)
    type_ = _type(file)
    timed = type_ == "CVRP" and "TIME_WINDOW_SECTION" in file.sections
    usual = Convention.DIMACS if timed else TYPES[type_]
    reading = _rows(file, type_, convention or usual)
    matrix = _matrix(reading)
    fleet = tuple(_fleet(reading))
    priced = any(name.startswith(("VEHICLES_FIXED", "VEHICLES_UNIT")) for name in (*file.keys, *file.sections))
    instance = Instance(
        name=file.keys["NAME"][1] if "NAME" in file.keys else path.stem,
        format="vrplib",
        convention=reading.convention,
        problem=Problem(
            stops=tuple(_stops(reading)),
            vehicles=fleet,
            matrix=matrix,
            objective=Objective.COST if priced else Objective.DISTANCE,
            shipments=tuple(_shipments(reading)),
        ),
        points=[(row.x, row.y) for row in reading.rows] if "NODE_COORD_SECTION" in file.sections else (),
    )
    return sol.with_best_known(instance, path, usual)


def _type(file: Text) -> str:
    line, type_ = file.keys.get("TYPE", (file.last, "CVRP"))
    if type_.upper() not in TYPES:
        raise file.error(line, f"TYPE is {type_}", f"only {', '.join(TYPES)} can be read")
    return type_.upper()


def _depots(file: Text) -> list[int]:
    """Their numbers. A file without them, which is not cut off, begins with its depot."""
    named = [(line, number) for line, number in file.lists.get("DEPOT_SECTION", ()) if number >= 0]
    if not named:
        if file.complete and "DEPOT_SECTION" not in file.lists:
            return [1]
        raise file.error(file.last, "the file ends without a depot", "give DEPOT_SECTION a depot, closed by -1")
    for line, number in named:
        if not number.is_integer():
            raise file.error(line, f"the depot {number:g} is not whole", "give the number of a node")
    depots = [int(number) for _, number in named]
    if len(set(depots)) < len(depots):
        raise file.error(named[-1][0], "a depot is named twice", "name each depot once")
    return depots


def _rows(file: Text, type_: str, convention: Convention) -> _Reading:
    depots = _depots(file)
    dimension = file.whole("DIMENSION")
    coordinates = file.sections.get("NODE_COORD_SECTION")
    if coordinates is None and (dimension is None or "EDGE_WEIGHT_SECTION" not in file.lists):
        raise file.error(file.last, "the file says nowhere where its nodes are", "add NODE_COORD_SECTION")
    if coordinates is not None and dimension is not None and dimension != len(coordinates):
        wrong = f"DIMENSION is {dimension} and NODE_COORD_SECTION has {len(coordinates)} nodes"
        raise file.error(file.keys["DIMENSION"][0], wrong, "make the two agree")
    if coordinates is None:
        weights.check(file, dimension or 0)
    nodes: Sequence[int] = range(1, (dimension or 0) + 1) if coordinates is None else list(coordinates)
    for depot in depots:
        if depot not in nodes:
            line = next((line for line, number in file.lists.get("DEPOT_SECTION", ()) if number == depot), file.last)
            raise file.error(line, f"the depot {depot} has no coordinates", "give it a line in NODE_COORD_SECTION")
    file.check_numbers(NODES, nodes, "node")
    home = set(depots)
    rows = [_row(file, node, home, convention) for node in (*depots, *(node for node in nodes if node not in home))]
    return _Reading(file, type_, convention, depots, rows)


def _row(file: Text, node: int, depots: set[int], convention: Convention) -> Row:
    line, (x, y) = file.node("NODE_COORD_SECTION", node) or (file.last, [0.0, 0.0])
    task = file.node("PICKUP_AND_DELIVERY_SECTION", node)
    if task is not None:
        line, (_, opens, closes, service, *_) = task
        return _checked(file, line, Row(node, x, y, 0, opens, closes, service), convention)
    service = 0.0 if node in depots else file.key("SERVICE_TIME") or 0.0
    if said := file.node("SERVICE_TIME_SECTION", node):
        line, (service,) = said
    if service < 0:
        raise file.error(line, f"the service time of node {node} is {service:g}", "give 0 or more")
    if said := file.node("TIME_WINDOW_SECTION", node):
        line, (opens, closes) = said
        return _checked(file, line, Row(node, x, y, 0, opens, closes, service), convention)
    return _checked(file, line, Row(node, x, y, 0, service=service), convention)


def _checked(file: Text, line: int, row: Row, convention: Convention) -> Row:
    check_row(file.path, line, row, convention)
    return row


def _loads(file: Text, node: int, *sections: str) -> tuple[Load, ...]:
    found = next((said for name in sections if (said := file.node(name, node))), None)
    return tuple(_load(file, *found)) if found else ()


def _load(file: Text, line: int, amounts: Sequence[float]) -> Iterator[Load]:
    for number, amount in enumerate(amounts, start=1):
        if not amount.is_integer() or amount < 0:
            raise file.error(line, f"the demand is {amount:g}", "give a whole number of 0 or more")
        if amount:
            yield Load(_dimension(number), int(amount))


def _dimension(number: int) -> str:
    return DEMAND if number == 1 else f"{DEMAND} {number}"


def _stops(reading: _Reading) -> Iterator[Stop]:
    file, count = reading.file, reading.convention.whole
    skills = _skills(reading)
    for place, row in enumerate(reading.rows[len(reading.depots) :], start=len(reading.depots)):
        _, (prize,) = file.node("PRIZE_SECTION", row.number) or (0, [0.0])
        line, (release,) = file.node("RELEASE_TIME_SECTION", row.number) or (0, [0.0])
        if min(prize, release) < 0:
            raise file.error(line, f"a prize or a release time of node {row.number} is negative", "give 0 or more")
        yield replace(
            stop(row, place, reading.convention),
            loads=_loads(file, row.number, "DEMAND_SECTION", "LINEHAUL_SECTION"),
            collects=_loads(file, row.number, "BACKHAUL_SECTION"),
            prize=count(prize) if prize else None,
            release_s=count(release),
            skills=frozenset(skills.get(row.number, ())),
        )


def _allowed(reading: _Reading) -> Mapping[int, Line]:
    return reading.file.sections.get("VEHICLES_ALLOWED_CLIENTS_SECTION", {})


def _skills(reading: _Reading) -> dict[int, tuple[str]]:
    """What each client that not every vehicle may serve asks for: one skill for each set of vehicles."""
    section = _allowed(reading)
    if not section:
        return {}
    servants: dict[int, list[int]] = {client: [] for client in reading.clients}
    for vehicle, (line, clients) in sorted(section.items()):
        for client in clients:
            if client not in servants:
                raise reading.file.error(line, f"the client {client:g} does not exist", "correct its number")
            servants[int(client)].append(vehicle)
    restricted = {client: tuple(found) for client, found in servants.items() if len(set(found)) < len(section)}
    return {client: (_skill(found),) for client, found in restricted.items()}


def _skill(vehicles: Sequence[int]) -> str:
    return f"one of the vehicles {' '.join(str(number) for number in vehicles)}" if vehicles else "no vehicle"


def _fleet(reading: _Reading) -> Iterator[Vehicle]:
    file = reading.file
    count = file.whole("VEHICLES")
    if count is None:
        count = 1 if reading.type == "TSP" else _enough(reading)
    check_fleet(file.path, file.keys["VEHICLES"][0] if "VEHICLES" in file.keys else file.last, count)
    file.check_numbers(VEHICLES, range(1, count + 1), "vehicle")
    named = {skill for skills in _skills(reading).values() for skill in skills}
    for number in range(1, count + 1):
        skills = frozenset(skill for skill in named if str(number) in skill.split())
        yield replace(_vehicle(reading, number), id=str(number), skills=skills)


def _enough(reading: _Reading) -> int:
    """How many the demand needs at least, and 5 or a tenth more."""
    if "CAPACITY_SECTION" in reading.file.sections:
        return len(reading.file.sections["CAPACITY_SECTION"])
    capacity = reading.file.vehicle("CAPACITY", 1)
    demand = sum(load.amount for each in _stops(reading) for load in (*each.loads, *each.collects))
    if capacity is None and demand:
        raise reading.file.error(
            reading.file.last, "the file states no CAPACITY", "add a line such as `CAPACITY : 100`"
        )
    fewest = max(1, -(-demand // int(capacity[1][0])) if capacity and capacity[1][0] >= 1 else 1)
    return int(fewest) + max(5, int(fewest) // 10)


def _vehicle(reading: _Reading, number: int) -> Vehicle:
    file, count = reading.file, reading.convention.whole

    def said(name: str) -> float | None:
        found = file.vehicle(name, number)
        if found is None:
            return None
        if found[1][0] < 0:
            raise file.error(found[0], f"{name} of vehicle {number} is {found[1][0]:g}", "give 0 or more")
        return found[1][0]

    depot = _depot(reading, number)
    length, duration = said("VEHICLES_MAX_DISTANCE"), said("VEHICLES_MAX_DURATION")
    longest = file.key("DISTANCE")
    if longest is not None and "TIME_WINDOW_SECTION" in file.sections:
        length = longest
    elif longest is not None:
        duration = longest
    return Vehicle(
        id="",
        start=depot,
        end=depot,
        capacities=tuple(_capacities(file, number)),
        shift=shift(reading.rows[depot], reading.convention),
        max_distance_m=None if length is None else count(length),
        max_duration_s=None if duration is None else count(duration),
        reload=_reload(reading, number, said("VEHICLES_MAX_RELOADS")),
        fixed_cost_minor=count(said("VEHICLES_FIXED_COST") or 0),
        cost_per_km_minor=_rate(file, number, said("VEHICLES_UNIT_DISTANCE_COST")),
    )


def _rate(file: Text, number: int, cost: float | None) -> int:
    """Of 1,000 units of the way; 1 for each where no cost is stated."""
    per_thousand = 1_000 * (1.0 if cost is None else cost)
    if not round(per_thousand, 6).is_integer():
        line, _ = file.vehicle("VEHICLES_UNIT_DISTANCE_COST", number) or (file.last, [])
        raise file.error(line, f"a unit of distance costs {cost}", "give three decimals at most")
    return round(per_thousand)


def _capacities(file: Text, number: int) -> Iterator[Capacity]:
    line, limits = file.vehicle("CAPACITY", number) or (file.last, [])
    for dimension, limit in enumerate(limits, start=1):
        if not limit.is_integer() or limit < 0:
            raise file.error(line, f"the capacity is {limit:g}", "give a whole number of 0 or more")
        yield Capacity(_dimension(dimension), int(limit))


def _depot(reading: _Reading, number: int) -> int:
    """The row of the matrix where a vehicle starts and ends."""
    found = reading.file.vehicle("VEHICLES_DEPOT", number)
    if found is None and len(reading.depots) == 1:
        return 0
    if found is None:
        line = reading.file.lists["DEPOT_SECTION"][1][0]
        wrong = f"{len(reading.depots)} depots in DEPOT_SECTION, and no vehicle has one of its own"
        raise reading.file.error(line, wrong, "name one depot, or add VEHICLES_DEPOT_SECTION")
    return _place(reading, found[0], found[1][0])


def _place(reading: _Reading, line: int, node: float) -> int:
    if node not in reading.depots:
        raise reading.file.error(line, f"{node:g} is no depot", "give a number of DEPOT_SECTION")
    return reading.place(int(node))


def _reload(reading: _Reading, number: int, most: float | None) -> Reload | None:
    found = reading.file.vehicle("VEHICLES_RELOAD_DEPOT", number)
    if found is None or most == 0:
        return None
    line, depots = found
    if len(depots) != 1:
        raise reading.file.error(line, f"vehicle {number} may reload at {len(depots)} depots", "name one")
    often = min(MOST_RELOADS, len(reading.clients)) if most is None else int(min(most, MOST_RELOADS))
    return Reload(_place(reading, line, depots[0]), max(1, often))


def _shipments(reading: _Reading) -> Iterator[Shipment]:
    section = reading.file.sections.get("PICKUP_AND_DELIVERY_SECTION", {})
    for node in reading.clients if section else ():
        line, (amount, *_, pickup, delivery) = section[node]
        if pickup and not delivery:
            continue
        other = section.get(int(delivery)) if delivery not in reading.depots else None
        if pickup or other is None or other[1][4] != node or other[1][0] != -amount:
            wrong = f"node {node} and its delivery {delivery:g} do not agree"
            raise reading.file.error(line, wrong, "name each on the other's line, with demands that cancel out")
        yield Shipment(str(node), str(int(delivery)), tuple(_load(reading.file, line, [amount])))


def _matrix(reading: _Reading) -> Ways:
    file = reading.file
    line, type_ = file.keys.get("EDGE_WEIGHT_TYPE", (file.last, "EUC_2D"))
    if type_.upper() == "EXPLICIT":
        ways: Ways = weights.explicit(file, [row.number for row in reading.rows], reading.convention)
    elif type_.upper() == "EUC_2D" and "NODE_COORD_SECTION" in file.sections:
        ways = plane(reading.rows, reading.convention)
    else:
        raise file.error(line, f"EDGE_WEIGHT_TYPE is {type_}", "only EUC_2D, EXPLICIT can be read")
    return _backhauls_last(reading, ways) if reading.type == "VRPB" else ways


def _backhauls_last(reading: _Reading, ways: Ways) -> Matrix:
    """No road leads from a depot to what is collected, nor from there to what is delivered."""
    stops = list(_stops(reading))
    collects = [stop.location for stop in stops if stop.collects]
    delivers = [stop.location for stop in stops if stop.loads]
    way = ways.among(range(len(reading.rows))).distance_m.copy()
    way[np.ix_(range(len(reading.depots)), collects)] = UNREACHABLE
    way[np.ix_(collects, delivers)] = UNREACHABLE
    return Matrix(way, way)
