"""Keeping what gateways' own judges have raised. What is made of it is the cold chain's."""

import uuid
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.devices.alarms.models import GatewayAlarm
from cloud_api.devices.configuration.service import get_config
from cloud_api.devices.gateways.service import get_gateway
from cloud_api.devices.sensors.known import KnownSensor
from cloud_api.kernel import clock
from gateway.contract import AlarmEvent


@dataclass(frozen=True, slots=True)
class Taken:
    """What was kept."""

    #: None: the end of something that nobody has raised
    alarm: GatewayAlarm | None
    #: it was raised just now, by a watch that the gateway should have, at a sensor in service
    is_to_be_told: bool = False
    gateway_name: str = ""


async def take_alarm(db: AsyncSession, gateway_id: uuid.UUID, sensor: KnownSensor, alarm: AlarmEvent) -> Taken:
    """Keep an alarm, or its end. The same again changes nothing."""
    its = select(GatewayAlarm).where(GatewayAlarm.sensor_id == sensor.id, GatewayAlarm.incident == alarm.incident)
    known = (await db.scalars(its)).one_or_none()
    if alarm.event == "cleared":
        if known is not None and known.cleared_at is None:
            known.cleared_at = clock.from_ms(alarm.recorded_at_ms)
        return Taken(known)
    if known is not None:
        return Taken(known)
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
    if alarm.kind in ("high", "low") or sensor.status != "active":
        return Taken(raised)
    gateway = await get_gateway(db, gateway_id)
    watches = (await get_config(db, gateway)).watches
    return Taken(raised, any(watch.rule == alarm.rule for watch in watches), gateway.name)
