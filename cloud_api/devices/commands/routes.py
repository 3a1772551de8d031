"""`/api/v1/edge/gateways/{id}/commands`: people give them, the gateway fetches and settles them; taring a scale."""

import uuid
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy import select

from cloud_api.devices.commands import service
from cloud_api.devices.commands.models import GatewayCommand
from cloud_api.devices.commands.schemas import CommandCreate, CommandRead
from cloud_api.devices.gateways.callers import itself_or, only_itself
from cloud_api.devices.gateways.service import get_gateway
from cloud_api.kernel import wire
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.places.visibility import VisiblePlaces
from gateway.contract import CommandAck, HeartbeatAnswer

router = APIRouter(prefix="/edge", tags=["devices"], route_class=ApiRoute)

COMMANDS = "/gateways/{id}/commands"


@router.get(COMMANDS, response_model=list[CommandRead])
async def list_gateway_commands(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID, query: Annotated[PageQuery, Depends()]
) -> Page[CommandRead] | Response:
    """For people all of them, newest first; for the gateway those that wait, oldest first, as `Command` of the wire."""
    if itself_or("devices:read", principal, id):
        commands = await service.waiting_commands(db, id)
        return Response(msgspec.json.encode({"success": True, "data": commands}), media_type="application/json")
    await get_gateway(db, id, seen=seen)
    its = select(GatewayCommand).where(GatewayCommand.gateway_id == id)
    rows = await page(db, its, GatewayCommand.id, query)
    return Page(service.read(rows.items), rows.limit, rows.next_cursor)


@router.post(COMMANDS, response_model=CommandRead, status_code=201, dependencies=[require("devices:write")])
async def issue_gateway_command(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID, body: CommandCreate
) -> GatewayCommand:
    """Tell a gateway to do something once; it hears of it with its next batch or heartbeat."""
    return await service.issue_command(db, id, new=body, by=principal.id, seen=seen)


@router.post(COMMANDS + "/{command_id}/ack", **wire.documented(body=CommandAck, answer=HeartbeatAnswer))
async def acknowledge_gateway_command(
    request: Request, db: Db, principal: CurrentPrincipal, id: uuid.UUID, command_id: uuid.UUID
) -> Response:
    """A gateway says what became of a command."""
    only_itself(principal, id)
    await service.settle_command(db, id, command_id, wire.decode(await wire.read_body(request), CommandAck))
    return wire.answer(await service.answer_to(db, await get_gateway(db, id)))


@router.post("/scales/{id}/tare", response_model=CommandRead, status_code=201, dependencies=[require("stock:write")])
async def tare_scale(db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID) -> GatewayCommand:
    """Have a scale tared by its gateway. Its id is that of the sensor that tells its weight."""
    return await service.tare_scale(db, id, by=principal.id, seen=seen)
