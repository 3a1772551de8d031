"""`/ws/telemetry/{location_id}`: the last values of a place, as they change."""

import uuid
from dataclasses import dataclass
from datetime import datetime

import msgspec
from fastapi import APIRouter, WebSocket
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.devices.models import Sensor
from cloud_api.kernel import clock
from cloud_api.kernel.db import Database
from cloud_api.kernel.permissions import Principal, watcher
from cloud_api.kernel.tenancy import OrganizationScope
from cloud_api.places import service as places
from cloud_api.realtime.feeds import Pace, Picture
from cloud_api.realtime.hub import topic_of
from cloud_api.realtime.sockets import follow, id_of
from cloud_api.telemetry.models import SensorSeries

live = APIRouter()

_PACE = Pace()


class LiveValue(msgspec.Struct, frozen=True, gc=False):
    """A sensor's last value, by its present calibration."""

    id: uuid.UUID
    location_id: uuid.UUID
    code: str
    quantity: str
    unit: str
    value: float
    quality: str
    recorded_at: datetime


@dataclass(frozen=True)
class PlaceView:
    """The last values in one place and in everything inside it. Who sees the place sees them all."""

    scope: OrganizationScope
    location_id: uuid.UUID
    pace: Pace = _PACE

    async def look(self, db: AsyncSession) -> Picture:
        """Each active sensor there that has been heard, by its id."""
        inside = await places.within(db, self.location_id)
        rows = await db.execute(
            select(
                Sensor.id,
                Sensor.location_id,
                Sensor.code,
                Sensor.quantity,
                Sensor.unit,
                SensorSeries.last_value * Sensor.gain + Sensor.offset,
                SensorSeries.last_quality,
                SensorSeries.last_recorded_at_ms,
            )
            .join(SensorSeries, SensorSeries.sensor_id == Sensor.id)
            .where(
                Sensor.location_id.in_(inside),
                Sensor.status == "active",
                SensorSeries.last_recorded_at_ms.is_not(None),
            )
            .order_by(Sensor.code, Sensor.quantity)
        )
        items = {
            str(id): msgspec.json.encode(
                LiveValue(id, place_id, code, quantity, unit, value, quality, clock.from_ms(at_ms))
            )
            for id, place_id, code, quantity, unit, value, quality, at_ms in rows
        }
        organization_id = self.scope.organization_id
        return Picture(items, frozenset(topic_of("place", organization_id, place) for place in inside))


@live.websocket("/ws/telemetry/{location_id}")
async def follow_place(socket: WebSocket, location_id: str) -> None:
    """The last value of every sensor in a place and in everything inside it, and each change.

    The token is the second subprotocol, after `bearer`. What is sent, and how a refusal looks, `realtime.sockets` says.
    """

    async def entitle() -> tuple[Principal, PlaceView]:
        principal = await watcher(socket, "telemetry:read")
        database: Database = socket.app.state.database
        async with database.unit_of_work(principal.scope, read_only=True) as db:
            seen = await places.visible_to(db, principal)
            place = await places.get_location(
                db, id_of(location_id, what="a place", example="/ws/telemetry/0198...", field="location_id"), seen=seen
            )
        return principal, PlaceView(principal.scope, place.id)

    await follow(socket, entitle)
