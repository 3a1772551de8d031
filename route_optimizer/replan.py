"""Taking up a day again: a late order, a cancelled stop, a broken vehicle, and as little change as can be.

A late order goes where it costs least. Where there is no room, other stops make room for it, one or two of them going
to other vehicles; more change vans only when asked. What is on board stays on board: see `running`.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from route_optimizer.explain import explain
from route_optimizer.facts import facts_of
from route_optimizer.insertion import cheapest
from route_optimizer.plan import Ending, Order, Plan
from route_optimizer.problem import Problem, Stop
from route_optimizer.repair import cost, kept, routes_of, tidy
from route_optimizer.running import Day, Handling, Rest, rest_of
from route_optimizer.schedule import cost_of
from route_optimizer.solve import passed, solve
from route_optimizer.validation import ProblemError, validate
from route_optimizer.whatif import Moved

#: exchanges of which each is tried with one exchange more
MOST_PASSED_ON = 8


@dataclass(frozen=True, slots=True)
class Replan:
    """The rest of the day as it goes on."""

    #: a plan of `problem`, judged
    plan: Plan
    #: what is left of the day, from now
    problem: Problem
    #: stops of the plan before that another vehicle serves now, though theirs could have; nothing broken among them
    moved: tuple[Moved, ...]
    #: what happened to each stop that is new, late, fetched or left out: sentences
    why: tuple[str, ...]


def replan(
    problem: Problem,
    day: Day,
    *,
    insert: Sequence[Stop] = (),
    cancel: Iterable[str] = (),
    budget_s: float = 1.0,
    most_moved: int | None = 2,
    handling: Handling | None = None,
    seed: int = 0,
) -> Replan:
    """Plan the rest of a day.

    Args:
        problem: the whole day as it was planned; if late orders are at new places, with a row more for each.
        day: how things stand now.
        insert: late orders, or shipments' stops that the problem does not have yet.
        cancel: ids of stops that are not to be served any more.
        budget_s: seconds to search at most; it takes less when nothing is in the way.
        most_moved: stops that may change vans for each late order (for all else together, if there is none); None is
            as many as it takes: then all of `budget_s` is searched.
        handling: promises and handing over.
        seed: of the search without a limit.

    Raises:
        ProblemError: when the day or an order makes no sense.
    """
    cancel = tuple(cancel)
    _sensible(problem, day, insert)
    rest = rest_of(problem, day, insert, cancel, handling)
    validate(rest.problem)
    start = kept(rest.problem, rest.orders)
    allowed = None if most_moved is None else most_moved * max(1, len(insert))
    repair = _Repair(rest.problem, dict(start), allowed, time.monotonic() + budget_s)
    # what was left out before still is, unless there is less to do now
    given_up = set() if cancel or most_moved is None else {each.stop for each in day.plan.unserved}
    repair.serve([stop for stop in rest.problem.stops if stop.id not in repair.van_of and stop.id not in given_up])
    if most_moved is None:
        plan = solve(rest.problem, budget_s=budget_s, seed=seed, start=repair.orders)
    else:
        repair.polish(changed=_changed(rest.orders, repair.orders))
        plan = passed(rest.problem, _plan(rest.problem, repair, day.plan))
    stayed = {name: vehicle for vehicle, order in start.items() for name in order if name is not None}
    after = {visit.stop: route.vehicle for route in plan.routes for visit in route.visits}
    return Replan(
        plan=plan,
        problem=rest.problem,
        moved=tuple(
            Moved(name, vehicle, after.get(name))
            for name, vehicle in sorted(stayed.items())
            if after.get(name) != vehicle
        ),
        why=tuple(_why(rest, plan, stayed, {each.id for each in insert})),
    )


def _sensible(problem: Problem, day: Day, insert: Sequence[Stop]) -> None:
    for vehicle in (*day.broken, *(each.vehicle for each in day.vans)):
        if vehicle not in problem.vehicle_by_id:
            raise ProblemError(f"day.vans[{vehicle}]", "is of a vehicle that does not exist", "correct its id")
    for each in day.vans:
        if not 0 <= each.place < problem.matrix.places:
            raise ProblemError(f"day.vans[{each.vehicle}].place", f"is {each.place}", "give a row of the matrix")
    for stop in insert:
        if stop.id in problem.stop_by_id:
            raise ProblemError(
                f"insert[{stop.id}]", "is in the problem already", "give the late order an id of its own"
            )


class _Repair:
    """Orders that keep every rule, changed one stop at a time."""

    def __init__(self, problem: Problem, orders: dict[str, Order], most_moved: int | None, until: float) -> None:
        self.problem, self.orders = problem, orders
        self.van_of = {name: vehicle for vehicle, order in orders.items() for name in order if name is not None}
        self._home = dict(self.van_of)
        self._most_moved, self._until = most_moved, until
        self.out_of_time = False

    def serve(self, waiting: Sequence[Stop]) -> None:
        """Serve what can be served, heaviest first; room is made where there is none."""
        for stop in sorted(waiting, key=lambda each: (each.prize is not None, -each.priority, -(each.prize or 0))):
            if stop.id in self.van_of or self._late():
                continue
            if not self._insert(stop) and stop.prize is None and self._may_move():
                self._make_room(stop)

    def polish(self, changed: Iterable[str]) -> None:
        """Put the stops of changed routes in a better order, each staying on its vehicle."""
        for vehicle in changed:
            while not self._late():
                order = self.orders.get(vehicle, ())
                best = min(self._neighbours(vehicle, order), key=lambda each: each[0], default=None)
                before = cost_of(self.problem, self.problem.vehicle_by_id[vehicle], order)
                if best is None or before is None or best[0] >= before:
                    break
                self.orders[vehicle] = best[1]

    def _insert(self, stop: Stop) -> bool:
        found = cheapest(self.problem, self.orders, stop)
        if found is None:
            return False
        added = [name for name in found.sequence if name is not None and name not in self.van_of]
        prizes = [self.problem.stop_by_id[name].prize for name in added]
        if None not in prizes and sum(each or 0 for each in prizes) <= found.extra_cost:
            return False
        self._set(found.vehicle, found.sequence)
        return True

    def _set(self, vehicle: str, order: Order) -> None:
        for name in self.orders.get(vehicle, ()):
            if name is not None:
                del self.van_of[name]
        self.orders[vehicle] = order
        self.van_of |= {name: vehicle for name in order if name is not None}

    def _moved(self) -> int:
        return sum(self.van_of.get(name) != vehicle for name, vehicle in self._home.items())

    def _may_move(self) -> bool:
        return self._most_moved is None or self._moved() < self._most_moved

    def _late(self) -> bool:
        self.out_of_time = self.out_of_time or time.monotonic() > self._until
        return self.out_of_time

    def _make_room(self, stop: Stop, moves: int = 2) -> bool:
        """Let another stop go to another vehicle, so that this one fits where it was: the cheapest such exchange.

        Where no vehicle has room for the other one, room is made for it in the same way, if so many moves are left.
        """
        exchanges = sorted(self._exchanges(stop), key=lambda each: each[0])
        best: tuple[int, str, Order, str, Order] | None = None
        for extra, vehicle, order, name in exchanges:
            if self._late() or (best is not None and extra >= best[0]):
                break
            found = cheapest(self.problem, self.orders | {vehicle: order}, self.problem.stop_by_id[name])
            if found is not None and found.vehicle != vehicle and (best is None or extra + found.extra_cost < best[0]):
                best = extra + found.extra_cost, vehicle, order, found.vehicle, found.sequence
        if best is not None:
            self._set(*best[1:3])
            self._set(*best[3:])
            return True
        return moves > 1 and any(self._pass_on(*each[1:], moves - 1) for each in exchanges[:MOST_PASSED_ON])

    def _pass_on(self, vehicle: str, order: Order, name: str, moves: int) -> bool:
        """Take over an order without a stop and make room for that elsewhere; all stays as it was if that fails."""
        before = dict(self.orders), dict(self.van_of)
        self._set(vehicle, order)
        if not self._late() and self._may_move() and self._make_room(self.problem.stop_by_id[name], moves):
            return True
        self.orders, self.van_of = before
        return False

    def _exchanges(self, stop: Stop) -> Iterator[tuple[int, str, Order, str]]:
        """Orders with this stop instead of another: what they cost more, whose they are, and the other stop."""
        for vehicle, name in self._movable():
            if self._late():
                return
            without = tidy(each for each in self.orders[vehicle] if each != name)
            here = self._best_in(vehicle, without, stop.id)
            if here is not None:
                yield here[0], vehicle, here[1], name

    def _movable(self) -> Iterator[tuple[str, str]]:
        """Stops that another vehicle could serve: neither locked nor on board, and tied to no other stop."""
        facts = facts_of(self.problem)
        for vehicle, order in list(self.orders.items()):
            van = self.problem.vehicle_by_id[vehicle]
            fixed = {*van.locked, *(van.on_board or ()), *facts.partners}
            yield from ((vehicle, name) for name in order if name is not None and name not in fixed)

    def _best_in(self, vehicle: str, order: Order, name: str) -> tuple[int, Order] | None:
        """The cheapest place for a stop on a vehicle, by what its route costs then more than now."""
        van = self.problem.vehicle_by_id[vehicle]
        before = cost_of(self.problem, van, self.orders[vehicle])
        candidates = [(*order[:at], name, *order[at:]) for at in range(len(van.locked), len(order) + 1)]
        costs = ((cost_of(self.problem, van, each), each) for each in candidates)
        fitting = [(each - (before or 0), candidate) for each, candidate in costs if each is not None]
        return min(fitting, key=lambda each: each[0], default=None)

    def _neighbours(self, vehicle: str, order: Order) -> Iterator[tuple[int, Order]]:
        van = self.problem.vehicle_by_id[vehicle]
        first = len(van.locked)
        for at in range(first, len(order)):
            if order[at] is None:
                continue
            rest = (*order[:at], *order[at + 1 :])
            for to in range(first, len(order)):
                if self._late():
                    return
                if to != at:
                    candidate = (*rest[:to], order[at], *rest[to:])
                    found = cost_of(self.problem, van, candidate)
                    if found is not None:
                        yield found, candidate


def _changed(before: dict[str, Order], after: dict[str, Order]) -> list[str]:
    return [vehicle for vehicle, order in after.items() if order and before.get(vehicle) != order]


def _plan(problem: Problem, repair: _Repair, before: Plan) -> Plan:
    routes = routes_of(problem, repair.orders)
    orders = {each.vehicle: each.order for each in routes}
    served = {visit.stop for each in routes for visit in each.visits}
    ending: Ending = "budget" if repair.out_of_time else "settled"
    return Plan(
        routes=tuple(routes),
        unserved=tuple(explain(problem, orders, stop) for stop in problem.stops if stop.id not in served),
        cost=cost(problem, routes),
        engine=before.engine,
        ending=ending,
    )


def _why(rest: Rest, plan: Plan, stayed: dict[str, str], late_orders: set[str]) -> Iterator[str]:
    after = {visit.stop: route.vehicle for route in plan.routes for visit in route.visits}
    planned = {name: vehicle for vehicle, order in rest.orders.items() for name in order if name is not None}
    for name in sorted(late_orders & after.keys()):
        yield f"{name} is new and goes with {after[name]}"
    for name in sorted(rest.fetched.keys() & after.keys()):
        yield f"{after[name]} fetches the goods of {name} and brings them"
    for name, vehicle in sorted(planned.items()):
        if name in stayed and after.get(name, vehicle) != vehicle:
            yield f"{name} makes room: it goes with {after[name]}, not with {vehicle}"
        elif name not in stayed and name in after:
            where = "stays with" if after[name] == vehicle else f"cannot stay with {vehicle} and goes with"
            yield f"{name} could not be kept where it was: it {where} {after[name]}"
    handing_over = set(rest.fetched.values())
    for unserved in (each for each in plan.unserved if each.stop not in handing_over):
        yield f"{unserved.stop} is left out: {'; '.join(reason.words for reason in unserved.reasons)}"
