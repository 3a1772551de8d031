"""What comes out: who drives where and when, what is left out and why."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from route_optimizer.problem import Compartment

#: why the search ended: the best there is; nothing better found for long enough; out of time; told to
Ending = Literal["optimal", "settled", "budget", "cancelled"]
#: who searches: every order of a few stops; PyVRP; groups of routes by PyVRP, one after the other; Google's solver with
#: every rule; or PyVRP without the rules it lacks, and then with them
EngineName = Literal["exact", "pyvrp", "decomposition", "ortools", "hybrid"]


#: what one vehicle serves, as ids of stops in order; None is a reload. It neither begins nor ends with a reload, and no
#: two follow each other
Order = tuple[str | None, ...]


class Rule(StrEnum):
    """A rule of the business, as reasons and violations name it."""

    CAPACITY = "capacity"
    COMPARTMENT = "compartment"
    SKILL = "skill"
    UNREACHABLE = "unreachable"
    WINDOW = "time window"
    SHIFT = "shift"
    MAX_DISTANCE = "maximum distance"
    MAX_DURATION = "maximum duration"
    MAX_STOPS = "maximum stops"
    BREAK = "break"
    DRIVING = "driving time"
    RIDE = "time in the vehicle"
    RELEASE = "release time"
    RELOAD = "reload"
    SHIPMENT = "pickup and delivery"
    TOGETHER = "same vehicle"
    APART = "never together"
    LOCK = "locked stops"
    ON_BOARD = "goods on board"
    #: alone it fits; beside the others it does not
    FLEET = "fleet full"
    #: it would cost more than it is worth
    PRIZE = "prize too low"
    #: every stop is served once or named as left out, by vehicles that exist, each driving once
    COMPLETE = "completeness"
    #: the plan's own figures add up
    FIGURES = "figures"


@dataclass(frozen=True, slots=True)
class Visit:
    """One stop of a route."""

    #: id of the stop
    stop: str
    #: seconds: the vehicle is there
    arrival_s: int
    #: seconds: service starts; the difference is waiting
    start_s: int
    #: seconds: service is over and the vehicle leaves
    departure_s: int


@dataclass(frozen=True, slots=True)
class Rest:
    """A break that is taken, on the road or at a stop; during service none can be."""

    #: seconds
    start_s: int
    #: seconds
    end_s: int


@dataclass(frozen=True, slots=True)
class Reloading:
    """The vehicle is back for more goods."""

    #: how many visits lie before it
    after: int
    #: seconds: the vehicle is there
    arrival_s: int
    #: seconds: loading starts
    start_s: int
    #: seconds: it leaves
    departure_s: int


@dataclass(frozen=True, slots=True)
class Route:
    """One vehicle's day. A vehicle without stops has no route."""

    #: id of the vehicle
    vehicle: str
    #: seconds: it leaves its start
    start_s: int
    #: seconds: it is back, or done at the last stop of an open route
    end_s: int
    visits: tuple[Visit, ...]
    #: metres
    distance_m: int
    #: in units of the objective: metres, seconds, millilitres, minor currency units
    cost: int
    #: in order of time
    rests: tuple[Rest, ...] = ()
    #: in order of time
    reloads: tuple[Reloading, ...] = ()
    #: seconds that service starts after `Stop.due_s`, summed over the stops
    late_s: int = 0
    #: millilitres
    fuel_ml: int = 0
    #: grams of carbon dioxide
    co2_g: int = 0

    @property
    def order(self) -> "Order":
        """Its stops as a search has them."""
        reloads = {each.after for each in self.reloads}
        names: list[str | None] = []
        for number, visit in enumerate(self.visits):
            names += [None, visit.stop] if number in reloads else [visit.stop]
        return tuple(names)

    @property
    def duration_s(self) -> int:
        """Seconds from start to end."""
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True)
class Reason:
    """One rule that keeps a stop out, told of the vehicle that comes closest to serving it."""

    rule: Rule
    #: id of the vehicle
    vehicle: str
    #: a sentence: what stands in the way
    words: str
    #: a sentence: what would let the stop in
    remedy: str
    #: what the remedy is about: a skill, the dimension of a capacity, the id of the other stop (of a shipment, or of
    #: two that may not meet), `start` of a shift, `whole day` of driving; else empty
    subject: str = ""
    #: the part of the vehicle that a capacity is about; None is the vehicle as a whole
    compartment: Compartment | None = None
    #: what the number that the rule is about must become at least, and of a break by how many seconds its window must
    #: widen; 0 where the remedy is no number
    needed: int = 0


@dataclass(frozen=True, slots=True)
class Unserved:
    """A stop left out. All its reasons must be mended together to let it in."""

    #: id of the stop
    stop: str
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that a plan breaks, as the judge found it."""

    rule: Rule
    words: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The answer to a problem; whatever leaves `solve` has passed the judge."""

    routes: tuple[Route, ...]
    unserved: tuple[Unserved, ...]
    #: sum over the routes, and what `Problem.balance_cost_per_hour` makes of the longest; in units of the objective
    cost: int
    #: the engine that searched
    engine: EngineName
    ending: Ending
