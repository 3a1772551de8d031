"""`/api/v1/auth` and `/api/v1/admin/users`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity import service
from cloud_api.identity.models import User
from cloud_api.identity.schemas import (
    LoginRequest,
    OrganizationRead,
    RefreshRequest,
    TokensRead,
    UserCreate,
    UserListed,
    UserRead,
)
from cloud_api.identity.tokens import ACCESS_TOKEN_LIFE, issue_access_token
from cloud_api.kernel.errors import Forbidden
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.unit_of_work import Db, system_unit_of_work

router = APIRouter(prefix="/auth", tags=["auth"], route_class=ApiRoute)

users = APIRouter(prefix="/admin/users", tags=["auth"], route_class=ApiRoute)

SignInDb = Annotated[AsyncSession, Depends(system_unit_of_work("sign in"), scope="function")]


@router.post("/login", response_model=TokensRead)
async def login(request: Request, db: SignInDb, body: LoginRequest) -> TokensRead:
    """By user name or e-mail."""
    signed_in = await service.sign_in(db, login=body.login, password=body.password.get_secret_value())
    return _tokens(request, signed_in)


@router.post("/refresh", response_model=TokensRead)
async def refresh(request: Request, db: SignInDb, body: RefreshRequest) -> TokensRead:
    """A refresh token works once; the answer brings the next one."""
    signed_in = await service.refresh(db, refresh_token=body.refresh_token.get_secret_value())
    return _tokens(request, signed_in)


@router.post("/logout", status_code=204)
async def logout(db: Db, principal: CurrentPrincipal) -> None:
    """End this sign-in; its tokens stop at once."""
    if principal.session_id is None:
        raise Forbidden("only people sign out")
    await service.sign_out(db, session_id=principal.session_id)


@router.get("/me", response_model=UserRead)
async def get_me(db: Db, principal: CurrentPrincipal) -> UserRead:
    """The signed-in person, with roles and permissions."""
    user, organization, roles = await service.whoami(db, user_id=principal.id)
    return UserRead(
        id=user.id,
        username=user.username,
        email=user.email,
        full_name=user.full_name,
        roles=list(roles),
        permissions=sorted(principal.permissions),
        organization=OrganizationRead.model_validate(organization),
    )


@users.get("", response_model=list[UserListed], dependencies=[require("users:read")])
async def list_users(db: Db, query: Annotated[PageQuery, Depends()]) -> Page[User]:
    """The organisation's people, newest first."""
    return await page(db, select(User), User.id, query)


@users.post("", response_model=UserListed, status_code=201, dependencies=[require("users:write")])
async def create_user(db: Db, principal: CurrentPrincipal, body: UserCreate) -> User:
    """Add a person; nobody can give a role that grants more than they have."""
    service.check_grantable(body.roles, by=principal)
    return await service.add_user(
        db,
        organization_id=principal.organization_id,
        username=body.username,
        email=body.email,
        full_name=body.full_name,
        password=body.password.get_secret_value(),
        roles=body.roles,
    )


def _tokens(request: Request, signed_in: service.SignIn) -> TokensRead:
    user = signed_in.user
    return TokensRead(
        access_token=issue_access_token(signed_in.claims, request.app.state.settings.secret_key.get_secret_value()),
        refresh_token=signed_in.refresh_token,
        token_type="Bearer",  # noqa: S106 - the scheme's name
        expires_in_s=int(ACCESS_TOKEN_LIFE.total_seconds()),
        user=UserRead(
            id=user.id,
            username=user.username,
            email=user.email,
            full_name=user.full_name,
            roles=list(signed_in.roles),
            permissions=sorted(signed_in.permissions),
            organization=OrganizationRead.model_validate(signed_in.organization),
        ),
    )
