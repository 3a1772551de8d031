"""Every way a vehicle's day can go on a given order of stops, as few numbers for each.

Whatever happens between two instants of a route makes a later departure end later or equally late: it is a function
`departure -> max(earliest, departure + duration)` for departures up to a latest one. Driving, waiting for a window,
serving, resting and breaks are all of this form, and so is whatever is made of them one after the other. A `Label` is
such a function for the route so far. Choices (which window, which break on which leg, where to rest) give several
labels, of which those are kept that no other one is better than in every respect.

How much was driven since the last rest is, in the same way, `max(driven, departure + driven_slope)`.
"""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

from route_optimizer.course import Course, Halting
from route_optimizer.facts import NEVER

#: what happens on one leg and after it, until service starts: the number of a break, or -n for n rests of the driving
#: rule, one after another
Events = tuple[int, ...]
#: the choices made so far, the last one first: what happened on the leg, the window of the stop
Trail = tuple["Trail", Events, int] | None
#: seconds of lateness at least, and on top of the departure; fine cost of a second
Late = tuple[int, int, int]
#: no start before (an instant, a time after departure), by the number of the halt
Floors = dict[int, tuple[int, int]]

#: a leg that needs more rests is no leg
MOST_RESTS = 20
#: so many ways to go on are followed at most; more need a dozen stops with several windows within one limited ride
MOST_LABELS = 1_000


class Label(NamedTuple):
    """One way the day can have gone so far."""

    #: the next break to be taken
    next_break: int
    #: seconds: ready at max(earliest_s, departure + duration_s)
    earliest_s: int
    duration_s: int
    #: seconds: for departures from `first_s` to `last_s`
    last_s: int
    first_s: int
    #: seconds driven since the last rest: max(driven_s, departure + driven_slope)
    driven_s: int
    driven_slope: int
    late: tuple[Late, ...]
    trail: Trail
    floors: Floors


def days(course: Course) -> Iterator[tuple[Label, Label]]:
    """Every way the whole route can go that no other one is better than, and what it began with."""
    for begin in begins(course):
        labels = [begin]
        for number, halt in enumerate(course.halts):
            labels = _kept(course, [after for each in labels for after in _onward(course, begin, each, number)], halt)
            if not labels:
                break
        for label in labels:
            for end in _home(course, label, begin.next_break):
                yield begin, end


def _home(course: Course, label: Label, skipped: int) -> Iterator[Label]:
    """The end of the route: within the shift, and having taken the breaks that were due and no others."""
    vehicle = course.van.vehicle
    ends = [(label, ())] if course.home_s is None else _legs(course, label, course.home_s, 0, waits=False)
    for end, events in ends:
        last_s = min(end.last_s, vehicle.shift.closes_s - end.duration_s)
        first_s = end.first_s
        if end.earliest_s > vehicle.shift.closes_s:
            continue
        if end.next_break < len(vehicle.breaks):
            latest_s = vehicle.breaks[end.next_break].latest_s
            if end.earliest_s > latest_s:
                continue
            last_s = min(last_s, latest_s - end.duration_s)
        if end.next_break > skipped and end.earliest_s <= vehicle.breaks[end.next_break - 1].latest_s:
            first_s = max(first_s, vehicle.breaks[end.next_break - 1].latest_s + 1 - end.duration_s)
        if vehicle.max_duration_s is not None:
            if end.duration_s > vehicle.max_duration_s:
                continue
            first_s = max(first_s, end.earliest_s - vehicle.max_duration_s)
        if first_s <= last_s:
            trail = (end.trail, events, 0)
            yield end._replace(last_s=last_s, first_s=first_s, trail=trail)


def _onward(course: Course, begin: Label, label: Label, number: int) -> Iterator[Label]:
    """Every way to the next halt and through it."""
    halt = course.halts[number]
    for there, events in _legs(course, label, halt.leg_s, halt.ahead_s, waits=_may_wait(course, label, halt)):
        for window in range(len(halt.windows)):
            after = _served(course, there, number, window, events)
            if after is None:
                continue
            if halt.rides:
                after = _settled(course, begin, after, number)
            if after is not None:
                yield after
                if after.last_s == there.last_s and not halt.rides:
                    break  # it is never too late for this window: a later one is of no use


def _served(course: Course, label: Label, number: int, window: int, events: Events) -> Label | None:
    """After waiting and service."""
    next_break, earliest_s, duration_s, last_s, first_s, driven_s, driven_slope, late, trail, floors = label
    halt = course.halts[number]
    opens_s, closes_s = halt.windows[window]
    earliest_s = max(earliest_s, opens_s)
    if number in floors:
        earliest_s = max(earliest_s, floors[number][0])
        duration_s = max(duration_s, floors[number][1])
    if earliest_s > closes_s or duration_s > halt.ride_s:
        return None
    last_s = min(last_s, closes_s - duration_s)
    first_s = max(first_s, earliest_s - halt.ride_s)
    if halt.late_rate:
        least_s, more_s = max(0, earliest_s - halt.due_s), duration_s - halt.due_s
        late = (*late, (least_s, more_s if last_s + more_s > 0 else -NEVER, halt.late_rate))
    earliest_s += halt.service_s
    duration_s += halt.service_s
    breaks = course.van.vehicle.breaks
    if next_break < len(breaks):
        latest_s = breaks[next_break].latest_s
        if earliest_s > latest_s:
            return None  # due, and missed
        last_s = min(last_s, latest_s - duration_s)
    if first_s > last_s:
        return None
    made: Trail = (trail, events, window)
    return Label(next_break, earliest_s, duration_s, last_s, first_s, driven_s, driven_slope, late, made, floors)


def _legs(course: Course, label: Label, leg_s: int, ahead_s: int, *, waits: bool) -> Iterator[tuple[Label, Events]]:
    """Every way to spend the time from one halt to service at the next."""
    breaks_left = len(course.van.vehicle.breaks) - label.next_break
    if course.longest_s is None:
        yield label._replace(earliest_s=label.earliest_s + leg_s, duration_s=label.duration_s + leg_s), ()
        for taken in range(1, breaks_left + 1):
            events = tuple(range(label.next_break, label.next_break + taken))
            after = _driven(course, label, leg_s, events)
            if after is None:
                return  # with more of them it is later still
            yield after, events
        return
    driven_s = max(label.driven_s, label.last_s + label.driven_slope)
    most = 0 if driven_s + leg_s + ahead_s <= course.longest_s else 1 - -leg_s // max(1, course.longest_s)
    if most > MOST_RESTS:
        return
    # a rest that is neither needed yet nor fills a wait is better taken later
    last = most if waits or driven_s + leg_s > course.longest_s else 0
    for taken in range(breaks_left + 1):
        for rests in product(*[range(most + 1)] * taken, range(last + 1)):
            order: list[int] = []
            for number, count in enumerate(rests):
                order += [-count] if count else []
                order += [label.next_break + number] if number < taken else []
            events = tuple(order)
            after = _driven(course, label, leg_s, events)
            if after is not None:
                yield after, events
                if not taken and not after.driven_s and after.last_s + after.driven_slope <= 0:
                    break  # quite fresh: one more rest is of no use


def _may_wait(course: Course, label: Label, halt: Halting) -> bool:
    """Whether a later arrival may cost nothing, or spare goods a ride."""
    return course.rides or len(halt.windows) > 1 or label.earliest_s + halt.leg_s < halt.windows[0][0]


class _Event(NamedTuple):
    lasts_s: int
    #: it begins within these
    earliest_s: int
    latest_s: int
    #: whether it ends what the driving rule counts
    rests: bool
    #: seconds of driving between the first and the last of several rests
    within_s: int


def _events(course: Course, numbers: Sequence[int], *, apart: bool = False) -> list[_Event]:
    """What a leg's events mean; `apart` gives each rest of several on its own."""
    found: list[_Event] = []
    longest_s = course.longest_s
    for number in numbers:
        if number < 0 and longest_s is not None:
            single = _Event(course.rest_s, -NEVER, NEVER, True, 0)
            together = _Event(-number * course.rest_s, -NEVER, NEVER, True, (-number - 1) * longest_s)
            found += [single] * -number if apart else [together]
        else:
            taken = course.van.vehicle.breaks[number]
            rests = longest_s is not None and taken.duration_s >= course.rest_s
            found.append(_Event(taken.duration_s, taken.earliest_s, taken.latest_s, rests, 0))
    # what comes later must begin in time too
    by_s = NEVER
    for index in range(len(found) - 1, -1, -1):
        by_s = min(found[index].latest_s, by_s - found[index].lasts_s)
        found[index] = found[index]._replace(latest_s=by_s)
    return found


def _driven(course: Course, label: Label, leg_s: int, numbers: Events) -> Label | None:
    """After a leg with these events on it or after it, each as late as it may be: so it serves most as a rest.

    How far the vehicle has come when an event begins is `min(way, way_slope - departure)`.
    """
    events = _events(course, numbers)
    longest_s = NEVER if course.longest_s is None else course.longest_s
    total_s = sum(event.lasts_s for event in events)
    ready_s = label.earliest_s + leg_s + total_s
    duration_s = label.duration_s + leg_s + total_s
    last_s = label.last_s
    may, may_slope = longest_s - label.driven_s, longest_s - label.driven_slope
    before: list[tuple[int, int, int, int]] = []
    past_s = 0
    for event in events:
        in_time_s = event.latest_s - past_s
        way = min(leg_s, may + event.within_s, in_time_s - label.earliest_s)
        way_slope = min(may_slope + event.within_s, in_time_s - label.duration_s)
        for other_way, other_slope, other_earliest_s, other_past_s in before:
            # after a wait for an earlier event there is so much time to drive before this one
            room_s = in_time_s - other_earliest_s + other_past_s
            way, way_slope = min(way, other_way + room_s), min(way_slope, other_slope + room_s)
        if way < 0 or event.earliest_s > event.latest_s:
            return None
        last_s = min(last_s, way_slope)
        rest_s = event.earliest_s + total_s - past_s + leg_s
        ready_s = max(ready_s, rest_s - way)
        duration_s = max(duration_s, rest_s - way_slope)
        before.append((way, way_slope, event.earliest_s, past_s))
        if event.rests:
            may, may_slope = way + longest_s, way_slope + longest_s
        past_s += event.lasts_s
    if leg_s > may:
        return None
    last_s = min(last_s, may_slope - leg_s)
    if label.first_s > last_s:
        return None
    return label._replace(
        next_break=label.next_break + sum(number >= 0 for number in numbers),
        earliest_s=ready_s,
        duration_s=duration_s,
        last_s=last_s,
        driven_s=leg_s + longest_s - may,
        driven_slope=max(-NEVER, leg_s + longest_s - may_slope),
    )


def _kept(course: Course, labels: list[Label], halt: Halting) -> list[Label]:
    """Those that no other is better than; all of them while a limited ride may still delay what was."""
    if len(labels) < 2:
        return labels
    labels.sort(key=lambda each: (each.earliest_s, each.duration_s, -each.last_s))
    if halt.riding:
        return labels[:MOST_LABELS]
    better = _sooner if course.earliest_only else _better
    kept: list[Label] = []
    for label in labels:
        if not any(better(other, label) for other in kept):
            kept.append(label)
    return kept[:MOST_LABELS]


def _sooner(one: Label, other: Label) -> bool:
    """Better or equal for the earliest departure; it is ready no later."""
    departure_s = one.first_s
    return one.next_break == other.next_break and (
        max(one.driven_s, departure_s + one.driven_slope) <= max(other.driven_s, departure_s + other.driven_slope)
    )


def _better(one: Label, other: Label) -> bool:
    """Or equal, in every respect; it is ready no later."""
    return (
        one.next_break == other.next_break
        and one.duration_s <= other.duration_s
        and one.last_s >= other.last_s
        and one.first_s <= other.first_s
        and one.driven_s <= other.driven_s
        and one.driven_slope <= other.driven_slope
        and all(a[0] <= b[0] and a[1] <= b[1] for a, b in zip(one.late, other.late, strict=True))
    )


def _settled(course: Course, begin: Label, label: Label, number: int) -> Label | None:
    """The label with every ride that is over within its limit, by delaying where it began; None when that is too late.

    A ride's limit is a way back in time from its end to its beginning. Each round settles one more of them for good,
    unless they chase each other for ever.
    """
    choices = choices_of(label)
    limits = [(origin, end, limit) for end in range(number + 1) for origin, limit in course.halts[end].rides]
    floors = dict(label.floors)
    for _ in range(2 * len(limits) + 4):
        played = replay(course, begin, choices, floors)
        if played is None:
            return None
        after, starts = played
        raised = False
        for origin, end, limit in limits:
            need = starts[end][0] - limit, starts[end][1] - limit
            if need[0] > starts[origin][0] or need[1] > starts[origin][1]:
                known = floors.get(origin, (-NEVER, -NEVER))
                floors[origin] = max(known[0], need[0]), max(known[1], need[1])
                raised = True
        if not raised:
            return after._replace(floors=floors)
    return None


def choices_of(label: Label) -> list[tuple[Events, int]]:
    """What was chosen at each halt, in their order."""
    found = []
    trail = label.trail
    while trail is not None:
        trail, events, window = trail
        found.append((events, window))
    return found[::-1]


def replay(
    course: Course, begin: Label, choices: Sequence[tuple[Events, int]], floors: Floors
) -> tuple[Label, list[tuple[int, int]]] | None:
    """The label that these choices lead to, and for each halt when service starts: an instant, or after departure."""
    label: Label | None = begin._replace(floors=floors)
    starts = []
    for number, (events, window) in enumerate(choices[: len(course.halts)]):
        halt = course.halts[number]
        label = _driven(course, label, halt.leg_s, events) if label else None
        label = _served(course, label, number, window, events) if label else None
        if label is None:
            return None
        starts.append((label.earliest_s - halt.service_s, label.duration_s - halt.service_s))
    return (label, starts) if label else None


def begins(course: Course) -> Iterator[Label]:
    """Nothing has happened yet: one label for each number of breaks that are over before the departure."""
    shift, breaks = course.van.vehicle.shift, course.van.vehicle.breaks
    for skipped in range(len(breaks) + 1):
        first_s = max(course.opens_s, breaks[skipped - 1].latest_s + 1) if skipped else course.opens_s
        last_s = min(shift.closes_s, breaks[skipped].latest_s) if skipped < len(breaks) else shift.closes_s
        if first_s <= last_s:
            last_s = first_s if course.earliest_only else last_s
            yield Label(skipped, first_s, 0, last_s, first_s, 0, -NEVER, (), None, {})


def rests_of(
    course: Course, choices: Sequence[tuple[Events, int]], departure_s: int, starts: Sequence[int]
) -> tuple[list[int], list[tuple[int, int]], int]:
    """The arrivals, the rests from when to when, and the end of the day that leaves at an instant."""
    now_s, driven_s = departure_s, 0
    arrivals: list[int] = []
    rests: list[tuple[int, int]] = []
    for halt, (events, _), start_s in zip(course.halts, choices, starts, strict=False):
        drive = _Drive(course, halt.leg_s, now_s, driven_s, rests)
        drive.through(events, home=False)
        arrivals.append(drive.arrival_s)
        now_s, driven_s = start_s + halt.service_s, drive.driven_s
    if course.home_s is not None:
        drive = _Drive(course, course.home_s, now_s, driven_s, rests)
        drive.through(choices[-1][0], home=True)
        now_s = drive.now_s
    return arrivals, rests, now_s


class _Drive:
    """One leg, second by second."""

    def __init__(self, course: Course, leg_s: int, now_s: int, driven_s: int, rests: list[tuple[int, int]]) -> None:
        self.course = course
        self.left_s = leg_s
        self.now_s = now_s
        self.driven_s = driven_s
        self.rests = rests
        self.arrival_s = now_s

    def through(self, numbers: Events, *, home: bool) -> None:
        """Each event as late as it may be; what is waited for on the way is a rest, and at the end of the route too."""
        events = _events(self.course, numbers, apart=True)
        longest_s = NEVER if self.course.longest_s is None else self.course.longest_s
        for event in events:
            self._on(min(self.left_s, longest_s - self.driven_s, event.latest_s - self.now_s))
            if event.earliest_s > self.now_s:
                if self.left_s or home:
                    self.rests.append((self.now_s, event.earliest_s))
                self.now_s = event.earliest_s
            self.rests.append((self.now_s, self.now_s + event.lasts_s))
            self.now_s += event.lasts_s
            if event.rests:
                self.driven_s = 0
        self._on(self.left_s)

    def _on(self, seconds: int) -> None:
        if self.left_s:
            self.arrival_s = self.now_s + seconds
        self.now_s += seconds
        self.driven_s += seconds
        self.left_s -= seconds
