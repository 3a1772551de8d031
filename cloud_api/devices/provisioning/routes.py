"""`/api/v1/edge`: how gateways come by their credentials, change them and lose them."""

import uuid
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.devices.commands import service as commands
from cloud_api.devices.commands.schemas import CommandCreate
from cloud_api.devices.configuration import service as configuration
from cloud_api.devices.configuration.signing import make_key
from cloud_api.devices.gateways.callers import itself_or
from cloud_api.devices.gateways.service import get_gateway
from cloud_api.devices.provisioning import service
from cloud_api.devices.provisioning.schemas import ClaimCodeRead, GatewayCreate
from cloud_api.kernel import wire
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.idempotency import shown_once
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.rate_limits import budget
from cloud_api.kernel.unit_of_work import Db, system_unit_of_work
from cloud_api.places.visibility import VisiblePlaces
from gateway.contract import HeartbeatAnswer, NewCredential, ProvisionAnswer, ProvisionRequest

router = APIRouter(prefix="/edge", tags=["devices"], route_class=ApiRoute)

ProvisioningDb = Annotated[AsyncSession, Depends(system_unit_of_work("provision a gateway"), scope="function")]


class _Nothing(msgspec.Struct, forbid_unknown_fields=True):
    """`{}`: people draw no secrets."""


def _rotation() -> dict[str, Any]:
    """Route options of an operation whose body is a machine's or `{}`."""
    options = wire.documented(body=NewCredential, answer=HeartbeatAnswer)
    content = options["openapi_extra"]["requestBody"]["content"]["application/json"]
    content["schema"] = {"anyOf": [content["schema"], {"type": "object", "additionalProperties": False}]}
    return options


@router.post("/provision", **wire.documented(body=ProvisionRequest, answer=ProvisionAnswer))
@budget("anonymous")
async def provision_gateway(request: Request, db: ProvisioningDb) -> Response:
    """Trade a claim code for a credential. The gateway draws the secret itself; asking again is harmless."""
    asked = wire.decode(await wire.read_body(request), ProvisionRequest)
    gateway = await service.claim_gateway(
        db, claim_code=asked.claim_code, secret=asked.secret, software_version=asked.software_version
    )
    answer = ProvisionAnswer(
        gateway_id=str(gateway.id),
        name=gateway.name,
        config=await configuration.get_config(db, gateway),
        config_key=(await make_key(db)).public_key,
    )
    return wire.answer(answer)


@router.post("/gateways", response_model=ClaimCodeRead, status_code=201, dependencies=[require("devices:write")])
@shown_once
async def register_gateway(db: Db, body: GatewayCreate) -> ClaimCodeRead:
    """Announce a gateway to come; the answer carries its claim code, this once."""
    gateway, claim_code = await service.register_gateway(db, name=body.name)
    return ClaimCodeRead(gateway_id=gateway.id, claim_code=claim_code, expires_at=gateway.claim_expires_at)


@router.post("/gateways/{id}/claim-code", response_model=ClaimCodeRead, dependencies=[require("devices:write")])
@shown_once
async def renew_claim_code(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> ClaimCodeRead:
    """A new claim code, for the box that replaces this one."""
    gateway, claim_code = await service.renew_claim_code(db, id, seen=seen)
    return ClaimCodeRead(gateway_id=gateway.id, claim_code=claim_code, expires_at=gateway.claim_expires_at)


@router.post("/gateways/{id}/rotate-credentials", **_rotation())
async def rotate_gateway_credential(
    request: Request, db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID
) -> Response:
    """A gateway hands in its next secret; the present one is good until the next one has been used.

    People, who need `devices:write` and send `{}`, have the gateway told to do so: a command waits for it then.
    """
    body = await wire.read_body(request)
    if itself_or("devices:write", principal, id):
        gateway = await service.rotate_secret(db, id, secret=wire.decode(body, NewCredential).secret)
    else:
        wire.decode(body, _Nothing)
        gateway = await get_gateway(db, id, seen=seen)
        await commands.issue_command(db, id, new=CommandCreate(kind="rotate_credential"), by=principal.id, seen=seen)
    return wire.answer(await commands.answer_to(db, gateway))


@router.delete("/gateways/{id}", status_code=204, dependencies=[require("devices:write")])
async def decommission_gateway(
    db: Db, seen: VisiblePlaces, id: uuid.UUID, sensors: Literal["retire", "keep"] = "retire"
) -> None:
    """Take a gateway out of service, for good. Its credential is dead and its name free; what it has sent stays."""
    await service.decommission_gateway(db, id, keep_sensors=sensors == "keep", seen=seen)
