"""The verbs of readers: register, change, retire, show."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.devices.models import Sensor
from cloud_api.devices.readers.models import QUANTITY, Reader, ReaderAntenna
from cloud_api.devices.readers.schemas import AntennaRead, AntennaWrite, ReaderCreate, ReaderRead, ReaderUpdate
from cloud_api.devices.sensors.schemas import SensorCreate, SensorUpdate
from cloud_api.devices.sensors.service import adopt_sensor, get_sensor, update_sensor
from cloud_api.kernel.errors import AlreadyExists, NotFound
from cloud_api.places import service as places
from cloud_api.places.queries import EVERYWHERE, Visible


async def register_reader(db: AsyncSession, *, new: ReaderCreate, seen: Visible = EVERYWHERE) -> ReaderRead:
    """Register a reader; what was heard of it already is its own.

    Raises:
        NotFound: when the gateway or a place is not there.
        AlreadyExists: when the gateway's reader of this code is registered.
    """
    device = SensorCreate(
        gateway_id=new.gateway_id, location_id=new.location_id, code=new.code, quantity=QUANTITY, unit="epc"
    )
    sensor = await adopt_sensor(db, new=device, seen=seen)
    if (await _facts_of(db, sensor.id)) is not None:
        raise AlreadyExists(f"reader {new.code} is registered already: change it with PUT", field="code")
    reader = Reader(sensor_id=sensor.id, name=new.name, direction=new.direction, portal=new.portal)
    db.add(reader)
    await db.flush()
    await _set_antennas(db, reader, new.antennas, seen)
    return (await read(db, [sensor]))[0]


async def update_reader(
    db: AsyncSession, reader_id: uuid.UUID, *, changes: ReaderUpdate, by: uuid.UUID, seen: Visible = EVERYWHERE
) -> ReaderRead:
    """Set what is known of a reader; one that was only heard is registered by that.

    Raises:
        NotFound: when there is no such reader, or a place is not there.
    """
    await get_reader(db, reader_id, seen=seen)
    sent = changes.model_dump(include={"location_id", "status"} & changes.model_fields_set)
    sensor = await update_sensor(db, reader_id, changes=SensorUpdate(**sent, version=changes.version), by=by, seen=seen)
    reader = await _facts_of(db, sensor.id)
    if reader is None:
        reader = Reader(sensor_id=sensor.id)
        db.add(reader)
    reader.name, reader.direction, reader.portal = changes.name, changes.direction, changes.portal
    await db.flush()
    await _set_antennas(db, reader, changes.antennas, seen)
    return (await read(db, [sensor]))[0]


async def retire_reader(db: AsyncSession, reader_id: uuid.UUID, *, by: uuid.UUID, seen: Visible = EVERYWHERE) -> None:
    """Take a reader out of service. Doing it again changes nothing.

    Raises:
        NotFound: when there is no such reader.
    """
    await get_reader(db, reader_id, seen=seen)
    await update_sensor(db, reader_id, changes=SensorUpdate(status="retired"), by=by, seen=seen)


async def get_reader(db: AsyncSession, reader_id: uuid.UUID, *, seen: Visible = EVERYWHERE) -> Sensor:
    """The sensor that speaks for a reader.

    Raises:
        NotFound: when there is none to be seen.
    """
    sensor = await get_sensor(db, reader_id, seen=seen)
    if sensor.quantity != QUANTITY:
        raise NotFound(f"no reader with id {reader_id}", field="id")
    return sensor


async def read(db: AsyncSession, sensors: Sequence[Sensor]) -> list[ReaderRead]:
    """What is known of the readers that these speak for."""
    ids = [sensor.id for sensor in sensors]
    joined = select(Reader, ReaderAntenna).outerjoin(ReaderAntenna, ReaderAntenna.reader_id == Reader.id)
    rows = await db.execute(joined.where(Reader.sensor_id.in_(ids)).order_by(ReaderAntenna.number))
    facts: dict[uuid.UUID, Reader] = {}
    antennas: dict[uuid.UUID, list[AntennaRead]] = defaultdict(list)
    for reader, antenna in rows:
        facts[reader.sensor_id] = reader
        if antenna is not None:
            antennas[reader.sensor_id].append(AntennaRead.model_validate(antenna))
    return [_read(sensor, facts.get(sensor.id), antennas[sensor.id]) for sensor in sensors]


def _read(sensor: Sensor, facts: Reader | None, antennas: list[AntennaRead]) -> ReaderRead:
    known = facts or Reader(name=None, direction="both", portal=False)
    return ReaderRead.model_validate(
        {
            **{
                name: getattr(sensor, name) for name in ("id", "gateway_id", "code", "location_id", "status", "version")
            },
            **{name: getattr(known, name) for name in ("name", "direction", "portal")},
            "registered": facts is not None,
            "antennas": antennas,
        }
    )


async def _facts_of(db: AsyncSession, sensor_id: uuid.UUID) -> Reader | None:
    return (await db.scalars(select(Reader).where(Reader.sensor_id == sensor_id))).one_or_none()


async def _set_antennas(db: AsyncSession, reader: Reader, wanted: Collection[AntennaWrite], seen: Visible) -> None:
    for location_id in sorted({one.location_id for one in wanted if one.location_id is not None}):
        await places.get_location(db, location_id, seen=seen)
    its = select(ReaderAntenna).where(ReaderAntenna.reader_id == reader.id)
    present = {antenna.number: antenna for antenna in await db.scalars(its)}
    for one in wanted:
        antenna = present.pop(one.number, None) or ReaderAntenna(reader_id=reader.id, number=one.number)
        antenna.direction, antenna.location_id = one.direction, one.location_id
        db.add(antenna)
    for gone in present.values():
        await db.delete(gone)
    await db.flush()
