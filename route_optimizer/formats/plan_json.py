"""PLAN.json: a plan in the numbers of the instance it is for."""

from collections.abc import Sequence

import msgspec

from route_optimizer.formats.instance import Instance
from route_optimizer.plan import Plan, Route, Unserved, Violation


class RestJson(msgspec.Struct, frozen=True):
    """A break, or a rest that the driving rule asks for."""

    start: float
    end: float


class ReloadJson(msgspec.Struct, frozen=True):
    """Back for more goods."""

    #: how many stops lie before it
    after: int
    arrival: float
    start: float
    departure: float


class RouteJson(msgspec.Struct, frozen=True):
    """One vehicle's day. Where the instance has numbers for its vehicles and clients, these are numbers."""

    vehicle: int | str
    #: the instance's own: see `PlanJson.numbering`
    stops: list[int | str]
    #: at each stop, in the file's units of time
    arrivals: list[float]
    #: service begins
    starts: list[float]
    departure: float
    end: float
    distance: float
    #: as the problem counts it, without the prizes that are lost
    cost: float = 0.0
    rests: list[RestJson] = []
    reloads: list[ReloadJson] = []
    #: service that starts after it was due, summed over the stops
    late: float = 0.0
    fuel_ml: int = 0
    co2_g: int = 0


class ReasonJson(msgspec.Struct, frozen=True):
    """Why not, and what would help."""

    rule: str
    #: that comes closest to serving it
    vehicle: int | str
    words: str
    remedy: str
    #: what the number that the rule is about must become at least, as the problem counts it; 0: no number helps
    needed: int = 0


class UnservedJson(msgspec.Struct, frozen=True):
    """A client left out."""

    stop: int | str
    reasons: list[ReasonJson]


class PlanJson(msgspec.Struct, frozen=True):
    """The whole file. Costs, distances and times are in the instance's units."""

    instance: str
    #: how `stops` and `vehicle` are to be read
    numbering: str
    #: how distances became whole numbers; null: metres and seconds as they are
    convention: str | None
    objective: str
    #: of the routes, and the prizes that are lost
    cost: float
    prizes_lost: float
    best_known: float | None
    gap_pct: float | None
    vehicles: int
    #: of the best solution known, where fewer vehicles count more than the way
    best_known_vehicles: int | None
    engine: str
    #: which rule decided for this engine; empty when it was asked for by name
    engine_chosen_for: str
    ending: str
    elapsed_s: float
    routes: list[RouteJson]
    unserved: list[UnservedJson]
    violations: list[str]


def prizes_lost(instance: Instance, plan: Plan) -> int:
    """The prizes of the stops left out, in the problem's units."""
    stops = instance.problem.stop_by_id
    return sum(stops[each.stop].prize or 0 for each in plan.unserved if each.stop in stops)


def cost(instance: Instance, plan: Plan) -> float:
    """What a best known cost is compared with: the routes and the prizes that are lost, in the file's units."""
    return instance.in_file_units(instance.told(plan.cost) + prizes_lost(instance, plan))


def gap_pct(instance: Instance, plan: Plan) -> float | None:
    """How much dearer than the best known, in percent.

    None when that is unknown, or the two cannot be compared: stops without a prize are left out, or more vehicles drive
    where their number comes first.
    """
    stops = instance.problem.stop_by_id
    missed = any(each.stop not in stops or stops[each.stop].prize is None for each in plan.unserved)
    crowded = instance.best_vehicles is not None and len(plan.routes) > instance.best_vehicles
    if not instance.best_known or missed or crowded:
        return None
    return 100 * (cost(instance, plan) / instance.best_known - 1)


def encode(
    instance: Instance, plan: Plan, *, violations: Sequence[Violation], elapsed_s: float, chosen_for: str = ""
) -> bytes:
    """The text of PLAN.json."""
    gap = gap_pct(instance, plan)
    document = PlanJson(
        instance=instance.name,
        numbering=numbering(instance),
        convention=instance.convention,
        objective=instance.problem.objective,
        cost=cost(instance, plan),
        prizes_lost=instance.in_file_units(prizes_lost(instance, plan)),
        best_known=instance.best_known,
        gap_pct=None if gap is None else round(gap, 3),
        vehicles=len(plan.routes),
        best_known_vehicles=instance.best_vehicles,
        engine=plan.engine,
        engine_chosen_for=chosen_for,
        ending=plan.ending,
        elapsed_s=round(elapsed_s, 3),
        routes=[_route(instance, route) for route in plan.routes],
        unserved=[_unserved(instance, unserved) for unserved in plan.unserved],
        violations=[f"{violation.rule}: {violation.words}" for violation in violations],
    )
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def numbering(instance: Instance) -> str:
    """What the stops of a plan are called, in a sentence."""
    match instance.format:
        case "vrplib":
            return "nodes as the file numbers them, in which the depots have numbers too; a .sol file has one less"
        case "solomon" | "lilim":
            return "clients as the file numbers them, in which the depot is 0; a .sol file has the same"
        case "vroom":
            return "jobs by their id, the two tasks of a shipment as `pickup 7` and `delivery 7` by theirs"
        case _:
            return "stops and vehicles by their id"


def named(instance: Instance, name: str) -> int | str:
    """The name of a stop or a vehicle, as a number where the instance has numbers."""
    return int(name) if instance.format != "json" and name.isdecimal() else name


def _route(instance: Instance, route: Route) -> RouteJson:
    units = instance.in_file_units
    return RouteJson(
        vehicle=named(instance, route.vehicle),
        stops=[named(instance, visit.stop) for visit in route.visits],
        arrivals=[units(visit.arrival_s) for visit in route.visits],
        starts=[units(visit.start_s) for visit in route.visits],
        departure=units(route.start_s),
        end=units(route.end_s),
        distance=units(instance.distance(route)),
        cost=units(instance.told(route.cost)),
        rests=[RestJson(units(rest.start_s), units(rest.end_s)) for rest in route.rests],
        reloads=[
            ReloadJson(each.after, units(each.arrival_s), units(each.start_s), units(each.departure_s))
            for each in route.reloads
        ],
        late=units(route.late_s),
        fuel_ml=route.fuel_ml,
        co2_g=route.co2_g,
    )


def _unserved(instance: Instance, unserved: Unserved) -> UnservedJson:
    return UnservedJson(
        stop=named(instance, unserved.stop),
        reasons=[
            ReasonJson(each.rule, named(instance, each.vehicle), each.words, each.remedy, each.needed)
            for each in unserved.reasons
        ],
    )
