"""Deleting what has been kept for its time: readings first, then hours, then days, and nothing that is held.

A little in each unit of work: some series of one class, some weeks of each. No lock of the ingest is taken; what makes
a legal hold waits for the piece at hand, and the next piece sees it. What was deleted stands in the audit trail, in
the same transaction.
"""

import asyncio
import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import ColumnElement, ScalarSelect, delete, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.audit.service import record
from cloud_api.identity.organizations.models import Organization
from cloud_api.kernel import clock
from cloud_api.kernel.db import Database
from cloud_api.kernel.tenancy import Actor, OrganizationScope, SystemScope
from cloud_api.telemetry.models import ReadingChunk, ReadingDay, ReadingHour, SensorSeries
from cloud_api.telemetry.retention import queries
from cloud_api.telemetry.retention.queries import STANDARD, Held, Kept
from cloud_api.telemetry.retention.service import lock_deletion
from cloud_api.telemetry.stores.pieces import DAY_MS
from cloud_api.telemetry.stores.sealing import oldest_row, take_rows

log = structlog.get_logger(__name__)

_POLL_S = 3600.0
#: of one unit of work: series, and days of each
_SERIES, _DAYS = 50, 31
#: a month that late readings still come for is not dropped to be made again
_MONTH_OVER_DAYS = 62
#: for which everybody who adds or reads may wait when a month is dropped
_LONGEST_WAIT_MS = 200
_EXPIRY = Actor("worker", None, "telemetry.expiry")
_Tier = type[ReadingChunk | ReadingHour | ReadingDay]


@dataclass(frozen=True, slots=True)
class Aged:
    """A series that has something older than it need be."""

    sensor_id: uuid.UUID
    number: int
    oldest_ms: int


@dataclass(frozen=True, slots=True)
class Ends:
    """Before what moment what is deleted; None: nothing."""

    raw_ms: int | None
    hours_ms: int | None
    days_ms: int | None

    @property
    def latest_ms(self) -> int | None:
        """Before it something may be deleted."""
        return max((end for end in (self.raw_ms, self.hours_ms, self.days_ms) if end is not None), default=None)


@dataclass(slots=True)
class Gone:
    """How many rows were deleted."""

    readings: int = 0
    hours: int = 0
    days: int = 0

    def __bool__(self) -> bool:
        return bool(self.readings or self.hours or self.days)


class ReadingExpiry:
    """Deletes what has been kept for its time. Any number may run beside each other."""

    def __init__(self, database: Database, *, poll_s: float = _POLL_S) -> None:
        self._database = database
        self._poll_s = poll_s

    async def run(self) -> None:
        """Go round until cancelled; a database that does not answer is asked again."""
        while True:
            try:
                await self.expire_due()
                await self.drop_months()
            except (SQLAlchemyError, OSError) as error:
                log.warning("reading_expiry_failed", error=str(error))
            await asyncio.sleep(self._poll_s)

    async def drop_months(self) -> list[str]:
        """Drop the months of `readings` (PostgreSQL) that are over and empty: sealed, or expired. Returns their names.

        Whoever adds or reads readings waits a moment at most; when it would be longer, the month waits.

        Raises:
            DBAPIError: when somebody used the readings for longer.
        """
        dropped: list[str] = []
        while not self._database.is_sqlite:
            async with self._database.unit_of_work(SystemScope("drop empty months of readings")) as db:
                connection = await db.connection()
                await connection.exec_driver_sql(f"SET LOCAL lock_timeout = {_LONGEST_WAIT_MS}")
                over_ms = clock.now_ms() - _MONTH_OVER_DAYS * DAY_MS
                month = await connection.scalar(select(func.drop_empty_readings_month(over_ms)))
            if month is None:
                break
            dropped.append(month)
        return dropped

    async def expire_due(self) -> int:
        """Delete what is due, of every organisation. Returns how many readings, hours and days that were."""
        async with self._database.unit_of_work(SystemScope("find organisations with readings"), read_only=True) as db:
            organizations = (await db.scalars(select(Organization.id).order_by(Organization.id))).all()
        gone = 0
        for organization_id in organizations:
            try:
                gone += await self._expire_of(OrganizationScope(organization_id))
            except SQLAlchemyError as error:  # one organisation must not hold up the others
                log.warning("readings_not_expired", organization_id=str(organization_id), error=str(error))
        return gone

    async def _expire_of(self, scope: OrganizationScope) -> int:
        async with self._database.unit_of_work(scope, read_only=True) as db:
            aged = await _find_aged(db)
        gone = 0
        for kept, series in aged.items():
            for some, from_ms, to_ms in _pieces(series, ends_of(kept).latest_ms):
                async with self._database.unit_of_work(scope, actor=_EXPIRY) as db:
                    if not await lock_deletion(db, unless_busy=True):
                        return gone  # another worker is at it
                    deleted = await _delete(db, some, kept, await queries.held(db), from_ms, to_ms)
                    gone += deleted.readings + deleted.hours + deleted.days
        return gone


def ends_of(kept: Kept) -> Ends:
    """Whole days (UTC) that are older than the class keeps them."""
    today_ms = clock.now_ms() // DAY_MS * DAY_MS

    def end(days: int | None) -> int | None:
        return None if days is None else today_ms - days * DAY_MS

    return Ends(end(kept.raw_days), end(kept.hours_days), end(kept.days_days))


async def _find_aged(db: AsyncSession) -> dict[Kept, list[Aged]]:
    """The series of each class with something due, held or not."""
    classes = await queries.classes_of_sensors(db)
    raw, sealed = oldest_row(), _oldest(ReadingChunk)
    rows = await db.execute(
        select(SensorSeries.sensor_id, SensorSeries.number, raw, sealed, _oldest(ReadingHour), _oldest(ReadingDay))
    )
    found: dict[Kept, list[Aged]] = defaultdict(list)
    for sensor_id, number, row_ms, chunk_ms, hour_ms, day_ms in rows:
        kept = classes.get(sensor_id, STANDARD)
        ends = ends_of(kept)
        pairs = ((row_ms, ends.raw_ms), (chunk_ms, ends.raw_ms), (hour_ms, ends.hours_ms), (day_ms, ends.days_ms))
        due = [oldest for oldest, end in pairs if oldest is not None and end is not None and oldest < end]
        if due:
            found[kept].append(Aged(sensor_id, number, min(due)))
    return found


def _oldest(tier: _Tier) -> ScalarSelect[int]:
    return (
        select(tier.begins_ms)
        .where(tier.series == SensorSeries.number)
        .order_by(tier.begins_ms)
        .limit(1)
        .correlate(SensorSeries)
        .scalar_subquery()
    )


def _pieces(series: Sequence[Aged], end_ms: int | None) -> Iterator[tuple[Sequence[Aged], int, int]]:
    """What one unit of work takes on: some series, and [from, to) of them."""
    by_age = sorted(series, key=lambda one: one.oldest_ms)
    for first in range(0, len(by_age), _SERIES):
        some = by_age[first : first + _SERIES]
        begin_ms = some[0].oldest_ms // DAY_MS * DAY_MS
        for from_ms in range(begin_ms, end_ms or begin_ms, _DAYS * DAY_MS):
            yield some, from_ms, from_ms + _DAYS * DAY_MS


async def _delete(db: AsyncSession, series: Sequence[Aged], kept: Kept, held: Held, from_ms: int, to_ms: int) -> Gone:
    """Delete of [from, to) what is due and not held, and say so in the trail."""
    ends, gone = ends_of(kept), Gone()
    for numbers, begin_ms, end_ms in _free(series, held, from_ms, to_ms, ends.raw_ms):
        sealed = delete(ReadingChunk).where(*_in(ReadingChunk, numbers, begin_ms, end_ms)).returning(ReadingChunk.count)
        gone.readings += sum((await db.scalars(sealed)).all())
        gone.readings += sum(map(len, (await take_rows(db, numbers, begin_ms, end_ms)).values()))
    for numbers, begin_ms, end_ms in _free(series, held, from_ms, to_ms, ends.hours_ms):
        gone.hours += await _delete_tier(db, ReadingHour, numbers, begin_ms, end_ms)
    for numbers, begin_ms, end_ms in _free(series, held, from_ms, to_ms, ends.days_ms):
        gone.days += await _delete_tier(db, ReadingDay, numbers, begin_ms, end_ms)
    if gone:
        record(
            db,
            action="readings.expired",
            entity="retention_classes",
            entity_id=kept.name,
            old={
                "readings": gone.readings,
                "hours": gone.hours,
                "days": gone.days,
                "sensors": len(series),
                "from": clock.from_ms(from_ms),
                "to": clock.from_ms(min(to_ms, ends.latest_ms or to_ms)),
            },
            note=f"kept: readings {_said(kept.raw_days)}, hours {_said(kept.hours_days)}, days {_said(kept.days_days)}",
        )
    return gone


def _free(
    series: Sequence[Aged], held: Held, from_ms: int, to_ms: int, end_ms: int | None
) -> Iterator[tuple[list[int], int, int]]:
    """Series with the same stretch of time that may go; most have nothing held, and go together."""
    together: dict[tuple[int, int], list[int]] = defaultdict(list)
    for one in series:
        for stretch in held.free(one.sensor_id, from_ms, min(to_ms, from_ms if end_ms is None else end_ms)):
            together[stretch].append(one.number)
    for (begin, end), numbers in together.items():
        yield numbers, begin, end


async def _delete_tier(db: AsyncSession, tier: _Tier, numbers: list[int], begin_ms: int, end_ms: int) -> int:
    gone = delete(tier).where(*_in(tier, numbers, begin_ms, end_ms)).returning(tier.begins_ms)
    return len((await db.scalars(gone)).all())


def _in(tier: _Tier, numbers: list[int], begin_ms: int, end_ms: int) -> tuple[ColumnElement[bool], ...]:
    return tier.series.in_(numbers), tier.begins_ms >= begin_ms, tier.begins_ms < end_ms


def _said(days: int | None) -> str:
    return "for ever" if days is None else f"{days} days"
