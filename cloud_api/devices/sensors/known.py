"""What is known of a gateway's sensors, read at once: who takes in readings keeps it as long as it holds.

It holds as long as the gateway's `facts_version` is the same; whoever changes anything of it counts that up
(`gateways.service.count_change`).
"""

import uuid
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.devices.models import Sensor, SensorCalibration, SensorPlacement

#: before all time
EVER = -(1 << 62)


@dataclass(frozen=True, slots=True)
class Correction:
    """How raw values are corrected from `from_ms` on: raw x gain + offset."""

    from_ms: int
    gain: float = 1.0
    offset: float = 0.0


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a sensor is from `from_ms` on; None: nowhere."""

    from_ms: int
    location_id: uuid.UUID | None


@dataclass(frozen=True, slots=True)
class KnownSensor:
    """A sensor with its history. Lists are in the order of time, the first entry holds for all time before it too."""

    id: uuid.UUID
    gateway_id: uuid.UUID
    code: str
    quantity: str
    unit: str
    status: str
    #: where it is now
    location_id: uuid.UUID | None
    #: how often it should be heard; None: nobody said
    interval_s: int | None
    corrections: tuple[Correction, ...]
    placements: tuple[Placement, ...]

    def correct(self, times_ms: npt.NDArray[np.int64], raw: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Raw values as the calibration in force at their times has them; shapes (n,)."""
        first = self.corrections[0]
        if len(self.corrections) == 1:
            return raw if first.gain == 1.0 and first.offset == 0.0 else raw * first.gain + first.offset
        begins = np.array([correction.from_ms for correction in self.corrections[1:]], dtype=np.int64)
        which = np.searchsorted(begins, times_ms, side="right")
        gains = np.array([correction.gain for correction in self.corrections])[which]
        offsets = np.array([correction.offset for correction in self.corrections])[which]
        corrected: npt.NDArray[np.float64] = raw * gains + offsets
        return corrected

    def correction_at(self, at_ms: int) -> Correction:
        """The calibration in force at a time."""
        begins = [correction.from_ms for correction in self.corrections[1:]]
        return self.corrections[bisect_right(begins, at_ms)]

    def place_at(self, at_ms: int) -> uuid.UUID | None:
        """Where it was at a time."""
        begins = [placement.from_ms for placement in self.placements[1:]]
        return self.placements[bisect_right(begins, at_ms)].location_id


async def known_sensors(
    db: AsyncSession,
    *,
    gateway_id: uuid.UUID | None = None,
    sensor_ids: set[uuid.UUID] | None = None,
    are_placed: bool = True,
) -> dict[uuid.UUID, KnownSensor]:
    """The sensors of a gateway, or those named, by id.

    Args:
        are_placed: where they were is asked for; otherwise they seem to have been always where they are.
    """
    its = Sensor.gateway_id == gateway_id if gateway_id is not None else Sensor.id.in_(sensor_ids or set())
    sensors = (await db.scalars(select(Sensor).where(its).order_by(Sensor.id))).all()
    ids = select(Sensor.id).where(its)
    corrections = await corrections_of(db, ids)
    placements: dict[uuid.UUID, list[Placement]] = defaultdict(list)
    theirs = select(SensorPlacement).where(SensorPlacement.sensor_id.in_(ids)).order_by(SensorPlacement.from_ms)
    for place in (await db.scalars(theirs)) if are_placed else ():
        placements[place.sensor_id].append(Placement(place.from_ms, place.location_id))
    return {
        sensor.id: with_history(sensor, corrections=corrections[sensor.id], placements=placements[sensor.id])
        for sensor in sensors
    }


async def corrections_of(
    db: AsyncSession, ids: Select[tuple[uuid.UUID]] | Sequence[uuid.UUID]
) -> Mapping[uuid.UUID, Sequence[Correction]]:
    """The calibrations of sensors, by sensor and in the order of time; empty for one that has none."""
    found: dict[uuid.UUID, list[Correction]] = defaultdict(list)
    for row in await db.scalars(
        select(SensorCalibration).where(SensorCalibration.sensor_id.in_(ids)).order_by(SensorCalibration.from_ms)
    ):
        found[row.sensor_id].append(Correction(row.from_ms, row.gain, row.offset))
    return found


def with_history(sensor: Sensor, *, corrections: Sequence[Correction], placements: Sequence[Placement]) -> KnownSensor:
    """A sensor with its history, in the order of time; where nothing is said, it has always been as it is now."""
    return KnownSensor(
        id=sensor.id,
        gateway_id=sensor.gateway_id,
        code=sensor.code,
        quantity=sensor.quantity,
        unit=sensor.unit,
        status=sensor.status,
        location_id=sensor.location_id,
        interval_s=sensor.interval_s,
        corrections=tuple(corrections) or (Correction(EVER, sensor.gain, sensor.offset),),
        placements=tuple(placements) or (Placement(EVER, sensor.location_id),),
    )
