"""What is missing of what a gateway numbered: by lane, by sequence, by sensor.

Counting is exact and cheap: of every sequence at or below a lane's cursor the row was stored, refused by name, told of
by a gap, or it is missing. `readings` and `backlog` are numbered together, so they are one account. Which sequences
are missing is looked up on demand, and only among readings, over a stretch of time: a hole is what no reading of the
stretch fills.
"""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.devices.heartbeats.models import GatewayHeartbeat
from cloud_api.devices.models import Sensor
from cloud_api.devices.queries import visible_sensors
from cloud_api.kernel import clock
from cloud_api.places.queries import Visible
from cloud_api.telemetry.intake.reading_rows import SEQUENCES
from cloud_api.telemetry.models import LaneCursor, ReadingGap, SensorSeries
from cloud_api.telemetry.series.service import GRACE_MS
from cloud_api.telemetry.series.streams import expected_ms
from cloud_api.telemetry.stores.port import ReadingStore

#: at most so many holes, reported gaps and silent sensors are listed
MOST = 200
_HOUR_MS = 3_600_000
#: a reading may be numbered while one is that was recorded so much earlier or later
_AROUND_MS = _HOUR_MS
_NUMBERED_TOGETHER = frozenset({"readings", "backlog"})


@dataclass(frozen=True, slots=True)
class Account:
    """What became of the sequences of one spool's lane; of `readings` those of `backlog` among them."""

    epoch: str
    lane: str
    #: the highest sequence that is settled
    acked_through: int
    accepted: int
    refused: int
    #: that gaps tell of, thinned out or lost
    told: int
    #: numbered, and neither stored nor refused nor told of
    missing: int
    #: of these so many may still come: they wait in the gateway's backlog, says its last heartbeat
    waiting: int


@dataclass(frozen=True, slots=True)
class Hole:
    """Sequences of readings that nothing fills and no gap tells of; rows refused by name are among them."""

    epoch: str
    first: int
    last: int
    #: it may still come
    waiting: bool


@dataclass(frozen=True, slots=True)
class Silence:
    """A sensor whose next reading is overdue."""

    sensor_id: uuid.UUID
    location_id: uuid.UUID | None
    code: str
    quantity: str
    #: when we heard it last, and of what moment; None: never
    heard_at_ms: int | None
    last_recorded_at_ms: int | None
    #: how far its readings should be apart; None: nobody knows
    expected_ms: int | None


@dataclass(frozen=True, slots=True)
class _Spool:
    """All that one epoch of a gateway has numbered together."""

    cursors: Sequence[LaneCursor]
    gaps: Sequence[ReadingGap]
    #: rows that wait in the gateway's backlog
    backlog_rows: int

    @property
    def through(self) -> int:
        return max(cursor.acked_through for cursor in self.cursors)

    @property
    def is_of_readings(self) -> bool:
        return self.cursors[0].lane in _NUMBERED_TOGETHER

    def account(self) -> Account:
        accepted, refused = (sum(getattr(cursor, name) for cursor in self.cursors) for name in ("accepted", "refused"))
        told = sum(_told_by(gap, self.through) for gap in self.gaps)
        missing = max(0, self.through - accepted - refused - told)
        waiting = min(missing, self.backlog_rows) if self.is_of_readings else 0
        lane = "readings" if self.is_of_readings else self.cursors[0].lane
        return Account(self.cursors[0].epoch, lane, self.through, accepted, refused, told, missing, waiting)

    def comes_still(self, sequence: int) -> bool:
        """The backlog is sent in order: what is above its cursor may come."""
        behind = [cursor.acked_through for cursor in self.cursors if cursor.lane == "backlog"]
        return self.backlog_rows > 0 and sequence > max(behind, default=0)


async def accounts_of(
    db: AsyncSession, gateway_id: uuid.UUID, *, store: ReadingStore, from_ms: int, to_ms: int
) -> tuple[list[Account], list[Hole]]:
    """Every lane's account, and the holes among readings recorded in [from_ms, to_ms); none is looked for in vain."""
    spools = await _spools_of(db, gateway_id)
    accounts = [spool.account() for spool in spools]
    incomplete = [
        spool
        for spool, account in zip(spools, accounts, strict=True)
        if spool.is_of_readings and account.missing + account.refused > 0
    ]
    holes: list[Hole] = []
    if incomplete:
        inside, around = await _stored(db, gateway_id, store, from_ms, to_ms)
        for spool in incomplete:
            holes += _holes(spool, inside, around)
    return accounts, holes[:MOST]


async def told_gaps(db: AsyncSession, gateway_id: uuid.UUID, *, from_ms: int, to_ms: int) -> Sequence[ReadingGap]:
    """What the gateway says it has lost of [from_ms, to_ms), the last told first."""
    its = (ReadingGap.gateway_id == gateway_id, ReadingGap.to_ms >= from_ms, ReadingGap.from_ms < to_ms)
    return (await db.scalars(select(ReadingGap).where(*its).order_by(ReadingGap.id.desc()).limit(MOST))).all()


async def silent_sensors(db: AsyncSession, gateway_id: uuid.UUID, *, seen: Visible) -> list[Silence]:
    """Active sensors of a gateway whose next reading is overdue by ten seconds; never heard ones first, then by age.

    Readers and scales speak when something happens, and are never silent.
    """
    rows = await db.execute(
        select(Sensor, SensorSeries)
        .outerjoin(SensorSeries, SensorSeries.sensor_id == Sensor.id)
        .where(
            Sensor.gateway_id == gateway_id,
            Sensor.status == "active",
            Sensor.quantity.not_in(("tag", "weight")),
            visible_sensors(seen),
        )
    )
    found, now_ms = [], clock.now_ms()
    for sensor, series in rows:
        recorded_ms = series.last_recorded_at_ms if series else None
        heard_ms = series.heard_at_ms if series and series.heard_at_ms is not None else recorded_ms
        due_ms = expected_ms(sensor.interval_s, series.cadence_ms if series else None)
        if heard_ms is None or (due_ms is not None and now_ms - heard_ms > due_ms + GRACE_MS):
            found.append(
                Silence(sensor.id, sensor.location_id, sensor.code, sensor.quantity, heard_ms, recorded_ms, due_ms)
            )
    return sorted(found, key=lambda one: (one.heard_at_ms or 0, one.code, one.quantity))[:MOST]


async def _spools_of(db: AsyncSession, gateway_id: uuid.UUID) -> list[_Spool]:
    """By number of the first lane."""
    newest = select(GatewayHeartbeat).where(GatewayHeartbeat.gateway_id == gateway_id)
    heartbeat = (await db.scalars(newest.order_by(GatewayHeartbeat.recorded_at.desc()).limit(1))).one_or_none()
    cursors: dict[tuple[str, str], list[LaneCursor]] = defaultdict(list)
    for cursor in await db.scalars(
        select(LaneCursor).where(LaneCursor.gateway_id == gateway_id).order_by(LaneCursor.number)
    ):
        cursors[cursor.epoch, _account_of(cursor.lane)].append(cursor)
    gaps: dict[tuple[str, str], list[ReadingGap]] = defaultdict(list)
    for gap in await db.scalars(select(ReadingGap).where(ReadingGap.gateway_id == gateway_id)):
        gaps[gap.epoch, _account_of(gap.lane)].append(gap)
    return [
        _Spool(its, gaps[key], _backlog_rows(heartbeat) if heartbeat and heartbeat.epoch == key[0] else 0)
        for key, its in cursors.items()
    ]


def _account_of(lane: str) -> str:
    return "readings" if lane in _NUMBERED_TOGETHER else lane


def _backlog_rows(heartbeat: GatewayHeartbeat) -> int:
    waiting = heartbeat.details.get("waiting")
    rows = waiting.get("backlog", 0) if isinstance(waiting, dict) else 0
    return rows if isinstance(rows, int) else 0


def _told_by(gap: ReadingGap, through: int) -> int:
    """How many sequences up to `through` a gap tells of; all in its range where it does not say how many are gone."""
    in_range = max(0, min(gap.last_sequence, through) - gap.first_sequence + 1)
    return min(in_range, gap.rows_gone or in_range)


async def _stored(
    db: AsyncSession, gateway_id: uuid.UUID, store: ReadingStore, from_ms: int, to_ms: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The stored sequences of a gateway's readings in [from_ms, to_ms), and a while before and after too; rising."""
    sensor_ids = (await db.scalars(select(Sensor.id).where(Sensor.gateway_id == gateway_id))).all()
    inside, around = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for begins_ms in range(from_ms - _AROUND_MS, to_ms + _AROUND_MS, _HOUR_MS):
        ends_ms = min(begins_ms + _HOUR_MS, to_ms + _AROUND_MS)
        for found in (await store.read_many(db, sensor_ids, from_ms=begins_ms, to_ms=ends_ms)).values():
            around.append(found.sequences)
            inside.append(found.sequences[(found.times_ms >= from_ms) & (found.times_ms < to_ms)])
    return np.unique(np.concatenate(inside)), np.unique(np.concatenate(around))


def _holes(spool: _Spool, inside: npt.NDArray[np.int64], around: npt.NDArray[np.int64]) -> Iterator[Hole]:
    mine = _of_lanes(inside, {cursor.number for cursor in spool.cursors})
    if not len(mine):
        return
    known = _of_lanes(around, {cursor.number for cursor in spool.cursors})
    known = known[(known >= mine[0]) & (known <= mine[-1])]
    told = sorted((gap.first_sequence, gap.last_sequence) for gap in spool.gaps)
    for at in np.flatnonzero(np.diff(known) > 1):
        for first, last in _outside(int(known[at]) + 1, int(known[at + 1]) - 1, told):
            yield Hole(spool.cursors[0].epoch, first, last, waiting=spool.comes_still(first))


def _of_lanes(sequences: npt.NDArray[np.int64], numbers: Collection[int]) -> npt.NDArray[np.int64]:
    """Those that these lanes have numbered, as the wire counts them; rising."""
    theirs: npt.NDArray[np.int64] = np.unique(sequences[np.isin(sequences // SEQUENCES, [*numbers])] % SEQUENCES)
    return theirs


def _outside(first: int, last: int, told: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """What of [first, last] none of the ranges, which rise, holds."""
    for begins, ends in told:
        if begins > last:
            break
        if begins > first:
            yield first, min(begins - 1, last)
        first = max(first, ends + 1)
    if first <= last:
        yield first, last
