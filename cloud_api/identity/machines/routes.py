"""`/api/v1/api-keys`, and OAuth clients and signing keys under `/api/v1/admin`."""

import uuid
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.audit import service as audit
from cloud_api.identity.machines import clients, service
from cloud_api.identity.machines.clients import Registered
from cloud_api.identity.machines.models import ApiKey, OAuthClient
from cloud_api.identity.machines.schemas import (
    ApiKeyCreate,
    ApiKeyRead,
    ApiKeyShown,
    ApiKeyUpdate,
    ClientCreate,
    ClientRead,
    ClientShown,
    RotateRequest,
    SigningKeyRead,
)
from cloud_api.identity.machines.service import Issued
from cloud_api.identity.sessions.keyring import OVERLAP, Keyring, draw_key
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.idempotency import shown_once
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.unit_of_work import Db, platform_unit_of_work

router = APIRouter(tags=["machines"], route_class=ApiRoute)

KEYS = "/api-keys"
CLIENTS = "/admin/oauth-clients"
_MAY = [require("api_keys:manage")]

Query = Annotated[PageQuery, Depends()]
RotateDb = Annotated[
    AsyncSession, Depends(platform_unit_of_work("rotate the keys that sign access tokens"), scope="function")
]


@router.get(KEYS, response_model=list[ApiKeyRead], dependencies=_MAY)
async def list_api_keys(db: Db, query: Query) -> Page[ApiKey]:
    """Newest first, revoked ones among them; never a secret."""
    return await page(db, select(ApiKey), ApiKey.id, query)


@router.post(KEYS, response_model=ApiKeyShown, status_code=201, dependencies=_MAY)
@shown_once
async def create_api_key(db: Db, principal: CurrentPrincipal, body: ApiKeyCreate) -> ApiKeyShown:
    """A key for a program, with at most the rights of who asks. The answer shows it, this once."""
    return _shown_key(await service.create_api_key(db, new=body, by=principal))


@router.put(f"{KEYS}/{{id}}", response_model=ApiKeyRead, dependencies=_MAY)
async def update_api_key(db: Db, principal: CurrentPrincipal, id: uuid.UUID, body: ApiKeyUpdate) -> ApiKey:
    """Rename it, change its scopes, its end, or where it may be used; what is not sent stays."""
    return await service.update_api_key(db, id, changes=body, by=principal)


@router.delete(f"{KEYS}/{{id}}", status_code=204, dependencies=_MAY)
async def revoke_api_key(db: Db, id: uuid.UUID) -> None:
    """It opens nothing from now on."""
    await service.revoke_api_key(db, id)


@router.post(f"{KEYS}/{{id}}/rotate", response_model=ApiKeyShown, dependencies=_MAY)
@shown_once
async def rotate_api_key(
    db: Db, principal: CurrentPrincipal, id: uuid.UUID, body: RotateRequest | None = None
) -> ApiKeyShown:
    """Another secret, shown this once. The present one works for a day longer, or as long as asked.

    With `overlap_hours` 0 it ends at once, and the signing secret is replaced too.
    """
    overlap = (body or RotateRequest()).overlap
    return _shown_key(await service.rotate_api_key(db, id, overlap=overlap, by=principal))


@router.get(CLIENTS, response_model=list[ClientRead], dependencies=_MAY)
async def list_oauth_clients(db: Db, query: Query) -> Page[OAuthClient]:
    """Newest first; never a secret."""
    return await page(db, clients.registered(), OAuthClient.id, query)


@router.post(CLIENTS, response_model=ClientShown, status_code=201, dependencies=_MAY)
@shown_once
async def register_oauth_client(db: Db, principal: CurrentPrincipal, body: ClientCreate) -> ClientShown:
    """A program that asks `POST /api/v1/auth/oauth/token` for access tokens. Its secret is shown this once."""
    return _shown_client(await clients.register_client(db, new=body, by=principal))


@router.delete(f"{CLIENTS}/{{id}}", status_code=204, dependencies=_MAY)
async def remove_oauth_client(db: Db, id: uuid.UUID) -> None:
    """It gets no more tokens; those it has stop at once."""
    await clients.remove_client(db, id)


@router.post(f"{CLIENTS}/{{id}}/rotate", response_model=ClientShown, dependencies=_MAY)
@shown_once
async def rotate_oauth_client(
    db: Db, principal: CurrentPrincipal, id: uuid.UUID, body: RotateRequest | None = None
) -> ClientShown:
    """Another secret, shown this once. The present one works for a day longer, or as long as asked."""
    overlap = (body or RotateRequest()).overlap
    return _shown_client(await clients.rotate_client(db, id, overlap=overlap, by=principal))


async def known_here_afterwards(request: Request) -> AsyncIterator[None]:
    """Resolved before the unit of work, so that it ends after the commit: this process knows the new key at once."""
    yield
    keyring: Keyring = request.app.state.keyring
    await keyring.look(request.app.state.database)


@router.post(
    "/admin/security/keys/rotate",
    response_model=SigningKeyRead,
    dependencies=[require("platform:manage"), Depends(known_here_afterwards, scope="function")],
)
async def rotate_signing_keys(db: RotateDb, principal: CurrentPrincipal) -> SigningKeyRead:
    """Access tokens are signed with a new key from now on; those of the key before are good until they expire."""
    key = await draw_key(db)
    audit.record(
        db,
        action="signing_keys.rotated",
        entity="signing_keys",
        entity_id=key.id,
        organization_id=principal.organization_id,
    )
    return SigningKeyRead(id=key.id, created_at=key.created_at, former_valid_until=key.created_at + OVERLAP)


def _shown_key(issued: Issued) -> ApiKeyShown:
    read = ApiKeyRead.model_validate(issued.row)
    return ApiKeyShown(**read.model_dump(), key=issued.key, signing_secret=issued.signing_secret)


def _shown_client(registered: Registered) -> ClientShown:
    read = ClientRead.model_validate(registered.row)
    return ClientShown(**read.model_dump(), client_secret=registered.client_secret)
