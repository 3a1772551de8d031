"""`/api/v1/edge/gateways/{id}/logs`: gateways hand them in when a command asks for them; people read them."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy import select

from cloud_api.devices.commands.service import answer_to
from cloud_api.devices.gateways.callers import only_itself
from cloud_api.devices.gateways.service import get_gateway
from cloud_api.devices.logs import service
from cloud_api.devices.logs.models import GatewayLog
from cloud_api.devices.logs.schemas import GatewayLogRead
from cloud_api.kernel import wire
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.places.visibility import VisiblePlaces
from gateway.contract import HeartbeatAnswer, LogUpload

router = APIRouter(prefix="/edge/gateways/{id}/logs", tags=["devices"], route_class=ApiRoute)


@router.post("", **wire.documented(body=LogUpload, answer=HeartbeatAnswer))
async def upload_gateway_logs(request: Request, db: Db, principal: CurrentPrincipal, id: uuid.UUID) -> Response:
    """A gateway hands in the newest lines of its log; the newest thousand are kept, and the newest ten uploads."""
    only_itself(principal, id)
    gateway = await get_gateway(db, id)
    await service.keep_logs(db, id, wire.decode(await wire.read_body(request), LogUpload))
    return wire.answer(await answer_to(db, gateway))


@router.get("", response_model=list[GatewayLogRead], dependencies=[require("devices:read")])
async def list_gateway_logs(
    db: Db, seen: VisiblePlaces, id: uuid.UUID, query: Annotated[PageQuery, Depends()]
) -> Page[GatewayLog]:
    """What the gateway handed in, newest first."""
    await get_gateway(db, id, seen=seen)
    return await page(db, select(GatewayLog).where(GatewayLog.gateway_id == id), GatewayLog.id, query)
