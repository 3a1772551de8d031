"""`/api/v1/admin/identity-providers`: which providers and directories an organisation trusts."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from sqlalchemy import select

from cloud_api.identity.federation import providers
from cloud_api.identity.federation.dependencies import reachable
from cloud_api.identity.federation.models import IdentityProvider
from cloud_api.identity.federation.schemas import ProviderRead, ProviderWrite
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.unit_of_work import Db

router = APIRouter(
    prefix="/admin/identity-providers",
    tags=["organizations"],
    route_class=ApiRoute,
    dependencies=[require("integrations:manage")],
)

Reachable = Annotated[None, Depends(reachable)]


@router.get("", response_model=list[ProviderRead])
async def list_identity_providers(db: Db, query: Annotated[PageQuery, Depends()]) -> Page[IdentityProvider]:
    """Newest first; secrets are not shown."""
    return await page(db, select(IdentityProvider), IdentityProvider.id, query)


@router.post("", response_model=ProviderRead, status_code=201)
async def connect_identity_provider(
    request: Request, _reachable: Reachable, db: Db, principal: CurrentPrincipal, body: ProviderWrite
) -> IdentityProvider:
    """Trust another provider. It cannot give, or let in, more than you have."""
    return await providers.connect(db, new=body, by=principal, settings=request.app.state.settings)


@router.get("/{id}", response_model=ProviderRead)
async def get_identity_provider(db: Db, id: uuid.UUID) -> IdentityProvider:
    """One provider; its secret is not shown."""
    return await providers.get_provider(db, id)


@router.put("/{id}", response_model=ProviderRead)
async def change_identity_provider(
    request: Request, _reachable: Reachable, db: Db, principal: CurrentPrincipal, id: uuid.UUID, body: ProviderWrite
) -> IdentityProvider:
    """Replace all but its kind. A secret that is not sent stays, unless the address changes."""
    return await providers.change(db, id, new=body, by=principal, settings=request.app.state.settings)


@router.delete("/{id}", status_code=204)
async def disconnect_identity_provider(db: Db, id: uuid.UUID) -> None:
    """Trust it no longer. Its people keep their accounts; those without a password need one to come in again."""
    await providers.disconnect(db, id)
