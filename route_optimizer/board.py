"""Routes laid out as arrays, so that a stop's promise at every place of every route is seen at once.

What the arrays know is less than the rules: the way, windows as if each stop had one, room if nothing is collected. It
is enough to tell where there is no need to ask the schedule, and where to ask it first.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from route_optimizer.facts import NEVER, Facts, Van, facts_of
from route_optimizer.insertion import kind_of, remembered_cost
from route_optimizer.loads import hold_of
from route_optimizer.plan import Order
from route_optimizer.problem import Problem

Numbers = NDArray[np.float64]

#: of the array's layers
WAY_M, WAY_S, READY_S, LATEST_S = range(4)
FAR = 1e15
#: so many are remembered
MOST_ROWS = 30_000


@dataclass(frozen=True, slots=True)
class Row:
    """One vehicle's order and what the arrays say of it."""

    order: Order
    cost: int
    #: places, shape (before and after, slots)
    ends: NDArray[np.intp]
    #: the way there, when the vehicle is ready before it, when it must be there after it
    layers: Numbers
    #: brought, by dimension and compartment
    held: Numbers


class Board:
    """All routes; each slot of the arrays is a place before a stop, or before the end."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.facts: Facts = facts_of(problem)
        self.vans: list[Van] = [self.facts.van(vehicle) for vehicle in problem.vehicles]
        self._lay_out_ways()
        self._lay_out_goods()
        self.kinds = self._kinds()
        self.per_metre = np.array([[van.per_metre] for van in self.vans], dtype=np.float64)
        self.per_second = np.array([[van.per_second] for van in self.vans], dtype=np.float64)
        self.width = 16
        self.ends = np.zeros((2, len(self.vans), self.width), dtype=np.intp)
        self.slots = np.full((4, len(self.vans), self.width), -FAR)
        self.open = np.zeros(len(self.vans), dtype=bool)
        self.fixed = np.array([[van.fixed] for van in self.vans], dtype=np.float64)
        self.rows: list[Row] = []
        self._rows: dict[tuple[int, Order], Row] = {}
        self._able: dict[str, NDArray[np.bool_]] = {}
        for number in range(len(self.vans)):
            self.rows.append(self.row(number, (), 0))
            self.put(number, self.rows[-1])
        for number in range(len(self.vans)):
            self._open_first(number)

    def row(self, number: int, order: Order, cost: int) -> Row:
        """Lay out one order of a vehicle; remembered for all of its kind."""
        key = self.kinds[number][0], order
        if key not in self._rows:
            if len(self._rows) > MOST_ROWS:
                self._rows.clear()
            self._rows[key] = self._row(self.vans[number], order, cost)
        return self._rows[key]

    def _row(self, van: Van, order: Order, cost: int) -> Row:
        vehicle, halts = van.vehicle, self.halts
        metres_from, seconds_from = self.facts.metres, self.facts.seconds
        now_s = vehicle.shift.opens_s
        here = vehicle.start
        places, way_m, way_s, ready = [self.index[here]], [], [], [now_s]
        for name in order:
            place, opens_s, _, service_s = van.reload_halt if name is None else halts[name]
            leg_s = seconds_from[here][place]
            way_m.append(metres_from[here][place])
            way_s.append(leg_s)
            now_s += leg_s
            now_s = (opens_s if now_s < opens_s else now_s) + service_s
            ready.append(now_s)
            places.append(self.index[place])
            here = place
        driven_home = bool(order) and vehicle.end is not None  # an idle vehicle drives nowhere
        way_m.append(metres_from[here][vehicle.end] if driven_home else 0)  # type: ignore[index]  # it has an end
        way_s.append(seconds_from[here][vehicle.end] if driven_home else 0)  # type: ignore[index]
        by_s = vehicle.shift.closes_s
        latest: list[float] = [by_s]
        for name, leg_s in zip(reversed(order), reversed(way_s), strict=False):
            _, _, closes_s, service_s = van.reload_halt if name is None else halts[name]
            by_s -= leg_s + service_s
            by_s = closes_s if by_s > closes_s else by_s
            latest.append(by_s)
        latest.reverse()
        for number in range(min(len(van.locked), len(order))):
            latest[number] = -FAR  # nothing goes before what is locked
        end = self.nowhere if vehicle.end is None else self.index[vehicle.end]
        ends = np.array((places, [*places[1:], end]), dtype=np.intp)
        layers = np.array((way_m, way_s, ready, latest), dtype=np.float64)
        stops = [name for name in order if name is not None]
        held = np.array([sum(map(column.__getitem__, stops)) for column in self.columns], dtype=np.float64)
        return Row(order, cost, ends, layers, held)

    def put(self, number: int, row: Row) -> None:
        """Make it the vehicle's row."""
        was = self.rows[number].order if number < len(self.rows) else ()
        length = row.layers.shape[1]
        if length > self.width:
            self._widen(2 * length)
        self.ends[:, number, :length] = row.ends
        self.slots[:, number, :length] = row.layers
        self.slots[LATEST_S, number, length:] = -FAR  # no slots
        self.held[number] = row.held
        self.room[number] = self.limits[number] if self.vans[number].vehicle.reload is None else FAR
        self.count[number] = len(row.order)
        if number < len(self.rows):
            self.rows[number] = row
            if bool(was) != bool(row.order):
                self._open_first(number)

    def _widen(self, width: int) -> None:
        ends = np.zeros((2, len(self.vans), width), dtype=np.intp)
        slots = np.full((4, len(self.vans), width), -FAR)
        ends[:, :, : self.width] = self.ends
        slots[:, :, : self.width] = self.slots
        self.ends, self.slots, self.width = ends, slots, width

    def cost(self, number: int, order: Order) -> int | None:
        """Of an order for a vehicle; None when it breaks a rule."""
        return remembered_cost(self.facts, self.vans[self.kinds[number][0]], order)

    def promise(self, name: str) -> Numbers:
        """By vehicle and place: fine cost that a stop adds at least, infinite where it cannot go."""
        place, opens_s, closes_s, service_s = self.halts[name]
        at = self.index[place]
        slots = self.slots
        before, after = self.ends
        there_s = self.seconds_to[at].take(before)
        onward_s = self.seconds[at].take(after)
        arrival_s = slots[READY_S] + there_s
        possible = arrival_s <= closes_s
        possible &= np.maximum(arrival_s, opens_s) + (onward_s + service_s) <= slots[LATEST_S]
        possible &= (self.open & self.able(name) & self._has_room(name))[:, None]
        promise: Numbers = (
            self.metres_to[at].take(before) + self.metres[at].take(after) - slots[WAY_M]
        ) * self.per_metre
        if self.time_counts:
            promise += (there_s + onward_s + service_s - slots[WAY_S]) * self.per_second
        promise += self.fixed * (self.count == 0)[:, None]
        promise[~possible] = np.inf
        return promise

    def able(self, name: str) -> NDArray[np.bool_]:
        """Which vehicles may serve a stop at all."""
        if name not in self._able:
            self._able[name] = np.array([name in hold_of(self.facts, van).able for van in self.vans])
        return self._able[name]

    def _has_room(self, name: str) -> NDArray[np.bool_]:
        fits: NDArray[np.bool_] = np.all(self.held + self.brought[name] <= self.room, axis=1) & (self.count < self.most)
        return fits

    def _open_first(self, number: int) -> None:
        """Of idle vehicles of a kind only the first need be looked at."""
        seen = False
        for each in self.kinds[number]:
            idle = not self.rows[each].order
            self.open[each] = not idle or (not seen and not self.vans[each].locked)
            seen = seen or idle

    def _kinds(self) -> list[list[int]]:
        alike: dict[object, list[int]] = {}
        for number, van in enumerate(self.vans):
            alike.setdefault(kind_of(self.problem, van.vehicle), []).append(number)
        return [alike[kind_of(self.problem, van.vehicle)] for van in self.vans]

    def _lay_out_ways(self) -> None:
        places = {halt.place for halt in self.facts.halts.values()}
        for van in self.vans:
            places |= {van.vehicle.start, van.reload_halt[0]}
            places |= set() if van.vehicle.end is None else {van.vehicle.end}
        ordered = sorted(places)
        self.index = {place: number for number, place in enumerate(ordered)}
        self.nowhere = len(ordered)
        #: place, first and last begin of service, seconds of service
        self.halts = {
            name: (halt.place, halt.opens_s, halt.windows[-1][1], halt.service_s)
            for name, halt in self.facts.halts.items()
        }
        ways = self.problem.matrix.among(ordered)
        self.metres = self.seconds = _bordered(ways.distance_m)
        self.metres_to = self.seconds_to = np.ascontiguousarray(self.metres.T)
        if ways.duration_s is not ways.distance_m:
            self.seconds = _bordered(ways.duration_s)
            self.seconds_to = np.ascontiguousarray(self.seconds.T)
        self.time_counts = any(van.per_second for van in self.vans)

    def _lay_out_goods(self) -> None:
        """Each dimension and compartment that some vehicle limits is a column."""
        holds = [hold_of(self.facts, van) for van in self.vans]
        self.counted = sorted(self.facts.amounts, key=str)
        column = {counted: number for number, counted in enumerate(self.counted)}
        self.columns = [self.facts.amounts[counted][0] for counted in self.counted]
        self.brought = {
            name: np.array([self.facts.amounts[counted][0][name] for counted in self.counted], dtype=np.float64)
            for name in self.facts.halts
        }
        self.limits = np.full((len(self.vans), len(self.counted)), FAR)
        for number, van in enumerate(self.vans):
            for each in van.vehicle.capacities:
                self.limits[number, column[each.dimension, each.compartment]] = each.limit
        self.room = self.limits.copy()
        self.held = np.zeros_like(self.limits)
        self.count = np.zeros(len(self.vans))
        self.most = np.array([NEVER if hold.most_stops is None else hold.most_stops for hold in holds], dtype=float)


def _bordered(ways: NDArray[np.int64]) -> Numbers:
    """With one place more, nowhere, which is on every way."""
    size = ways.shape[0] + 1
    bordered = np.zeros((size, size))
    bordered[:-1, :-1] = np.where(ways < 0, FAR, ways)
    return bordered
