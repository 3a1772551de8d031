"""`/api/v1/mobile/auth`: the driver's app signs in with the phone it runs on, and out with its pushes."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import Field

from cloud_api.identity.sessions import service as sessions
from cloud_api.identity.sessions.dependencies import (
    Device,
    Person,
    SignInDb,
    attempted,
    challenge_read,
    profile_of,
    tokens_of,
)
from cloud_api.identity.sessions.schemas import ChallengeRead, MobileLoginRequest, TokensRead, UserRead
from cloud_api.kernel.http import ApiRoute, RequestModel, ResponseModel
from cloud_api.kernel.permissions import open_in_duty, require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.logistics.deliveries import service as logistics
from cloud_api.logistics.deliveries.schemas import RouteDetailRead
from cloud_api.logistics.deliveries.visibility import OwnDrives
from cloud_api.logistics.sync import service as phone_log
from cloud_api.notifications import phones

router = APIRouter(prefix="/mobile/auth", tags=["mobile"], route_class=ApiRoute)


class MobileLogout(RequestModel):
    """The push registration that this phone got no more messages on; what it registered with `/mobile/devices`."""

    registration: Annotated[str, Field(max_length=4096)] = ""


class DriverProfile(ResponseModel):
    """The driver and what they drive today."""

    user: UserRead
    #: the route under way, or the next one
    route: RouteDetailRead | None
    vehicle_id: uuid.UUID | None


async def _attempted(request: Request, body: MobileLoginRequest) -> sessions.Attempt:
    return await attempted(request, body)


@router.post("/login", response_model=TokensRead | ChallengeRead)
async def mobile_login(
    request: Request,
    attempt: Annotated[sessions.Attempt, Depends(_attempted)],
    db: SignInDb,
    body: MobileLoginRequest,
    device: Device,
) -> TokensRead | ChallengeRead:
    """As `/auth/login`; the sign-in also says which phone it runs on, so that a lost phone can be ended from afar."""
    phone = sessions.Device(device.address, device.user_agent, body.device_id)
    outcome = await sessions.sign_in(db, attempt, phone)
    if isinstance(outcome, sessions.Challenge):
        return challenge_read(outcome)
    return await tokens_of(request, db, outcome)


@router.post("/logout", status_code=204)
@open_in_duty
async def mobile_logout(db: Db, principal: Person, body: MobileLogout) -> None:
    """End this sign-in, believe nothing more that this phone seals, and send it nothing more: it syncs before."""
    assert principal.session_id is not None  # noqa: S101 - people have one
    await phone_log.revoke_keys_of_session(db, principal.session_id, user_id=principal.id)
    await sessions.sign_out(db, session_id=principal.session_id)
    if body.registration:
        await phones.forget_registration(db, body.registration, user_id=principal.id)


@router.get("/profile", response_model=DriverProfile, dependencies=[require("deliveries:read")])
async def get_driver_profile(db: Db, principal: Person, own: OwnDrives) -> DriverProfile:
    """The signed-in driver, with the route under way or the next one."""
    route = await logistics.next_route(db, seen=own)
    return DriverProfile(
        user=await profile_of(db, principal),
        route=None if route is None else await logistics.detail(db, route),
        vehicle_id=None if route is None else route.vehicle_id,
    )
