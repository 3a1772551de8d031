"""Counting requests in the process, and writing the counts down every minute, added to those of other processes.

That it is done says that the platform was up.
"""

import asyncio
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

import structlog
from sqlalchemy.dialects import postgresql as postgresql_dialect
from sqlalchemy.dialects import sqlite as sqlite_dialect
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.types import Scope

from cloud_api.analytics.load.models import BOUNDS_MS, ErrorHour, MinuteUp, RequestHour, SurfaceQuarter
from cloud_api.kernel import clock
from cloud_api.kernel.db import DATABASE_FAILURES, Base, Database
from cloud_api.kernel.ids import new_id
from cloud_api.kernel.metrics import ERROR_CODE, PRINCIPAL
from cloud_api.kernel.permissions import CONSOLE, Principal
from cloud_api.kernel.tenancy import SystemScope

log = structlog.get_logger(__name__)

EVERY_S = 60.0
#: so long after it wrote last a process was still the same: what lies between is not lost between two minutes
_STILL_UP = timedelta(minutes=2)
_MINUTE = timedelta(minutes=1)
#: rows of one statement: a database takes only so many parameters
_AT_ONCE = 500
#: what asks whether we live: it would make every answer look quick
_WATCHED = "/api/v1/monitoring/"
_API = "/api/v1/"
#: under these a route's second name says what it is about
_WINGS = frozenset({"warehouse", "admin", "auth"})
_Key = tuple[Any, ...]


class RequestHistory:
    """The counts of this process since they were last written down."""

    def __init__(self) -> None:
        self._times: Counter[_Key] = Counter()
        self._errors: Counter[_Key] = Counter()
        self._surfaces: Counter[_Key] = Counter()
        self._wrote_at: datetime | None = None
        self._writing = asyncio.Lock()

    def note(self, scope: Scope, route: str, status: int, duration_s: float) -> None:
        """Count one request; the observer that `kernel.metrics` calls."""
        if route.startswith(_WATCHED):
            return
        now, area = clock.now(), area_of(route)
        hour = now.replace(minute=0, second=0, microsecond=0)
        self._times[hour, area, bisect_left(BOUNDS_MS, duration_s * 1000)] += 1
        if status >= HTTPStatus.BAD_REQUEST:
            code = scope.get(ERROR_CODE) or ("INTERNAL" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "UNKNOWN")
            self._errors[hour, area, status, code] += 1
        principal: Principal | None = scope.get(PRINCIPAL)
        if principal is not None and route.startswith(_API):
            begins_at = hour + timedelta(minutes=now.minute // 15 * 15)
            self._surfaces[begins_at, principal.organization_id, surface_of(scope, route, principal)] += 1

    async def run(self, database: Database) -> None:
        """Write down every minute until cancelled; what is being written then is written to its end."""
        while True:
            await asyncio.sleep(EVERY_S)
            await asyncio.shield(self.flush(database))

    async def flush(self, database: Database) -> None:
        """Write down what was counted; when the database does not take it, it is kept for the next time."""
        async with self._writing:
            taken = self._times, self._errors, self._surfaces
            self._times, self._errors, self._surfaces = Counter(), Counter(), Counter()
            wrote_at, self._wrote_at = self._wrote_at, None
            now = clock.now()
            try:
                async with database.unit_of_work(SystemScope("write down how requests went")) as db:
                    await _add(db, *taken)
                    await _insert_minutes(db, _minutes_up(wrote_at, now))
            except DATABASE_FAILURES as error:
                log.warning("request_history_not_written", error=str(error))
                for kept, again in zip((self._times, self._errors, self._surfaces), taken, strict=True):
                    kept.update(again)
            else:
                self._wrote_at = now


def area_of(route: str) -> str:
    """The group that a route's template belongs to: `/api/v1/warehouse/products/{id}` is `products`."""
    if not route.startswith(_API):
        return route.strip("/").partition("/")[0] or "none"
    first, _, rest = route.removeprefix(_API).partition("/")
    second = rest.partition("/")[0]
    return second if first in _WINGS and second and not second.startswith("{") else first


def surface_of(scope: Scope, route: str, principal: Principal) -> str:
    """Which way a request to the API came. A page of the console asks several times."""
    if principal.kind == "gateway":
        return "gateway"
    if principal.kind != "user":
        return "key"
    if route.startswith(f"{_API}mobile/"):
        return "driver"
    return "console" if CONSOLE in scope else "api"


async def _add(db: AsyncSession, times: Counter[_Key], errors: Counter[_Key], surfaces: Counter[_Key]) -> None:
    """In the order of their keys: two processes that write at once wait for each other, and not in a circle."""
    hours = [{"hour": hour, "area": area, "bound": bound, "requests": n} for (hour, area, bound), n in _sorted(times)]
    failed = [
        {"hour": hour, "area": area, "status": status, "code": code, "requests": n}
        for (hour, area, status, code), n in _sorted(errors)
    ]
    quarters = [
        {"id": new_id(), "begins_at": at, "organization_id": organization_id, "surface": surface, "requests": n}
        for (at, organization_id, surface), n in _sorted(surfaces)
    ]
    await _upsert(db, RequestHour, ("hour", "area", "bound"), hours)
    await _upsert(db, ErrorHour, ("hour", "area", "status", "code"), failed)
    await _upsert(db, SurfaceQuarter, ("organization_id", "begins_at", "surface"), quarters)


def _sorted(counted: Counter[_Key]) -> list[tuple[_Key, int]]:
    return sorted(counted.items(), key=lambda item: item[0])


def _minutes_up(wrote_at: datetime | None, now: datetime) -> Sequence[datetime]:
    """Those since it was written last, this one among them."""
    since = now if wrote_at is None or not timedelta(0) <= now - wrote_at <= _STILL_UP else wrote_at
    minute, minutes = since.replace(second=0, microsecond=0), list[datetime]()
    while minute <= now:
        minutes.append(minute)
        minute += _MINUTE
    return minutes


async def _insert_minutes(db: AsyncSession, minutes: Sequence[datetime]) -> None:
    """Those that no other process has written."""
    await db.execute(_insert(db)(MinuteUp).values([{"minute": minute} for minute in minutes]).on_conflict_do_nothing())


def _insert(db: AsyncSession) -> Callable[[type[Base]], sqlite_dialect.Insert | postgresql_dialect.Insert]:
    return sqlite_dialect.insert if db.get_bind().dialect.name == "sqlite" else postgresql_dialect.insert


async def _upsert(
    db: AsyncSession, model: type[Base], key: Sequence[str], rows: Sequence[Mapping[str, object]]
) -> None:
    for begin in range(0, len(rows), _AT_ONCE):
        new = _insert(db)(model).values(rows[begin : begin + _AT_ONCE])
        added = {"requests": model.__table__.c.requests + new.excluded.requests}
        await db.execute(new.on_conflict_do_update(index_elements=key, set_=added))
