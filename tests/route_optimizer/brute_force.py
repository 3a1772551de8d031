"""Every plan of a tiny problem, second by second: what the best one leaves out and costs.

It is written for days of some 40 seconds. It shares nothing with the library but the problem, and prunes nothing that
needs a proof longer than a comment.
"""

from collections.abc import Iterator
from functools import cache
from itertools import combinations, pairwise, permutations

from route_optimizer.problem import UNREACHABLE, Load, Objective, Problem, Stop, Vehicle

Loss = tuple[int, int]
#: stops, and None where the vehicle reloads
Order = tuple[Stop | None, ...]
#: what serving a set of stops costs, and how long it takes
Bill = tuple[int, int]
#: ids of stops, and None where the vehicle reloads
Names = tuple[str | None, ...]
#: when a day ends, and lateness times its price
End = tuple[int, int]
#: by when service at a stop must start
Deadlines = frozenset[tuple[str, int]]


def best_loss(problem: Problem) -> Loss:
    """Weight left out, then cost plus prizes lost: the least there is."""
    tables = [_table(problem, vehicle) for vehicle in problem.vehicles]

    @cache
    def divided(number: int, missed: frozenset[str]) -> frozenset[tuple[int, int, int]]:
        """Weight, cost and longest route of every way in which the vehicles from this number on serve some of these."""
        if number == len(tables):
            stops = [problem.stop_by_id[name] for name in missed]
            weight = sum(1 + stop.priority for stop in stops if stop.prize is None)
            return frozenset([(weight, sum(stop.prize for stop in stops if stop.prize is not None), 0)])
        return frozenset(
            (weight, cost + others, max(longest, seconds))
            for served, bills in tables[number].items()
            if served <= missed
            for weight, others, longest in divided(number + 1, missed - served)
            for cost, seconds in bills
        )

    losses = divided(0, frozenset(stop.id for stop in problem.stops))
    return min(
        (weight, cost + _rounded(longest * problem.balance_cost_per_hour, 3_600)) for weight, cost, longest in losses
    )


def _rounded(amount: int, parts: int) -> int:
    return (2 * amount + parts) // (2 * parts)


def _table(problem: Problem, vehicle: Vehicle) -> dict[frozenset[str], frozenset[Bill]]:
    """For every set of stops that a vehicle can serve its cheapest bill; where balance counts, one for each length."""
    table: dict[frozenset[str], set[Bill]] = {frozenset(): {(0, 0)}}
    clock = _Clock(problem, vehicle)
    for order in _orders(problem, vehicle):
        served = frozenset(stop.id for stop in order if stop)
        table.setdefault(served, set()).update(_bills(problem, vehicle, clock, order))
    balance = problem.balance_cost_per_hour
    return {served: frozenset(bills if balance else [min(bills)]) for served, bills in table.items() if bills}


def _orders(problem: Problem, vehicle: Vehicle) -> Iterator[Order]:
    """Every order of every set of stops with every choice of reloads, as far as goods and groups allow it."""
    most = len(problem.stops) if vehicle.max_stops is None else min(vehicle.max_stops, len(problem.stops))
    for size in range(1, most + 1):
        for stops in combinations(problem.stops, size):
            if not _welcome(problem, vehicle, {stop.id for stop in stops}):
                continue
            for sequence in permutations(stops):
                for order in _with_reloads(vehicle, sequence):
                    if _in_turn(problem, vehicle, order) and _room(problem, vehicle, order):
                        yield order


def _welcome(problem: Problem, vehicle: Vehicle, served: set[str]) -> bool:
    """Whether it may serve these and no others."""
    foreign = {name for each in problem.vehicles if each != vehicle for name in each.on_board or ()}
    pairs = [{each.pickup, each.delivery} for each in problem.shipments]
    return (
        not served & foreign
        and all(problem.stop_by_id[name].skills <= vehicle.skills for name in served)
        and all(group <= served or not group & served for group in (*problem.together, *pairs))
        and all(len(group & served) < 2 for group in problem.apart)
    )


def _with_reloads(vehicle: Vehicle, stops: tuple[Stop, ...]) -> Iterator[Order]:
    yield stops
    most = vehicle.reload.most if vehicle.reload else 0
    for count in range(1, min(most, len(stops) - 1) + 1):
        for places in combinations(range(1, len(stops)), count):
            order: list[Stop | None] = []
            for number, stop in enumerate(stops):
                order += [None, stop] if number in places else [stop]
            yield tuple(order)


def _trips(order: Order) -> list[list[Stop]]:
    trips: list[list[Stop]] = [[]]
    for stop in order:
        if stop is None:
            trips.append([])
        else:
            trips[-1].append(stop)
    return trips


def _in_turn(problem: Problem, vehicle: Vehicle, order: Order) -> bool:
    """Whether locked stops come first, pickups before deliveries, and what is on board before what is not."""
    names = [stop.id if stop else None for stop in order]
    if tuple(names[: len(vehicle.locked)]) != vehicle.locked:
        return False
    for each in problem.shipments:
        if each.pickup in names:
            between = names[names.index(each.pickup) : names.index(each.delivery)]
            if not between or None in between:
                return False
    if vehicle.on_board is None:
        return True
    first, *later = _trips(order)
    return all(stop.id in vehicle.on_board or not stop.loads for stop in first) and not any(
        stop.id in vehicle.on_board for trip in later for stop in trip
    )


def _room(problem: Problem, vehicle: Vehicle, order: Order) -> bool:
    """Whether whatever is in the vehicle after each departure has its compartment and its room there."""
    parts = {capacity.compartment for capacity in vehicle.capacities} | {None}
    for contents in _contents(problem, order):
        if any(load.compartment not in parts for load in contents):
            return False
        for capacity in vehicle.capacities:
            held = 0
            for load in contents:
                if load.dimension == capacity.dimension and capacity.compartment in (None, load.compartment):
                    held += load.amount
            if held > capacity.limit:
                return False
    return True


def _contents(problem: Problem, order: Order) -> Iterator[list[Load]]:
    for trip in _trips(order):
        inside = [(stop.id, load) for stop in trip for load in stop.loads]
        yield [load for _, load in inside]
        for stop in trip:
            inside = [(whose, load) for whose, load in inside if whose != stop.id]
            inside += [("the depot", load) for load in stop.collects]
            inside += [
                (each.delivery, load) for each in problem.shipments if each.pickup == stop.id for load in each.loads
            ]
            yield [load for _, load in inside]


def _bills(problem: Problem, vehicle: Vehicle, clock: "_Clock", order: Order) -> set[Bill]:
    places = [
        vehicle.start,
        *(clock.place(stop.id if stop else None) for stop in order),
        *([] if vehicle.end is None else [vehicle.end]),
    ]
    legs = [(problem.matrix.metres(a, b), problem.matrix.seconds(a, b)) for a, b in pairwise(places)]
    metres, driving_s = sum(leg[0] for leg in legs), sum(leg[1] for leg in legs)
    if any(UNREACHABLE in leg for leg in legs):
        return set()
    if vehicle.max_distance_m is not None and metres > vehicle.max_distance_m:
        return set()
    if vehicle.max_driving_s is not None and driving_s > vehicle.max_driving_s:
        return set()
    strangers = sum(1 for stop in order if stop and stop.planned_on not in (None, vehicle.id))
    return {
        (_cost(problem, vehicle, metres, seconds, late, strangers), seconds)
        for seconds, late in clock.days(order)
        if vehicle.max_duration_s is None or seconds <= vehicle.max_duration_s
    }


def _cost(problem: Problem, vehicle: Vehicle, metres: int, seconds: int, late: int, strangers: int) -> int:
    """In nine millionths of a unit every rate is whole: a thousand metres, a million for what burns, 3,600 seconds."""
    overtime_s = 0 if vehicle.overtime_after_s is None else max(0, seconds - vehicle.overtime_after_s)
    money = 9_000_000 * vehicle.fixed_cost_minor + 9_000 * metres * vehicle.cost_per_km_minor
    money += 2_500 * (seconds * vehicle.cost_per_hour_minor + overtime_s * vehicle.overtime_cost_per_hour_minor)
    money += 9 * metres * vehicle.fuel_ml_per_km * problem.fuel_price_minor_per_l
    fine = {
        Objective.DISTANCE: 9_000_000 * metres,
        Objective.TIME: 9_000_000 * seconds,
        Objective.FUEL: 9_000 * metres * vehicle.fuel_ml_per_km,
        Objective.COST: money,
        Objective.HYBRID: money + 9 * metres * vehicle.co2_g_per_km * problem.co2_price_minor_per_kg,
    }[problem.objective]
    return _rounded(fine + 2_500 * late + 9_000_000 * strangers * problem.reassign_cost, 9_000_000)


class _Clock:
    """Whatever one vehicle may do with its seconds."""

    def __init__(self, problem: Problem, vehicle: Vehicle) -> None:
        self.problem, self.vehicle = problem, vehicle
        self.picked_up = {each.delivery for each in problem.shipments}
        self.rests = bool(vehicle.breaks or vehicle.driving)
        limited = {stop.id for stop in problem.stops if stop.max_ride_s is not None}
        #: whether to serve or reload later than it could may ever help: for a break, or for goods that ride too long
        self.patient = bool(vehicle.breaks or limited & self.picked_up or (limited and vehicle.reload))
        #: whether it matters when it starts, beyond being in time
        self.time_counts = (
            problem.objective not in (Objective.DISTANCE, Objective.FUEL)
            or vehicle.max_duration_s is not None
            or bool(problem.balance_cost_per_hour or limited or vehicle.breaks)
        )
        self.ends = cache(self._ends)

    def place(self, name: str | None) -> int:
        if name is not None:
            return self.problem.stop_by_id[name].location
        assert self.vehicle.reload is not None
        return self.vehicle.reload.place

    def days(self, order: Order) -> set[End]:
        """Seconds from start to end, and lateness times its price, of every day with this order."""
        shift = self.vehicle.shift
        names = tuple(stop.id if stop else None for stop in order)
        first_s = max(shift.opens_s, self._ready_s(names))
        last_s = shift.closes_s if self.time_counts else min(first_s, shift.closes_s)
        leg_s = self.problem.matrix.seconds(self.vehicle.start, self.place(names[0]))
        found = set()
        for start_s in range(first_s, last_s + 1):
            over = sum(each.latest_s < start_s for each in self.vehicle.breaks)
            for end_s, late in self.ends(names, start_s, leg_s, 0, over, self._deadlines(names, start_s)):
                found.add((end_s - start_s, late))
        return found

    def _trip(self, names: Names) -> list[Stop]:
        """What is served before the next reload."""
        return [self.problem.stop_by_id[name] for name in names[: (*names, None).index(None)] if name is not None]

    def _ready_s(self, names: Names) -> int:
        return max(stop.release_s for stop in self._trip(names))

    def _deadlines(self, names: Names, now_s: int) -> Deadlines:
        """Of goods that are loaded now."""
        rides = [(stop.id, stop.max_ride_s) for stop in self._trip(names) if stop.id not in self.picked_up]
        return frozenset((name, now_s + ride_s) for name, ride_s in rides if ride_s is not None)

    def _ends(
        self, names: Names, now_s: int, leg_s: int, driven_s: int, breaks: int, deadlines: Deadlines
    ) -> frozenset[End]:
        """When it may be done, and how late it will have been: with these calls ahead, the first so far away.

        `breaks` are taken or never due.
        """
        vehicle = self.vehicle
        missed = breaks < len(vehicle.breaks) and vehicle.breaks[breaks].latest_s < now_s
        if now_s > vehicle.shift.closes_s or missed or any(by_s < now_s for _, by_s in deadlines):
            return frozenset()
        if not names and not leg_s:
            return frozenset([(now_s, 0)])
        found: set[End] = set()
        for length_s, taken in self._rests(breaks, now_s):
            rested = vehicle.driving is None or length_s >= vehicle.driving.rest_s
            found |= self.ends(names, now_s + length_s, leg_s, 0 if rested else driven_s, breaks + taken, deadlines)
        if not leg_s:
            return _worth_knowing(found | self._there(names, now_s, driven_s, breaks, deadlines))
        step_s = 1 if self.rests else leg_s
        driving_s = driven_s + step_s if vehicle.driving else 0
        if vehicle.driving is None or driving_s <= vehicle.driving.longest_s:
            found |= self.ends(names, now_s + step_s, leg_s - step_s, driving_s, breaks, deadlines)
        return _worth_knowing(found)

    def _rests(self, breaks: int, now_s: int) -> Iterator[tuple[int, int]]:
        """The rests that may begin now: how long they are, and whether as the next break or for the driving rule."""
        for each in self.vehicle.breaks[breaks : breaks + 1]:
            if each.earliest_s <= now_s <= each.latest_s:
                yield each.duration_s, 1
        if self.vehicle.driving:
            yield self.vehicle.driving.rest_s, 0

    def _there(self, names: Names, now_s: int, driven_s: int, breaks: int, deadlines: Deadlines) -> set[End]:
        """As `_ends`, at the first call: it serves or reloads now, or it waits."""
        found: set[End] = set()
        now_or_never = self._called(names, now_s, driven_s, breaks, deadlines)
        found |= now_or_never or frozenset()
        if self.patient:
            found |= self.ends(names, now_s + 1, 0, driven_s, breaks, deadlines)
        elif now_or_never is None:
            openings = [self._ready_s(names[1:])] if names[0] is None else self._openings(names[0])
            for opens_s in sorted(each for each in openings if each > now_s)[:1]:
                found |= self.ends(names, opens_s, 0, driven_s, breaks, deadlines)
        return found

    def _openings(self, name: str) -> list[int]:
        return [each.opens_s for each in self.problem.stop_by_id[name].windows]

    def _called(
        self, names: Names, now_s: int, driven_s: int, breaks: int, deadlines: Deadlines
    ) -> frozenset[End] | None:
        """As `_ends`, when it serves or reloads now; None when it must wait for that."""
        name, rest = names[0], names[1:]
        if name is None:
            assert self.vehicle.reload is not None
            if now_s < self._ready_s(rest):
                return None
            leaves_s, price = now_s + self.vehicle.reload.duration_s, 0
            deadlines = self._deadlines(rest, leaves_s)
        else:
            stop = self.problem.stop_by_id[name]
            if stop.windows and not any(each.opens_s <= now_s <= each.closes_s for each in stop.windows):
                return None
            leaves_s = now_s + stop.service_time_s
            price = 0 if stop.due_s is None else max(0, now_s - stop.due_s) * stop.late_cost_per_hour
            deadlines = frozenset(each for each in deadlines if each[0] != name) | self._picked_up(name, leaves_s)
        ahead = [self.place(each) for each in rest[:1]] or [end for end in [self.vehicle.end] if end is not None]
        leg_s = self.problem.matrix.seconds(self.place(name), ahead[0]) if ahead else 0
        return frozenset(
            (end_s, late + price) for end_s, late in self.ends(rest, leaves_s, leg_s, driven_s, breaks, deadlines)
        )

    def _picked_up(self, name: str, now_s: int) -> Deadlines:
        deliveries = [self.problem.stop_by_id[e.delivery] for e in self.problem.shipments if e.pickup == name]
        return frozenset((each.id, now_s + each.max_ride_s) for each in deliveries if each.max_ride_s is not None)


def _worth_knowing(ends: set[End]) -> frozenset[End]:
    """Without those that another is no worse than: nothing is cheaper for ending later or being later."""
    kept: list[End] = []
    for end in sorted(ends):
        if not kept or end[1] < kept[-1][1]:
            kept.append(end)
    return frozenset(kept)
