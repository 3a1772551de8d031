"""How the platform is doing: answers' times, errors, and what it holds."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from cloud_api.analytics.load import queries
from cloud_api.analytics.load.models import ErrorHour, RequestHour
from cloud_api.analytics.load.percentiles import percentile_ms
from cloud_api.analytics.load.schemas import (
    AreaRead,
    ErrorHourRead,
    ErrorsRead,
    ErrorType,
    GrowthRead,
    HourRead,
    PerformanceRead,
    Times,
    UptimeRead,
)
from cloud_api.kernel import clock

_MOST_TYPES = 100
#: of the minutes the platform is to be up
UPTIME_GOAL = 0.999
_MINUTE = timedelta(minutes=1)
_Hour = InstrumentedAttribute[datetime]
_Area = InstrumentedAttribute[str]


async def performance(db: AsyncSession, since: datetime, until: datetime) -> PerformanceRead:
    """What requests took between two moments, by hour and by group of routes."""
    by_hour = await _counts(db, RequestHour.hour, since, until)
    by_area = await _counts(db, RequestHour.area, since, until)
    failed_hours = await _failed(db, ErrorHour.hour, since, until)
    failed_areas = await _failed(db, ErrorHour.area, since, until)
    areas = [AreaRead(area=area, **_times(counts, failed_areas.get(area, 0))) for area, counts in by_area.items()]
    return PerformanceRead(
        since=since,
        until=until,
        uptime=await _uptime(db, since, until),
        total=Times(**_times(_together(by_hour.values()), sum(failed_hours.values()))),
        hours=[HourRead(hour=hour, **_times(counts, failed_hours.get(hour, 0))) for hour, counts in by_hour.items()],
        areas=sorted(areas, key=lambda area: (-area.requests, area.area)),
    )


async def errors(db: AsyncSession, since: datetime, until: datetime) -> ErrorsRead:
    """What was refused and what failed between two moments, by kind and by hour."""
    by_hour = (await db.execute(queries.failures(ErrorHour.hour, since, until))).tuples().all()
    kinds = (await db.execute(queries.types(since, until, limit=_MOST_TYPES))).tuples()
    asked = sum(sum(counts.values()) for counts in (await _counts(db, RequestHour.area, since, until)).values())
    failed = sum(failed for _, _, failed in by_hour)
    return ErrorsRead(
        since=since,
        until=until,
        requests=asked,
        refused=sum(refused for _, refused, _ in by_hour),
        failed=failed,
        error_rate=round(failed / asked, 6) if asked else None,
        types=[ErrorType(status=status, code=code, area=area, requests=n) for status, code, area, n in kinds],
        hours=[ErrorHourRead.model_validate({"hour": hour, "refused": no, "failed": bad}) for hour, no, bad in by_hour],
    )


async def growth(db: AsyncSession, months: Mapping[date, datetime]) -> list[GrowthRead]:
    """How much there was at the end of each month.

    Args:
        months: their first days, and when each was over.
    """
    found = [(await db.execute(asked)).tuples().one() for asked in queries.there_at([*months.values()])]
    return [
        GrowthRead(month=month, organizations=organizations, people=people)
        for month, (organizations, people) in zip(months, found, strict=True)
    ]


async def _uptime(db: AsyncSession, since: datetime, until: datetime) -> UptimeRead:
    first, up = (await db.execute(queries.minutes_up(since, until))).tuples().one()
    begins = since if first is None else max(since, first)
    ends = min(until, clock.now().replace(second=0, microsecond=0) + _MINUTE)
    minutes = 0 if first is None else max(0, (ends - begins) // _MINUTE)
    return UptimeRead(
        minutes=minutes,
        minutes_down=max(0, minutes - up),
        share=round(min(1.0, up / minutes), 6) if minutes else None,
        goal=UPTIME_GOAL,
        budget_minutes=round(minutes * (1 - UPTIME_GOAL), 1),
    )


async def _counts(db: AsyncSession, by: _Hour | _Area, since: datetime, until: datetime) -> dict[Any, dict[int, int]]:
    found: dict[Any, dict[int, int]] = defaultdict(dict)
    for one, bound, requests in (await db.execute(queries.times(by, since, until))).tuples():
        found[one][bound] = int(requests)
    return found


async def _failed(db: AsyncSession, by: _Hour | _Area, since: datetime, until: datetime) -> dict[Any, int]:
    found = (await db.execute(queries.failures(by, since, until))).tuples()
    return {one: int(failed) for one, _, failed in found}


def _together(parts: Iterable[Mapping[int, int]]) -> dict[int, int]:
    whole: dict[int, int] = defaultdict(int)
    for part in parts:
        for bound, requests in part.items():
            whole[bound] += requests
    return whole


def _times(counts: Mapping[int, int], failed: int) -> dict[str, Any]:
    asked = sum(counts.values())
    return {
        "requests": asked,
        "p50_ms": percentile_ms(counts, 0.5),
        "p95_ms": percentile_ms(counts, 0.95),
        "p99_ms": percentile_ms(counts, 0.99),
        "failed": failed,
        "error_rate": round(failed / asked, 6) if asked else None,
    }
