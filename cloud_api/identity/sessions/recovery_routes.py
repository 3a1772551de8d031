"""`/api/v1/auth`: changed and forgotten passwords, confirmed addresses."""

from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Depends, Request

from cloud_api.identity.sessions import recovery, service
from cloud_api.identity.sessions.dependencies import Person, SignInDb
from cloud_api.identity.sessions.schemas import ForgotRequest, PasswordChangeRequest, ResetRequest, TokenRequest
from cloud_api.kernel.db import Database
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.permissions import open_in_duty
from cloud_api.kernel.rate_limits import RateLimits, TooOften
from cloud_api.kernel.tenancy import SystemScope
from cloud_api.kernel.unit_of_work import Db

router = APIRouter(prefix="/auth", tags=["auth"], route_class=ApiRoute)


async def _changed(request: Request, principal: Person, body: PasswordChangeRequest) -> recovery.PasswordChange:
    return await recovery.prepare_change(
        request.app.state.database,
        user_id=principal.id,
        current=body.current_password.get_secret_value(),
        wanted=body.new_password.get_secret_value(),
    )


@router.post("/change-password", status_code=204)
@open_in_duty
async def change_password(
    change: Annotated[recovery.PasswordChange, Depends(_changed)],
    db: Db,
    principal: Person,
    body: PasswordChangeRequest,
) -> None:
    """Change one's own password; every other sign-in of one's own ends."""
    await recovery.change_password(db, change=change, session_id=principal.session_id)


@router.post("/forgot-password", status_code=202, response_model=None)
async def forgot_password(request: Request, later: BackgroundTasks, body: ForgotRequest) -> None:
    """Mail a token for `/auth/reset-password`. The answer is given before anybody is looked up, so it tells nothing."""
    later.add_task(_forget, request.app.state.database, request.app.state.rate_limits, body.login)


async def _may_be_mailed(limits: RateLimits, login: str) -> bool:
    """Five mails an hour for one name, wherever they are asked from: nobody's inbox is to be filled by others."""
    try:
        await limits.at_most(5, within_s=3600, what=f"mail/{service.sha256(login.lower())}")
    except TooOften:
        return False
    return True


async def _forget(database: Database, limits: RateLimits, login: str) -> None:
    if not await _may_be_mailed(limits, login):
        return
    async with database.unit_of_work(SystemScope("forgotten password")) as db:
        await recovery.forget_password(db, login=login)


async def _reset(request: Request, body: ResetRequest) -> recovery.PasswordChange:
    return await recovery.prepare_reset(
        request.app.state.database,
        token=body.token.get_secret_value(),
        wanted=body.new_password.get_secret_value(),
    )


@router.post("/reset-password", status_code=204)
async def reset_password(
    change: Annotated[recovery.PasswordChange, Depends(_reset)], db: SignInDb, body: ResetRequest
) -> None:
    """Take a new password by a mailed token, which works once within half an hour; every sign-in ends."""
    await recovery.reset_password(db, token=body.token.get_secret_value(), change=change)


@router.post("/verify-email", status_code=204)
async def verify_email(db: SignInDb, body: TokenRequest) -> None:
    """Confirm an e-mail address by a mailed token."""
    await recovery.verify_email(db, token=body.token.get_secret_value())


@router.post("/resend-verification", status_code=202, response_model=None)
async def resend_verification(request: Request, later: BackgroundTasks, body: ForgotRequest) -> None:
    """Mail the confirmation again. The answer is given before anybody is looked up."""
    later.add_task(_resend, request.app.state.database, request.app.state.rate_limits, body.login)


async def _resend(database: Database, limits: RateLimits, login: str) -> None:
    if not await _may_be_mailed(limits, login):
        return
    async with database.unit_of_work(SystemScope("mail a confirmation again")) as db:
        user = await service.user_called(db, login)
        if user is not None and user.status == "active" and user.email_verified_at is None:
            await recovery.send_verification(db, user)
