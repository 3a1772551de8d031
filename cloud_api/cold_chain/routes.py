"""`/api/v1/alerts/rules` and `/api/v1/excursions`."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy import select

from cloud_api.cold_chain import service
from cloud_api.cold_chain.models import AlertRule, Excursion
from cloud_api.cold_chain.schemas import (
    ExcursionAcknowledge,
    ExcursionClose,
    ExcursionRead,
    RuleCreate,
    RuleRead,
    RuleUpdate,
)
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.places.visibility import VisiblePlaces

router = APIRouter(tags=["cold chain"], route_class=ApiRoute)


@router.get("/alerts/rules", response_model=list[RuleRead], dependencies=[require("alerts:read")])
async def list_rules(db: Db, seen: VisiblePlaces, query: Annotated[PageQuery, Depends()]) -> Page[AlertRule]:
    """Newest first."""
    return await page(db, select(AlertRule).where(seen.locations(AlertRule.location_id)), AlertRule.id, query)


@router.post("/alerts/rules", response_model=RuleRead, status_code=201, dependencies=[require("alerts:write")])
async def create_rule(db: Db, seen: VisiblePlaces, body: RuleCreate) -> AlertRule:
    """A limit for a place; its gateways judge by it as soon as they have fetched it."""
    return await service.create_rule(db, new=body, seen=seen)


@router.get("/alerts/rules/{id}", response_model=RuleRead, dependencies=[require("alerts:read")])
async def get_rule(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> AlertRule:
    """One rule."""
    return await service.get_rule(db, id, seen=seen)


@router.put("/alerts/rules/{id}", response_model=RuleRead, dependencies=[require("alerts:write")])
async def update_rule(db: Db, seen: VisiblePlaces, id: uuid.UUID, body: RuleUpdate) -> AlertRule:
    """Change a rule."""
    return await service.update_rule(db, id, changes=body, seen=seen)


@router.get("/excursions", response_model=list[ExcursionRead], dependencies=[require("alerts:read")])
async def list_excursions(
    db: Db, seen: VisiblePlaces, query: Annotated[PageQuery, Depends()], location_id: uuid.UUID | None = None
) -> Page[Excursion]:
    """Newest first."""
    statement = select(Excursion).where(seen.locations(Excursion.location_id))
    if location_id is not None:
        statement = statement.where(Excursion.location_id == location_id)
    return await page(db, statement, Excursion.id, query)


@router.get("/excursions/{id}", response_model=ExcursionRead, dependencies=[require("alerts:read")])
async def get_excursion(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> Excursion:
    """One excursion."""
    return await service.get_excursion(db, id, seen=seen)


@router.post("/excursions/{id}/ack", response_model=ExcursionRead, dependencies=[require("alerts:ack")])
async def acknowledge_excursion(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID, body: ExcursionAcknowledge
) -> Excursion:
    """Somebody is on it."""
    return await service.acknowledge_excursion(db, id, user_id=principal.id, note=body.note, seen=seen)


@router.post("/excursions/{id}/close", response_model=ExcursionRead, dependencies=[require("quality:approve")])
async def close_excursion(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID, body: ExcursionClose
) -> Excursion:
    """Decide about the goods."""
    return await service.close_excursion(
        db, id, user_id=principal.id, disposition=body.disposition, note=body.note, seen=seen
    )
