"""How an organisation uses the platform: people, sign-ins, where its requests come from, and what its files take."""

from datetime import datetime, timedelta

from sqlalchemy import CTE, Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.analytics.business.schemas import NewPeople, StorageStep, SurfaceShare, UsageRead
from cloud_api.analytics.business.service import steps_of, told_of
from cloud_api.analytics.load import queries as load
from cloud_api.analytics.load.models import SurfaceQuarter
from cloud_api.analytics.periods import Period, spans_of, within, year_until
from cloud_api.identity.people.models import User
from cloud_api.kernel import clock
from cloud_api.media.models import Media


async def usage(db: AsyncSession, period: Period, *, active_days: int) -> UsageRead:
    """Of a period; people, sign-ins and files as they are now.

    Args:
        active_days: who signed in within so many days is active.
    """
    now = clock.now()
    people, active = (await db.execute(load.people(signed_in_since=now - timedelta(days=active_days)))).tuples().one()
    year = year_until(period.last, period.zone)
    new = {step: n for step, n in (await db.execute(_new_people(spans_of(year)))).tuples()}
    surfaces = (await db.execute(_surfaces(period.begins, period.ends))).tuples().all()
    asked = sum(int(n) for _, n in surfaces)
    storage = await _storage(db, period)
    files, size = (await db.execute(select(func.count(Media.id), load.size_sum()))).tuples().one()
    return UsageRead(
        **told_of(period),
        people=people,
        active_days=active_days,
        active_people=active,
        live_sessions=await db.scalar(load.live_sessions(now)) or 0,
        new_people=[NewPeople(month=span.first, people=new[number]) for number, span in enumerate(year.spans)],
        requests=asked,
        surfaces=[SurfaceShare(surface=one, requests=int(n), share=round(int(n) / asked, 4)) for one, n in surfaces],
        stored_bytes=int(size),
        stored_files=files,
        storage=storage,
    )


async def _storage(db: AsyncSession, period: Period) -> list[StorageStep]:
    """What the files that are there now took at the end of each step."""
    earlier = select(func.count(Media.received_at), load.size_sum()).where(Media.received_at < period.begins)
    files, size = (await db.execute(earlier)).tuples().one()
    came = {step: (n, part) for step, n, part in (await db.execute(_received(spans_of(period)))).tuples()}
    told = []
    for number, days in steps_of(period):
        files, size = files + came[number][0], size + came[number][1]
        told.append(StorageStep(**days, bytes=int(size), files=files))
    return told


def _new_people(spans: CTE) -> Select[tuple[int, int]]:
    """(step, accounts made in it)."""
    joined = select(spans.c.number, func.count(User.id)).select_from(spans)
    return joined.outerjoin(User, within(spans, User.created_at)).group_by(spans.c.number)


def _received(spans: CTE) -> Select[tuple[int, int, int]]:
    """(step, files that came in it, their bytes)."""
    joined = select(spans.c.number, func.count(Media.received_at), load.size_sum()).select_from(spans)
    return joined.outerjoin(Media, within(spans, Media.received_at)).group_by(spans.c.number)


def _surfaces(since: datetime, until: datetime) -> Select[tuple[str, int]]:
    """(surface, requests), the most first."""
    counted = func.sum(SurfaceQuarter.requests)
    asked = select(SurfaceQuarter.surface, counted)
    asked = asked.where(SurfaceQuarter.begins_at >= since, SurfaceQuarter.begins_at < until)
    return asked.group_by(SurfaceQuarter.surface).order_by(counted.desc(), SurfaceQuarter.surface)
