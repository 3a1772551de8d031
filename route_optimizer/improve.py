"""Better plans under every rule: take out strings of neighbouring stops, put them back in at their cheapest places.

This is slack induction by string removals (Christiaens and Vanden Berghe, 2020) with its blinks and its annealing. The
arrays of `board` say where to try first, `schedule` alone says what is allowed and what it costs; so it knows whatever
rule the schedule knows.
"""

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np

from route_optimizer.board import FAR, Board, Row
from route_optimizer.facts import FINE, NEVER
from route_optimizer.insertion import into, with_reload
from route_optimizer.plan import Order
from route_optimizer.problem import Problem
from route_optimizer.repair import tidy
from route_optimizer.schedule import order_of, route
from route_optimizer.search import Search, Sequences

#: more places than fit into arrays
MOST_STOPS = 2_000
#: stops taken out at a time, on average
STOPS_OUT = 10
LONGEST_STRING = 10
#: of the cheapest places, how many are passed over: one in so many
BLINK = 0.01
#: of a stop's way: how much worse a plan may get at first, and in the end
HOT, COLD = 0.001, 0.0002
#: places that the schedule refuses before a stop is given up
MOST_REFUSALS = 30
#: places looked at where the schedule may find the dearer way the cheaper one
LOOKED_AT = 4
#: stops that were left out are tried again so many at a time
LEFT_OUT_AT_ONCE = 8
#: neighbours known of each stop
NEIGHBOURS = 100
#: durations remembered, where balance counts
MOST_DURATIONS = 30_000
#: seconds between two tellings of a better plan
TELL_S = 0.25

#: weight left out; cost, prizes lost and what balance costs
Loss = tuple[int, int]


def improve(
    problem: Problem,
    sequences: Sequences,
    search: Search,
    *,
    within_s: float = math.inf,
    iterations: int | None = None,
) -> Sequences:
    """The best plan found until the search's time is over.

    Args:
        problem: may have any rule.
        sequences: where to begin; routes that break a rule are taken apart.
        search: its seed decides every choice; its clock only how far it gets.
        within_s: seconds at most.
        iterations: rounds at most; the same number of rounds ends in the same plan.
    """
    if len(problem.stops) > MOST_STOPS or not problem.stops or not problem.vehicles:
        return sequences
    return _Improvement(problem, sequences, search).run(min(within_s, search.remaining_s), iterations)


@dataclass(slots=True)
class _Best:
    loss: Loss
    rows: list[Row]
    told: bool = True


class _Improvement:
    """One run: the plan as it is, the best one, and what is left out of it."""

    def __init__(self, problem: Problem, sequences: Sequences, search: Search) -> None:
        self.problem = problem
        self.search = search
        self.board = Board(problem)
        self.facts = self.board.facts
        self.random = Random(search.seed)  # noqa: S311  no secret depends on it
        self.where: dict[str, int] = {}
        self.missing: set[str] = set(self.facts.stop_by_id)
        self.locked = [frozenset(van.locked) for van in self.board.vans]
        self.nearby = _Nearby(self.board)
        #: whether the cheapest way need not be the cheapest schedule
        self.uncertain = (
            self.board.time_counts
            or bool(self.facts.reassign or problem.balance_cost_per_hour)
            or any(halt.late_rate for halt in self.facts.halts.values())
        )
        #: rows as they were before this round, and the stops that it took out
        self.changed: dict[int, Row] = {}
        self.out: set[str] = set()
        self.durations: dict[tuple[int, Order], int] = {}
        for number, van in enumerate(self.board.vans):
            order = tuple(name for name in sequences.get(van.vehicle.id, ()) if name is None or name in self.missing)
            if order and (cost := self.board.cost(number, order)) is not None:
                self._set(number, order, cost)
        for number, locked in enumerate(self.locked):
            if locked <= self.missing and locked:
                self._begin_locked(number)
        self.changed.clear()

    def _begin_locked(self, number: int) -> None:
        """A vehicle that is locked to stops has no route without them."""
        van = self.board.vans[number]
        tied = {each for name in van.locked for each in self.facts.partners.get(name, ())} - self.locked[number]
        if tied <= self.missing:
            found = into(self.facts, van, van.locked, sorted(tied), NEVER)
            if found is not None:
                self._set(number, found[1], found[0])

    def run(self, within_s: float, iterations: int | None) -> Sequences:
        """Round after round; each is kept or undone."""
        began = time.monotonic()
        self._recreate(self.missing)
        self.changed.clear()
        current = self._loss()
        best = _Best(current, list(self.board.rows))
        told_at = began
        rounds = 0
        while iterations is None or rounds < iterations:
            now = time.monotonic()
            if self.search.over or now - began >= within_s:
                break
            done = rounds / iterations if iterations else (now - began) / max(within_s, 1e-9)
            rounds += 1
            self._ruin()
            self._recreate({*self.out, *self._tried_again()})
            loss = self._loss()
            if self._accepts(loss, current, done):
                current = loss
                self.changed.clear()
            else:
                self._undo()
            if loss < best.loss:
                best = _Best(loss, list(self.board.rows), told=False)
            if not best.told and now - told_at > TELL_S:
                self._tell(best)
                told_at = now
        if not best.told:
            self._tell(best)
        return _sequences(self.board, best.rows)

    def _accepts(self, loss: Loss, current: Loss, done: float) -> bool:
        if loss[0] != current[0]:
            return loss[0] < current[0]
        served = max(1, len(self.facts.stop_by_id) - len(self.missing))
        warmth: float = HOT * (COLD / HOT) ** min(1.0, done) * abs(current[1]) / served
        return loss[1] < current[1] - warmth * math.log(1.0 - self.random.random())

    def _loss(self) -> Loss:
        stops = [self.facts.stop_by_id[name] for name in self.missing]
        weight = sum(1 + stop.priority for stop in stops if stop.prize is None)
        cost = sum(row.cost for row in self.board.rows) + sum(stop.prize or 0 for stop in stops)
        return weight, cost + self._balance({})

    def _balance(self, instead: Mapping[int, Order]) -> int:
        """What the longest route costs for being long, with other orders for some vehicles."""
        rate = self.problem.balance_cost_per_hour
        if not rate:
            return 0
        orders = (instead.get(number, row.order) for number, row in enumerate(self.board.rows))
        longest_s = max((self._duration_s(number, order) for number, order in enumerate(orders)), default=0)
        return (rate * longest_s * 2 + 3_600) // 7_200

    def _duration_s(self, number: int, order: Order) -> int:
        if not order:
            return 0
        key = self.board.kinds[number][0], order
        if key not in self.durations:
            if len(self.durations) > MOST_DURATIONS:
                self.durations.clear()
            found = route(self.problem, self.board.vans[key[0]].vehicle, order_of(self.problem, order))
            self.durations[key] = 0 if found is None else found.duration_s
        return self.durations[key]

    def _tell(self, best: _Best) -> None:
        left_out = len(self.facts.stop_by_id) - sum(len(row.order) - row.order.count(None) for row in best.rows)
        self.search.found(best.loss[1], left_out, _sequences(self.board, best.rows))
        best.told = True

    # what changes the plan

    def _set(self, number: int, order: Order, cost: int) -> None:
        was = self.board.rows[number]
        self.changed.setdefault(number, was)
        self._put(number, self.board.row(number, order, cost))

    def _put(self, number: int, row: Row) -> None:
        for name in self.board.rows[number].order:
            if name is not None and self.where.get(name) == number:
                del self.where[name]
                self.missing.add(name)
        self._know(number, row)
        self.board.put(number, row)

    def _know(self, number: int, row: Row) -> None:
        for name in row.order:
            if name is not None:
                self.where[name] = number
                self.missing.discard(name)

    def _undo(self) -> None:
        for number, row in self.changed.items():
            self._put(number, row)
        for number, row in self.changed.items():
            self._know(number, row)
        self.changed.clear()

    # out

    def _ruin(self) -> None:
        """Strings out of routes near one stop: many short ones, or few long ones."""
        self.out = set()
        served = list(self.where)
        if not served:
            return
        seed = self.random.choice(self.nearby.names)
        mean = len(served) / max(1, sum(1 for row in self.board.rows if row.order))
        longest = min(LONGEST_STRING, mean)
        strings = int(self.random.uniform(1.0, 4.0 * STOPS_OUT / (1.0 + longest)))
        ruined: set[int] = set()
        for name in self.nearby.of(seed):
            if len(ruined) > strings:
                break
            number = self.where.get(name)
            if number is None or number in ruined or name in self.locked[number]:
                continue
            ruined.add(number)
            self._take_string(number, name, longest)

    def _take_string(self, number: int, name: str, longest: float) -> None:
        order = self.board.rows[number].order
        first = len(self.locked[number])
        length = int(self.random.uniform(1.0, min(len(order) - first, longest) + 1.0))
        at = order.index(name)
        kept = 0
        if length > 1 and self.random.random() < 0.5:
            while length + kept < len(order) - first and self.random.random() > 0.01:
                kept += 1
                if self.random.random() > 0.5:
                    break
        whole = length + kept
        begin = self.random.randint(max(first, at - whole + 1), max(first, min(at, len(order) - whole)))
        string = list(order[begin : begin + whole])
        if kept:
            skipped = self.random.randint(0, len(string) - kept)
            del string[skipped : skipped + kept]
        self._take({each for each in string if each is not None})

    def _take(self, names: Iterable[str]) -> None:
        """Out of their routes, with all that must go with them."""
        gone = {each for name in names for each in self.facts.partners.get(name, (name,))}
        numbers = {self.where[name] for name in gone if name in self.where}
        for number in sorted(numbers):
            gone -= self._stuck(number, gone)
        for number in sorted(numbers):
            order = tidy(name for name in self.board.rows[number].order if name not in gone)
            cost = self.board.cost(number, order)
            if cost is not None:
                self.out.update(name for name in self.board.rows[number].order if name is not None and name in gone)
                self._set(number, order, cost)

    def _stuck(self, number: int, gone: set[str]) -> set[str]:
        """Of what is to go: locked stops, and what is tied to them."""
        if self.locked[number].isdisjoint(gone):
            return set()
        return {each for name in self.locked[number] & gone for each in self.facts.partners.get(name, (name,))}

    def _tried_again(self) -> list[str]:
        """Some of the stops that were left out before."""
        others = sorted(self.missing - self.out)
        if len(others) > LEFT_OUT_AT_ONCE:
            others = self.random.sample(others, LEFT_OUT_AT_ONCE)
        return others

    # in

    def _recreate(self, names: Iterable[str]) -> None:
        """Each at its cheapest place, some passed over; in one of several orders."""
        stops = self.facts.stop_by_id
        waiting = sorted(names)
        self.random.shuffle(waiting)
        measure = self.random.choice(self.nearby.measures)
        if measure is not None:
            waiting.sort(key=measure.__getitem__)
        waiting.sort(key=lambda name: stops[name].prize is not None)
        for name in waiting:
            if name in self.missing and not self.search.stopped:
                unit = self.facts.partners.get(name)
                found = self._place(name) if unit is None else self._place_unit(sorted(unit))
                if found is not None and self._pays(unit or (name,), found[0]):
                    self._set(*found[1:])

    def _pays(self, names: Iterable[str], extra: int) -> bool:
        prizes = [self.facts.stop_by_id[name].prize for name in names]
        return None in prizes or extra < sum(prize or 0 for prize in prizes)

    def _place(self, name: str) -> tuple[int, int, Order, int] | None:
        """What it adds, the vehicle, its order with the stop and the cost of that."""
        promise = self.board.promise(name)
        flat = promise.ravel()
        best: tuple[int, int, Order, int] | None = None
        refused = looked_at = 0
        while refused < MOST_REFUSALS and looked_at < LOOKED_AT:
            at = int(flat.argmin())
            promised = flat[at]
            if promised >= FAR * FINE or (best is not None and promised >= best[0] * FINE):
                break
            flat[at] = math.inf
            if self.random.random() < BLINK:
                continue
            number, place = divmod(at, self.board.width)
            row = self.board.rows[number]
            order = (*row.order[:place], name, *row.order[place:])
            found = self._cost(number, order)
            if found is None:
                refused += 1
                continue
            looked_at += 1
            extra = found[1] - row.cost
            if self.problem.balance_cost_per_hour:
                promise[number] = math.inf  # another vehicle rather than another place
                extra += self._balance({number: found[0]}) - self._balance({})
            if best is None or extra < best[0]:
                best = extra, number, *found
            if not self.uncertain:
                break
        return best

    def _cost(self, number: int, order: Order) -> tuple[Order, int] | None:
        """The order, with one more reload where it needs one, and its cost."""
        cost = self.board.cost(number, order)
        if cost is not None:
            return order, cost
        found = None
        for reloaded in with_reload(self.board.vans[number], order):
            cost = self.board.cost(number, reloaded)
            if cost is not None and (found is None or cost < found[1]):
                found = reloaded, cost
        return found

    def _place_unit(self, names: Sequence[str]) -> tuple[int, int, Order, int] | None:
        """Of stops that go together; tried on the vehicles that promise most."""
        promises = np.sum([self.board.promise(name).min(axis=1) for name in names], axis=0)
        # what one end promises without the other is only a hint: it rules nothing out
        promises[~np.isfinite(promises)] = FAR * FINE
        possible = self.board.open & np.all([self.board.able(name) for name in names], axis=0)
        promises[~possible] = math.inf
        best: tuple[int, int, Order, int] | None = None
        for number in np.argsort(promises, kind="stable")[:LOOKED_AT].tolist():
            if not possible[number]:
                break
            row = self.board.rows[number]
            limit = NEVER if best is None else best[0] + row.cost
            found = into(self.facts, self.board.vans[number], row.order, names, limit)
            if found is not None and found[0] < limit:
                best = found[0] - row.cost, number, found[1], found[0]
        return best


class _Nearby:
    """Which stops are near which, and how stops differ."""

    def __init__(self, board: Board) -> None:
        facts = board.facts
        self.names = list(facts.stop_by_id)
        at = np.array([board.index[facts.halts[name].place] for name in self.names])
        apart = board.metres[np.ix_(at, at)] + board.metres_to[np.ix_(at, at)]
        self._apart = apart
        self._number = {name: number for number, name in enumerate(self.names)}
        self._known: dict[str, list[str]] = {}
        start = board.index[board.vans[0].vehicle.start]
        far = dict(zip(self.names, board.metres[start].take(at).tolist(), strict=True))
        limits = np.maximum(1.0, board.limits.max(axis=0, initial=1.0))
        heavy = {name: -float((board.brought[name] / limits).sum()) for name in self.names}
        opens = {name: float(facts.halts[name].opens_s) for name in self.names}
        closes = {name: -float(facts.halts[name].windows[-1][1]) for name in self.names}
        length = {name: -opens[name] - closes[name] for name in self.names}
        farthest = {name: -each for name, each in far.items()}
        #: by which stops are put back, the smallest first; None is any order. Some more often than others
        self.measures: list[Mapping[str, float] | None] = [
            *([None, heavy] * 4),
            *([farthest, length, opens, closes] * 2),
            far,
        ]

    def of(self, name: str) -> list[str]:
        """Itself first, then the nearest."""
        if name not in self._known:
            apart = self._apart[self._number[name]]
            order = np.argsort(apart, kind="stable")[: NEIGHBOURS + 1].tolist()
            self._known[name] = [name, *(self.names[each] for each in order if self.names[each] != name)]
        return self._known[name]


def _sequences(board: Board, rows: Sequence[Row]) -> dict[str, Order]:
    return {van.vehicle.id: row.order for van, row in zip(board.vans, rows, strict=True) if row.order}
