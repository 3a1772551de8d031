"""An order of stops with all that the clock must know of it: the ways, the windows, how long goods may ride."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from route_optimizer.facts import NEVER, Facts, Van


class Halting(NamedTuple):
    """A stop or a reload on the order."""

    #: seconds of the way to it
    leg_s: int
    windows: tuple[tuple[int, int], ...]
    service_s: int
    due_s: int
    late_rate: int
    #: seconds from the vehicle's departure until service starts, at most
    ride_s: int
    #: seconds from the start of another halt until service starts here, at most
    rides: tuple[tuple[int, int], ...]
    #: whether a limited ride began before and ends after it
    riding: bool
    #: seconds to be driven after it
    ahead_s: int


@dataclass(frozen=True, slots=True)
class Course:
    """An order with all that its clock must know."""

    van: Van
    halts: tuple[Halting, ...]
    #: seconds of the leg home; None is an open route
    home_s: int | None
    #: seconds: no departure before
    opens_s: int
    #: the driving rule, where the route is long enough for it to matter
    longest_s: int | None
    rest_s: int
    #: whether only the earliest departure is looked at
    earliest_only: bool
    #: whether a ride is limited that begins on the way
    rides: bool


def course(
    facts: Facts, van: Van, names: Sequence[str | None], legs_s: Sequence[int], *, just_possible: bool = False
) -> Course:
    """The course of an order whose legs take these seconds; `just_possible` when no departure is cheaper than another.

    Then the earliest one is as good as any, unless a ride is limited that begins with it.
    """
    vehicle = van.vehicle
    releases = _releases(facts, names)
    at = {name: number for number, name in enumerate(names) if name is not None}
    halts: list[Halting] = []
    loaded = -1
    ahead_s = sum(legs_s)
    for number, name in enumerate(names):
        ahead_s -= legs_s[number]
        if name is None:
            loaded = number
            lasts_s = 0 if vehicle.reload is None else vehicle.reload.duration_s
            window = ((releases[number], NEVER),)
            halts.append(Halting(legs_s[number], window, lasts_s, 0, 0, NEVER, (), False, ahead_s))
            continue
        halt = facts.halts[name]
        ride_s, rides = NEVER, []
        if halt.max_ride_s is not None:
            origins = [at.get(pickup, loaded) for pickup in halt.ride_from] or [loaded]
            ride_s = halt.max_ride_s if -1 in origins else NEVER
            rides = [(each, halt.max_ride_s + halts[each].service_s) for each in origins if each >= 0]
        rule = halt.windows, halt.service_s, halt.due_s or 0, halt.late_rate, ride_s, tuple(rides)
        halts.append(Halting(legs_s[number], *rule, False, ahead_s))
    _mark_riding(halts)
    driving = vehicle.driving if vehicle.driving is not None and sum(legs_s) > vehicle.driving.longest_s else None
    return Course(
        van,
        tuple(halts),
        legs_s[-1] if len(legs_s) > len(names) else None,
        max(vehicle.shift.opens_s, releases[-1]),
        None if driving is None else driving.longest_s,
        0 if driving is None else driving.rest_s,
        just_possible and all(halt.ride_s == NEVER and not halt.late_rate for halt in halts),
        any(halt.rides for halt in halts),
    )


def _releases(facts: Facts, names: Sequence[str | None]) -> dict[int, int]:
    """Seconds: when the goods of a trip are ready, by the number of its reload; -1 is the trip from the start."""
    found = {-1: 0}
    trip = -1
    for number, name in enumerate(names):
        if name is None:
            trip = number
            found[trip] = 0
        else:
            found[trip] = max(found[trip], facts.halts[name].release_s)
    return found


def _mark_riding(halts: list[Halting]) -> None:
    for number, halt in enumerate(tuple(halts)):
        for origin, _ in halt.rides:
            for between in range(origin, number):
                halts[between] = halts[between]._replace(riding=True)
