"""Whether a vehicle can be where the plan says it is when it says so, and whether it may."""

from collections.abc import Iterator
from itertools import pairwise

from route_optimizer.check.day import Call, Day, Trip
from route_optimizer.plan import Rest, Rule, Violation
from route_optimizer.problem import Stop


def times(day: Day) -> Iterator[Violation]:
    """Every rule about one route that needs the clock."""
    now_s = day.route.start_s
    for call, travel_s in zip(day.calls, day.travel_s, strict=False):
        yield from _arrival(day, call, now_s, travel_s)
        yield from _stay(day, call)
        now_s = call.said.departure_s
    yield from _end(day, now_s)
    for trip in day.trips:
        yield from _trip(day, trip)
    yield from _rests(day)
    yield from _breaks(day)
    yield from _driving(day)
    yield from _limits(day)


def _arrival(day: Day, call: Call, left_s: int, travel_s: int) -> Iterator[Violation]:
    """Leaving, travel and the rests on the way make the arrival."""
    said = call.said
    arrival_s = left_s + travel_s + _length_s(day.rests(left_s, said.arrival_s))
    if said.arrival_s != arrival_s:
        words = f"is said to arrive at {call.name} at {said.arrival_s} s, it arrives at {arrival_s} s"
        yield Violation(Rule.FIGURES, f"{day.vehicle.id} {words}")
    if said.start_s < arrival_s:
        doing = "service" if call.stop else "loading"
        words = f"{doing} at {call.name} starts {arrival_s - said.start_s} s before {day.vehicle.id} arrives"
        yield Violation(Rule.FIGURES, words)
    for rest in day.route.rests:
        if rest.start_s < said.arrival_s < rest.end_s:
            words = f"{day.vehicle.id} arrives at {call.name} while it rests"
            yield Violation(Rule.BREAK, f"{words}, {_from_to(rest)}")


def _stay(day: Day, call: Call) -> Iterator[Violation]:
    said, stop = call.said, call.stop
    if said.departure_s != said.start_s + call.lasts_s:
        doing = "service" if stop else "loading"
        words = f"stays {said.departure_s - said.start_s} s at {call.name}, {doing} takes {call.lasts_s} s"
        yield Violation(Rule.FIGURES, f"{day.vehicle.id} {words}")
    if stop and stop.windows and not any(each.opens_s <= said.start_s <= each.closes_s for each in stop.windows):
        late_s = said.start_s - max(each.closes_s for each in stop.windows)
        words = f"{late_s} s after its last window closes" if late_s > 0 else "outside its windows"
        yield Violation(Rule.WINDOW, f"service at {stop.id} starts at {said.start_s} s, {words}")
    for rest in day.route.rests:
        if rest.start_s < said.departure_s and rest.end_s > said.start_s:
            doing = f"serves {call.name}" if stop else "loads"
            yield Violation(Rule.BREAK, f"{day.vehicle.id} rests {_from_to(rest)} while it {doing}")


def _end(day: Day, left_s: int) -> Iterator[Violation]:
    end_s = left_s
    if day.vehicle.end is not None:
        end_s += day.travel_s[-1] + _length_s(day.rests(left_s, day.route.end_s))
    if day.route.end_s != end_s:
        words = f"{day.vehicle.id} is said to be done at {day.route.end_s} s, it is done at {end_s} s"
        yield Violation(Rule.FIGURES, words)


def _trip(day: Day, trip: Trip) -> Iterator[Violation]:
    """Goods leave no sooner than they are ready, and reach their stop before they spoil."""
    loads_s = day.route.start_s if trip.reload is None else trip.reload.start_s
    leaves_s = day.route.start_s if trip.reload is None else trip.reload.departure_s
    left_s = {stop.id: visit.departure_s for stop, visit in trip.visits}
    for stop, visit in trip.visits:
        if loads_s < stop.release_s:
            words = f"{'leaves' if trip.reload is None else 'begins to reload'} at {loads_s} s"
            ready = f"the goods of {stop.id} are ready at {stop.release_s} s"
            yield Violation(Rule.RELEASE, f"{day.vehicle.id} {words}, {ready}")
        shipment = day.shipped.into.get(stop.id)
        since_s = leaves_s if shipment is None else left_s.get(shipment.pickup, leaves_s)
        yield from _ride(day, stop, visit.start_s - since_s)


def _ride(day: Day, stop: Stop, ridden_s: int) -> Iterator[Violation]:
    if stop.max_ride_s is not None and ridden_s > stop.max_ride_s:
        words = f"the goods of {stop.id} are {ridden_s} s in {day.vehicle.id}, {stop.max_ride_s} s are allowed"
        yield Violation(Rule.RIDE, words)


def _rests(day: Day) -> Iterator[Violation]:
    name, route = day.vehicle.id, day.route
    for rest in route.rests:
        if rest.end_s < rest.start_s:
            yield Violation(Rule.FIGURES, f"a rest of {name} ends {rest.start_s - rest.end_s} s before it begins")
        if rest.start_s < route.start_s:
            yield Violation(Rule.BREAK, f"{name} rests {_from_to(rest)}, before it leaves at {route.start_s} s")
        if rest.end_s > route.end_s:
            yield Violation(Rule.BREAK, f"{name} rests {_from_to(rest)}, when it is done at {route.end_s} s")
    for one, next_one in pairwise(route.rests):
        if next_one.start_s < one.end_s:
            words = f"{name} rests {_from_to(next_one)} before its rest {_from_to(one)} is over"
            yield Violation(Rule.BREAK, words)


def _breaks(day: Day) -> Iterator[Violation]:
    """Each break that is due has a rest of its own, in their order."""
    rests = list(day.route.rests)
    for each in day.vehicle.breaks:
        if not day.route.start_s <= each.latest_s < day.route.end_s:
            continue
        fitting = [
            number
            for number, rest in enumerate(rests)
            if each.earliest_s <= rest.start_s <= each.latest_s and rest.end_s - rest.start_s >= each.duration_s
        ]
        if fitting:
            rests = rests[fitting[0] + 1 :]
        else:
            words = f"begins no break of {each.duration_s} s between {each.earliest_s} s and {each.latest_s} s"
            yield Violation(Rule.BREAK, f"{day.vehicle.id} {words}")


def _driving(day: Day) -> Iterator[Violation]:
    """How long it drives from rest to rest: between two calls it drives whenever it neither rests nor has arrived."""
    name, rule = day.vehicle.id, day.vehicle.driving
    total_s = sum(day.travel_s)
    if day.vehicle.max_driving_s is not None and total_s > day.vehicle.max_driving_s:
        yield Violation(Rule.DRIVING, f"{name} drives {total_s} s, {day.vehicle.max_driving_s} s are allowed")
    if rule is None:
        return
    driven_s = most_s = 0
    for left_s, arrival_s, until_s in _ways(day):
        now_s = left_s
        for rest in day.rests(left_s, until_s):
            driven_s += max(0, min(rest.start_s, arrival_s) - now_s)
            most_s, now_s = max(most_s, driven_s), rest.end_s
            if rest.end_s - rest.start_s >= rule.rest_s:
                driven_s = 0
        driven_s += max(0, arrival_s - now_s)
        most_s = max(most_s, driven_s)
    if most_s > rule.longest_s:
        words = f"drives {most_s} s without a rest of {rule.rest_s} s, {rule.longest_s} s are allowed"
        yield Violation(Rule.DRIVING, f"{name} {words}")


def _ways(day: Day) -> Iterator[tuple[int, int, int]]:
    """Of each leg: when it is left for, when it is over, and until when the vehicle may rest after it."""
    left_s = day.route.start_s
    for call in day.calls:
        yield left_s, call.said.arrival_s, call.said.start_s
        left_s = call.said.departure_s
    if day.vehicle.end is not None:
        yield left_s, day.route.end_s, day.route.end_s


def _limits(day: Day) -> Iterator[Violation]:
    """The shift, and how long a vehicle may be under way."""
    vehicle, route = day.vehicle, day.route
    if route.start_s < vehicle.shift.opens_s:
        early_s = vehicle.shift.opens_s - route.start_s
        yield Violation(Rule.SHIFT, f"{vehicle.id} leaves {early_s} s before its shift begins")
    if route.end_s > vehicle.shift.closes_s:
        yield Violation(Rule.SHIFT, f"{vehicle.id} is done {route.end_s - vehicle.shift.closes_s} s after its shift")
    if vehicle.max_duration_s is not None and day.seconds > vehicle.max_duration_s:
        words = f"is under way {day.seconds} s, {vehicle.max_duration_s} s are allowed"
        yield Violation(Rule.MAX_DURATION, f"{vehicle.id} {words}")


def _length_s(rests: list[Rest]) -> int:
    return sum(rest.end_s - rest.start_s for rest in rests)


def _from_to(rest: Rest) -> str:
    return f"from {rest.start_s} s to {rest.end_s} s"
