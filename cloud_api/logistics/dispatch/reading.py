"""A solution as a dispatcher sees it."""

import uuid
from collections.abc import Sequence

from cloud_api.logistics.dispatch.checks import instant
from cloud_api.logistics.dispatch.models import PlanningJob
from cloud_api.logistics.dispatch.problems import WEIGHT
from cloud_api.logistics.dispatch.replanning import changes_of
from cloud_api.logistics.dispatch.schemas import (
    ChangeRead,
    ComparisonRead,
    CompartmentLoadRead,
    FiguresRead,
    PlanRouteRead,
    PlanStopRead,
    PlanUnservedRead,
    RestRead,
    SolutionRead,
    ViolationRead,
)
from cloud_api.logistics.dispatch.solutions import Figures, Solution, figures_of, loads_of, total_of
from cloud_api.logistics.dispatch.words import Speaker
from route_optimizer.plan import Route, Visit
from route_optimizer.problem import Problem, Vehicle


def solution_read(job: PlanningJob, solution: Solution, speaker: Speaker) -> SolutionRead:
    """All of it."""
    problem = solution.recipe.problem()
    total = total_of(problem, solution.plan.routes)
    base = solution.baseline
    return SolutionRead.model_validate(
        {
            "job_id": job.id,
            "status": job.status,
            "version": job.version,
            "objective": job.objective,
            "roads": solution.recipe.roads.source or "great circles",
            "total": figures_read(total),
            "baseline": ComparisonRead(
                **figures_read(base.figures).model_dump(), what=base.what, served=base.served, late=base.late
            ),
            "saved": figures_read(_less(base.figures, total)),
            "served": sum(visit.stop not in solution.fetched for each in solution.plan.routes for visit in each.visits),
            "routes": routes_read(solution, problem),
            "unserved": unserved_read(solution, speaker),
            "violations": violations_read(solution, speaker),
            "changes": _changes(solution) if job.kind == "replan" else [],
            "why": [speaker.said(sentence) for sentence in solution.why],
        }
    )


def figures_read(figures: Figures) -> FiguresRead:
    """What driving takes."""
    return FiguresRead(
        distance_m=figures.distance_m,
        duration_s=figures.duration_s,
        fuel_ml=figures.fuel_ml,
        co2_g=figures.co2_g,
        cost_minor=figures.cost_minor,
    )


def routes_read(solution: Solution, problem: Problem) -> list[PlanRouteRead]:
    """Each van's day, by their number plates."""
    routes = sorted(solution.plan.routes, key=lambda each: solution.recipe.names.get(each.vehicle, each.vehicle))
    return [_route(solution, problem, route) for route in routes]


def unserved_read(solution: Solution, speaker: Speaker) -> list[PlanUnservedRead]:
    """Whom no van takes, why, and what would help."""
    return [
        PlanUnservedRead(
            order_id=uuid.UUID(each.stop),
            order_number=solution.recipe.names.get(each.stop, each.stop),
            rules=[str(reason.rule) for reason in each.reasons],
            reason=speaker.reason(each),
            remedy=speaker.remedy(each),
        )
        for each in sorted(solution.plan.unserved, key=lambda each: each.stop)
        if each.stop not in solution.fetched
    ]


def violations_read(solution: Solution, speaker: Speaker) -> list[ViolationRead]:
    """Rules that somebody broke by hand."""
    return [ViolationRead(rule=str(each.rule), words=speaker.violation(each)) for each in solution.violations]


def _route(solution: Solution, problem: Problem, route: Route) -> PlanRouteRead:
    vehicle = problem.vehicle_by_id[route.vehicle]
    recipe = solution.recipe
    driver, made = recipe.drivers.get(route.vehicle), solution.routes.get(route.vehicle)
    return PlanRouteRead(
        **figures_read(figures_of(problem, route)).model_dump(),
        vehicle_id=uuid.UUID(route.vehicle),
        vehicle_number=recipe.names.get(route.vehicle, route.vehicle),
        driver_id=None if driver is None else uuid.UUID(driver),
        route_id=None if made is None else uuid.UUID(made),
        departs_at=instant(route.start_s),
        returns_at=instant(route.end_s),
        late_s=route.late_s,
        loads=_loads(problem, vehicle, route),
        rests=[RestRead(starts_at=instant(each.start_s), ends_at=instant(each.end_s)) for each in route.rests],
        stops=[
            _stop(solution, problem, vehicle, visit, sequence) for sequence, visit in enumerate(route.visits, start=1)
        ],
    )


def _stop(solution: Solution, problem: Problem, vehicle: Vehicle, visit: Visit, sequence: int) -> PlanStopRead:
    stop = problem.stop_by_id[visit.stop]
    at = solution.recipe.points[stop.location]
    due_s = stop.due_s if stop.due_s is not None else max((each.closes_s for each in stop.windows), default=None)
    order_id = solution.fetched.get(visit.stop, visit.stop)
    return PlanStopRead(
        order_id=uuid.UUID(order_id),
        order_number=solution.recipe.names.get(order_id, order_id),
        sequence=sequence,
        arrives_at=instant(visit.arrival_s),
        starts_at=instant(visit.start_s),
        leaves_at=instant(visit.departure_s),
        waits_s=visit.start_s - visit.arrival_s,
        late_s=0 if due_s is None else max(0, visit.start_s - due_s),
        load_g=sum(load.amount for load in stop.loads if load.dimension == WEIGHT),
        latitude=at.latitude,
        longitude=at.longitude,
        locked=visit.stop in vehicle.locked,
        is_pickup=visit.stop in solution.fetched,
    )


def _loads(problem: Problem, vehicle: Vehicle, route: Route) -> list[CompartmentLoadRead]:
    """How full it leaves, as a whole and by its parts."""
    loads = loads_of(problem, route.order)
    return [
        CompartmentLoadRead(
            compartment=None if each.compartment is None else str(each.compartment),
            load_g=sum(loads.values()) if each.compartment is None else loads.get(each.compartment, 0),
            capacity_g=each.limit,
        )
        for each in vehicle.capacities
        if each.dimension == WEIGHT
    ]


def _changes(solution: Solution) -> Sequence[ChangeRead]:
    return [
        ChangeRead(
            order_id=uuid.UUID(each.order_id),
            order_number=solution.recipe.names.get(each.order_id, each.order_id),
            change=each.kind,
            from_vehicle_id=None if each.before is None else uuid.UUID(each.before),
            to_vehicle_id=None if each.after is None else uuid.UUID(each.after),
            shift_s=each.shift_s,
            why=each.why,
        )
        for each in changes_of(solution)
    ]


def _less(one: Figures, other: Figures) -> Figures:
    return Figures(
        one.distance_m - other.distance_m,
        one.duration_s - other.duration_s,
        one.fuel_ml - other.fuel_ml,
        one.co2_g - other.co2_g,
        one.cost_minor - other.cost_minor,
    )
