"""A problem without the rules that PyVRP lacks: near enough that a plan of it needs little mending.

What can be said in other words is said in them:

* Time stands still during a break. Clocks that do not run while the drivers rest show a day that is shorter by the
  break: a window that closes before it is where it was, one that opens after it is earlier by its length. Whose breaks
  these are is decided by the majority. Within its window a break may be meant to be taken as soon as it can be, which
  is always possible; or each stop is granted the break that suits it best, which leaves more to be mended.
* A route that has begun begins where its locked stops end: at the last of them, when the vehicle can leave there, with
  the room, the metres and the stops that are left.
* Who alone has the goods of a stop has a skill that nobody else has, and brings nothing else.
* Lateness at a price is not allowed at all, and the longest ride is counted from the beginning of the shifts.
* Stops that go together are the business of the vehicle that serves most of them in a plan there is.

The rest (driving times, what another vehicle or an unequal day costs) is forgotten.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from route_optimizer.plan import Order
from route_optimizer.problem import (
    LONGEST_S,
    UNREACHABLE,
    Break,
    Capacity,
    Load,
    Problem,
    Shipment,
    Stop,
    Vehicle,
    Window,
)
from route_optimizer.repair import tidy
from route_optimizer.schedule import opening
from route_optimizer.search import Sequences

#: has whoever loads at his start; `on board of V7` has V7
LOADS_AT_START = "loads at its start"


@dataclass(frozen=True)
class Relaxed:
    """The easier problem, and the way there and back."""

    problem: Problem
    easier: Problem

    def back(self, sequences: Sequences) -> dict[str, Order]:
        """Orders of the easier problem as orders of the problem: its locked stops first."""
        return {
            vehicle.id: tidy((*vehicle.locked, *sequences.get(vehicle.id, ())))
            for vehicle in self.problem.vehicles
            if vehicle.locked or sequences.get(vehicle.id)
        }

    def there(self, sequences: Sequences) -> dict[str, Order]:
        """Orders of the problem as orders of the easier one."""
        locked = {vehicle.id: vehicle.locked for vehicle in self.problem.vehicles}
        return {name: tidy(order[len(locked[name]) :]) for name, order in sequences.items()}


def relaxed(problem: Problem, looseness: float = 0, plan: Sequences | None = None) -> Relaxed:
    """Without what `engines.pyvrp.lacks` names.

    Args:
        problem: with any rule.
        looseness: 0 where breaks are taken as soon as they can be, 1 where each stop has its own opinion of them.
        plan: says which vehicle is to serve the stops that go together: the one that serves most of them in it.
    """
    easier = _begun(_pinned(_in_time(_standing_still(problem, looseness)), plan or {}))
    shipments = _simple(easier)
    paired = {name for each in shipments for name in (each.pickup, each.delivery)}
    reloading = any(vehicle.reload is not None for vehicle in easier.vehicles)
    easier = replace(
        easier,
        stops=tuple(_plain(stop) if stop.id in paired else replace(stop, max_ride_s=None) for stop in easier.stops),
        vehicles=tuple(_free(vehicle, counted=not (reloading or shipments)) for vehicle in easier.vehicles),
        shipments=shipments,
        together=(),
        apart=() if reloading or shipments else easier.apart,
        reassign_cost=0,
        balance_cost_per_hour=0,
    )
    return Relaxed(problem, easier)


def _free(vehicle: Vehicle, *, counted: bool) -> Vehicle:
    most = vehicle.max_stops if counted else None
    return replace(vehicle, breaks=(), driving=None, max_driving_s=None, max_stops=most, locked=(), on_board=None)


def _plain(stop: Stop) -> Stop:
    """As one end of a shipment may be: one window, and nothing but the shipment's goods."""
    windows = opening(stop.windows)
    whole = Window(windows[0].opens_s, windows[-1].closes_s)
    return replace(stop, windows=(whole,), loads=(), collects=(), release_s=0, max_ride_s=None)


def _simple(problem: Problem) -> tuple[Shipment, ...]:
    """The shipments that have both stops for themselves."""
    often = Counter(name for each in problem.shipments for name in (each.pickup, each.delivery))
    return tuple(each for each in problem.shipments if often[each.pickup] == often[each.delivery] == 1)


def _standing_still(problem: Problem, looseness: float) -> Problem:
    """In the time of clocks that stop for the breaks that most vehicles have, from the last to the first."""
    [(breaks, _)] = Counter(vehicle.breaks for vehicle in problem.vehicles).most_common(1) or [((), 0)]
    for each in reversed(breaks):
        loose_s = int(looseness * (each.latest_s - each.earliest_s))
        meant = replace(each, latest_s=each.earliest_s + loose_s)
        problem = replace(
            problem,
            stops=tuple(_stop_without(stop, meant) for stop in problem.stops),
            vehicles=tuple(_shift_without(vehicle, meant) for vehicle in problem.vehicles),
        )
    return problem


def _opens(instant_s: int, rest: Break) -> int:
    return instant_s if instant_s <= rest.earliest_s else max(rest.earliest_s, instant_s - rest.duration_s)


def _closes(instant_s: int, rest: Break) -> int:
    return instant_s if instant_s <= rest.latest_s else max(rest.latest_s, instant_s - rest.duration_s)


def _window_without(window: Window, rest: Break) -> Window:
    return Window(_opens(window.opens_s, rest), _closes(window.closes_s, rest))


def _stop_without(stop: Stop, rest: Break) -> Stop:
    return replace(
        stop,
        windows=tuple(_window_without(window, rest) for window in stop.windows),
        release_s=_opens(stop.release_s, rest),
        due_s=None if stop.due_s is None else _closes(stop.due_s, rest),
    )


def _shift_without(vehicle: Vehicle, rest: Break) -> Vehicle:
    longest_s, overtime_s = vehicle.max_duration_s, vehicle.overtime_after_s
    return replace(
        vehicle,
        shift=_window_without(vehicle.shift, rest),
        max_duration_s=None if longest_s is None else max(0, longest_s - rest.duration_s),
        overtime_after_s=None if overtime_s is None else max(0, overtime_s - rest.duration_s),
    )


def _in_time(problem: Problem) -> Problem:
    """Never late, and no ride too long if all leave when the first may; as far as a stop can be served so at all."""
    leaves_s = min((vehicle.shift.opens_s for vehicle in problem.vehicles), default=0)
    return replace(problem, stops=tuple(_punctual(stop, leaves_s) for stop in problem.stops))


def _punctual(stop: Stop, leaves_s: int) -> Stop:
    latest = [LONGEST_S]
    if stop.due_s is not None and stop.late_cost_per_hour:
        latest.append(stop.due_s)
    if stop.max_ride_s is not None:
        latest.append(max(leaves_s, stop.release_s) + stop.max_ride_s)
    windows = tuple(
        replace(each, closes_s=min(each.closes_s, *latest))
        for each in opening(stop.windows)
        if each.opens_s <= min(latest)
    )
    return replace(stop, windows=windows or stop.windows, due_s=None) if len(latest) > 1 else replace(stop, due_s=None)


def _pinned(problem: Problem, plan: Sequences) -> Problem:
    """Goods on board, and stops that go together, as skills."""
    owner: dict[str, str] = {}
    for group in problem.together:
        serving = max(plan, key=lambda vehicle: len(group.intersection(plan[vehicle])), default=None)
        if serving is not None:
            owner |= dict.fromkeys(group, f"on board of {serving}")
    owner |= {name: f"on board of {vehicle.id}" for vehicle in problem.vehicles for name in vehicle.on_board or ()}
    # a delivery of what was picked up on the way here
    picked = {name: vehicle.id for vehicle in problem.vehicles for name in vehicle.locked}
    ends = {each.delivery: each for each in problem.shipments if each.pickup in picked}
    for name, shipment in ends.items():
        owner[name] = f"on board of {picked[shipment.pickup]}"
    only_on_board = [vehicle for vehicle in problem.vehicles if vehicle.on_board is not None]
    if not owner and not only_on_board:
        return problem

    def needs(stop: Stop) -> Stop:
        loads = (*stop.loads, *(ends[stop.id].loads if stop.id in ends else ()))
        if stop.id in owner:
            return replace(stop, skills=stop.skills | {owner[stop.id]}, loads=loads)
        return replace(stop, skills=stop.skills | {LOADS_AT_START}) if loads and only_on_board else stop

    def has(vehicle: Vehicle) -> Vehicle:
        own = {f"on board of {vehicle.id}"} if f"on board of {vehicle.id}" in set(owner.values()) else set()
        loads = {LOADS_AT_START} if only_on_board and vehicle not in only_on_board else set()
        return replace(vehicle, skills=vehicle.skills | own | loads)

    return replace(
        problem,
        stops=tuple(needs(stop) for stop in problem.stops),
        vehicles=tuple(has(vehicle) for vehicle in problem.vehicles),
        shipments=tuple(each for each in problem.shipments if each.pickup not in picked),
    )


def _begun(problem: Problem) -> Problem:
    """Locked stops done; the vehicles start from the last of them."""
    done = {name for vehicle in problem.vehicles for name in vehicle.locked}
    if not done:
        return problem
    vehicles = [_on_its_way(problem, vehicle) if vehicle.locked else vehicle for vehicle in problem.vehicles]
    rest = problem.with_stops([stop for stop in problem.stops if stop.id not in done])
    return replace(rest, vehicles=tuple(vehicle for vehicle in vehicles if vehicle is not None))


def _on_its_way(problem: Problem, vehicle: Vehicle) -> Vehicle | None:
    """The vehicle where its locked stops end, None when it cannot serve them."""
    stops = [problem.stop_by_id[name] for name in vehicle.locked]
    opens_s = max(vehicle.shift.opens_s, *(stop.release_s for stop in stops))
    here, now_s, metres, busy_s = vehicle.start, opens_s, 0, 0
    for stop in stops:
        leg_s, leg_m = problem.matrix.seconds(here, stop.location), problem.matrix.metres(here, stop.location)
        arrival_s = now_s + leg_s
        starts = [max(arrival_s, each.opens_s) for each in opening(stop.windows) if each.closes_s >= arrival_s]
        if UNREACHABLE in (leg_s, leg_m) or not starts:
            return None
        here, now_s = stop.location, starts[0] + stop.service_time_s
        metres, busy_s = metres + leg_m, busy_s + leg_s + stop.service_time_s
    if now_s > vehicle.shift.closes_s:
        return None
    return replace(
        vehicle,
        start=here,
        shift=Window(now_s, vehicle.shift.closes_s),
        capacities=tuple(_left(each, stops) for each in vehicle.capacities)
        if not vehicle.reload
        else vehicle.capacities,
        max_distance_m=_less(vehicle.max_distance_m, metres),
        max_duration_s=_less(vehicle.max_duration_s, busy_s),
        overtime_after_s=_less(vehicle.overtime_after_s, busy_s),
        max_stops=_less(vehicle.max_stops, len(stops)),
        locked=(),
    )


def _left(capacity: Capacity, stops: Iterable[Stop]) -> Capacity:
    """Room beside what these stops get or give."""
    loads: list[Load] = [load for stop in stops for load in (stop.loads if stop.loads else stop.collects)]
    same = (each for each in loads if each.dimension == capacity.dimension)
    used = sum(each.amount for each in same if capacity.compartment in (None, each.compartment))
    return replace(capacity, limit=max(0, capacity.limit - used))


def _less(limit: int | None, used: int) -> int | None:
    return None if limit is None else max(0, limit - used)
