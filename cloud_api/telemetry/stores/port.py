"""Where readings are kept: what every store can do.

A store knows no organisation by itself. It is asked in a unit of work, and answers for that unit's organisation only.
Values are raw. Times are milliseconds since 1970-01-01 UTC.
"""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
from sqlalchemy.ext.asyncio import AsyncSession


@dataclass(frozen=True, slots=True)
class NewReadings:
    """Readings to be added; arrays of one shape (n,)."""

    #: `SensorSeries.number`
    series: npt.NDArray[np.int64]
    times_ms: npt.NDArray[np.int64]
    #: unique within a gateway: the lane's number x 2^40 + the wire's sequence
    sequences: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]
    #: index into `models.QUALITIES`
    qualities: npt.NDArray[np.int8]

    def __len__(self) -> int:
        """How many there are."""
        return len(self.series)


@dataclass(frozen=True, slots=True)
class Readings:
    """Readings of one sensor, by (time, sequence); arrays of one shape (n,)."""

    times_ms: npt.NDArray[np.int64]
    sequences: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]
    qualities: npt.NDArray[np.int8]

    def __len__(self) -> int:
        """How many there are."""
        return len(self.times_ms)


NO_READINGS = Readings(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float64), np.empty(0, np.int8))


class ReadingStore(Protocol):
    """A store of readings."""

    async def close(self) -> None:
        """Let its own connections go, if it has any."""

    async def append(self, db: AsyncSession, new: NewReadings) -> None:
        """Add readings none of which is there; they are there when the unit of work is committed.

        Adding the same again, because a commit was never heard of, changes nothing.
        """

    async def read(
        self,
        db: AsyncSession,
        sensor_id: uuid.UUID,
        *,
        from_ms: int,
        to_ms: int,
        limit: int | None = None,
        after: tuple[int, int] | None = None,
    ) -> Readings:
        """Those of one sensor in [from_ms, to_ms), oldest first, behind the (time, sequence) `after`."""

    async def read_many(
        self, db: AsyncSession, sensor_ids: Collection[uuid.UUID], *, from_ms: int, to_ms: int
    ) -> dict[uuid.UUID, Readings]:
        """Those of several sensors in [from_ms, to_ms); a sensor without any is missing."""

    async def newest_before(
        self,
        db: AsyncSession,
        sensor_id: uuid.UUID,
        *,
        before_ms: int,
        at_most: float | None = None,
        at_least: float | None = None,
    ) -> int | None:
        """When the newest reading before `before_ms`, not bad and with a raw value within the bounds, was recorded."""
