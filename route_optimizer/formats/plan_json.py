"""PLAN.json: a plan in the numbers of the instance it is for."""

from collections.abc import Sequence

import msgspec

from route_optimizer.formats.instance import Instance
from route_optimizer.plan import Plan, Route, Unserved, Violation


class RouteJson(msgspec.Struct, frozen=True):
    """One vehicle's day."""

    vehicle: int
    #: the instance's own client numbers
    stops: list[int]
    #: at each stop, in the file's units of time
    arrivals: list[float]
    #: service begins
    starts: list[float]
    departure: float
    end: float
    distance: float


class ReasonJson(msgspec.Struct, frozen=True):
    """Why not, and what would help."""

    rule: str
    words: str
    remedy: str


class UnservedJson(msgspec.Struct, frozen=True):
    """A client left out."""

    stop: int
    reasons: list[ReasonJson]


class PlanJson(msgspec.Struct, frozen=True):
    """The whole file. Costs, distances and times are in the instance's units."""

    instance: str
    convention: str
    cost: float
    best_known: float | None
    gap_pct: float | None
    engine: str
    ending: str
    elapsed_s: float
    routes: list[RouteJson]
    unserved: list[UnservedJson]
    violations: list[str]


def gap_pct(instance: Instance, plan: Plan) -> float | None:
    """How much dearer than the best known, in percent; None when that is unknown or stops were left out."""
    if not instance.best_known or plan.unserved:
        return None
    return 100 * (instance.in_file_units(plan.cost) / instance.best_known - 1)


def encode(instance: Instance, plan: Plan, *, violations: Sequence[Violation], elapsed_s: float) -> bytes:
    """The text of PLAN.json."""
    gap = gap_pct(instance, plan)
    document = PlanJson(
        instance=instance.name,
        convention=instance.convention,
        cost=instance.in_file_units(plan.cost),
        best_known=instance.best_known,
        gap_pct=None if gap is None else round(gap, 3),
        engine=plan.engine,
        ending=plan.ending,
        elapsed_s=round(elapsed_s, 3),
        routes=[_route(instance, route) for route in plan.routes],
        unserved=[_unserved(unserved) for unserved in plan.unserved],
        violations=[f"{violation.rule}: {violation.words}" for violation in violations],
    )
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def _route(instance: Instance, route: Route) -> RouteJson:
    units = instance.in_file_units
    return RouteJson(
        vehicle=int(route.vehicle),
        stops=[int(visit.stop) for visit in route.visits],
        arrivals=[units(visit.arrival_s) for visit in route.visits],
        starts=[units(visit.start_s) for visit in route.visits],
        departure=units(route.start_s),
        end=units(route.end_s),
        distance=units(route.distance_m),
    )


def _unserved(unserved: Unserved) -> UnservedJson:
    return UnservedJson(
        stop=int(unserved.stop),
        reasons=[ReasonJson(reason.rule, reason.words, reason.remedy) for reason in unserved.reasons],
    )
