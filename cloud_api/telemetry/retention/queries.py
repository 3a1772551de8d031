"""Reusable reads of what is kept for how long."""

import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.devices.models import Sensor, SensorPlacement
from cloud_api.devices.queries import visible_sensors
from cloud_api.kernel import clock
from cloud_api.places import service as places
from cloud_api.places.queries import Visible
from cloud_api.telemetry.retention.models import LegalHold, RetentionClass, SensorRetention
from cloud_api.telemetry.stores.pieces import DAY_MS

#: as good as ever and for ever
_EVER_MS, _FOR_EVER_MS = -(1 << 62), 1 << 62


@dataclass(frozen=True, slots=True)
class Kept:
    """For how many days what is kept; None: for ever."""

    name: str
    raw_days: int | None
    hours_days: int | None
    days_days: int | None


#: of sensors without a class
STANDARD = Kept("standard", raw_days=400, hours_days=3 * 366, days_days=None)


def legal_holds(seen: Visible) -> Select[tuple[LegalHold]]:
    """Those to be seen: of what somebody may see, and those that concern all."""
    of_sensors = LegalHold.sensor_id.in_(select(Sensor.id).where(visible_sensors(seen)))
    of_places = and_(LegalHold.location_id.is_not(None), seen.locations(LegalHold.location_id))
    of_all = and_(LegalHold.sensor_id.is_(None), LegalHold.location_id.is_(None))
    return select(LegalHold).where(or_(of_sensors, of_places, of_all))


def sensors_with_class(seen: Visible, *, class_id: uuid.UUID | None) -> Select[tuple[SensorRetention]]:
    """Sensors to be seen that have a class of their own: this one, or any."""
    its_sensors = select(Sensor.id).where(visible_sensors(seen))
    found = select(SensorRetention).where(SensorRetention.sensor_id.in_(its_sensors))
    return found if class_id is None else found.where(SensorRetention.class_id == class_id)


async def classes_of_sensors(db: AsyncSession) -> dict[uuid.UUID, Kept]:
    """Each sensor's own class; one that is missing has the standard one."""
    rows = await db.execute(
        select(SensorRetention.sensor_id, RetentionClass).join(
            RetentionClass, RetentionClass.id == SensorRetention.class_id
        )
    )
    return {sensor_id: Kept(found.name, found.raw_days, found.hours_days, found.days_days) for sensor_id, found in rows}


@dataclass(frozen=True)
class Held:
    """What legal holds keep, as [from, to) of whole days (UTC), a day wider on both sides."""

    #: of every sensor
    everywhere: Sequence[tuple[int, int]]
    of_sensors: dict[uuid.UUID, list[tuple[int, int]]]

    def free(self, sensor_id: uuid.UUID, from_ms: int, to_ms: int) -> tuple[tuple[int, int], ...]:
        """What of [from, to) of a sensor nobody holds."""
        pieces, begin_ms = [], from_ms
        for held_from, held_to in sorted([*self.everywhere, *self.of_sensors.get(sensor_id, ())]):
            if begin_ms < min(held_from, to_ms):
                pieces.append((begin_ms, min(held_from, to_ms)))
            begin_ms = max(begin_ms, held_to)
        if begin_ms < to_ms:
            pieces.append((begin_ms, to_ms))
        return tuple(pieces)


async def held(db: AsyncSession) -> Held:
    """What is held now: by place, of every sensor that is or ever was in it."""
    everywhere: list[tuple[int, int]] = []
    of_sensors: dict[uuid.UUID, list[tuple[int, int]]] = defaultdict(list)
    for hold in await db.scalars(select(LegalHold).where(LegalHold.released_at.is_(None))):
        # local days and hours that lie in part within are kept too
        from_ms = _EVER_MS if hold.from_at is None else (clock.to_ms(hold.from_at) // DAY_MS - 1) * DAY_MS
        to_ms = _FOR_EVER_MS if hold.to_at is None else (clock.to_ms(hold.to_at) // DAY_MS + 2) * DAY_MS
        if hold.sensor_id is not None:
            of_sensors[hold.sensor_id].append((from_ms, to_ms))
        elif hold.location_id is not None:
            for sensor_id in await _ever_in(db, hold.location_id):
                of_sensors[sensor_id].append((from_ms, to_ms))
        else:
            everywhere.append((from_ms, to_ms))
    return Held(everywhere, of_sensors)


async def _ever_in(db: AsyncSession, location_id: uuid.UUID) -> set[uuid.UUID]:
    inside = await places.within(db, location_id)
    now = await db.scalars(select(Sensor.id).where(Sensor.location_id.in_(inside)))
    once = await db.scalars(select(SensorPlacement.sensor_id).where(SensorPlacement.location_id.in_(inside)))
    return {*now, *once}
