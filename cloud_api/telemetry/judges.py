"""What a stored batch is shown to: judges, called in order and in the batch's own transaction.

`main` registers them; telemetry knows none by name.
"""

import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.devices.sensors.known import KnownSensor
from cloud_api.telemetry.stores.port import ReadingStore
from gateway.contract import AlarmEvent, TagRead, Weighing


@dataclass(frozen=True, slots=True)
class StoredSeries:
    """The new readings of one sensor, in the order of their lane; arrays of shape (n,), n >= 1."""

    sensor: KnownSensor
    times_ms: npt.NDArray[np.int64]
    #: corrected by the calibration in force at their times
    values: npt.NDArray[np.float64]
    #: index into `models.QUALITIES`
    qualities: npt.NDArray[np.int8]
    #: the newest reading that was known before; what is not behind it is late; None: there was none
    known_through_ms: int | None


@dataclass(frozen=True, slots=True)
class SeenTag:
    """A tag that a reader saw; `sequence` with the gateway identifies it."""

    reader: KnownSensor
    sequence: int
    read: TagRead


@dataclass(frozen=True, slots=True)
class SeenWeight:
    """What a scale showed; `sequence` with the gateway identifies it."""

    scale: KnownSensor
    sequence: int
    weighing: Weighing


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """What one batch added. Of the backlog it may be older than what was shown before."""

    organization_id: uuid.UUID
    gateway_id: uuid.UUID
    #: `Gateway.facts_version`: what was read of its sensors and rules may be kept under it; None: it is about to change
    facts_version: int | None
    #: where all readings are, these included
    store: ReadingStore
    series: Sequence[StoredSeries] = ()
    #: the gateway's own judgements, each with its sensor
    alarms: Sequence[tuple[KnownSensor, AlarmEvent]] = ()
    tags: Sequence[SeenTag] = ()
    weights: Sequence[SeenWeight] = ()


Judge = Callable[[AsyncSession, StoredBatch], Awaitable[None]]
