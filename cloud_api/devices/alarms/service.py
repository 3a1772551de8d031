"""Keeping what gateways' own judges have raised, and telling people of what only a gateway can see."""

import uuid

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.devices.alarms.models import GatewayAlarm
from cloud_api.devices.configuration.service import get_config
from cloud_api.devices.gateways.service import get_gateway
from cloud_api.devices.models import Sensor
from cloud_api.kernel import clock
from cloud_api.notifications import service as notifications
from gateway.contract import AlarmEvent

_WORDS = {"silent": "is silent", "rising": "rises too quickly", "falling": "falls too quickly"}


async def take_alarm(db: AsyncSession, gateway_id: uuid.UUID, sensor: Sensor, alarm: AlarmEvent) -> None:
    """Keep an alarm, or its end; tell who may acknowledge alarms of one of a watch that the gateway was given.

    Alarms of limits are told by whoever makes excursions of them.
    """
    its = select(GatewayAlarm).where(GatewayAlarm.sensor_id == sensor.id, GatewayAlarm.incident == alarm.incident)
    known = (await db.scalars(its)).one_or_none()
    if alarm.event == "cleared":
        if known is not None and known.cleared_at is None:
            known.cleared_at = clock.from_ms(alarm.recorded_at_ms)
        return
    if known is not None:
        return
    raised = GatewayAlarm(
        gateway_id=gateway_id,
        sensor_id=sensor.id,
        rule=alarm.rule,
        kind=alarm.kind,
        incident=alarm.incident,
        value=alarm.value,
        started_at=clock.from_ms(alarm.started_at_ms),
        raised_at=clock.from_ms(alarm.recorded_at_ms),
    )
    db.add(raised)
    await db.flush()
    if alarm.kind in _WORDS and sensor.status == "active":
        await _tell(db, sensor, raised)


async def _tell(db: AsyncSession, sensor: Sensor, alarm: GatewayAlarm) -> None:
    """Tell people, unless the watch is no longer among what the gateway should do."""
    gateway = await get_gateway(db, alarm.gateway_id)
    if all(watch.rule != alarm.rule for watch in (await get_config(db, gateway)).watches):
        return
    await notifications.notify(
        db,
        permission="alerts:ack",
        title=f"{sensor.code}: {sensor.quantity} {_WORDS[alarm.kind]}",
        message=f"since {alarm.started_at:%H:%M} UTC, says {gateway.name} by its watch {alarm.rule}",
        severity="warning",
        category="quality",
        subject=f"gateway_alarm:{alarm.id}",
    )
