"""`/api/v1/edge/gateways/{id}/config`: people set it, the gateway fetches it."""

import uuid
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy import select

from cloud_api.devices.configuration import service, signing
from cloud_api.devices.configuration.models import GatewayConfigVersion
from cloud_api.devices.configuration.schemas import ConfigUpdate, ConfigVersionRead, RollbackRequest
from cloud_api.devices.gateways.callers import itself_or
from cloud_api.devices.gateways.service import get_gateway
from cloud_api.kernel import wire
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.places.visibility import VisiblePlaces
from gateway.contract import SIGNATURE_HEADER, GatewayConfig

router = APIRouter(prefix="/edge/gateways/{id}/config", tags=["devices"], route_class=ApiRoute)


@router.get("", **wire.documented(answer=GatewayConfig))
async def get_gateway_config(
    request: Request, db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID
) -> Response:
    """The configuration a gateway should have; for the gateway itself, signed, and for people who may see devices.

    Its `ETag` is the version: who sends it as `If-None-Match` is told by 304 that nothing has changed.
    """
    is_itself = itself_or("devices:read", principal, id)
    gateway = await get_gateway(db, id, seen=seen)
    tag = {"ETag": f'"{gateway.config_version}"'}
    if request.headers.get("If-None-Match") == tag["ETag"]:
        return Response(status_code=304, headers=tag)
    config = await service.get_config(db, gateway)
    answer = wire.answer(msgspec.structs.replace(config, gateway_id=str(id)) if is_itself else config)
    answer.headers.update(tag)
    if is_itself:
        body = bytes(answer.body)
        answer.headers[SIGNATURE_HEADER] = await signing.signature_of(db, request.app.state.database, body)
    return answer


@router.put("", response_model=ConfigVersionRead, dependencies=[require("devices:write")])
async def configure_gateway(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID, body: ConfigUpdate
) -> GatewayConfigVersion:
    """Set what is a gateway's own: watches, pauses, outputs, how often it says how it is. Its limits are those of the
    rules of its sensors' places. The answer is the version in which it stands, a new one only if something changed.
    """
    return await service.configure_gateway(db, id, wanted=body, by=principal.id, seen=seen)


@router.get("/history", response_model=list[ConfigVersionRead], dependencies=[require("devices:read")])
async def list_gateway_configs(
    db: Db, seen: VisiblePlaces, id: uuid.UUID, query: Annotated[PageQuery, Depends()]
) -> Page[GatewayConfigVersion]:
    """Every version, newest first, with who made it and what the gateway said of it."""
    await get_gateway(db, id, seen=seen)
    its = select(GatewayConfigVersion).where(GatewayConfigVersion.gateway_id == id)
    return await page(db, its, GatewayConfigVersion.id, query)


@router.post("/rollback", response_model=ConfigVersionRead, dependencies=[require("devices:write")])
async def roll_back_gateway_config(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID, body: RollbackRequest
) -> GatewayConfigVersion:
    """Give a gateway what people had set in an earlier version, as a new version."""
    return await service.roll_back(db, id, version=body.version, by=principal.id, seen=seen)
