"""What routes that sign people in ask for before their unit of work begins."""

from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity import tokens
from cloud_api.identity.errors import SessionEnded
from cloud_api.identity.organizations import service as organizations
from cloud_api.identity.organizations.schemas import OrganizationRead
from cloud_api.identity.passwords import verify_password
from cloud_api.identity.people import service as people
from cloud_api.identity.sessions import second_factor, service
from cloud_api.identity.sessions.schemas import ChallengeRead, LoginRequest, TokensRead, UserRead
from cloud_api.kernel.db import Database
from cloud_api.kernel.errors import Forbidden
from cloud_api.kernel.permissions import CurrentPrincipal, Principal
from cloud_api.kernel.tenancy import SystemScope
from cloud_api.kernel.unit_of_work import client_address, system_unit_of_work

SignInDb = Annotated[AsyncSession, Depends(system_unit_of_work("sign in"), scope="function")]


async def attempted(request: Request, body: LoginRequest) -> service.Attempt:
    """The body's password, compared: that takes a tenth of a second, and must not hold a unit of work."""
    database: Database = request.app.state.database
    async with database.unit_of_work(SystemScope("sign in: whose name is this"), read_only=True) as db:
        user = await service.user_called(db, body.login)
    kept = user.password_hash if user else None
    matches = await verify_password(body.password.get_secret_value(), kept)
    return service.Attempt(body.login, kept, matches)


Attempted = Annotated[service.Attempt, Depends(attempted)]


def device_of(request: Request) -> service.Device:
    """Where the request comes from."""
    return service.Device(client_address(request), request.headers.get("user-agent", ""))


Device = Annotated[service.Device, Depends(device_of)]


def person(principal: CurrentPrincipal) -> Principal:
    """A signed-in person; machines have no sessions, passwords and second factors.

    Raises:
        Forbidden: when a machine asks.
    """
    if principal.session_id is None:
        raise Forbidden("only people who signed in may do this")
    return principal


Person = Annotated[Principal, Depends(person)]


async def tokens_of(request: Request, db: AsyncSession, signed_in: service.SignIn) -> TokensRead:
    """What somebody who signed in is given."""
    settings = request.app.state.settings
    principal = await service.principal_of(db, signed_in.claims, two_factor_for_admins=settings.two_factor_for_admins)
    if principal is None:  # deactivated in this very moment
        raise SessionEnded
    return TokensRead(
        access_token=await tokens.issue(signed_in.claims, request.app.state.keyring, db),
        refresh_token=signed_in.refresh_token,
        token_type="Bearer",  # noqa: S106 - the scheme's name
        expires_in=int(tokens.ACCESS_TOKEN_LIFE.total_seconds()),
        user=await profile_of(db, principal),
    )


def challenge_read(challenge: service.Challenge) -> ChallengeRead:
    """The challenge, as the caller sees it."""
    return ChallengeRead.model_validate(
        {"challenge": challenge.token, "methods": challenge.methods, "expires_at": challenge.expires_at}
    )


async def profile_of(db: AsyncSession, principal: Principal) -> UserRead:
    """The signed-in person, as they see themselves."""
    user = await people.get_user(db, principal.id)
    factor = await second_factor.factor_of(db, user)
    organization = await organizations.get_organization(db, user.organization_id)
    return UserRead(
        id=user.id,
        username=user.username,
        email=user.email,
        email_verified=user.email_verified_at is not None,
        full_name=user.full_name,
        phone=user.phone,
        locale=user.locale,
        theme=user.theme,
        two_factor=factor is not None and factor.confirmed_at is not None,
        roles=sorted(principal.roles),
        permissions=sorted(principal.permissions | principal.own_permissions),
        duty=principal.duty,
        organization=OrganizationRead.model_validate(organization),
    )
