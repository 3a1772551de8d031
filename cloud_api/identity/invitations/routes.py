"""`/api/v1/invites`: inviting people, and accepting."""

import hashlib
import uuid
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.invitations import service
from cloud_api.identity.invitations.models import Invitation
from cloud_api.identity.invitations.schemas import (
    AcceptedRead,
    InvitationAccept,
    InvitationCreate,
    InvitationRead,
)
from cloud_api.identity.organizations import service as organizations
from cloud_api.identity.passwords import new_password
from cloud_api.kernel.db import Database
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.rate_limits import RateLimits
from cloud_api.kernel.tenancy import SystemScope
from cloud_api.kernel.unit_of_work import Db, system_unit_of_work

router = APIRouter(prefix="/invites", tags=["organizations"], route_class=ApiRoute)

AcceptDb = Annotated[AsyncSession, Depends(system_unit_of_work("accept an invitation"), scope="function")]
Token = Annotated[str, Path(min_length=1, max_length=128)]


@router.get("", response_model=list[InvitationRead], dependencies=[require("users:read")])
async def list_invitations(db: Db, query: Annotated[PageQuery, Depends()]) -> Page[InvitationRead]:
    """Those that can still be accepted, newest first."""
    found = await page(db, service.open_invitations(), Invitation.id, query)
    return Page(await service.read_invitations(db, found.items), found.limit, found.next_cursor)


@router.post("", response_model=InvitationRead, status_code=201, dependencies=[require("users:write")])
async def create_invitation(
    request: Request, db: Db, principal: CurrentPrincipal, body: InvitationCreate
) -> InvitationRead:
    """Mail somebody a token that works once within seven days. An earlier one for this address works no more."""
    limits: RateLimits = request.app.state.rate_limits
    address = hashlib.sha256(body.email.lower().encode()).hexdigest()
    await limits.at_most(5, within_s=3600, what=f"invitation/{address}")
    await limits.at_most(200, within_s=3600, what=f"invitations/{principal.organization_id}")
    organization = await organizations.get_organization(db, principal.organization_id)
    made = await service.invite(db, organization, email=body.email, roles=body.roles, by=principal)
    [read] = await service.read_invitations(db, [made])
    return read


@router.delete("/{id}", status_code=204, dependencies=[require("users:write")])
async def revoke_invitation(db: Db, id: uuid.UUID) -> None:
    """Let the mailed token work no more."""
    await service.revoke(db, id)


async def _account(request: Request, token: Token, body: InvitationAccept) -> service.Account:
    """The password hashed, which takes a while and must not hold a unit of work; for a token that is valid only."""
    database: Database = request.app.state.database
    async with database.unit_of_work(SystemScope("accept an invitation"), read_only=True) as db:
        invitation, organization = await service.invitation_by(db, token)
    about = (body.username, invitation.email, body.full_name, organization.name)
    password_hash = await new_password(body.password.get_secret_value(), about=about)
    return service.Account(body.username, body.full_name, body.phone, password_hash)


@router.post("/{token}/accept", response_model=AcceptedRead, status_code=201)
async def accept_invitation(
    account: Annotated[service.Account, Depends(_account)], db: AcceptDb, token: Token, body: InvitationAccept
) -> AcceptedRead:
    """Make an account by a mailed token, with a user name and password of one's own; then sign in."""
    user, organization = await service.accept(db, token=token, account=account)
    return AcceptedRead(
        id=user.id,
        username=user.username,
        email=user.email,
        full_name=user.full_name,
        organization_id=organization.id,
        organization_name=organization.name,
    )
