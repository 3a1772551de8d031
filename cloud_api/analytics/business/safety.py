"""How safe an organisation's accounts are: a score that says what it is made of, and what happened lately.

The score is 100 points, less what is wrong:

========== ====== =================================================================================================
part       points taken off in full when
========== ====== =================================================================================================
second_factors 30 nobody who has an account has a second factor; in part by the share of those who have none
open_events    25 security events are open that weigh so much: critical 12, high 6, medium 2, low 0.5 each
keys           15 every key and client has not been used for 90 days; in part by their share
passwords      10 every password is older than a year; in part by the share (who signs in elsewhere has none)
accounts       10 nobody signed in for 90 days; in part by the share of accounts that sleep so long
sign_ins       10 sign-ins failed in the period five times as often as there are people, or more; in part by that
========== ====== =================================================================================================

Where there is nothing of a kind, as no keys, its points stand.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import CTE, ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.analytics.business.schemas import ChangeRead, Compared, SafetyPart, SafetyRead, SeverityStep
from cloud_api.analytics.business.service import steps_of, told_of
from cloud_api.analytics.periods import BEFORE, Period, growth, spans_of, within
from cloud_api.audit.models import AuditEntry, SecurityEvent, Severity
from cloud_api.identity.machines.models import ApiKey, OAuthClient
from cloud_api.identity.people.models import User
from cloud_api.identity.sessions.models import SecondFactor
from cloud_api.kernel import clock

_STALE = timedelta(days=90)
_OLD_PASSWORD = timedelta(days=365)
_WEIGHTS: Mapping[Severity, float] = {"critical": 12.0, "high": 6.0, "medium": 2.0, "low": 0.5}
_GRAVE: tuple[Severity, ...] = ("critical", "high")
_MOST_FAILURES_EACH = 5
_LAST_CHANGES = 10


async def safety(db: AsyncSession, period: Period, *, with_changes: bool) -> SafetyRead:
    """The score of now, events of a period, and the last changes.

    Args:
        with_changes: whoever asks may read the audit trail.
    """
    now = clock.now()
    still_open = {severity: n for severity, n in (await db.execute(_open_events())).tuples()}
    parts = await _parts(db, period, now, still_open)
    counted = (await db.execute(_by_severity(spans_of(period, with_before=True)))).tuples().all()
    by_step: dict[int, dict[str, int]] = {}
    for step, severity, n in counted:
        by_step.setdefault(step, {})[severity or "low"] = n
    before = sum(by_step[BEFORE].values())
    during = sum(sum(one.values()) for step, one in by_step.items() if step != BEFORE)
    return SafetyRead(
        **told_of(period),
        score=round(sum(part.points for part in parts)),
        threats=sum(still_open.values()),
        grave_threats=sum(still_open.get(severity, 0) for severity in _GRAVE),
        parts=parts,
        events=Compared(value=during, before=before, growth=growth(during, before)),
        steps=[
            SeverityStep(**days, **{severity: by_step[number].get(severity, 0) for severity in _WEIGHTS})
            for number, days in steps_of(period)
        ],
        changes=await _last_changes(db) if with_changes else None,
    )


async def _parts(
    db: AsyncSession, period: Period, now: datetime, still_open: Mapping[Severity, int]
) -> list[SafetyPart]:
    people, without, sleeping, old = (await db.execute(_people(now))).tuples().one()
    failed = await db.scalar(_failed_sign_ins(period)) or 0
    keys, stale = 0, 0
    for asked in (_keys(now), _clients(now)):
        some, unused = (await db.execute(asked)).tuples().one()
        keys, stale = keys + some, stale + unused
    weight = sum(_WEIGHTS[severity] * n for severity, n in still_open.items())
    return [
        _part("second_factors", 30, without, people),
        SafetyPart(
            name="open_events",
            points=max(0.0, 25 - weight),
            most_points=25,
            count=sum(still_open.values()),
            of=sum(still_open.values()),
        ),
        _part("keys", 15, stale, keys),
        _part("passwords", 10, old, people),
        _part("accounts", 10, sleeping, people),
        _part("sign_ins", 10, failed, people, full_at=_MOST_FAILURES_EACH),
    ]


def _part(name: str, most: int, wrong: int, of: int, *, full_at: int = 1) -> SafetyPart:
    share = min(1.0, wrong / (of * full_at)) if of else 0.0
    return SafetyPart(name=name, points=round(most * (1 - share), 1), most_points=most, count=wrong, of=of)


def _people(now: datetime) -> Select[tuple[int, int, int, int]]:
    """(accounts, those without a second factor, those that sleep, those with an old password)."""
    confirmed = (SecondFactor.user_id == User.id, SecondFactor.confirmed_at.is_not(None))
    has_factor = select(SecondFactor.id).where(*confirmed).exists()
    sleeps = func.coalesce(User.last_signed_in_at, User.created_at) < now - _STALE
    is_old = and_(
        User.password_hash != "", func.coalesce(User.password_changed_at, User.created_at) < now - _OLD_PASSWORD
    )
    return select(func.count(User.id), _count(~has_factor), _count(sleeps), _count(is_old)).where(
        User.status == "active", User.deleted_at.is_(None)
    )


def _keys(now: datetime) -> Select[tuple[int, int]]:
    """(API keys in force, those that nobody used for long)."""
    in_force = and_(ApiKey.revoked_at.is_(None), or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now))
    unused = func.coalesce(ApiKey.last_used_at, ApiKey.created_at) < now - _STALE
    return select(func.count(ApiKey.id), _count(unused)).where(in_force)


def _clients(now: datetime) -> Select[tuple[int, int]]:
    """The same of OAuth clients."""
    unused = func.coalesce(OAuthClient.last_used_at, OAuthClient.created_at) < now - _STALE
    return select(func.count(OAuthClient.id), _count(unused)).where(OAuthClient.removed_at.is_(None))


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def _failed_sign_ins(period: Period) -> Select[tuple[int]]:
    return select(func.count(SecurityEvent.id)).where(
        SecurityEvent.type == "failed_sign_in",
        SecurityEvent.occurred_at >= period.begins,
        SecurityEvent.occurred_at < period.ends,
    )


def _open_events() -> Select[tuple[Severity, int]]:
    """(severity, events that nobody has closed)."""
    asked = select(SecurityEvent.severity, func.count(SecurityEvent.id))
    return asked.where(SecurityEvent.status.in_(("open", "investigating"))).group_by(SecurityEvent.severity)


def _by_severity(spans: CTE) -> Select[tuple[int, Severity, int]]:
    """(step, severity, events); a step without any has one row, and no severity."""
    joined = select(spans.c.number, SecurityEvent.severity, func.count(SecurityEvent.id)).select_from(spans)
    joined = joined.outerjoin(SecurityEvent, within(spans, SecurityEvent.occurred_at))
    return joined.group_by(spans.c.number, SecurityEvent.severity)


async def _last_changes(db: AsyncSession) -> list[ChangeRead]:
    newest = select(AuditEntry).order_by(AuditEntry.occurred_at.desc(), AuditEntry.id.desc()).limit(_LAST_CHANGES)
    return [ChangeRead.model_validate(entry) for entry in await db.scalars(newest)]
