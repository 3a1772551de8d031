"""`/api/v1/alerts/rules`."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy import select

from cloud_api.cold_chain.rules import service
from cloud_api.cold_chain.rules.models import AlertRule
from cloud_api.cold_chain.rules.schemas import RuleCreate, RuleKind, RuleRead, RuleUpdate
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.places import service as places
from cloud_api.places.visibility import VisiblePlaces

router = APIRouter(tags=["cold chain"], route_class=ApiRoute)


@router.get("/alerts/rules", response_model=list[RuleRead], dependencies=[require("alerts:read")])
async def list_rules(
    db: Db,
    seen: VisiblePlaces,
    query: Annotated[PageQuery, Depends()],
    location_id: uuid.UUID | None = None,
    kind: RuleKind | None = None,
    enabled: bool | None = None,
) -> Page[AlertRule]:
    """Newest first. `location_id`: those that hold in a place, its own and those of what it lies in."""
    its = select(AlertRule).where(AlertRule.deleted_at.is_(None), seen.locations(AlertRule.location_id))
    if location_id is not None:
        its = its.where(AlertRule.location_id.in_(await places.around(db, location_id)))
    if kind is not None:
        its = its.where(AlertRule.kind == kind)
    if enabled is not None:
        its = its.where(AlertRule.enabled.is_(enabled))
    return await page(db, its, AlertRule.id, query)


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


@router.delete("/alerts/rules/{id}", status_code=204, dependencies=[require("alerts:write")])
async def delete_rule(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> None:
    """Take a rule away. Excursions from it stay; those that go on are over."""
    await service.delete_rule(db, id, seen=seen)
