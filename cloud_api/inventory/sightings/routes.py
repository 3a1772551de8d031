"""`/api/v1/telemetry/rfid-reads`: what readers saw."""

from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy import select

from cloud_api.inventory.sightings import queries
from cloud_api.inventory.sightings.models import TagSighting
from cloud_api.inventory.sightings.schemas import TagSightingRead
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.places.visibility import VisiblePlaces

router = APIRouter(prefix="/telemetry", tags=["inventory"], route_class=ApiRoute)


@router.get("/rfid-reads", response_model=list[TagSightingRead], dependencies=[require("telemetry:read")])
async def list_tag_sightings(
    db: Db, seen: VisiblePlaces, query: Annotated[PageQuery, Depends()], epc: str | None = None
) -> Page[TagSighting]:
    """What readers saw, newest first."""
    statement = select(TagSighting).where(queries.visible_sightings(TagSighting, seen))
    if epc is not None:
        statement = statement.where(TagSighting.epc == epc.upper())
    return await page(db, statement, TagSighting.id, query)
