"""`/api/v1/dispatch`, and `/api/v1/warehouse/routes/optimize`."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy import select

from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.logistics.dispatch import planning
from cloud_api.logistics.dispatch.models import PlanningJob
from cloud_api.logistics.dispatch.schemas import OptimizeRequest, PlanningJobRead
from cloud_api.places.visibility import VisiblePlaces

router = APIRouter(tags=["dispatch"], route_class=ApiRoute)


@router.post(
    "/warehouse/routes/optimize",
    response_model=PlanningJobRead,
    status_code=202,
    dependencies=[require("routes:write")],
)
async def optimize_routes(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, body: OptimizeRequest
) -> PlanningJob:
    """Plan a day's packed orders. The job runs after this answer; ask for it under `/dispatch/jobs/{id}`."""
    return await planning.request(db, wanted=body, user_id=principal.id, seen=seen)


@router.get("/dispatch/jobs", response_model=list[PlanningJobRead], dependencies=[require("dispatch:read")])
async def list_planning_jobs(db: Db, seen: VisiblePlaces, query: Annotated[PageQuery, Depends()]) -> Page[PlanningJob]:
    """Newest first."""
    return await page(db, select(PlanningJob).where(seen.warehouses(PlanningJob.warehouse_id)), PlanningJob.id, query)


@router.get("/dispatch/jobs/{id}", response_model=PlanningJobRead, dependencies=[require("dispatch:read")])
async def get_planning_job(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> PlanningJob:
    """One run of the optimizer, with a reason for every order that no route takes."""
    return await planning.get_job(db, id, seen=seen)
