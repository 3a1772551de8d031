"""What devices say of themselves that somebody must look into: alerts, and nothing of the goods."""

import uuid

from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.cold_chain.alerts import service as alerts
from cloud_api.devices.events import CalibrationDue, GatewayConfigRefused, SensorPlaced
from cloud_api.devices.gateways.service import get_gateway
from cloud_api.devices.sensors.calibrations import due_calibrations
from cloud_api.devices.sensors.service import get_sensor
from cloud_api.kernel import clock

_REFUSED = {"refused": "refuses", "rolled_back": "went back from"}


async def tell_of_due_calibration(db: AsyncSession, event: CalibrationDue) -> None:
    """A sensor's values are certified no longer."""
    sensor = await get_sensor(db, event.sensor_id)
    await alerts.raise_alert(
        db,
        group=_calibration(sensor.id),
        subject=_calibration(sensor.id),
        alert_type="calibration_due",
        severity="warning",
        title=f"{sensor.code}: calibration is due",
        message=f"its {sensor.quantity} was to be calibrated again by {event.due_on:%d %b %Y}",
        location_id=sensor.location_id,
        at=clock.now(),
    )


async def hear_of_calibration(db: AsyncSession, event: SensorPlaced) -> None:
    """A sensor that was calibrated again, or retired, is due no longer."""
    due = await due_calibrations(db, clock.now().date())
    if all(sensor.id != event.sensor_id for sensor, _ in due):
        await alerts.clear_alert(db, subject=_calibration(event.sensor_id), at=clock.now())


async def tell_of_refused_configuration(db: AsyncSession, event: GatewayConfigRefused) -> None:
    """A gateway does not do what it was told, and works by what it was told before."""
    gateway = await get_gateway(db, event.gateway_id)
    await alerts.raise_alert(
        db,
        group=f"gateway:{gateway.id}:configuration",
        subject=f"gateway:{gateway.id}:configuration:{event.version}",
        alert_type="system",
        severity="warning",
        title=f"{gateway.name} {_REFUSED[event.state]} its configuration",
        message=f"version {event.version}: {event.reason or 'it does not say why'}",
        location_id=None,
        at=clock.now(),
    )


def _calibration(sensor_id: uuid.UUID) -> str:
    return f"sensor:{sensor_id}:calibration"
