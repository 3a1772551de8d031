"""What a vehicle may carry and for whom: everything about an order of stops that needs neither clock nor map."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from route_optimizer.facts import Facts, Van, facts_of
from route_optimizer.problem import Capacity, Compartment, Load, Problem, Stop, Vehicle

#: ids of stops, None is a reload
Names = Sequence[str | None]


def carries(problem: Problem, vehicle: Vehicle, order: Sequence[Stop | None]) -> bool:
    """Whether a vehicle may serve these stops in this order, None being a reload, as far as goods are concerned.

    That is: skills and compartments, room on every trip and at every moment of it, shipments whole and pickup first,
    goods on board, locked stops, stops that go together or never do, and how many stops and reloads there are.
    """
    facts = facts_of(problem)
    return carries_names(facts, facts.van(vehicle), [None if stop is None else stop.id for stop in order])


def carries_names(facts: Facts, van: Van, names: Names, *, begun: bool = False) -> bool:
    """`carries` of the ids of stops; of an order that is only `begun`, whether going on can make it whole."""
    hold = hold_of(facts, van)
    if hold.most_stops is not None and len(names) - names.count(None) > hold.most_stops:
        return False
    if van.locked:
        locked = van.locked[: len(names)] if begun else van.locked
        if tuple(names[: len(locked)]) != locked:
            return False
    if None not in names:
        # the usual case, and the one that is asked most
        stops: list[str] = names  # type: ignore[assignment]  # no None among them
        return _serves(facts, hold, stops, begun=begun) and _trip_fits(facts, hold, stops, first=True)
    trips = list(_trips(names))
    if not _reloads_fit(van, trips[:-1] if begun else trips, len(trips) - 1):
        return False
    stops = [name for trip in trips for name in trip]
    if not _serves(facts, hold, stops, begun=begun):
        return False
    return all(_trip_fits(facts, hold, trip, first=number == 0) for number, trip in enumerate(trips))


@dataclass(frozen=True, eq=False)
class Limit:
    """One capacity, and what each stop means for it."""

    limit: int
    #: by id of the stop: brought from where the vehicle loads
    brought: Mapping[str, int]
    #: by id of the stop: how much more there is in the vehicle after it than before it
    change: Mapping[str, int]
    #: whether nothing is ever taken in on the way: what is brought is all there is to count
    only_brought: bool


@dataclass(frozen=True, eq=False)
class Hold:
    """What goods mean for one vehicle."""

    #: stops whose skills and compartments it has, and whose goods are not in another vehicle
    able: frozenset[str]
    limits: tuple[Limit, ...]
    most_stops: int | None
    on_board: frozenset[str] | None


def hold_of(facts: Facts, van: Van) -> Hold:
    """Made once for each vehicle."""
    found = facts.holds.get(van)
    if found is None:
        found = facts.holds[van] = _hold(facts, van.vehicle)
    return found  # type: ignore[return-value]  # facts know nothing of holds


def _hold(facts: Facts, vehicle: Vehicle) -> Hold:
    elsewhere = {name for name, holder in facts.holders.items() if holder != vehicle.id}
    return Hold(
        able=_able(facts, vehicle.skills, vehicle.compartments) - elsewhere,
        limits=tuple(_limit(facts, each) for each in vehicle.capacities),
        most_stops=vehicle.max_stops,
        on_board=vehicle.on_board,
    )


def _able(facts: Facts, skills: frozenset[str], parts: frozenset[Compartment]) -> frozenset[str]:
    kind = skills, parts
    if kind not in facts.able:
        facts.able[kind] = frozenset(
            stop.id
            for stop in facts.stop_by_id.values()
            if stop.skills <= skills
            and all(load.compartment is None or load.compartment in parts for load in _loads(facts, stop.id))
        )
    return facts.able[kind]


def _loads(facts: Facts, name: str) -> Iterator[Load]:
    for loads in facts.goods[name]:
        yield from loads


def _limit(facts: Facts, capacity: Capacity) -> Limit:
    counted = capacity.dimension, capacity.compartment
    if counted not in facts.amounts:
        brought, change, only_brought = {}, {}, True
        for name, (out, taken, left) in facts.goods.items():
            brought[name] = _amount(out, capacity)
            change[name] = _amount(taken, capacity) - _amount(left, capacity) - brought[name]
            only_brought = only_brought and not _amount(taken, capacity)
        facts.amounts[counted] = brought, change, only_brought
    return Limit(capacity.limit, *facts.amounts[counted])


def _amount(loads: Sequence[Load], capacity: Capacity) -> int:
    return sum(
        load.amount
        for load in loads
        if load.dimension == capacity.dimension and capacity.compartment in (None, load.compartment)
    )


def _trips(names: Names) -> Iterator[list[str]]:
    trip: list[str] = []
    for name in names:
        if name is None:
            yield trip
            trip = []
        else:
            trip.append(name)
    yield trip


def _reloads_fit(van: Van, trips: Sequence[Sequence[str]], reloads: int) -> bool:
    """Not too many, none without stops before and after it, none among the locked stops."""
    reload = van.vehicle.reload
    if reload is None or reloads > reload.most or not all(trips):
        return False
    return len(trips[0]) >= len(van.locked)


def _serves(facts: Facts, hold: Hold, stops: Sequence[str], *, begun: bool) -> bool:
    """Whether it is able to, and nobody is torn apart or forced together."""
    if not hold.able.issuperset(stops):
        return False
    if not facts.partners and not facts.strangers:
        return True
    served = set(stops)
    return all(
        (begun or facts.partners.get(name, served) <= served) and served.isdisjoint(facts.strangers.get(name, ()))
        for name in stops
    )


def _trip_fits(facts: Facts, hold: Hold, trip: Sequence[str], *, first: bool) -> bool:
    for limit in hold.limits:
        held = sum(map(limit.brought.__getitem__, trip))
        if held > limit.limit:
            return False
        if limit.only_brought:
            continue
        for change in map(limit.change.__getitem__, trip):
            held += change
            if held > limit.limit:
                return False
    if hold.on_board is not None and not _on_board_fits(facts, hold.on_board, trip, first=first):
        return False
    return not facts.pickups or _pickups_first(facts, trip)


def _on_board_fits(facts: Facts, on_board: frozenset[str], trip: Sequence[str], *, first: bool) -> bool:
    if not first:
        return on_board.isdisjoint(trip)
    return all(name in on_board or not facts.stop_by_id[name].loads for name in trip)


def _pickups_first(facts: Facts, trip: Sequence[str]) -> bool:
    seen: set[str] = set()
    for name in trip:
        if not seen.issuperset(facts.pickups.get(name, ())):
            return False
        seen.add(name)
    return True
