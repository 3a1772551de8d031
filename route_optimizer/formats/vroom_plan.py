"""A plan as VROOM answers: summary, routes with their steps, and the tasks left unassigned."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from route_optimizer.formats.instance import Instance
from route_optimizer.plan import Plan, Rest, Route, Visit
from route_optimizer.problem import Load, Stop, Vehicle


class StepOut(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What happens at one moment of a route; seconds."""

    type: str
    arrival: int
    #: driven so far
    duration: int
    setup: int
    service: int
    waiting_time: int
    violations: list[str]
    id: int | None = None
    description: str = ""
    location: tuple[float, float] | None = None
    location_index: int | None = None
    #: on board when it is over
    load: list[int] | None = None
    #: metres driven so far
    distance: int | None = None


class RouteOut(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One vehicle's day."""

    vehicle: int
    cost: int
    setup: int
    service: int
    duration: int
    waiting_time: int
    priority: int
    delivery: list[int]
    pickup: list[int]
    steps: list[StepOut]
    violations: list[str]
    description: str = ""
    distance: int | None = None


class Unassigned(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A task nobody does."""

    id: int
    type: str
    description: str = ""
    location: tuple[float, float] | None = None
    location_index: int | None = None


class Times(msgspec.Struct, frozen=True):
    """Milliseconds."""

    loading: int
    solving: int
    routing: int


class Summary(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Sums over the routes."""

    cost: int
    routes: int
    unassigned: int
    delivery: list[int]
    pickup: list[int]
    setup: int
    service: int
    duration: int
    waiting_time: int
    priority: int
    violations: list[str]
    computing_times: Times
    distance: int | None = None


class Answer(msgspec.Struct, frozen=True):
    """The whole file."""

    code: int
    summary: Summary
    unassigned: list[Unassigned]
    routes: list[RouteOut]


def encode(instance: Instance, plan: Plan, *, elapsed_s: float = 0.0) -> bytes:
    """The text of VROOM's answer. Ids that are no numbers become their place in the problem, told in `description`.

    Raises:
        ValueError: when vehicles may reload, which no answer of VROOM's can say.
    """
    if any(vehicle.reload for vehicle in instance.problem.vehicles):
        raise ValueError("its vehicles may reload, which VROOM's format cannot say")
    names = _Names(instance)
    routes = [_Drive(instance, names, route).told() for route in plan.routes]
    unassigned = [names.unassigned(each.stop) for each in plan.unserved]
    answer = Answer(0, _summary(instance, plan, routes, elapsed_s), unassigned, routes)
    return msgspec.json.format(msgspec.json.encode(answer), indent=2) + b"\n"


def _summary(instance: Instance, plan: Plan, routes: Sequence[RouteOut], elapsed_s: float) -> Summary:
    distances = [each.distance for each in routes if each.distance is not None]
    return Summary(
        cost=instance.told(plan.cost),
        routes=len(routes),
        unassigned=len(plan.unserved),
        delivery=_sum([each.delivery for each in routes]),
        pickup=_sum([each.pickup for each in routes]),
        setup=0,
        service=sum(each.service for each in routes),
        duration=sum(each.duration for each in routes),
        waiting_time=sum(each.waiting_time for each in routes),
        priority=sum(each.priority for each in routes),
        violations=[],
        computing_times=Times(0, round(elapsed_s * 1_000), 0),
        distance=sum(distances) if _measured(instance) else None,
    )


def _sum(amounts: Sequence[Sequence[int]]) -> list[int]:
    return [sum(column) for column in zip(*amounts, strict=True)]


def _measured(instance: Instance) -> bool:
    """Whether metres are known: a file of VROOM's may give seconds only."""
    said = instance.vroom
    return said is None or not (said.matrix or said.matrices) or any(each.distances for each in said.matrices.values())


class _Names:
    """What VROOM calls the stops, vehicles and breaks of a problem, and where they are."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        problem, said = instance.problem, instance.vroom
        self._order = {stop.id: n for n, stop in enumerate(problem.stops, start=1)}
        self._vehicles = {vehicle.id: n for n, vehicle in enumerate(problem.vehicles, start=1)}
        self._ends = {each.pickup: "pickup" for each in problem.shipments}
        self._ends |= {each.delivery: "delivery" for each in problem.shipments}
        self._described: dict[str, str] = {}
        self._breaks: dict[str, list[tuple[int, str]]] = {}
        if said is not None:
            self._described = {str(job.id): job.description for job in said.jobs}
            self._described |= {f"pickup {each.pickup.id}": each.pickup.description for each in said.shipments}
            self._described |= {f"delivery {each.delivery.id}": each.delivery.description for each in said.shipments}
            self._described |= {f"vehicle {each.id}": each.description for each in said.vehicles}
            for each in said.vehicles:
                taken = sorted((pause for pause in each.breaks if pause.service), key=lambda pause: pause.time_windows)
                self._breaks[str(each.id)] = [(pause.id, pause.description) for pause in taken]

    def kind(self, stop: str) -> str:
        return self._ends.get(stop, "job")

    def number(self, stop: str) -> tuple[int, str]:
        """The id of a stop, and its description."""
        last = stop.split(" ")[-1] if self._instance.vroom is not None else stop
        if last.isdecimal():
            return int(last), self._described.get(stop, "")
        return self._order[stop], stop

    def vehicle(self, name: str) -> tuple[int, str]:
        if name.isdecimal():
            return int(name), self._described.get(f"vehicle {name}", "")
        return self._vehicles[name], name

    def pause(self, vehicle: Vehicle, rest: Rest) -> tuple[int, str]:
        """The id of the break that a rest is; 0 where it is taken for a driving rule."""
        for number, each in enumerate(vehicle.breaks):
            if each.earliest_s <= rest.start_s <= each.latest_s and rest.end_s - rest.start_s == each.duration_s:
                known = self._breaks.get(vehicle.id, [])
                return known[number] if number < len(known) else (number + 1, "")
        return 0, "rest"

    def where(self, place: int) -> tuple[tuple[float, float] | None, int | None]:
        """The coordinates of a row of the matrix, and the row where it has none."""
        at = self._instance.coordinates(place)
        return at, place if at is None else None

    def unassigned(self, stop: str) -> Unassigned:
        number, description = self.number(stop)
        location, index = self.where(self._instance.problem.stop_by_id[stop].location)
        return Unassigned(
            id=number, type=self.kind(stop), description=description, location=location, location_index=index
        )


@dataclass
class _Drive:
    """A route told step by step."""

    instance: Instance
    names: _Names
    route: Route
    steps: list[StepOut] = field(default_factory=list)
    driven_s: int = 0
    driven_m: int = 0
    waited_s: int = 0
    #: when the vehicle last left something
    left_s: int = 0
    place: int = 0
    load: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        problem = self.instance.problem
        self.vehicle = problem.vehicle_by_id[self.route.vehicle]
        self.stops = [problem.stop_by_id[visit.stop] for visit in self.route.visits]
        self.ways = self.instance.roads or problem.matrix
        self.goods = {each.pickup: each.loads for each in problem.shipments}
        self.goods_out = {each.delivery: each.loads for each in problem.shipments}
        self.place, self.left_s = self.vehicle.start, self.route.start_s
        self.dimensions = list(dict.fromkeys(each.dimension for each in self.vehicle.capacities))

    def told(self) -> RouteOut:
        for stop in self.stops:
            self.load.update(_amounts(stop.loads))
        brought, taken = Counter(self.load), Counter[str]()
        if self.place != self.instance.nowhere:
            self._step("start", self.route.start_s, self.place)
        rests = list(self.route.rests)
        for visit, stop in zip(self.route.visits, self.stops, strict=True):
            while rests and rests[0].start_s < visit.start_s:
                self._rest(rests.pop(0), stop.location)
            self._visit(visit, stop)
            for amounts in (stop.collects, self.goods.get(stop.id, ())):
                taken.update(_amounts(amounts))
            brought.update(_amounts(self.goods_out.get(stop.id, ())))
        for rest in rests:
            self._rest(rest, self.vehicle.end)
        if self.vehicle.end is not None:
            self._drive(self.vehicle.end)
            self._step("end", self.route.end_s, self.vehicle.end)
        number, description = self.names.vehicle(self.vehicle.id)
        return RouteOut(
            vehicle=number,
            description=description,
            cost=self.instance.told(self.route.cost),
            setup=0,
            service=sum(step.service for step in self.steps),
            duration=self.driven_s,
            waiting_time=self.waited_s,
            priority=sum(stop.priority for stop in self.stops),
            delivery=[brought[name] for name in self.dimensions],
            pickup=[taken[name] for name in self.dimensions],
            steps=self.steps,
            violations=[],
            distance=self.driven_m if _measured(self.instance) else None,
        )

    def _drive(self, place: int) -> None:
        self.driven_s += self.instance.problem.matrix.seconds(self.place, place)
        self.driven_m += self.ways.metres(self.place, place)
        self.place = place

    def _visit(self, visit: Visit, stop: Stop) -> None:
        self._drive(stop.location)
        rested_s = sum(
            min(rest.end_s, visit.start_s) - max(rest.start_s, visit.arrival_s)
            for rest in self.route.rests
            if rest.end_s > visit.arrival_s and rest.start_s < visit.start_s
        )
        waiting_s = visit.start_s - visit.arrival_s - rested_s
        self.load.subtract(_amounts(stop.loads))
        self.load.subtract(_amounts(self.goods_out.get(stop.id, ())))
        self.load.update(_amounts(stop.collects))
        self.load.update(_amounts(self.goods.get(stop.id, ())))
        number, description = self.names.number(stop.id)
        self._step(
            self.names.kind(stop.id),
            visit.arrival_s,
            stop.location,
            service_s=stop.service_time_s,
            waiting_s=waiting_s,
            number=number,
            description=description,
        )
        self.waited_s += waiting_s
        self.left_s = visit.departure_s

    def _rest(self, rest: Rest, towards: int | None) -> None:
        """Seconds of driving before it are counted into its step; the way itself at the next stop."""
        leg_s = 0 if towards is None else self.instance.problem.matrix.seconds(self.place, towards)
        before_s = min(leg_s, rest.start_s - self.left_s)
        number, description = self.names.pause(self.vehicle, rest)
        self._step(
            "break",
            rest.start_s,
            None,
            service_s=rest.end_s - rest.start_s,
            number=number,
            description=description,
            driven_s=self.driven_s + before_s,
        )
        self.left_s += rest.end_s - rest.start_s

    def _step(
        self,
        kind: str,
        arrival_s: int,
        place: int | None,
        *,
        service_s: int = 0,
        waiting_s: int = 0,
        number: int | None = None,
        description: str = "",
        driven_s: int | None = None,
    ) -> None:
        location, index = (None, None) if place is None else self.names.where(place)
        self.steps.append(
            StepOut(
                type=kind,
                arrival=arrival_s,
                duration=self.driven_s if driven_s is None else driven_s,
                setup=0,
                service=service_s,
                waiting_time=waiting_s,
                violations=[],
                id=number,
                description=description,
                location=location,
                location_index=index,
                load=[self.load[name] for name in self.dimensions] if self.dimensions else None,
                distance=self.driven_m if place is not None and _measured(self.instance) else None,
            )
        )


def _amounts(loads: Sequence[Load]) -> Counter[str]:
    found: Counter[str] = Counter()
    for load in loads:
        found[load.dimension] += load.amount
    return found
