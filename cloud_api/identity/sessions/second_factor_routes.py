"""`/api/v1/auth/2fa`: enrolling, answering a challenge, backup codes."""

from fastapi import APIRouter, Depends, Request

from cloud_api.identity.people import service as people
from cloud_api.identity.sessions import recovery, second_factor, service
from cloud_api.identity.sessions.dependencies import Device, Person, SignInDb, tokens_of
from cloud_api.identity.sessions.schemas import (
    BackupCodes,
    ChallengeAnswer,
    CodeRequest,
    FactorBegun,
    FactorOff,
    SmsRequest,
    TokensRead,
)
from cloud_api.kernel.db import Database
from cloud_api.kernel.errors import Forbidden
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.idempotency import shown_once
from cloud_api.kernel.permissions import Principal, open_in_duty
from cloud_api.kernel.rate_limits import RateLimits
from cloud_api.kernel.tenancy import Actor, SystemScope
from cloud_api.kernel.unit_of_work import Db, client_address

router = APIRouter(prefix="/auth/2fa", tags=["auth"], route_class=ApiRoute)


@router.post("/challenge", response_model=TokensRead)
async def answer_challenge(request: Request, db: SignInDb, body: ChallengeAnswer, device: Device) -> TokensRead:
    """Finish a sign-in with a code of the app, of an SMS, or a backup code."""
    signed_in = await service.answer_challenge(
        db, token=body.challenge.get_secret_value(), code=body.code, device=device
    )
    return await tokens_of(request, db, signed_in)


@router.post("/sms", status_code=202, response_model=None)
async def send_sms_code(request: Request, db: SignInDb, body: SmsRequest) -> None:
    """Send a code for an open challenge to the person's phone; it replaces one sent before. Three a challenge."""
    challenge = await service.challenge_of(db, body.challenge.get_secret_value())
    limits: RateLimits = request.app.state.rate_limits
    await limits.at_most(3, within_s=300, what=f"sms/challenge/{challenge.id}")
    await limits.at_most(10, within_s=3600, what=f"sms/person/{challenge.user_id}")
    second_factor.send_sms(db, await service.user_of(db, challenge), challenge)


@router.post("/setup", response_model=FactorBegun)
@open_in_duty
@shown_once
async def begin_second_factor(db: Db, principal: Person) -> FactorBegun:
    """Draw a secret for an authenticator app. It is in force once `/enable` has seen a first code."""
    secret, uri = await second_factor.begin_enrolment(db, await people.get_user(db, principal.id))
    return FactorBegun(secret=secret, otpauth_uri=uri)


@router.post("/enable", response_model=BackupCodes)
@open_in_duty
@shown_once
async def enable_second_factor(db: Db, principal: Person, body: CodeRequest) -> BackupCodes:
    """Confirm the app by a first code. The answer brings ten backup codes, this once."""
    codes = await second_factor.confirm(db, await people.get_user(db, principal.id), body.code)
    return BackupCodes(backup_codes=codes)


async def _prove_code(request: Request, principal: Principal, code: str) -> None:
    """In a unit of work of its own: a wrong code is counted whatever becomes of the request."""
    database: Database = request.app.state.database
    actor = Actor(principal.kind, principal.id, principal.name, client_address(request))
    async with database.unit_of_work(SystemScope("prove a second factor"), actor=actor) as db:
        await second_factor.prove(db, await people.get_user(db, principal.id), code)


async def _code_is_right(request: Request, principal: Person, body: CodeRequest) -> None:
    await _prove_code(request, principal, body.code)


async def _both_are_right(request: Request, principal: Person, body: FactorOff) -> None:
    if request.app.state.settings.two_factor_for_admins and service.administers(principal.permissions):
        raise Forbidden("your role needs a second factor")
    password = body.password.get_secret_value()
    await recovery.prove_password(request.app.state.database, user_id=principal.id, password=password)
    await _prove_code(request, principal, body.code)


@router.post("/disable", status_code=204, dependencies=[Depends(_both_are_right)])
async def disable_second_factor(db: Db, principal: Person, body: FactorOff) -> None:
    """Switch the second factor off; who administers cannot."""
    await second_factor.switch_off(db, await people.get_user(db, principal.id))


@router.post("/backup-codes", response_model=BackupCodes, dependencies=[Depends(_code_is_right)])
@shown_once
async def replace_backup_codes(db: Db, principal: Person, body: CodeRequest) -> BackupCodes:
    """Ten new backup codes, shown this once; those before no longer work."""
    user = await people.get_user(db, principal.id)
    return BackupCodes(backup_codes=await second_factor.replace_backup_codes(db, user))
