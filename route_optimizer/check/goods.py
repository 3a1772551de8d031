"""What a vehicle may carry and for whom, whatever the clock says."""

from collections.abc import Iterable, Iterator, Mapping

from route_optimizer.check.day import Day, Shipped, Trip
from route_optimizer.plan import Rule, Violation
from route_optimizer.problem import Capacity, Load, Shipment, Stop


def goods(day: Day) -> Iterator[Violation]:
    """Every rule about one route that needs no clock and no distance."""
    vehicle = day.vehicle
    for trip in day.trips:
        for stop in trip.stops:
            yield from _skills(day, stop)
            yield from _compartments(day, stop)
        for capacity in vehicle.capacities:
            yield from _capacity(day, capacity, trip)
    served = len(day.route.visits)
    if vehicle.max_stops is not None and served > vehicle.max_stops:
        yield Violation(Rule.MAX_STOPS, f"{vehicle.id} makes {served} stops, {vehicle.max_stops} are allowed")
    yield from _reloads(day)
    yield from _shipments(day)
    yield from _locked(day)
    yield from _on_board(day)


def _skills(day: Day, stop: Stop) -> Iterator[Violation]:
    for skill in sorted(stop.skills - day.vehicle.skills):
        yield Violation(Rule.SKILL, f"{day.vehicle.id} serves {stop.id} without the skill {skill}")


def _compartments(day: Day, stop: Stop) -> Iterator[Violation]:
    parts = {capacity.compartment for capacity in day.vehicle.capacities}
    for load in (*stop.loads, *stop.collects, *_loads(day.shipped.out, stop)):
        if load.compartment is not None and load.compartment not in parts:
            words = f"{day.vehicle.id} takes goods of {stop.id} without a {load.compartment} compartment"
            yield Violation(Rule.COMPARTMENT, words)


def _capacity(day: Day, capacity: Capacity, trip: Trip) -> Iterator[Violation]:
    """The most it holds on the trip: it leaves with all that it brings, and each stop changes that."""
    held = sum(_amount(stop.loads, capacity) for stop in trip.stops)
    most, where = held, "when it leaves its start" if trip.reload is None else "when it leaves the reload"
    for stop in trip.stops:
        held += _change(day.shipped, stop, capacity)
        if held > most:
            most, where = held, f"when it leaves {stop.id}"
    if most > capacity.limit:
        part = f" {capacity.compartment}" if capacity.compartment else ""
        words = f"{day.vehicle.id} carries {most}{part} {capacity.dimension} {where}, it holds {capacity.limit}"
        yield Violation(Rule.CAPACITY, words)


def _change(shipped: Shipped, stop: Stop, capacity: Capacity) -> int:
    taken_in = _amount((*stop.collects, *_loads(shipped.out, stop)), capacity)
    return taken_in - _amount((*stop.loads, *_loads(shipped.into, stop)), capacity)


def _loads(shipments: Mapping[str, Shipment], stop: Stop) -> tuple[Load, ...]:
    shipment = shipments.get(stop.id)
    return () if shipment is None else shipment.loads


def _amount(loads: Iterable[Load], capacity: Capacity) -> int:
    return sum(
        load.amount
        for load in loads
        if load.dimension == capacity.dimension and capacity.compartment in (None, load.compartment)
    )


def _reloads(day: Day) -> Iterator[Violation]:
    name, reloads = day.vehicle.id, day.route.reloads
    if reloads and day.vehicle.reload is None:
        yield Violation(Rule.RELOAD, f"{name} reloads, it is to make one trip only")
    elif day.vehicle.reload is not None and len(reloads) > day.vehicle.reload.most:
        yield Violation(Rule.RELOAD, f"{name} reloads {len(reloads)} times, {day.vehicle.reload.most} are allowed")
    before = 0
    for each in reloads:
        if not before < each.after < len(day.route.visits):
            words = f"{name} reloads after {each.after} of its stops, with nothing served before it or after it"
            yield Violation(Rule.RELOAD, words)
        before = each.after


def _shipments(day: Day) -> Iterator[Violation]:
    """Both ends on this route: in one trip, the pickup first. That no end is missing is asked of the whole plan."""
    at = {stop.id: (number, place) for number, trip in enumerate(day.trips) for place, stop in enumerate(trip.stops)}
    for delivery in at:
        pickup = day.shipped.into[delivery].pickup if delivery in day.shipped.into else delivery
        if pickup not in at:
            continue
        if at[delivery] < at[pickup]:
            words = f"{day.vehicle.id} delivers at {delivery} before it picks up at {pickup}"
            yield Violation(Rule.SHIPMENT, words)
        elif at[delivery][0] > at[pickup][0]:
            words = f"{day.vehicle.id} reloads between picking up at {pickup} and delivering at {delivery}"
            yield Violation(Rule.SHIPMENT, words)


def _locked(day: Day) -> Iterator[Violation]:
    locked = day.vehicle.locked
    first = tuple(visit.stop for visit in day.route.visits[: len(locked)])
    if first != locked:
        words = f"{day.vehicle.id} begins with {', '.join(first)}, locked are {', '.join(locked)}"
        yield Violation(Rule.LOCK, words)
    if any(each.after < len(locked) for each in day.route.reloads):
        yield Violation(Rule.LOCK, f"{day.vehicle.id} reloads before its locked stops are served")


def _on_board(day: Day) -> Iterator[Violation]:
    on_board = day.vehicle.on_board
    if on_board is None:
        return
    first, *later = day.trips
    for stop in first.stops:
        if stop.loads and stop.id not in on_board:
            words = f"{day.vehicle.id} brings goods to {stop.id} that are not on board, before it reloads"
            yield Violation(Rule.ON_BOARD, words)
    for trip in later:
        for stop in trip.stops:
            if stop.id in on_board:
                words = f"{day.vehicle.id} reloads before it serves {stop.id}, whose goods are on board"
                yield Violation(Rule.ON_BOARD, words)
