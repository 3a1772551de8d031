"""`/api/v1/admin/security/ip-allowlist`."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from sqlalchemy import select

from cloud_api.identity.allowlist import service
from cloud_api.identity.allowlist.models import AllowedRange
from cloud_api.identity.allowlist.schemas import RangeCreate, RangeRead
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.unit_of_work import Db

router = APIRouter(prefix="/admin/security/ip-allowlist", tags=["security"], route_class=ApiRoute)


@router.get("", response_model=list[RangeRead], dependencies=[require("security:read")])
async def list_allowed_ranges(db: Db, query: Annotated[PageQuery, Depends()]) -> Page[AllowedRange]:
    """Newest first. In force while the setting `ip_allowlist_enforced` is on and there are any."""
    return await page(db, select(AllowedRange), AllowedRange.id, query)


@router.post("", response_model=RangeRead, status_code=201, dependencies=[require("security:write")])
async def add_allowed_range(request: Request, db: Db, principal: CurrentPrincipal, body: RangeCreate) -> AllowedRange:
    """One more range that administrators may come from."""
    request.app.state.allowlist.forget_after(db)
    return await service.add_range(db, cidr=body.cidr, label=body.label, by=principal.id)


@router.delete("/{id}", status_code=204, dependencies=[require("security:write")])
async def remove_allowed_range(request: Request, db: Db, id: uuid.UUID) -> None:
    """One range less; refused when it would lock out who asks."""
    request.app.state.allowlist.forget_after(db)
    await service.remove_range(db, id)
