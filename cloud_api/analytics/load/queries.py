"""Statements over the history of requests, and over what the platform holds."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, select
from sqlalchemy.orm import InstrumentedAttribute

from cloud_api.analytics.load.models import ErrorHour, MinuteUp, RequestHour
from cloud_api.identity.organizations.models import Organization
from cloud_api.identity.people.models import User
from cloud_api.identity.sessions.models import UserSession
from cloud_api.media.models import Media


def times(
    by: InstrumentedAttribute[datetime] | InstrumentedAttribute[str], since: datetime, until: datetime
) -> Select[tuple[Any, int, int]]:
    """(by, class, how many): how often answers took about as long."""
    counted = func.sum(RequestHour.requests)
    asked = select(by, RequestHour.bound, counted).where(RequestHour.hour >= since, RequestHour.hour < until)
    return asked.group_by(by, RequestHour.bound).order_by(by)


def failures(
    by: InstrumentedAttribute[datetime] | InstrumentedAttribute[str], since: datetime, until: datetime
) -> Select[tuple[Any, int, int]]:
    """(by, how many were refused, how many failed)."""
    failed = func.sum(case((ErrorHour.status >= 500, ErrorHour.requests), else_=0))
    refused = func.sum(case((ErrorHour.status < 500, ErrorHour.requests), else_=0))
    asked = select(by, refused, failed).where(ErrorHour.hour >= since, ErrorHour.hour < until)
    return asked.group_by(by).order_by(by)


def types(since: datetime, until: datetime, *, limit: int) -> Select[tuple[int, str, str, int]]:
    """(status, code, area, how many), the most frequent first."""
    counted = func.sum(ErrorHour.requests)
    kinds = (ErrorHour.status, ErrorHour.code, ErrorHour.area)
    asked = select(*kinds, counted).where(ErrorHour.hour >= since, ErrorHour.hour < until)
    return asked.group_by(*kinds).order_by(counted.desc(), *kinds).limit(limit)


def minutes_up(since: datetime, until: datetime) -> Select[tuple[datetime | None, int]]:
    """(the first minute that is known of all, how many of those asked for the platform was up)."""
    its = select(func.count()).where(MinuteUp.minute >= since, MinuteUp.minute < until).scalar_subquery()
    return select(func.min(MinuteUp.minute), its)


def people(*, signed_in_since: datetime) -> Select[tuple[int, int]]:
    """(active accounts, those of them who signed in since)."""
    seen = func.sum(case((User.last_signed_in_at >= signed_in_since, 1), else_=0))
    return select(func.count(), func.coalesce(seen, 0)).where(User.status == "active", User.deleted_at.is_(None))


def live_sessions(now: datetime) -> Select[tuple[int]]:
    """How many sign-ins are in force."""
    return select(func.count(UserSession.id)).where(UserSession.revoked_at.is_(None), UserSession.expires_at > now)


def size_sum() -> ColumnElement[int]:
    """What files take."""
    return func.coalesce(func.sum(Media.size_bytes), 0)


def organizations() -> Select[tuple[int]]:
    """How many are open."""
    return select(func.count(Organization.id)).where(Organization.is_active)


def there_at(moments: list[datetime]) -> list[Select[tuple[int, int]]]:
    """(organisations, people) that had come by each of these moments, and are still there."""
    return [
        select(
            select(func.count(Organization.id))
            .where(Organization.is_active, Organization.created_at < moment)
            .scalar_subquery(),
            select(func.count(User.id)).where(User.deleted_at.is_(None), User.created_at < moment).scalar_subquery(),
        )
        for moment in moments
    ]
