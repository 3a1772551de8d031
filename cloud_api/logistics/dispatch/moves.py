"""Changes by hand to a plan's orders of stops, without a database: what is not possible is refused by name."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from cloud_api.logistics.dispatch.errors import BadMove
from cloud_api.logistics.dispatch.schemas import Move
from route_optimizer.insertion import cheapest
from route_optimizer.plan import Order
from route_optimizer.problem import Problem, Vehicle

Orders = dict[str, Order]


def moved(problem: Problem, orders: Mapping[str, Order], moves: Sequence[Move]) -> tuple[Problem, Orders]:
    """The orders of stops after these changes, one after the other, and the problem with its new locks.

    Raises:
        BadMove: naming the change, and what of it is not in the plan.
    """
    now = dict(orders)
    for number, move in enumerate(moves):
        step = _Step(problem, now, move, f"moves[{number}]")
        problem = step.take()
    return problem, {vehicle: order for vehicle, order in now.items() if order}


class _Step:
    """One change; `orders` are changed in place."""

    def __init__(self, problem: Problem, orders: Orders, move: Move, field: str) -> None:
        self._problem, self._orders, self._move, self._field = problem, orders, move, field

    def take(self) -> Problem:
        """Do it; the problem comes back with other locks where those changed."""
        action = self._move.action
        if action == "swap":
            return self._swap()
        if action == "unlock":
            return self._locked(self._vehicle("vehicle_id"), ())
        if action == "lock":
            return self._lock()
        if action == "unassign":
            self._take_off(self._stop("order_id"))
        else:
            self._assign()
        return self._problem

    def _assign(self) -> None:
        stop, vehicle = self._stop("order_id"), self._vehicle("vehicle_id")
        anchor = "before" if self._move.before is not None else "after"
        named = self._move.before or self._move.after
        if named is not None and str(named) == stop:
            raise BadMove("a stop cannot stand before or after itself", field=f"{self._field}.{anchor}")
        self._take_off(stop)
        order = self._orders.get(vehicle, ())
        if named is None:
            self._orders[vehicle] = self._best(stop, vehicle, order)
            return
        if str(named) not in order:
            raise BadMove(f"{named} is not on the route of {vehicle}", field=f"{self._field}.{anchor}")
        at = order.index(str(named)) + (anchor == "after")
        self._orders[vehicle] = (*order[:at], stop, *order[at:])

    def _best(self, stop: str, vehicle: str, order: Order) -> Order:
        """Where it costs least; at the end, where it fits nowhere."""
        alone = replace(self._problem, vehicles=(self._problem.vehicle_by_id[vehicle],))
        ids = {name for name in order if name is not None} | {stop}
        mine = alone.with_stops([each for each in self._problem.stops if each.id in ids])
        found = cheapest(mine, {vehicle: order}, self._problem.stop_by_id[stop])
        return (*order, stop) if found is None else found.sequence

    def _take_off(self, stop: str) -> None:
        for vehicle, order in self._orders.items():
            if stop in order:
                self._orders[vehicle] = tuple(name for name in order if name != stop)

    def _swap(self) -> Problem:
        one, other = self._vehicle("vehicle_id"), self._vehicle("with_vehicle_id")
        self._orders[one], self._orders[other] = self._orders.get(other, ()), self._orders.get(one, ())
        locks = {each.id: each.locked for each in self._problem.vehicles}
        self._problem = self._locked(one, locks[other])
        return self._locked(other, locks[one])

    def _lock(self) -> Problem:
        """The route of a stop, from its beginning up to it."""
        stop = self._stop("order_id")
        vehicle = next((vehicle for vehicle, order in self._orders.items() if stop in order), None)
        if vehicle is None:
            raise BadMove(f"{stop} is on no route: assign it first", field=f"{self._field}.order_id")
        order = self._orders[vehicle]
        return self._locked(vehicle, tuple(name for name in order[: order.index(stop) + 1] if name is not None))

    def _locked(self, vehicle: str, stops: tuple[str, ...]) -> Problem:
        def with_lock(each: Vehicle) -> Vehicle:
            return replace(each, locked=stops) if each.id == vehicle else each

        return replace(self._problem, vehicles=tuple(map(with_lock, self._problem.vehicles)))

    def _stop(self, name: str) -> str:
        stop = str(getattr(self._move, name))
        if stop not in self._problem.stop_by_id:
            raise BadMove(f"order {stop} is not in this plan", field=f"{self._field}.{name}")
        return stop

    def _vehicle(self, name: str) -> str:
        vehicle = str(getattr(self._move, name))
        if vehicle not in self._problem.vehicle_by_id:
            raise BadMove(f"vehicle {vehicle} is not in this plan", field=f"{self._field}.{name}")
        return vehicle
