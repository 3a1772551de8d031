"""VROOM's JSON: vehicles, jobs and shipments, as its API document has them.

What a key means is VROOM's affair; here is what differs or cannot be kept:

* Without matrices, ways follow the great circle, 1.3 times as long, at 50 km/h.
* Several profiles or speed factors in one problem, `setup`, `*_per_type`, `per_task_hour`, `max_load` and breaks
  without exactly one time window are refused.
* A break is taken if the vehicle is under way at the latest moment it may begin, and not by a vehicle that is home.
* Driving is what costs: neither waiting nor service. Where `max_distance` stands beside matrices, or vehicles differ in
  their price of a kilometre, metres and hours cannot be priced in one matrix: then hours are paid from start to end.
* A stop left out weighs 1 + its priority.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from route_optimizer.formats.instance import Instance, great_circles
from route_optimizer.formats.json_text import decoded
from route_optimizer.formats.source import FormatError
from route_optimizer.formats.strict import strict
from route_optimizer.formats.vroom_json import (
    Cells,
    JobJson,
    MatricesJson,
    ShipmentJson,
    TaskJson,
    VehicleJson,
    VroomJson,
)
from route_optimizer.matrices import Point
from route_optimizer.plan import Order
from route_optimizer.problem import (
    ANY_TIME,
    UNREACHABLE,
    Break,
    Capacity,
    Load,
    Matrix,
    Objective,
    Problem,
    Shipment,
    Stop,
    Vehicle,
    Ways,
    Window,
)
from route_optimizer.validation import LONGEST_M

REMEDY = "see VROOM's API document for what belongs there"
SPEED_KMH, DETOUR_FACTOR = 50, 1.3


@dataclass
class _Ground:
    """The places of a problem: rows of the matrices, or coordinates that become rows as they come."""

    path: Path
    indexed: bool
    row_of: dict[tuple[float, float], int] = field(default_factory=dict)
    points: dict[int, tuple[float, float]] = field(default_factory=dict)

    def row(self, name: str, at: tuple[float, float] | None, index: int | None) -> int:
        if self.indexed:
            if index is None:
                raise FormatError(self.path, name, "has no index into the matrices", "give it one")
            if at is not None:
                self.points[index] = at
            return index
        if at is None:
            raise FormatError(
                self.path, name, "has no coordinates, and there are no matrices", "give longitude, latitude"
            )
        row = self.row_of.setdefault(at, len(self.row_of))
        self.points[row] = at
        return row


def looks_like(keys: Mapping[str, object]) -> bool:
    """Whether a JSON object with these keys is such a file."""
    return "vehicles" in keys and "stops" not in keys


def read(path: Path) -> Instance:
    """Read one.

    Raises:
        FormatError: naming the line or the field.
    """
    said = msgspec.convert(decoded(path, strict(VroomJson), REMEDY), VroomJson, from_attributes=True)
    _check(path, said)
    ground = _Ground(path, indexed=bool(said.matrices) or said.matrix is not None)
    stops = [_stop(ground, f"jobs[{n}]", job, str(job.id), job) for n, job in enumerate(said.jobs)]
    shipments = []
    for number, each in enumerate(said.shipments):
        names = f"pickup {each.pickup.id}", f"delivery {each.delivery.id}"
        for name, task, end in zip(names, (each.pickup, each.delivery), ("pickup", "delivery"), strict=True):
            stops.append(_stop(ground, f"shipments[{number}].{end}", task, name, each))
        shipments.append(Shipment(*names, _loads(each.amount)))
    vehicles = [_vehicle(ground, f"vehicles[{n}]", each) for n, each in enumerate(said.vehicles)]
    ways = _ways(ground, said)
    count = ways.roads.places
    nowhere = count if any(vehicle.start == _NOWHERE for vehicle in vehicles) else None
    if nowhere is not None:
        ways = _Ways(_with_nowhere(ways.roads), _with_nowhere(ways.priced), ways.rates)
        vehicles = [replace(each, start=nowhere) if each.start == _NOWHERE else each for each in vehicles]
    return Instance(
        name=path.stem,
        format="vroom",
        convention=None,
        problem=Problem(
            stops=tuple(stops),
            vehicles=tuple(_priced(each, costs) for each, costs in zip(vehicles, ways.rates, strict=True)),
            matrix=ways.priced,
            objective=Objective.COST,
            shipments=tuple(shipments),
        ),
        points=[ground.points.get(row) for row in range(count)] if ground.points else (),
        geographic=True,
        start=_start(path, said),
        roads=ways.roads,
        nowhere=nowhere,
        vroom=said,
    )


def _check(path: Path, said: VroomJson) -> None:
    """That it states no rule that cannot be kept."""
    if not said.vehicles:
        raise FormatError(path, "vehicles", "is empty", "give at least one vehicle")
    for name, different in (
        ("profile", {each.profile for each in said.vehicles}),
        ("speed_factor", {each.speed_factor for each in said.vehicles}),
    ):
        if len(different) > 1:
            wrong = f"differ in their {name}"
            raise FormatError(path, "vehicles", wrong, "plan the vehicles of each in a problem of its own")
    sizes = {len(each.capacity) for each in said.vehicles}
    amounts = [(f"jobs[{n}].{name}", getattr(job, name)) for n, job in enumerate(said.jobs) for name in _AMOUNTS]
    amounts += [(f"shipments[{n}].amount", each.amount) for n, each in enumerate(said.shipments)]
    sizes |= {len(amount) for _, amount in amounts if amount}
    if len(sizes) > 1:
        wrong = f"have {' and '.join(str(size) for size in sorted(sizes))} dimensions"
        raise FormatError(path, None, f"capacities and amounts {wrong}", "give every one as many numbers")
    for number, each in enumerate(said.vehicles):
        field_ = f"vehicles[{number}]"
        if each.costs.per_task_hour:
            raise FormatError(
                path, f"{field_}.costs.per_task_hour", "prices service", "leave it out: service is not priced"
            )
        for at, pause in enumerate(each.breaks):
            if pause.max_load is not None:
                wrong = "states a rule that no problem here can state"
                raise FormatError(path, f"{field_}.breaks[{at}].max_load", wrong, "leave it out")
            if len(pause.time_windows) != 1:
                wrong = f"has {len(pause.time_windows)} time windows"
                raise FormatError(path, f"{field_}.breaks[{at}]", wrong, "give it one")


_AMOUNTS = ("amount", "delivery", "pickup")
#: stands for the start of a vehicle that has none, until the number of places is known
_NOWHERE = -1


def _stop(ground: _Ground, name: str, task: TaskJson, id_: str, owner: JobJson | ShipmentJson) -> Stop:
    for key, value in (
        ("setup", task.setup),
        ("setup_per_type", task.setup_per_type),
        ("service_per_type", task.service_per_type),
    ):
        if value:
            wrong = "makes the time of service depend on the vehicle or on the stop before"
            raise FormatError(ground.path, f"{name}.{key}", wrong, "add it to `service` where it always applies")
    job = owner if isinstance(owner, JobJson) else None
    return Stop(
        id=id_,
        location=ground.row(name, task.location, task.location_index),
        windows=tuple(Window(*each) for each in task.time_windows),
        service_time_s=task.service,
        loads=_loads(job.delivery or job.amount) if job else (),
        collects=_loads(job.pickup) if job else (),
        skills=frozenset(str(skill) for skill in owner.skills),
        priority=owner.priority,
    )


def _loads(amounts: Sequence[int]) -> tuple[Load, ...]:
    return tuple(Load(_dimension(n), amount) for n, amount in enumerate(amounts, start=1) if amount)


def _dimension(number: int) -> str:
    return f"amount {number}"


def _vehicle(ground: _Ground, name: str, said: VehicleJson) -> Vehicle:
    ends = [(said.start, said.start_index), (said.end, said.end_index)]
    start, end = (
        None if at is None and (index is None or not ground.indexed) else ground.row(name, at, index)
        for at, index in ends
    )
    if start is None and end is None:
        raise FormatError(ground.path, name, "has neither start nor end", "give it one of the two")
    return Vehicle(
        id=str(said.id),
        start=_NOWHERE if start is None else start,
        end=end,
        capacities=tuple(Capacity(_dimension(n), limit) for n, limit in enumerate(said.capacity, start=1)),
        shift=Window(*said.time_window) if said.time_window else ANY_TIME,
        max_distance_m=said.max_distance,
        max_driving_s=said.max_travel_time,
        max_stops=said.max_tasks,
        skills=frozenset(str(skill) for skill in said.skills),
        breaks=tuple(_breaks(said)),
        fixed_cost_minor=said.costs.fixed,
    )


def _breaks(said: VehicleJson) -> Iterator[Break]:
    for each in sorted(said.breaks, key=lambda each: each.time_windows[0]):
        if each.service:
            yield Break(*each.time_windows[0], each.service)


@dataclass(frozen=True)
class _Ways:
    """The metres and seconds of the ways, and what counts as metres in the problem, with each vehicle's rates."""

    roads: Ways
    priced: Ways
    #: minor units of each vehicle per 1,000 of what counts as metres, and per hour from start to end
    rates: Sequence[tuple[int, int]]


def _priced(vehicle: Vehicle, rates: tuple[int, int]) -> Vehicle:
    return replace(vehicle, cost_per_km_minor=rates[0], cost_per_hour_minor=rates[1])


def _ways(ground: _Ground, said: VroomJson) -> _Ways:
    profile, factor = said.vehicles[0].profile, said.vehicles[0].speed_factor
    costs = [each.costs for each in said.vehicles]
    if not ground.indexed:
        points = [Point(latitude, longitude) for longitude, latitude in ground.row_of]
        speed = SPEED_KMH * factor
        roads = great_circles(points, detour_factor=DETOUR_FACTOR, speed_kmh=speed)
        return _Ways(roads, roads, [(each.per_km + round(each.per_hour / speed), 0) for each in costs])
    given = said.matrices.get(profile) or (None if said.matrix is None else MatricesJson(durations=said.matrix))
    if given is None:
        raise FormatError(ground.path, "matrices", f"has no profile {profile}", f"add {profile}, or drop the matrices")
    seconds, metres, price = (
        None if cells is None else _array(ground.path, f"matrices.{profile}.{name}", cells)
        for name, cells in (("durations", given.durations), ("distances", given.distances), ("costs", given.costs))
    )
    if seconds is None:
        raise FormatError(ground.path, f"matrices.{profile}", "has no durations", "give them")
    for name, other in (("distances", metres), ("costs", price)):
        if other is not None and other.shape != seconds.shape:
            raise FormatError(
                ground.path, f"matrices.{profile}.{name}", "differs in size from durations", "make them agree"
            )
    seconds = np.rint(seconds / factor).astype(np.int64)
    return _rated(ground.path, said, seconds, metres, price)


def _rated(
    path: Path,
    said: VroomJson,
    seconds: NDArray[np.int64],
    metres: NDArray[np.int64] | None,
    price: NDArray[np.int64] | None,
) -> _Ways:
    """Find what may count as metres, so that the cost of a route is what VROOM would call it."""
    costs = [each.costs for each in said.vehicles]
    limited = any(each.max_distance is not None for each in said.vehicles)
    by_distance = limited or any(each.per_km for each in costs)
    if by_distance and metres is None:
        raise FormatError(path, "matrices", "has no distances, which a price or a limit asks for", "give them")
    roads = Matrix(seconds if metres is None else metres, seconds)
    if price is not None:
        if by_distance or any(each.per_hour != 3_600 for each in costs):
            raise FormatError(path, "matrices", "has costs beside prices or limits of the way", "leave one of them out")
        return _Ways(roads, Matrix(price, seconds), [(1_000, 0)] * len(costs))
    if not by_distance and all(each.per_hour == 3_600 for each in costs):
        return _Ways(roads, Matrix(seconds, seconds), [(1_000, 0)] * len(costs))
    rates = {(each.per_hour, each.per_km) for each in costs}
    if not limited and len(rates) == 1:
        per_hour, per_km = rates.pop()
        # thousandths of the cost
        fine = np.rint(seconds * (per_hour / 3.6)).astype(np.int64) + roads.distance_m * per_km
        if fine.size and fine.max() <= LONGEST_M:
            return _Ways(roads, Matrix(fine, seconds), [(1, 0)] * len(costs))
    if not by_distance:
        return _Ways(roads, Matrix(seconds, seconds), [(round(each.per_hour / 3.6), 0) for each in costs])
    return _Ways(roads, roads, [(each.per_km, each.per_hour) for each in costs])


def _array(path: Path, name: str, cells: Cells) -> NDArray[np.int64]:
    for number, row in enumerate(cells):
        if len(row) != len(cells):
            wrong = f"has {len(row)} numbers where there are {len(cells)} rows"
            raise FormatError(path, f"{name}[{number}]", wrong, "give one for each place")
    array = np.array(cells, dtype=np.int64).reshape(len(cells), len(cells))
    if array.size and array.max() > LONGEST_M:
        raise FormatError(path, name, f"has {array.max()}", f"give numbers up to {LONGEST_M:,}")
    np.fill_diagonal(array, 0)
    return array


def _with_nowhere(ways: Ways) -> Matrix:
    """With one more place, from which every other is at hand, and to which no road leads."""

    def grown(cells: NDArray[np.int64]) -> NDArray[np.int64]:
        count = len(cells)
        larger = np.full((count + 1, count + 1), UNREACHABLE, dtype=np.int64)
        larger[:count, :count] = cells
        larger[count] = 0
        return larger

    matrix = ways.among(range(ways.places))
    return Matrix(grown(matrix.distance_m), grown(matrix.duration_s))


def _start(path: Path, said: VroomJson) -> dict[str, Order]:
    known = {str(job.id) for job in said.jobs}
    known |= {f"pickup {each.pickup.id}" for each in said.shipments}
    known |= {f"delivery {each.delivery.id}" for each in said.shipments}
    start: dict[str, Order] = {}
    for number, each in enumerate(said.vehicles):
        names: list[str] = []
        for at, step in enumerate(each.steps):
            if step.type not in ("job", "pickup", "delivery"):
                continue
            name = f"{step.id}" if step.type == "job" else f"{step.type} {step.id}"
            if name not in known:
                wrong = f"names {step.type} {step.id}, which does not exist"
                raise FormatError(path, f"vehicles[{number}].steps[{at}]", wrong, "correct its id")
            names.append(name)
        if names:
            start[str(each.id)] = tuple(names)
    return start
