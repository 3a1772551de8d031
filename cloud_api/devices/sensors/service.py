"""The verbs of sensors: register, recognise, place, retire."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import cast

from sqlalchemy import func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.devices.events import SensorPlaced
from cloud_api.devices.gateways.service import get_gateway
from cloud_api.devices.models import Sensor
from cloud_api.devices.queries import visible_sensors
from cloud_api.devices.sensors.schemas import SensorCreate, SensorUpdate
from cloud_api.kernel import clock, outbox
from cloud_api.kernel.db import insert_missing
from cloud_api.kernel.errors import NotFound
from cloud_api.kernel.registers import flush_unique
from cloud_api.places import service as places
from cloud_api.places.queries import EVERYWHERE, Visible

#: a broken sender must not fill the register: 1,000 devices with a handful of quantities each
MAX_SENSORS_PER_GATEWAY = 5_000


async def register_sensor(db: AsyncSession, *, new: SensorCreate, seen: Visible = EVERYWHERE) -> Sensor:
    """Register a sensor before it is heard.

    Raises:
        NotFound: when the gateway or the place is not there.
        AlreadyExists: when the gateway has this quantity of this device already.
    """
    await get_gateway(db, new.gateway_id, seen=seen)
    if new.location_id is not None:
        await places.get_location(db, new.location_id, seen=seen)
    sensor = Sensor(**new.model_dump(), created_at=clock.now())
    db.add(sensor)
    await flush_unique(
        db, f"{new.quantity} of {new.code} is registered or was heard already: change that sensor", field="code"
    )
    outbox.emit(db, SensorPlaced(sensor.id, sensor.gateway_id))
    return sensor


async def update_sensor(
    db: AsyncSession, sensor_id: uuid.UUID, *, changes: SensorUpdate, seen: Visible = EVERYWHERE
) -> Sensor:
    """Move, calibrate or retire a sensor.

    Raises:
        NotFound: when the sensor or the place is not there.
    """
    sensor = await get_sensor(db, sensor_id, seen=seen)
    if changes.location_id is not None:
        await places.get_location(db, changes.location_id, seen=seen)
    for field, value in changes.model_dump(exclude_unset=True).items():
        setattr(sensor, field, value)
    outbox.emit(db, SensorPlaced(sensor.id, sensor.gateway_id))
    return sensor


async def retire_sensor(db: AsyncSession, sensor_id: uuid.UUID, *, seen: Visible = EVERYWHERE) -> None:
    """Take a sensor out of service. Retiring it again changes nothing.

    Raises:
        NotFound: when there is no such sensor.
    """
    await update_sensor(db, sensor_id, changes=SensorUpdate(status="retired"), seen=seen)


async def get_sensor(db: AsyncSession, sensor_id: uuid.UUID, *, seen: Visible = EVERYWHERE) -> Sensor:
    """One sensor.

    Raises:
        NotFound: when there is none to be seen.
    """
    its = select(Sensor).where(Sensor.id == sensor_id, visible_sensors(seen))
    sensor = (await db.scalars(its)).one_or_none()
    if sensor is None:
        raise NotFound(f"no sensor with id {sensor_id}", field="sensor_id")
    return sensor


async def recognise_sensors(
    db: AsyncSession,
    gateway_id: uuid.UUID,
    heard: Mapping[tuple[str, str], str],
    *,
    at_most: int = MAX_SENSORS_PER_GATEWAY,
) -> dict[tuple[str, str], Sensor]:
    """The sensors of what a gateway heard, (code, quantity) -> unit; those not seen before are registered.

    A new quantity of a device takes the place that the device's other quantities have. What would be more than
    `at_most` active sensors is missing from the answer.
    """
    found = await _sensors_of(db, gateway_id, heard)
    for key, sensor in found.items():
        sensor.unit = sensor.unit or heard[key]  # an alarm that came first did not say it
    missing = {key: unit for key, unit in heard.items() if key not in found}
    if not missing:
        return found
    active = select(func.count()).select_from(Sensor).where(Sensor.gateway_id == gateway_id, Sensor.status == "active")
    room = max(0, at_most - (await db.scalar(active) or 0))
    siblings = await _places_of(db, gateway_id, {code for code, _ in missing})
    for (code, quantity), unit in list(missing.items())[:room]:
        await insert_missing(
            db,
            Sensor,
            {
                "gateway_id": gateway_id,
                "location_id": siblings.get(code),
                "code": code,
                "quantity": quantity,
                "unit": unit,
                "offset": 0.0,
                "status": "active",
                "created_at": clock.now(),
            },
        )
    found |= await _sensors_of(db, gateway_id, missing)
    for key in missing:
        if key in found and found[key].location_id is not None:
            outbox.emit(db, SensorPlaced(found[key].id, gateway_id))
    return found


async def sensors_in(db: AsyncSession, location_ids: Collection[uuid.UUID]) -> Sequence[Sensor]:
    """Active sensors of these places, in key order."""
    return (
        await db.scalars(
            select(Sensor).where(Sensor.location_id.in_(location_ids), Sensor.status == "active").order_by(Sensor.id)
        )
    ).all()


async def sensors_of_gateway(db: AsyncSession, gateway_id: uuid.UUID) -> Sequence[Sensor]:
    """Active sensors of one gateway that have a place, in key order."""
    return (
        await db.scalars(
            select(Sensor)
            .where(Sensor.gateway_id == gateway_id, Sensor.status == "active", Sensor.location_id.is_not(None))
            .order_by(Sensor.id)
        )
    ).all()


async def _sensors_of(
    db: AsyncSession, gateway_id: uuid.UUID, keys: Collection[tuple[str, str]]
) -> dict[tuple[str, str], Sensor]:
    rows = await db.scalars(
        select(Sensor).where(Sensor.gateway_id == gateway_id, tuple_(Sensor.code, Sensor.quantity).in_(keys))
    )
    return {(sensor.code, sensor.quantity): sensor for sensor in rows}


async def _places_of(db: AsyncSession, gateway_id: uuid.UUID, codes: Collection[str]) -> dict[str, uuid.UUID]:
    rows = await db.execute(
        select(Sensor.code, Sensor.location_id)
        .where(Sensor.gateway_id == gateway_id, Sensor.code.in_(codes), Sensor.location_id.is_not(None))
        .distinct()
    )
    return {code: cast(uuid.UUID, location_id) for code, location_id in rows}
