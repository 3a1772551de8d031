"""What a stored batch is shown to: judges, called in order and in the batch's own transaction.

`main` registers them; telemetry knows none by name.
"""

import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.devices.models import Sensor
from gateway.contract import AlarmEvent, TagRead, Weighing


@dataclass(frozen=True, slots=True)
class StoredReading:
    """A reading that was new, with the sensor it belongs to."""

    sensor: Sensor
    #: calibrated
    value: float
    recorded_at_ms: int
    quality: str


@dataclass(frozen=True, slots=True)
class SeenTag:
    """A tag that a reader saw; `sequence` with the gateway identifies it."""

    reader: Sensor
    sequence: int
    read: TagRead


@dataclass(frozen=True, slots=True)
class SeenWeight:
    """What a scale showed; `sequence` with the gateway identifies it."""

    scale: Sensor
    sequence: int
    weighing: Weighing


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """What one batch added, in the order of its lane. Of the backlog it may be older than what was shown before."""

    gateway_id: uuid.UUID
    readings: Sequence[StoredReading]
    #: the gateway's own judgements, each with its sensor
    alarms: Sequence[tuple[Sensor, AlarmEvent]] = ()
    tags: Sequence[SeenTag] = ()
    weights: Sequence[SeenWeight] = ()


Judge = Callable[[AsyncSession, StoredBatch], Awaitable[None]]
