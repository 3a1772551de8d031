"""`/api/v1/admin/analytics/performance`, `errors`, `system`: for those who run the platform."""

import time
from datetime import date, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.analytics.load import process, queries, service
from cloud_api.analytics.load.schemas import ErrorsRead, PerformanceRead, SystemRead
from cloud_api.analytics.periods import Span, check_days, year_until
from cloud_api.identity.organizations import service as organizations
from cloud_api.kernel import clock
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.permissions import require
from cloud_api.kernel.unit_of_work import Db, platform_unit_of_work

router = APIRouter(prefix="/admin/analytics", tags=["analytics"], route_class=ApiRoute)

PlatformDb = Annotated[AsyncSession, Depends(platform_unit_of_work("figures of the platform"), scope="function")]
LONGEST_DAYS = 31
_ACTIVE = timedelta(days=30)


async def asked_days(
    db: Db,
    since: Annotated[date | None, Query(alias="from", description="the first day; by default the day before")] = None,
    until: Annotated[date | None, Query(alias="to", description="the last day; by default today")] = None,
) -> Span:
    """The days that a request names, both ends included, where the organisation is.

    Raises:
        Invalid: when they end before they begin, or are too many.
    """
    last = until or await organizations.today(db)
    check_days(last, last, most=LONGEST_DAYS)
    first = since or last - timedelta(days=1)
    check_days(first, last, most=LONGEST_DAYS)
    return Span(first, last, await organizations.zone(db))


AskedDays = Annotated[Span, Depends(asked_days, scope="function")]


@router.get("/performance", response_model=PerformanceRead, dependencies=[require("analytics:system")])
async def get_request_performance(db: PlatformDb, days: AskedDays) -> PerformanceRead:
    """How long answers took (p50, p95, p99), and which share failed, by hour and by group of routes.

    Of the last ninety days, up to a minute ago; hours are whole hours of UTC, and belong to the day they begin in.
    """
    return await service.performance(db, _hour_after(days.begins), _hour_after(days.ends))


@router.get("/errors", response_model=ErrorsRead, dependencies=[require("analytics:system")])
async def get_request_errors(db: PlatformDb, days: AskedDays) -> ErrorsRead:
    """Which errors were answered how often, by type and by hour."""
    return await service.errors(db, _hour_after(days.begins), _hour_after(days.ends))


@router.get("/system", response_model=SystemRead, dependencies=[require("analytics:system")])
async def get_system_figures(request: Request, own: Db, db: PlatformDb) -> SystemRead:
    """What the platform holds, and how the process that answers is doing."""
    now, began = clock.now(), time.perf_counter()
    zone = await organizations.zone(own)
    people, active = (await db.execute(queries.people(signed_in_since=now - _ACTIVE))).tuples().one()
    year = year_until(now.astimezone(zone).date(), zone)
    told = {
        "organizations": await db.scalar(queries.organizations()),
        "people": people,
        "active_people": active,
        "live_sessions": await db.scalar(queries.live_sessions(now)),
        "stored_bytes": await db.scalar(select(queries.size_sum())),
        "growth": await service.growth(db, {span.first: span.ends for span in year.spans}),
    }
    return SystemRead.model_validate(
        {
            **told,
            "database_ms": round((time.perf_counter() - began) * 1000, 1),
            "pool": process.pool(request.app.state.database),
            "process": process.process(),
        }
    )


def _hour_after(instant: datetime) -> datetime:
    """The first full hour of UTC that is not before it."""
    hour = instant.replace(minute=0, second=0, microsecond=0)
    return hour if hour == instant else hour + timedelta(hours=1)
