"""`/api/v1/dispatch`, and what planning adds to `/api/v1/warehouse/routes`."""

import uuid
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from sqlalchemy import select

from cloud_api.kernel import clock
from cloud_api.kernel.db import Database
from cloud_api.kernel.errors import Invalid
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.logistics.deliveries.visibility import RoutesToRead
from cloud_api.logistics.dispatch import (
    applying,
    board,
    constraints,
    distances,
    editing,
    history,
    jobs,
    performance,
    planning,
    proposals,
    reading,
    schedule,
    usage,
    words,
)
from cloud_api.logistics.dispatch.models import PlanningJob, RouteOptimization
from cloud_api.logistics.dispatch.schemas import (
    ApplyRequest,
    AssignmentRequest,
    Constraints,
    ConstraintsRead,
    ConstraintsWrite,
    DraftRead,
    OptimizeRequest,
    PlanningJobRead,
    PlanRequest,
    ReplanRequest,
    SolutionRead,
)
from cloud_api.logistics.dispatch.view_schemas import (
    BoardRead,
    MatrixRead,
    MatrixRequest,
    OptimizationsQuery,
    PerformanceRead,
    RouteOptimizationRead,
    ScheduleRead,
    VehicleUseRead,
)
from cloud_api.places.visibility import VisiblePlaces

router = APIRouter(tags=["dispatch"], route_class=ApiRoute)

_LONGEST_DAYS = 400


@router.post(
    "/warehouse/routes/optimize",
    response_model=PlanningJobRead,
    status_code=202,
    dependencies=[require("routes:write")],
)
async def optimize_routes(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, body: OptimizeRequest
) -> PlanningJob:
    """Plan a day's packed orders, and make the routes at once. The job runs after this answer; ask for it under
    `/dispatch/jobs/{id}`.
    """
    wanted = PlanRequest(**body.model_dump(), auto_apply=True)
    return await planning.request(db, wanted=wanted, user_id=principal.id, seen=seen)


@router.get("/dispatch/jobs", response_model=list[PlanningJobRead], dependencies=[require("dispatch:read")])
async def list_planning_jobs(db: Db, seen: VisiblePlaces, query: Annotated[PageQuery, Depends()]) -> Page[PlanningJob]:
    """Newest first."""
    return await page(db, select(PlanningJob).where(seen.warehouses(PlanningJob.warehouse_id)), PlanningJob.id, query)


@router.post(
    "/dispatch/jobs", response_model=PlanningJobRead, status_code=202, dependencies=[require("dispatch:write")]
)
async def create_planning_job(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, body: PlanRequest
) -> PlanningJob:
    """Plan a day's packed orders, or some of them, to be looked at before any route is made."""
    return await planning.request(db, wanted=body, user_id=principal.id, seen=seen)


@router.get("/dispatch/jobs/{id}", response_model=PlanningJobRead, dependencies=[require("dispatch:read")])
async def get_planning_job(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> PlanningJob:
    """One run of the optimizer, with a reason for every order that no route takes."""
    return await jobs.get_job(db, id, seen=seen)


@router.post("/dispatch/jobs/{id}/cancel", response_model=PlanningJobRead, dependencies=[require("dispatch:write")])
async def cancel_planning_job(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> PlanningJob:
    """Give a job up: one that runs is stopped, a solution that was not applied is thrown away."""
    return await planning.cancel(db, id, seen=seen)


@router.get("/dispatch/jobs/{id}/solution", response_model=SolutionRead, dependencies=[require("dispatch:read")])
async def get_planning_solution(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> SolutionRead:
    """What a job found: routes, loads and arrivals, what it saves, and whom it leaves out and why."""
    job = await jobs.get_job(db, id, seen=seen)
    _, solution = await jobs.solution_of(db, job)
    return reading.solution_read(job, solution, await words.speaker(db, solution))


@router.post("/dispatch/jobs/{id}/apply", response_model=PlanningJobRead, dependencies=[require("dispatch:write")])
async def apply_planning_job(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID, body: ApplyRequest
) -> PlanningJob:
    """Publish a solution: routes are made and their drivers told, or of a replan only what it changes."""
    return await applying.apply_job(
        db, id, user_id=principal.id, allow_partial=body.allow_partial, version=body.version, seen=seen
    )


@router.post("/dispatch/assignments", response_model=DraftRead, dependencies=[require("dispatch:write")])
async def assign_stops(db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, body: AssignmentRequest) -> DraftRead:
    """Change a plan by hand. What breaks rules is not kept, unless it is forced: the answer says what it would be."""
    return await editing.assign(db, wanted=body, user_id=principal.id, seen=seen)


@router.post(
    "/dispatch/replan", response_model=PlanningJobRead, status_code=202, dependencies=[require("dispatch:write")]
)
async def replan_routes(db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, body: ReplanRequest) -> PlanningJob:
    """Have the rest of a day planned again; nothing changes before the proposal is applied."""
    return await proposals.propose_replan(
        db,
        route_ids=body.route_ids,
        why=body.why,
        cause=body.cause,
        order_ids=body.order_ids,
        time_limit_s=body.time_limit_s,
        user_id=principal.id,
        seen=seen,
    )


@router.get("/dispatch/board", response_model=BoardRead, dependencies=[require("dispatch:read")])
async def get_dispatch_board(
    db: Db, seen: VisiblePlaces, warehouse_id: uuid.UUID, delivery_date: date | None = None
) -> BoardRead:
    """A warehouse's day at a glance: what waits, who can drive, what is on the road. Today's, unless a day is named."""
    return await board.board(db, warehouse_id, day=delivery_date, seen=seen)


@router.get("/dispatch/schedule", response_model=ScheduleRead, dependencies=[require("dispatch:read")])
async def get_dispatch_schedule(
    db: Db, seen: VisiblePlaces, warehouse_id: uuid.UUID, delivery_date: date | None = None
) -> ScheduleRead:
    """A day's routes stop by stop: those that wait to leave as planned, with loads and rests, the others as driven."""
    return await schedule.schedule(db, warehouse_id, day=delivery_date, seen=seen)


@router.get("/dispatch/constraints", response_model=ConstraintsRead, dependencies=[require("dispatch:read")])
async def get_planning_constraints(db: Db) -> ConstraintsRead:
    """How this organisation plans when nobody says otherwise."""
    return await constraints.read(db)


@router.put("/dispatch/constraints", response_model=ConstraintsRead, dependencies=[require("dispatch:write")])
async def put_planning_constraints(db: Db, principal: CurrentPrincipal, body: ConstraintsWrite) -> ConstraintsRead:
    """Set them, all of them: what is not sent is as it is by default."""
    wanted = Constraints(**body.model_dump(exclude={"version"}))
    return await constraints.put(db, wanted=wanted, user_id=principal.id, version=body.version)


@router.post("/dispatch/distance-matrix", response_model=MatrixRead, dependencies=[require("dispatch:read")])
async def compute_distance_matrix(request: Request, principal: CurrentPrincipal, body: MatrixRequest) -> MatrixRead:
    """Metres and seconds between places, as a plan would take them. Nothing is kept."""
    database: Database = request.app.state.database
    async with database.unit_of_work(principal.scope, read_only=True) as db:
        said = await constraints.get(db)
    return await distances.matrix(body.points, said, request.app.state.settings)


@router.get(
    "/warehouse/routes/optimizations",
    response_model=list[RouteOptimizationRead],
    dependencies=[require("routes:read")],
)
async def list_optimizations(
    db: Db, seen: RoutesToRead, query: Annotated[OptimizationsQuery, Depends()]
) -> Page[RouteOptimization]:
    """What plans, edits and replans did to the figures of routes, newest first."""
    return await page(db, history.of_routes(seen, query), RouteOptimization.id, query)


@router.get(
    "/warehouse/routes/performance", response_model=list[PerformanceRead], dependencies=[require("routes:read")]
)
async def get_route_performance(
    db: Db,
    seen: RoutesToRead,
    since: date | None = None,
    until: date | None = None,
    by_driver: Annotated[bool, Query()] = False,
) -> Sequence[PerformanceRead]:
    """Completed routes by week, planned against driven; the last four weeks, unless days are named."""
    since, until = _days(since, until)
    return await performance.by_week(db, since=since, until=until, by_driver=by_driver, seen=seen)


@router.get("/warehouse/fleet/use", response_model=list[VehicleUseRead], dependencies=[require("fleet:read")])
async def get_fleet_use(
    db: Db,
    seen: VisiblePlaces,
    since: date | None = None,
    until: date | None = None,
    warehouse_id: uuid.UUID | None = None,
) -> Sequence[VehicleUseRead]:
    """How much each vehicle was used on some days, by number plate; the last four weeks, unless days are named."""
    since, until = _days(since, until)
    return await usage.of_vehicles(db, since=since, until=until, warehouse_id=warehouse_id, seen=seen)


@router.get(
    "/warehouse/routes/{id}/optimizations",
    response_model=list[RouteOptimizationRead],
    dependencies=[require("routes:read")],
)
async def list_route_optimizations(db: Db, seen: RoutesToRead, id: uuid.UUID) -> Sequence[RouteOptimization]:
    """What plans, edits and replans did to a route's figures, the first first."""
    return await history.of_route(db, id, seen=seen)


def _days(since: date | None, until: date | None) -> tuple[date, date]:
    until = until or (clock.now() + timedelta(days=1)).date()
    since = since or until - timedelta(days=28)
    if not timedelta(0) <= until - since <= timedelta(days=_LONGEST_DAYS):
        raise Invalid(f"until must not lie before since, nor more than {_LONGEST_DAYS} days after it", field="until")
    return since, until
