"""The verbs of sensors: register, recognise, place, retire."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.devices.events import SensorPlaced
from cloud_api.devices.gateways.service import count_change, get_gateway, hold_facts
from cloud_api.devices.models import Sensor
from cloud_api.devices.queries import visible_sensors
from cloud_api.devices.sensors import history, searchable
from cloud_api.devices.sensors.schemas import CalibrationValues, SensorCreate, SensorUpdate
from cloud_api.kernel import clock, outbox, versions
from cloud_api.kernel.db import insert_missing
from cloud_api.kernel.errors import Invalid, NotFound
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
    await count_change(db, new.gateway_id)
    sensor = Sensor(**new.model_dump(), gain=1.0, created_at=clock.now())
    db.add(sensor)
    await flush_unique(
        db, f"{new.quantity} of {new.code} is registered or was heard already: change that sensor", field="code"
    )
    await history.begin_placements(db, sensor)
    await searchable.put(db, sensor)
    outbox.emit(db, SensorPlaced(sensor.id, sensor.gateway_id))
    return sensor


async def adopt_sensor(db: AsyncSession, *, new: SensorCreate, seen: Visible = EVERYWHERE) -> Sensor:
    """The sensor of a device that gets its entry in a register: one that was heard already, or a new one.

    One that was heard stays where it is unless a place is given, and comes back when it was retired.

    Raises:
        NotFound: when the gateway or the place is not there.
    """
    gateway = await get_gateway(db, new.gateway_id, seen=seen)
    await hold_facts(db, gateway.id)
    heard = (await _sensors_of(db, gateway.id, {(new.code, new.quantity)})).get((new.code, new.quantity))
    if heard is None:
        return await register_sensor(db, new=new, seen=seen)
    changes = SensorUpdate(status="active")
    if new.location_id is not None:
        changes = SensorUpdate(status="active", location_id=new.location_id)
    return await update_sensor(db, heard.id, changes=changes, seen=seen)


async def update_sensor(
    db: AsyncSession,
    sensor_id: uuid.UUID,
    *,
    changes: SensorUpdate,
    by: uuid.UUID | None = None,
    seen: Visible = EVERYWHERE,
) -> Sensor:
    """Move, calibrate or retire a sensor. What it is already changes nothing.

    Raises:
        NotFound: when the sensor or the place is not there.
        StaleVersion: when `changes` was made of another version than there is now.
        Invalid: when it is to be moved at a moment that has not come.
    """
    sensor = await hold_sensor(db, sensor_id, seen=seen)
    await versions.count(db, sensor, seen=changes.version, what=f"sensor {sensor.code!r}")
    wanted = changes.model_fields_set
    changed = False
    if "location_id" in wanted:
        changed |= await _move(db, sensor, changes, seen)
    if "offset" in wanted and changes.offset != sensor.offset:
        await _shift(db, sensor, changes.offset, by)
        changed = True
    for field in ("interval_s", "status"):
        value = getattr(changes, field)
        if field in wanted and value != getattr(sensor, field):
            setattr(sensor, field, value)
            changed = True
    if changed:
        await searchable.put(db, sensor)
        await count_change(db, sensor.gateway_id)
        outbox.emit(db, SensorPlaced(sensor.id, sensor.gateway_id))
    return sensor


async def retire_sensor(db: AsyncSession, sensor_id: uuid.UUID, *, seen: Visible = EVERYWHERE) -> None:
    """Take a sensor out of service. Retiring it again changes nothing.

    Raises:
        NotFound: when there is no such sensor.
    """
    await update_sensor(db, sensor_id, changes=SensorUpdate(status="retired"), seen=seen)


async def retire_sensors_of(db: AsyncSession, gateway_id: uuid.UUID) -> None:
    """Take every sensor of a gateway out of service."""
    await hold_facts(db, gateway_id)
    its = select(Sensor).where(Sensor.gateway_id == gateway_id, Sensor.status == "active").order_by(Sensor.id)
    retired = (await db.scalars(its)).all()
    for sensor in retired:
        sensor.status = "retired"
        await searchable.put(db, sensor)
        outbox.emit(db, SensorPlaced(sensor.id, gateway_id))
    if retired:
        await count_change(db, gateway_id)


async def hold_sensor(db: AsyncSession, sensor_id: uuid.UUID, *, seen: Visible = EVERYWHERE) -> Sensor:
    """One sensor, as it is now: nobody else changes what is known of it until the unit of work ends.

    Raises:
        NotFound: when there is none to be seen.
    """
    sensor = await get_sensor(db, sensor_id, seen=seen)
    await hold_facts(db, sensor.gateway_id)
    await db.refresh(sensor)
    return sensor


def check_not_ahead(field: str, instant: datetime | None) -> int:
    """The moment from which something is so, in milliseconds since 1970; None is now.

    Raises:
        Invalid: naming `field`, when it lies before 1970 or has not come.
    """
    now_ms = clock.now_ms()
    at_ms = now_ms if instant is None else clock.to_ms(instant)
    if not 0 <= at_ms <= now_ms:
        raise Invalid(f"{field} must lie between 1970 and now", field=field)
    return at_ms


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
        if heard[key] and not sensor.unit:  # an alarm that came first did not say it
            sensor.unit = heard[key]
            await count_change(db, gateway_id)
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
                "gain": 1.0,
                "offset": 0.0,
                "status": "active",
                "created_at": clock.now(),
            },
        )
    new = await _sensors_of(db, gateway_id, missing)
    for sensor in new.values():
        await history.begin_placements(db, sensor)
        await searchable.put(db, sensor)
        if sensor.location_id is not None:
            outbox.emit(db, SensorPlaced(sensor.id, gateway_id))
    if new:
        await count_change(db, gateway_id)
    return found | new


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


async def _move(db: AsyncSession, sensor: Sensor, changes: SensorUpdate, seen: Visible) -> bool:
    """Whether that was something new."""
    if changes.location_id is not None:
        await places.get_location(db, changes.location_id, seen=seen)
    if changes.moved_at is None and changes.location_id == sensor.location_id:
        return False
    from_ms = check_not_ahead("moved_at", changes.moved_at)
    return await history.place(db, sensor, location_id=changes.location_id, from_ms=from_ms)


async def _shift(db: AsyncSession, sensor: Sensor, offset: float, by: uuid.UUID | None) -> None:
    """Another offset from now on, and nothing else: it must be calibrated again when it had to be before."""
    before = await history.last_calibration(db, sensor.id)
    values = CalibrationValues(gain=sensor.gain, offset=offset, due_on=before.due_on if before else None)
    shifted, _ = await history.correct(db, sensor, values, from_ms=clock.now_ms(), by=by)
    shifted.due_told_at = before.due_told_at if before else None


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
