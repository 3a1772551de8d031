"""`/api/v1/edge/gateways/{id}/alarms`."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy import select

from cloud_api.devices.alarms.models import GatewayAlarm
from cloud_api.devices.alarms.schemas import GatewayAlarmRead
from cloud_api.devices.gateways.service import get_gateway
from cloud_api.devices.models import Sensor
from cloud_api.devices.queries import visible_sensors
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.places.visibility import VisiblePlaces

router = APIRouter(prefix="/edge/gateways/{id}/alarms", tags=["devices"], route_class=ApiRoute)


@router.get("", response_model=list[GatewayAlarmRead], dependencies=[require("devices:read")])
async def list_gateway_alarms(
    db: Db, seen: VisiblePlaces, id: uuid.UUID, query: Annotated[PageQuery, Depends()]
) -> Page[GatewayAlarm]:
    """What the gateway's own judge has raised, newest first."""
    await get_gateway(db, id, seen=seen)
    its_sensors = select(Sensor.id).where(Sensor.gateway_id == id, visible_sensors(seen))
    its = select(GatewayAlarm).where(GatewayAlarm.gateway_id == id, GatewayAlarm.sensor_id.in_(its_sensors))
    return await page(db, its, GatewayAlarm.id, query)
