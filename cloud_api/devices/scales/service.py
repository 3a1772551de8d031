"""The verbs of scales: register, change, retire, show. Taring is a command (`devices.commands`)."""

import uuid
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.devices.models import Sensor
from cloud_api.devices.scales.models import QUANTITY, Scale
from cloud_api.devices.scales.schemas import ScaleCreate, ScaleRead, ScaleUpdate
from cloud_api.devices.sensors.schemas import SensorCreate, SensorUpdate
from cloud_api.devices.sensors.service import adopt_sensor, get_sensor, update_sensor
from cloud_api.kernel.errors import AlreadyExists, NotFound
from cloud_api.places.queries import EVERYWHERE, Visible

_FACTS = ("name", "capacity_kg", "division_kg", "unit", "tare_kg")


async def register_scale(db: AsyncSession, *, new: ScaleCreate, seen: Visible = EVERYWHERE) -> ScaleRead:
    """Register a scale; what was heard of it already is its own.

    Raises:
        NotFound: when the gateway or the place is not there.
        AlreadyExists: when the gateway's scale of this code is registered.
    """
    device = SensorCreate(
        gateway_id=new.gateway_id, location_id=new.location_id, code=new.code, quantity=QUANTITY, unit="kg"
    )
    sensor = await adopt_sensor(db, new=device, seen=seen)
    if (await _facts_of(db, [sensor.id])).get(sensor.id) is not None:
        raise AlreadyExists(f"scale {new.code} is registered already: change it with PUT", field="code")
    db.add(Scale(sensor_id=sensor.id, **new.model_dump(include={*_FACTS})))
    await db.flush()
    return (await read(db, [sensor]))[0]


async def update_scale(
    db: AsyncSession, scale_id: uuid.UUID, *, changes: ScaleUpdate, by: uuid.UUID, seen: Visible = EVERYWHERE
) -> ScaleRead:
    """Set what is known of a scale; one that was only heard is registered by that.

    Raises:
        NotFound: when there is no such scale, or the place is not there.
    """
    await get_scale(db, scale_id, seen=seen)
    sent = changes.model_dump(include={"location_id", "status"} & changes.model_fields_set)
    sensor = await update_sensor(db, scale_id, changes=SensorUpdate(**sent, version=changes.version), by=by, seen=seen)
    scale = (await _facts_of(db, [sensor.id])).get(sensor.id) or Scale(sensor_id=sensor.id)
    for name in _FACTS:
        setattr(scale, name, getattr(changes, name))
    db.add(scale)
    await db.flush()
    return (await read(db, [sensor]))[0]


async def retire_scale(db: AsyncSession, scale_id: uuid.UUID, *, by: uuid.UUID, seen: Visible = EVERYWHERE) -> None:
    """Take a scale out of service. Doing it again changes nothing.

    Raises:
        NotFound: when there is no such scale.
    """
    await get_scale(db, scale_id, seen=seen)
    await update_sensor(db, scale_id, changes=SensorUpdate(status="retired"), by=by, seen=seen)


async def get_scale(db: AsyncSession, scale_id: uuid.UUID, *, seen: Visible = EVERYWHERE) -> Sensor:
    """The sensor that tells a scale's weight.

    Raises:
        NotFound: when there is none to be seen.
    """
    sensor = await get_sensor(db, scale_id, seen=seen)
    if sensor.quantity != QUANTITY:
        raise NotFound(f"no scale with id {scale_id}", field="id")
    return sensor


async def read(db: AsyncSession, sensors: Sequence[Sensor]) -> list[ScaleRead]:
    """What is known of the scales that these speak for."""
    facts = await _facts_of(db, [sensor.id for sensor in sensors])
    return [
        ScaleRead.model_validate(
            {
                **{
                    name: getattr(sensor, name)
                    for name in ("id", "gateway_id", "code", "location_id", "status", "version")
                },
                **{name: getattr(facts.get(sensor.id), name, None) for name in _FACTS},
                "registered": sensor.id in facts,
            }
        )
        for sensor in sensors
    ]


async def _facts_of(db: AsyncSession, sensor_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Scale]:
    rows = await db.scalars(select(Scale).where(Scale.sensor_id.in_(sensor_ids)))
    return {scale.sensor_id: scale for scale in rows}
