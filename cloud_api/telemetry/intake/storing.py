"""Storing the new readings of several gateways at once: the rows, each series' state, its hours and days."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel import clock
from cloud_api.telemetry.intake.memory import KnownGateway
from cloud_api.telemetry.judges import StoredSeries
from cloud_api.telemetry.rollups import NEVER, Arrivals, Integers, Table, advance
from cloud_api.telemetry.stores.keeping import keep_series
from cloud_api.telemetry.stores.port import NewReadings, ReadingStore

#: above it, sorting by a small integer is no quicker than by any
_SMALL = 2**16


@dataclass(slots=True)
class Share:
    """What one gateway adds, in the order of its lane; arrays of shape (n,)."""

    known: KnownGateway
    #: index into `known.sensors`
    which: Integers
    times_ms: Integers
    #: as they are stored
    sequences: Integers
    values: npt.NDArray[np.float64]
    qualities: npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a share."""

    series: Sequence[StoredSeries]
    #: the state of these sensors, to be remembered once it is committed
    sensors: Integers
    state: Table


async def store_readings(
    db: AsyncSession, organization_id: uuid.UUID, shares: Sequence[Share], store: ReadingStore
) -> list[Stored]:
    """Add the readings, none of which is there; their gateways are locked, each has one share of at least one row."""
    used, places, begins = [], [], [0]
    for share in shares:
        sensors, which = _used(share)
        used.append(sensors)
        places.append(which + begins[-1])
        begins.append(begins[-1] + len(sensors))
    state = np.concatenate([share.known.state[sensors] for share, sensors in zip(shares, used, strict=True)])
    place = np.concatenate(places)
    order = np.argsort(place.astype(np.uint16) if len(state) < _SMALL else place, kind="stable")
    new = Arrivals(
        place[order],
        np.concatenate([share.times_ms for share in shares])[order],
        np.concatenate([share.values for share in shares])[order],
        np.concatenate([share.qualities for share in shares])[order],
    )
    sequences = np.concatenate([share.sequences for share in shares])[order]
    before_ms = state["last_ms"].tolist()
    closed = advance(state, new, heard_ms=clock.now_ms())
    await store.append(db, NewReadings(state["number"][new.which], new.times_ms, sequences, new.values, new.qualities))
    await keep_series(db, organization_id, state, closed)
    ends = np.cumsum(np.bincount(new.which, minlength=len(state))).tolist()
    return [
        Stored(_stored(share, sensors, new, begin, before_ms, ends), sensors, state[begin : begin + len(sensors)])
        for share, sensors, begin in zip(shares, used, begins, strict=False)
    ]


def _used(share: Share) -> tuple[Integers, Integers]:
    """(the sensors that have a row, of each row the index into these)."""
    has_row = np.zeros(len(share.known.sensors), np.bool_)
    has_row[share.which] = True
    sensors = np.flatnonzero(has_row)
    place = np.empty(len(has_row), np.int64)
    place[sensors] = np.arange(len(sensors))
    return sensors, place[share.which]


def _stored(
    share: Share, sensors: Integers, new: Arrivals, begin: int, before_ms: list[int], ends: list[int]
) -> list[StoredSeries]:
    stored = []
    for at, number in enumerate(sensors.tolist(), start=begin):
        sensor, rows = share.known.sensors[number], slice(ends[at - 1] if at else 0, ends[at])
        times_ms, known_through_ms = new.times_ms[rows], before_ms[at] if before_ms[at] != NEVER else None
        values = sensor.correct(times_ms, new.values[rows])
        stored.append(StoredSeries(sensor, times_ms, values, new.qualities[rows], known_through_ms))
    return stored
