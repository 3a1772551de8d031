"""What this process knows of gateways whose readings it takes in: a steady batch costs no question about its sensors.

It is believed only as long as the gateway's row, which is locked by then, names the same versions: `facts_version`
for sensors, `batches` for the state of their series. So it never matters what other processes have done meanwhile.
"""

import uuid
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.devices.models import Sensor
from cloud_api.devices.sensors.known import KnownSensor, known_sensors
from cloud_api.telemetry.intake.reading_rows import Series
from cloud_api.telemetry.models import QUALITIES, SensorSeries
from cloud_api.telemetry.rollups import NEVER, STATE, Table
from cloud_api.telemetry.zones import number_of

_BUCKET = ("begins_ms", "count", "total", "minimum", "maximum")
_COLUMNS = tuple(
    getattr(SensorSeries, name)
    for name in (
        "sensor_id",
        "number",
        "zone",
        "last_recorded_at_ms",
        "last_value",
        "last_quality",
        "heard_at_ms",
        "cadence_ms",
        *(f"{bucket}_{what}" for bucket in ("hour", "day") for what in _BUCKET),
    )
)
#: in place of the number of a series that has not begun
NO_SERIES = -1


@dataclass(slots=True)
class Versions:
    """Of what is known of a gateway, as its locked row has them."""

    facts: int
    batches: int


@dataclass(slots=True)
class KnownGateway:
    """A gateway's sensors, and the state of their series."""

    versions: Versions
    sensors: Sequence[KnownSensor]
    #: of each sensor, of `rollups.STATE`
    state: Table
    #: (code, quantity) -> index into `sensors`
    by_device: dict[tuple[str, str], int]
    #: (code, quantity, registered unit) of those that have a series
    by_series: dict[Series, int]


class Memory:
    """The gateways that were heard lately, by their keys; those longest silent are forgotten first."""

    def __init__(self, *, sensors_at_most: int = 100_000) -> None:
        self._known: OrderedDict[uuid.UUID, KnownGateway] = OrderedDict()
        self._sensors = 0
        self._sensors_at_most = sensors_at_most

    def recall(self, gateway_id: uuid.UUID, versions: Versions) -> KnownGateway | None:
        """What is known of a gateway, if it is true still."""
        known = self._known.get(gateway_id)
        if known is None or known.versions != versions:
            return None
        self._known.move_to_end(gateway_id)
        return known

    def keep(self, gateway_id: uuid.UUID, known: KnownGateway) -> None:
        """Remember what was read or written in a transaction that is committed."""
        self.forget(gateway_id)
        self._known[gateway_id] = known
        self._sensors += len(known.sensors)
        while self._sensors > self._sensors_at_most:
            self.forget(next(iter(self._known)))

    def forget(self, gateway_id: uuid.UUID) -> None:
        """Read it again next time."""
        known = self._known.pop(gateway_id, None)
        self._sensors -= len(known.sensors) if known is not None else 0


async def read_gateway(db: AsyncSession, gateway_id: uuid.UUID, versions: Versions) -> KnownGateway:
    """What the database has of a locked gateway's sensors."""
    sensors = list((await known_sensors(db, gateway_id=gateway_id)).values())
    index = {sensor.id: at for at, sensor in enumerate(sensors)}
    state = np.zeros(len(sensors), STATE)
    state["number"] = NO_SERIES
    for row in await db.execute(select(*_COLUMNS).join(Sensor).where(Sensor.gateway_id == gateway_id)):
        state[index[row.sensor_id]] = (
            row.number,
            number_of(row.zone),
            _or_never(row.last_recorded_at_ms),
            row.last_value or 0.0,
            QUALITIES.index(row.last_quality or QUALITIES[0]),
            _or_never(row.heard_at_ms),
            row.cadence_ms or 0,
            (_or_never(row.hour_begins_ms), row.hour_count, row.hour_total, row.hour_minimum, row.hour_maximum),
            (_or_never(row.day_begins_ms), row.day_count, row.day_total, row.day_minimum, row.day_maximum),
        )
    begun = (state["number"] != NO_SERIES).tolist()
    return KnownGateway(
        versions,
        sensors,
        state,
        {(sensor.code, sensor.quantity): at for at, sensor in enumerate(sensors)},
        {(one.code, one.quantity, one.unit): at for at, one in enumerate(sensors) if begun[at]},
    )


def _or_never(at_ms: int | None) -> int:
    return NEVER if at_ms is None else at_ms
