"""`/api/v1/excursions`."""

import uuid
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AwareDatetime

from cloud_api.cold_chain.excursions import queries, service
from cloud_api.cold_chain.excursions.models import CorrectiveAction, Excursion
from cloud_api.cold_chain.excursions.schemas import (
    ActionCreate,
    ActionRead,
    ExcursionAcknowledge,
    ExcursionClose,
    ExcursionDetail,
    ExcursionRead,
    PlaceExcursionsRead,
    Status,
)
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.places.visibility import VisiblePlaces

router = APIRouter(tags=["cold chain"], route_class=ApiRoute)

#: excursions of one place that are told with it
_MOST_OF_A_PLACE = 3


@router.get("/excursions", response_model=list[ExcursionRead], dependencies=[require("alerts:read")])
async def list_excursions(
    db: Db,
    seen: VisiblePlaces,
    query: Annotated[PageQuery, Depends()],
    status: Annotated[list[Status] | None, Query()] = None,
    location_id: uuid.UUID | None = None,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    retracted: bool = False,
) -> Page[Excursion]:
    """Newest first; of a place with everything inside it; those taken back only when asked for."""
    its = await queries.listing(
        db, seen, statuses=status or (), location_id=location_id, since=since, until=until, retracted=retracted
    )
    return await page(db, its, Excursion.id, query)


@router.get("/excursions/places", response_model=list[PlaceExcursionsRead], dependencies=[require("alerts:read")])
async def get_places_with_excursions(
    db: Db, seen: VisiblePlaces, location_id: uuid.UUID | None = None
) -> Sequence[queries.Waiting]:
    """Each place where excursions go on or wait for a decision: how many, and the three that matter most."""
    return await queries.undecided(db, seen, location_id=location_id, most=_MOST_OF_A_PLACE)


@router.get("/excursions/{id}", response_model=ExcursionDetail, dependencies=[require("alerts:read")])
async def get_excursion(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> dict[str, object]:
    """One excursion, with the lots it touched, what was done about it, and what happened when."""
    told = await queries.told(db, await service.get_excursion(db, id, seen=seen))
    return {
        **ExcursionRead.model_validate(told.excursion).model_dump(),
        "lots": told.lots,
        "actions": told.actions,
        "timeline": told.timeline,
    }


@router.post("/excursions/{id}/ack", response_model=ExcursionRead, dependencies=[require("alerts:ack")])
async def acknowledge_excursion(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID, body: ExcursionAcknowledge
) -> Excursion:
    """Somebody is on it."""
    return await service.acknowledge_excursion(db, id, user_id=principal.id, note=body.note, seen=seen)


@router.post(
    "/excursions/{id}/actions", response_model=ActionRead, status_code=201, dependencies=[require("quality:write")]
)
async def act_on_excursion(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID, body: ActionCreate
) -> CorrectiveAction:
    """Keep what was done about it."""
    return await service.act(db, id, user_id=principal.id, description=body.description, seen=seen)


@router.post("/excursions/{id}/close", response_model=ExcursionRead, dependencies=[require("quality:approve")])
async def close_excursion(
    request: Request, db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID, body: ExcursionClose
) -> Excursion:
    """Decide about the goods."""
    return await service.close_excursion(
        db,
        id,
        user_id=principal.id,
        disposition=body.disposition,
        note=body.note,
        store=request.app.state.reading_store,
        seen=seen,
    )
