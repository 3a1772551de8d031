"""What a plan becomes when a dispatcher edits it by hand: its times, its cost, and the rules it now breaks.

Nothing is searched and nothing is refused. A route that keeps every rule gets the times that `solve` would give it; one
that breaks rules gets times all the same, so that a screen can show how late and how full it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from route_optimizer.check import judge
from route_optimizer.facts import FINE_PER_SECOND
from route_optimizer.plan import Plan, Reason, Reloading, Rest, Route, Rule, Unserved, Violation, Visit
from route_optimizer.problem import UNREACHABLE, Break, Problem, Stop, Vehicle, Window
from route_optimizer.repair import cost
from route_optimizer.schedule import cost as route_cost
from route_optimizer.schedule import opening, order_of, route
from route_optimizer.search import Sequences
from route_optimizer.validation import ProblemError

_KM = 1_000


@dataclass(frozen=True, slots=True)
class Moved:
    """A stop that another vehicle serves now."""

    stop: str
    #: ids of vehicles; None is nobody
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Changes:
    """What an edit does to a plan; positive is more."""

    #: in units of the objective
    cost: int
    distance_m: int
    #: from start to end, summed over the vehicles
    duration_s: int
    moved: tuple[Moved, ...]
    #: stop -> seconds that its service starts later (negative: sooner), where it is not the same
    shifted_s: dict[str, int]


@dataclass(frozen=True, slots=True)
class WhatIf:
    """An edited plan, judged."""

    plan: Plan
    #: none when the edit may be kept as it is
    violations: tuple[Violation, ...]
    #: against the plan it was compared with; None when there was none
    changes: Changes | None = None


def simulate(
    problem: Problem, orders: Sequences, compared_with: Plan | None = None, *, known: Sequence[Route] = ()
) -> WhatIf:
    """Drive these orders on paper.

    Args:
        problem: a valid problem.
        orders: what each vehicle serves, in order; stops on no route are left out.
        compared_with: the plan before the edit.
        known: routes that were simulated of the same problem: those whose order is the same are not driven again.

    Raises:
        ProblemError: when the orders name a vehicle or a stop that does not exist.
    """
    plan = drawn_up(problem, orders, compared_with, known=known)
    return WhatIf(plan, _violations(problem, plan), _changes(compared_with, plan) if compared_with else None)


def drawn_up(
    problem: Problem, orders: Sequences, compared_with: Plan | None = None, *, known: Sequence[Route] = ()
) -> Plan:
    """The plan of `simulate`, which nobody has judged.

    Raises:
        ProblemError: when the orders name a vehicle or a stop that does not exist.
    """
    _known(problem, orders)
    driven = {(each.vehicle, each.order): each for each in known}
    routes = tuple(
        driven.get((vehicle.id, tuple(orders[vehicle.id])))
        or drive(problem, vehicle, order_of(problem, orders[vehicle.id]))
        for vehicle in problem.vehicles
        if any(name is not None for name in orders.get(vehicle.id, ()))
    )
    served = {visit.stop for each in routes for visit in each.visits}
    return Plan(
        routes=routes,
        unserved=tuple(_on_no_route(problem, stop) for stop in problem.stops if stop.id not in served),
        cost=cost(problem, routes),
        engine=compared_with.engine if compared_with else "exact",
        ending="settled",
    )


def drive(problem: Problem, vehicle: Vehicle, order: Sequence[Stop | None]) -> Route:
    """The best times of a route; where it breaks rules, no later anywhere than driving straight on would be."""
    order = _tidy(order)
    names = tuple(None if stop is None else stop.id for stop in order)
    found = route(problem, vehicle, order)
    if found is None:
        anything_goes = _without_goods(problem, vehicle, order)
        found = route(*anything_goes, order_of(anything_goes[0], names))
    if found is None:
        straight_on = _Drive(problem, vehicle, order).route()
        in_time = _no_later_than(problem, vehicle, order, straight_on)
        found = route(*in_time, order_of(in_time[0], names)) or straight_on
    return found


def _known(problem: Problem, orders: Sequences) -> None:
    for vehicle, names in orders.items():
        if vehicle not in problem.vehicle_by_id:
            raise ProblemError(f"orders[{vehicle}]", "is of a vehicle that does not exist", "correct its id")
        for place, name in enumerate(names):
            if name is not None and name not in problem.stop_by_id:
                raise ProblemError(f"orders[{vehicle}][{place}]", f"is {name!r}, which does not exist", "correct it")
            if name is None and problem.vehicle_by_id[vehicle].reload is None:
                raise ProblemError(f"orders[{vehicle}][{place}]", "is a reload", f"{vehicle} has nowhere to reload")


def _tidy(order: Sequence[Stop | None]) -> list[Stop | None]:
    """Without a reload at either end or after another."""
    tidy = [stop for before, stop in pairwise([None, *order]) if before is not None or stop is not None]
    return tidy[:-1] if tidy and tidy[-1] is None else tidy


def _on_no_route(problem: Problem, stop: Stop) -> Unserved:
    words, remedy = "it is on no route of this draft", "a place on a route"
    return Unserved(stop.id, (Reason(Rule.COMPLETE, problem.vehicles[0].id, words, remedy),))


def _violations(problem: Problem, plan: Plan) -> tuple[Violation, ...]:
    found = judge(problem, plan).violations
    if any(each.rule is Rule.UNREACHABLE for each in found):
        # where no road leads there is nothing to compute with, and no figure to dispute
        found = tuple(each for each in found if each.rule is not Rule.FIGURES)
    return found


def _changes(before: Plan, after: Plan) -> Changes:
    vans = [{visit.stop: each.vehicle for each in plan.routes for visit in each.visits} for plan in (before, after)]
    starts = [{visit.stop: visit.start_s for each in plan.routes for visit in each.visits} for plan in (before, after)]
    return Changes(
        cost=after.cost - before.cost,
        distance_m=_total(after, "distance_m") - _total(before, "distance_m"),
        duration_s=_total(after, "duration_s") - _total(before, "duration_s"),
        moved=tuple(
            Moved(stop, vans[0].get(stop), vans[1].get(stop))
            for stop in sorted(vans[0] | vans[1])
            if vans[0].get(stop) != vans[1].get(stop)
        ),
        shifted_s={
            stop: start_s - starts[0][stop]
            for stop, start_s in starts[1].items()
            if starts[0].get(stop, start_s) != start_s
        },
    )


def _total(plan: Plan, figure: str) -> int:
    return sum(getattr(each, figure) for each in plan.routes)


def _without_goods(problem: Problem, vehicle: Vehicle, order: Sequence[Stop | None]) -> tuple[Problem, Vehicle]:
    """The same drive when nothing is carried and nobody minds what goes with what: only clock and road remain."""
    delivered = {each.delivery for each in problem.shipments}
    stops = {
        stop.id: replace(
            stop,
            loads=(),
            collects=(),
            skills=frozenset(),
            max_ride_s=None if stop.id in delivered else stop.max_ride_s,
        )
        for stop in order
        if stop is not None
    }
    reload = vehicle.reload and replace(vehicle.reload, most=max(1, sum(stop is None for stop in order)))
    free = replace(vehicle, reload=reload, locked=(), on_board=None, max_stops=None)
    return replace(problem, stops=tuple(stops.values()), vehicles=(free,), shipments=(), together=(), apart=()), free


def _no_later_than(
    problem: Problem, vehicle: Vehicle, order: Sequence[Stop | None], known: Route
) -> tuple[Problem, Vehicle]:
    """The drive without goods, every rule of the clock stretched as far as a known drive needs, and no further."""
    easier, free = _without_goods(problem, vehicle, order)
    starts = {visit.stop: visit.start_s for visit in known.visits}
    stops = tuple(
        replace(
            stop, windows=stop.windows and (*stop.windows, Window(starts[stop.id], starts[stop.id])), max_ride_s=None
        )
        for stop in easier.stops
    )
    free = replace(
        free,
        shift=Window(free.shift.opens_s, max(free.shift.closes_s, known.end_s)),
        max_distance_m=None,
        max_duration_s=None,
        max_driving_s=None,
    )
    return replace(easier, stops=stops, vehicles=(free,)), free


class _Drive:
    """Driving straight on: every stop as soon as it can be, breaks and rests when they come due."""

    def __init__(self, problem: Problem, vehicle: Vehicle, order: Sequence[Stop | None]) -> None:
        self._problem, self._vehicle, self._order = problem, vehicle, order
        self._breaks: list[Break] = []
        self._clear(0)

    def route(self) -> Route:
        """The drive, with the breaks that are due on it and no other."""
        start_s = max(self._vehicle.shift.opens_s, self._released_s(0))
        due = [each for each in self._vehicle.breaks if each.latest_s >= start_s]
        end_s = self._go(start_s, due)
        while due and due[-1].latest_s >= end_s:
            due.pop()
            end_s = self._go(start_s, due)
        return self._told(start_s, end_s)

    def _clear(self, now_s: int) -> None:
        self._now_s, self._place = now_s, self._vehicle.start
        self._driven_s = self._metres = 0
        self._visits: list[Visit] = []
        self._rests: list[Rest] = []
        self._reloads: list[Reloading] = []

    def _go(self, start_s: int, breaks: Sequence[Break]) -> int:
        self._clear(start_s)
        self._breaks = list(breaks)
        for number, stop in enumerate(self._order):
            if stop is None:
                self._reload(number)
            else:
                self._serve(stop)
        if self._vehicle.end is not None:
            self._drive_to(self._vehicle.end)
        return self._now_s

    def _serve(self, stop: Stop) -> None:
        self._drive_to(stop.location)
        arrival_s = self._now_s
        windows = opening(stop.windows)
        self._wait(
            next((each.opens_s for each in windows if each.closes_s >= arrival_s), arrival_s), stop.service_time_s
        )
        self._now_s = next(
            (max(self._now_s, each.opens_s) for each in windows if each.closes_s >= self._now_s), self._now_s
        )
        self._visits.append(Visit(stop.id, arrival_s, self._now_s, self._now_s + stop.service_time_s))
        self._now_s += stop.service_time_s

    def _reload(self, number: int) -> None:
        reload = self._vehicle.reload
        if reload is None:
            return
        self._drive_to(reload.place)
        arrival_s = self._now_s
        self._wait(self._released_s(number + 1), reload.duration_s)
        start_s = self._now_s
        self._now_s += reload.duration_s
        self._reloads.append(Reloading(len(self._visits), arrival_s, start_s, self._now_s))

    def _released_s(self, number: int) -> int:
        """When all that the trip brings is ready, the trip beginning with this element of the order."""
        latest_s = 0
        for stop in self._order[number:]:
            if stop is None:
                break
            latest_s = max(latest_s, stop.release_s)
        return latest_s

    def _wait(self, until_s: int, then_busy_s: int) -> None:
        """Wait; a break is taken if its time comes, or if it could not be begun after what follows."""
        while self._breaks:
            first = self._breaks[0]
            begins_s = max(self._now_s, first.earliest_s)
            if begins_s > first.latest_s:
                self._breaks.pop(0)  # missed: the judge will say so
            elif begins_s < until_s or first.latest_s < max(self._now_s, until_s) + then_busy_s:
                self._rest(begins_s, self._breaks.pop(0).duration_s)
            else:
                break
        self._now_s = max(self._now_s, until_s)

    def _rest(self, begins_s: int, duration_s: int) -> None:
        self._now_s = begins_s + duration_s
        self._rests.append(Rest(begins_s, self._now_s))
        if self._vehicle.driving is not None and duration_s >= self._vehicle.driving.rest_s:
            self._driven_s = 0

    def _drive_to(self, place: int) -> None:
        metres, left_s = (
            self._problem.matrix.metres(self._place, place),
            self._problem.matrix.seconds(self._place, place),
        )
        self._place = place
        if metres == UNREACHABLE:
            return
        self._metres += metres
        while left_s:
            self._break_if_due()
            step_s = self._undisturbed_s(left_s)
            if step_s == 0 and self._vehicle.driving is not None:
                self._rest(self._now_s, self._vehicle.driving.rest_s)
            self._now_s += step_s
            self._driven_s += step_s
            left_s -= step_s

    def _break_if_due(self) -> None:
        while self._breaks and self._breaks[0].earliest_s <= self._now_s:
            due = self._breaks.pop(0)
            if self._now_s <= due.latest_s:
                self._rest(self._now_s, due.duration_s)

    def _undisturbed_s(self, left_s: int) -> int:
        """How long it may drive on before a break or a rest."""
        limits = [left_s]
        if self._breaks:
            limits.append(self._breaks[0].earliest_s - self._now_s)
        if self._vehicle.driving is not None:
            limits.append(self._vehicle.driving.longest_s - self._driven_s)
        return min(limits)

    def _told(self, start_s: int, end_s: int) -> Route:
        """The route, leaving as late as its first stop allows."""
        first = self._visits[0]
        if not any(each.start_s < first.start_s for each in self._rests):
            start_s += first.start_s - first.arrival_s
            self._visits[0] = replace(first, arrival_s=first.start_s)
        late_s = self._late_s()
        return Route(
            vehicle=self._vehicle.id,
            start_s=start_s,
            end_s=end_s,
            visits=tuple(self._visits),
            distance_m=self._metres,
            cost=route_cost(
                self._problem,
                self._vehicle,
                distance_m=self._metres,
                duration_s=end_s - start_s,
                late_fine=sum(late_s[stop.id] * stop.late_cost_per_hour * FINE_PER_SECOND for stop in self._stops),
                reassigned=sum(stop.planned_on not in (None, self._vehicle.id) for stop in self._stops),
            ),
            rests=tuple(self._rests),
            reloads=tuple(self._reloads),
            late_s=sum(late_s.values()),
            fuel_ml=(self._metres * self._vehicle.fuel_ml_per_km + 500) // _KM,
            co2_g=(self._metres * self._vehicle.co2_g_per_km + 500) // _KM,
        )

    def _late_s(self) -> dict[str, int]:
        starts_s = {each.stop: each.start_s for each in self._visits}
        return {stop.id: 0 if stop.due_s is None else max(0, starts_s[stop.id] - stop.due_s) for stop in self._stops}

    @property
    def _stops(self) -> list[Stop]:
        return [stop for stop in self._order if stop is not None]


def _opens_s(windows: Sequence[Window], arrival_s: int) -> int:
    """When service can start; at once where every window is over."""
    return next((max(arrival_s, each.opens_s) for each in windows if each.closes_s >= arrival_s), arrival_s)
