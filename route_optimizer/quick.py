"""What an order costs, without telling when: for the many orders a search tries and throws away.

Where each stop has one window and no rule of its own, a label (see `clock`) is two numbers: ready at an instant, for
departures until another; how long it takes is the same for all that took the same breaks.
"""

from collections.abc import Sequence

from route_optimizer.facts import NEVER, Facts, Van

#: ready at the earliest, last departure
Pair = tuple[int, int]


def quick_cost(facts: Facts, van: Van, names: Sequence[str | None]) -> int | None:
    """The least fine cost without reassignments, None where there is no schedule; see `is_quick`."""
    return _without_breaks(facts, van, names) if not van.vehicle.breaks else _with_breaks(facts, van, names)


def is_quick(facts: Facts, van: Van, names: Sequence[str | None]) -> bool:
    """Whether `quick_cost` knows every rule about time that this order has."""
    if facts.special and not facts.special.isdisjoint(names):
        return False
    driving = van.vehicle.driving
    return driving is None or _driving_s(facts, van, names) <= driving.longest_s


def _driving_s(facts: Facts, van: Van, names: Sequence[str | None]) -> int:
    here, seconds = van.vehicle.start, 0
    for name in names:
        place = van.reload_halt[0] if name is None else facts.plain_halts[name][0]
        seconds += facts.seconds[here][place]
        here = place
    return seconds if van.vehicle.end is None else seconds + facts.seconds[here][van.vehicle.end]


def _without_breaks(facts: Facts, van: Van, names: Sequence[str | None]) -> int | None:
    halts, metres_from, seconds_from = facts.plain_halts, facts.metres, facts.seconds
    vehicle = van.vehicle
    here, metres, driving_s, duration_s = vehicle.start, 0, 0, 0
    earliest_s, last_s = vehicle.shift.opens_s, vehicle.shift.closes_s
    for name in names:
        place, opens_s, closes_s, service_s = van.reload_halt if name is None else halts[name]
        leg_m = metres_from[here][place]
        if leg_m < 0:
            return None
        leg_s = seconds_from[here][place]
        earliest_s += leg_s
        if earliest_s > closes_s:
            return None
        metres += leg_m
        driving_s += leg_s
        duration_s += leg_s
        if closes_s - duration_s < last_s:
            last_s = closes_s - duration_s
        if earliest_s < opens_s:
            earliest_s = opens_s
        earliest_s += service_s
        duration_s += service_s
        here = place
    if vehicle.end is not None:
        leg_m = metres_from[here][vehicle.end]
        if leg_m < 0:
            return None
        leg_s = seconds_from[here][vehicle.end]
        metres += leg_m
        driving_s += leg_s
        earliest_s += leg_s
        duration_s += leg_s
    if earliest_s > vehicle.shift.closes_s or not _short_enough(van, metres, driving_s):
        return None
    return _cost(van, metres, max(duration_s, earliest_s - min(last_s, vehicle.shift.closes_s - duration_s)))


def _short_enough(van: Van, metres: int, driving_s: int) -> bool:
    vehicle = van.vehicle
    if vehicle.max_distance_m is not None and metres > vehicle.max_distance_m:
        return False
    return vehicle.max_driving_s is None or driving_s <= vehicle.max_driving_s


def _cost(van: Van, metres: int, seconds: int) -> int | None:
    most_s = van.vehicle.max_duration_s
    return None if most_s is not None and seconds > most_s else van.fine_cost(metres, seconds)


def _with_breaks(facts: Facts, van: Van, names: Sequence[str | None]) -> int | None:
    halts, metres_from, seconds_from = facts.plain_halts, facts.metres, facts.seconds
    vehicle = van.vehicle
    here, metres, driving_s = vehicle.start, 0, 0
    way: list[tuple[int, int, int, int]] = []
    for name in names:
        place, opens_s, closes_s, service_s = van.reload_halt if name is None else halts[name]
        leg_m = metres_from[here][place]
        if leg_m < 0:
            return None
        leg_s = seconds_from[here][place]
        metres += leg_m
        driving_s += leg_s
        way.append((leg_s, opens_s, closes_s, service_s))
        here = place
    if vehicle.end is not None:
        leg_m = metres_from[here][vehicle.end]
        if leg_m < 0:
            return None
        leg_s = seconds_from[here][vehicle.end]
        metres += leg_m
        driving_s += leg_s
        way.append((leg_s, 0, vehicle.shift.closes_s, 0))
    if not _short_enough(van, metres, driving_s):
        return None
    if not van.time_counts:
        possible = any(_in_time(van, way, skipped) for skipped in range(len(vehicle.breaks) + 1))
        return van.fine_cost(metres, 0) if possible else None
    costs = []
    for skipped in range(len(vehicle.breaks) + 1):
        seconds = _shortest(van, way, skipped)
        cost = None if seconds is None else _cost(van, metres, seconds)
        if cost is not None:
            costs.append(cost)
    return min(costs, default=None)


#: seconds of the leg, first and last begin of service, seconds of service
Part = tuple[int, int, int, int]


def _in_time(van: Van, way: Sequence[Part], skipped: int) -> bool:
    """Whether there is a day that leaves when so many breaks are over: of each number of breaks, the earliest one."""
    vehicle, breaks = van.vehicle, van.vehicle.breaks
    first_s, last_s = _departures(van, skipped)
    if first_s > last_s:
        return False
    ready = [first_s] + [NEVER] * (len(breaks) - skipped)
    late = [each.latest_s for each in breaks[skipped:]] + [NEVER - 1]
    spans = van.spans[skipped:]
    for leg_s, opens_s, closes_s, service_s in way:
        after = [each + leg_s for each in ready]
        for taken, earliest_s in enumerate(ready):
            for more, by_s, lasts_s, until_s in spans[taken]:
                if earliest_s > by_s:
                    break
                after[taken + more] = min(after[taken + more], max(earliest_s + leg_s + lasts_s, until_s))
        for taken, earliest_s in enumerate(after):
            over_s = max(earliest_s, opens_s) + service_s
            after[taken] = over_s if earliest_s <= closes_s and over_s <= late[taken] else NEVER
        ready = after
        if min(ready) == NEVER:
            return False
    return min(ready) <= vehicle.shift.closes_s


def _departures(van: Van, skipped: int) -> tuple[int, int]:
    """The first and the last at which exactly so many breaks are over."""
    shift, breaks = van.vehicle.shift, van.vehicle.breaks
    first_s = max(shift.opens_s, breaks[skipped - 1].latest_s + 1) if skipped else shift.opens_s
    return first_s, min(shift.closes_s, breaks[skipped].latest_s) if skipped < len(breaks) else shift.closes_s


def _shortest(van: Van, way: Sequence[Part], skipped: int) -> int | None:
    """Seconds of the shortest day that leaves when so many breaks are over."""
    vehicle, breaks = van.vehicle, van.vehicle.breaks
    first_s, last_s = _departures(van, skipped)
    if first_s > last_s:
        return None
    states: list[list[Pair]] = [[(first_s, last_s)], *([] for _ in breaks[skipped:])]
    late = [each.latest_s for each in breaks[skipped:]] + [NEVER]
    rested = [0]
    for each in breaks[skipped:]:
        rested.append(rested[-1] + each.duration_s)
    spans = van.spans[skipped:]
    duration_s = 0
    for leg_s, opens_s, closes_s, service_s in way:
        after: list[list[Pair]] = [[(ready + leg_s, last) for ready, last in pairs] for pairs in states]
        for taken, pairs in enumerate(states):
            for ready, last in pairs:
                for more, by_s, lasts_s, until_s in spans[taken]:
                    if ready > by_s:
                        break
                    spent_s = duration_s + rested[taken]
                    after[taken + more].append((max(ready + leg_s + lasts_s, until_s), min(last, by_s - spent_s)))
        duration_s += leg_s
        for taken, pairs in enumerate(after):
            begin_by_s = min(closes_s, late[taken] - service_s)
            by_s = begin_by_s - duration_s - rested[taken]
            states[taken] = _best_pairs(
                [(max(ready, opens_s) + service_s, min(last, by_s)) for ready, last in pairs if ready <= closes_s],
                first_s,
                late[taken],
            )
        duration_s += service_s
    found = []
    for taken, pairs in enumerate(states):
        spent_s = duration_s + rested[taken]
        by_s = vehicle.shift.closes_s - spent_s
        found += [
            max(spent_s, ready - min(last, by_s))
            for ready, last in pairs
            if ready <= vehicle.shift.closes_s and _was_due(van, skipped, taken, ready, min(last, by_s) + spent_s)
        ]
    return min(found, default=None)


def _was_due(van: Van, skipped: int, taken: int, ready_s: int, latest_end_s: int) -> bool:
    """Whether the day can end after the last break that was taken; if not, it was not due."""
    return not taken or max(ready_s, latest_end_s) > van.vehicle.breaks[skipped + taken - 1].latest_s


def _best_pairs(pairs: list[Pair], first_s: int, latest_s: int) -> list[Pair]:
    """Those that none other is better than."""
    if len(pairs) > 1:
        pairs.sort(key=lambda each: (each[0], -each[1]))
    kept: list[Pair] = []
    for pair in pairs:
        if first_s <= pair[1] and pair[0] <= latest_s and (not kept or pair[1] > kept[-1][1]):
            kept.append(pair)
    return kept
