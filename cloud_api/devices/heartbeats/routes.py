"""`/api/v1/edge/gateways/{id}`: gateways say how they are and what became of their configuration."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy import select

from cloud_api.devices.commands.service import answer_to
from cloud_api.devices.configuration import service as configuration
from cloud_api.devices.gateways.callers import only_itself
from cloud_api.devices.gateways.service import get_gateway
from cloud_api.devices.heartbeats import service
from cloud_api.devices.heartbeats.models import GatewayHeartbeat
from cloud_api.devices.heartbeats.schemas import HeartbeatRead
from cloud_api.kernel import wire
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.places.visibility import VisiblePlaces
from gateway.contract import ConfigAck, Heartbeat, HeartbeatAnswer

router = APIRouter(prefix="/edge/gateways/{id}", tags=["devices"], route_class=ApiRoute)


@router.post("/heartbeat", **wire.documented(body=Heartbeat, answer=HeartbeatAnswer))
async def receive_heartbeat(request: Request, db: Db, principal: CurrentPrincipal, id: uuid.UUID) -> Response:
    """A gateway says how it is; the answer tells it which configuration it should have, and what it is to do."""
    only_itself(principal, id)
    gateway = await service.hear(db, id, wire.decode(await wire.read_body(request), Heartbeat))
    return wire.answer(await answer_to(db, gateway))


@router.post("/config/ack", **wire.documented(body=ConfigAck, answer=HeartbeatAnswer))
async def acknowledge_gateway_config(request: Request, db: Db, principal: CurrentPrincipal, id: uuid.UUID) -> Response:
    """A gateway says what became of a version of its configuration."""
    only_itself(principal, id)
    gateway = await get_gateway(db, id)
    await configuration.acknowledge_config(db, gateway, wire.decode(await wire.read_body(request), ConfigAck))
    return wire.answer(await answer_to(db, gateway))


@router.get("/heartbeats", response_model=list[HeartbeatRead], dependencies=[require("devices:read")])
async def list_heartbeats(
    db: Db, seen: VisiblePlaces, id: uuid.UUID, query: Annotated[PageQuery, Depends()]
) -> Page[GatewayHeartbeat]:
    """Newest first."""
    await get_gateway(db, id, seen=seen)
    return await page(db, select(GatewayHeartbeat).where(GatewayHeartbeat.gateway_id == id), GatewayHeartbeat.id, query)
