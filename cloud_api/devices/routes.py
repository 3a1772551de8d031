"""`/api/v1/edge`: gateways provision themselves, report and fetch their configuration; people look after them."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.devices import queries, service
from cloud_api.devices.models import Gateway, GatewayHeartbeat, Sensor
from cloud_api.devices.schemas import (
    ClaimCodeRead,
    GatewayCreate,
    GatewayRead,
    HeartbeatRead,
    SensorCreate,
    SensorRead,
    SensorUpdate,
)
from cloud_api.kernel import clock, wire
from cloud_api.kernel.errors import Forbidden
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.idempotency import shown_once
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import CurrentPrincipal, Principal, require
from cloud_api.kernel.rate_limits import budget
from cloud_api.kernel.unit_of_work import Db, system_unit_of_work
from cloud_api.places.visibility import VisiblePlaces
from gateway.contract import GatewayConfig, Heartbeat, HeartbeatAnswer, ProvisionAnswer, ProvisionRequest

router = APIRouter(prefix="/edge", tags=["devices"], route_class=ApiRoute)

ProvisioningDb = Annotated[AsyncSession, Depends(system_unit_of_work("provision a gateway"), scope="function")]


@router.post("/provision", **wire.documented(body=ProvisionRequest, answer=ProvisionAnswer))
@budget("anonymous")
async def provision_gateway(request: Request, db: ProvisioningDb) -> Response:
    """Trade a claim code for a credential. The gateway draws the secret itself; asking again is harmless."""
    asked = wire.decode(await wire.read_body(request), ProvisionRequest)
    gateway, config = await service.claim_gateway(
        db, claim_code=asked.claim_code, secret=asked.secret, software_version=asked.software_version
    )
    return wire.answer(ProvisionAnswer(gateway_id=str(gateway.id), name=gateway.name, config=config))


@router.get("/gateways", response_model=list[GatewayRead], dependencies=[require("devices:read")])
async def list_gateways(db: Db, seen: VisiblePlaces, query: Annotated[PageQuery, Depends()]) -> Page[GatewayRead]:
    """Newest first, each with whether it is online."""
    mine = select(Gateway).where(queries.visible_gateways(Gateway.id, seen))
    rows = await page(db, mine, Gateway.id, query)
    return Page([_read(gateway) for gateway in rows.items], rows.limit, rows.next_cursor)


@router.post("/gateways", response_model=ClaimCodeRead, status_code=201, dependencies=[require("devices:write")])
@shown_once
async def register_gateway(db: Db, body: GatewayCreate) -> ClaimCodeRead:
    """Announce a gateway to come; the answer carries its claim code, this once."""
    gateway, claim_code = await service.register_gateway(db, name=body.name)
    return ClaimCodeRead(gateway_id=gateway.id, claim_code=claim_code, expires_at=gateway.claim_expires_at)


@router.get("/gateways/{id}", response_model=GatewayRead, dependencies=[require("devices:read")])
async def get_gateway(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> GatewayRead:
    """One gateway."""
    return _read(await service.get_gateway(db, id, seen=seen))


@router.post("/gateways/{id}/claim-code", response_model=ClaimCodeRead, dependencies=[require("devices:write")])
@shown_once
async def renew_claim_code(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> ClaimCodeRead:
    """A new claim code, for the box that replaces this one."""
    gateway, claim_code = await service.renew_claim_code(db, id, seen=seen)
    return ClaimCodeRead(gateway_id=gateway.id, claim_code=claim_code, expires_at=gateway.claim_expires_at)


@router.post("/gateways/{id}/heartbeat", **wire.documented(body=Heartbeat, answer=HeartbeatAnswer))
async def receive_heartbeat(request: Request, db: Db, principal: CurrentPrincipal, id: uuid.UUID) -> Response:
    """A gateway says how it is; the answer tells it which configuration it should have."""
    _only_itself(principal, id)
    gateway = await service.hear(db, id, wire.decode(await wire.read_body(request), Heartbeat))
    return wire.answer(HeartbeatAnswer(server_time_ms=clock.now_ms(), config_version=gateway.config_version))


@router.get("/gateways/{id}/heartbeats", response_model=list[HeartbeatRead], dependencies=[require("devices:read")])
async def list_heartbeats(
    db: Db, seen: VisiblePlaces, id: uuid.UUID, query: Annotated[PageQuery, Depends()]
) -> Page[GatewayHeartbeat]:
    """Newest first."""
    await service.get_gateway(db, id, seen=seen)
    return await page(db, select(GatewayHeartbeat).where(GatewayHeartbeat.gateway_id == id), GatewayHeartbeat.id, query)


@router.get("/gateways/{id}/config", **wire.documented(answer=GatewayConfig))
async def get_gateway_config(db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID) -> Response:
    """The configuration a gateway should have; for the gateway itself, and for people who may see devices."""
    if not principal.may("devices:read"):
        _only_itself(principal, id)
    return wire.answer(await service.get_config(db, await service.get_gateway(db, id, seen=seen)))


@router.get("/sensors", response_model=list[SensorRead], dependencies=[require("devices:read")])
async def list_sensors(db: Db, seen: VisiblePlaces, query: Annotated[PageQuery, Depends()]) -> Page[Sensor]:
    """Newest first; those without a place were heard but not yet given one."""
    return await page(db, select(Sensor).where(queries.visible_sensors(seen)), Sensor.id, query)


@router.post("/sensors", response_model=SensorRead, status_code=201, dependencies=[require("devices:write")])
async def register_sensor(db: Db, seen: VisiblePlaces, body: SensorCreate) -> Sensor:
    """Register a sensor before it is heard; sensors that are heard register themselves, without a place."""
    return await service.register_sensor(db, new=body, seen=seen)


@router.get("/sensors/{id}", response_model=SensorRead, dependencies=[require("devices:read")])
async def get_sensor(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> Sensor:
    """One sensor."""
    return await service.get_sensor(db, id, seen=seen)


@router.put("/sensors/{id}", response_model=SensorRead, dependencies=[require("devices:write")])
async def update_sensor(db: Db, seen: VisiblePlaces, id: uuid.UUID, body: SensorUpdate) -> Sensor:
    """Give a sensor its place, or its calibration."""
    return await service.update_sensor(db, id, changes=body, seen=seen)


def _only_itself(principal: Principal, gateway_id: uuid.UUID) -> None:
    if principal.kind != "gateway" or principal.id != gateway_id:
        raise Forbidden("only the gateway itself may do this")


def _read(gateway: Gateway) -> GatewayRead:
    return GatewayRead(
        id=gateway.id,
        name=gateway.name,
        status=gateway.status,
        online=service.is_online(gateway),
        software_version=gateway.software_version,
        last_seen_at=gateway.last_seen_at,
        config_version=gateway.config_version,
    )
