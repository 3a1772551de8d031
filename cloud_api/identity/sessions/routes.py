"""`/api/v1/auth`: signing in and out, one's own profile and sign-ins."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends, Request

from cloud_api.identity.errors import PasswordNeeded
from cloud_api.identity.organizations.schemas import OrganizationRead
from cloud_api.identity.passwords import new_password
from cloud_api.identity.people import service as people
from cloud_api.identity.sessions import recovery, second_factor, service
from cloud_api.identity.sessions.dependencies import (
    Attempted,
    Device,
    Person,
    SignInDb,
    challenge_read,
    profile_of,
    tokens_of,
)
from cloud_api.identity.sessions.schemas import (
    ChallengeRead,
    LoginRequest,
    ProfileUpdate,
    RefreshRequest,
    RegisterRequest,
    SessionRead,
    TokensRead,
    UserRead,
)
from cloud_api.kernel import versions
from cloud_api.kernel.db import Database
from cloud_api.kernel.errors import Forbidden
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.permissions import open_in_duty
from cloud_api.kernel.rate_limits import budget
from cloud_api.kernel.unit_of_work import Db

router = APIRouter(prefix="/auth", tags=["auth"], route_class=ApiRoute)


async def _hashed(request: Request, body: RegisterRequest) -> str:
    if not request.app.state.settings.open_registration:
        raise Forbidden("organisations are founded by the platform's administrators here: ask them")
    about = (body.username, body.email, body.full_name, body.organization_name)
    return await new_password(body.password.get_secret_value(), about=about)


@router.post("/register", response_model=OrganizationRead, status_code=201)
async def register(
    password_hash: Annotated[str, Depends(_hashed)], db: SignInDb, body: RegisterRequest
) -> OrganizationRead:
    """Found an organisation with its first administrator, who can sign in at once. A mail confirms their address."""
    organization, admin = await people.found_organization(
        db,
        name=body.organization_name,
        slug=body.slug,
        currency=body.currency,
        timezone=body.timezone,
        admin_username=body.username,
        admin_email=body.email,
        admin_full_name=body.full_name,
        admin_password_hash=password_hash,
    )
    admin.phone = body.phone
    await recovery.send_verification(db, admin)
    return OrganizationRead.model_validate(organization)


@router.post("/login", response_model=TokensRead | ChallengeRead)
async def login(
    request: Request, attempt: Attempted, db: SignInDb, body: LoginRequest, device: Device
) -> TokensRead | ChallengeRead:
    """By user name or e-mail. With a second factor in force the answer is a challenge for `/auth/2fa/challenge`."""
    outcome = await service.sign_in(db, attempt, device)
    if isinstance(outcome, service.Challenge):
        return challenge_read(outcome)
    return await tokens_of(request, db, outcome)


@router.post("/refresh", response_model=TokensRead)
@budget("anonymous")
async def refresh(request: Request, db: SignInDb, body: RefreshRequest) -> TokensRead:
    """A refresh token works once; the answer brings the next one. Used twice, it ends the whole sign-in."""
    signed_in = await service.refresh(db, refresh_token=body.refresh_token.get_secret_value())
    return await tokens_of(request, db, signed_in)


@router.post("/logout", status_code=204)
@open_in_duty
async def logout(db: Db, principal: Person) -> None:
    """End this sign-in; its tokens stop at once."""
    assert principal.session_id is not None  # noqa: S101 - people have one
    await service.sign_out(db, session_id=principal.session_id)


@router.get("/me", response_model=UserRead)
@open_in_duty
async def get_me(db: Db, principal: Person) -> UserRead:
    """The signed-in person, with roles, permissions and what they have to do first."""
    return await profile_of(db, principal)


async def _may_change(request: Request, principal: Person, body: ProfileUpdate) -> None:
    """Compared before the unit of work.

    Raises:
        PasswordNeeded: without the password, where it takes it.
        WrongCredentials: with a wrong one.
    """
    if body.phone is None:
        return
    database: Database = request.app.state.database
    async with database.unit_of_work(principal.scope, read_only=True) as db:
        user = await people.get_user(db, principal.id)
        factor = await second_factor.factor_of(db, user)
    if body.phone == user.phone or factor is None or factor.confirmed_at is None or not user.password_hash:
        return
    if body.current_password is None:
        raise PasswordNeeded
    password = body.current_password.get_secret_value()
    await recovery.prove_password(database, user_id=principal.id, password=password)


@router.put("/me", response_model=UserRead, dependencies=[Depends(_may_change)])
async def update_me(db: Db, principal: Person, body: ProfileUpdate) -> UserRead:
    """Change one's own name, phone, language or theme; what is not sent stays.

    While a second factor is in force, another phone number takes the password: codes are sent to it.
    """
    user = await people.get_user(db, principal.id, locked=True)
    await versions.count(db, user, seen=None, what=user.full_name)
    changed = body.model_dump(exclude_unset=True, exclude_none=True, exclude={"current_password"})
    for field, value in changed.items():
        setattr(user, field, value)
    await db.flush()
    return await profile_of(db, principal)


@router.get("/sessions", response_model=list[SessionRead])
async def list_my_sessions(db: Db, principal: Person) -> list[SessionRead]:
    """One's own open sign-ins, the newest first."""
    return [
        SessionRead.model_validate(session).model_copy(update={"current": session.id == principal.session_id})
        for session in await service.sessions_of(db, principal.id)
    ]


@router.delete("/sessions", status_code=204)
async def end_my_other_sessions(db: Db, principal: Person) -> None:
    """End all of one's own sign-ins but this one."""
    await service.terminate_all(db, user_id=principal.id, reason="terminated", but=principal.session_id)


@router.delete("/sessions/{id}", status_code=204)
async def end_my_session(db: Db, principal: Person, id: uuid.UUID) -> None:
    """End one of one's own sign-ins; its tokens stop at once."""
    await service.terminate(db, user_id=principal.id, session_id=id)
