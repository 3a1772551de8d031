"""Counting requests in the process, and writing the counts down every minute, added to those of other processes."""

import asyncio
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import structlog
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.types import Scope

from cloud_api.analytics.load.models import BOUNDS_MS, ErrorHour, RequestHour, SurfaceQuarter
from cloud_api.kernel import clock
from cloud_api.kernel.db import DATABASE_FAILURES, Base, Database
from cloud_api.kernel.ids import new_id
from cloud_api.kernel.metrics import ERROR_CODE, PRINCIPAL
from cloud_api.kernel.permissions import CONSOLE, Principal
from cloud_api.kernel.tenancy import SystemScope

log = structlog.get_logger(__name__)

EVERY_S = 60.0
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
            if not any(taken):
                return
            try:
                async with database.unit_of_work(SystemScope("write down how requests went")) as db:
                    await _add(db, *taken)
            except DATABASE_FAILURES as error:
                log.warning("request_history_not_written", error=str(error))
                for kept, again in zip((self._times, self._errors, self._surfaces), taken, strict=True):
                    kept.update(again)


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


async def _upsert(
    db: AsyncSession, model: type[Base], key: Sequence[str], rows: Sequence[Mapping[str, object]]
) -> None:
    insert = sqlite_insert if db.get_bind().dialect.name == "sqlite" else postgresql_insert
    for begin in range(0, len(rows), _AT_ONCE):
        new = insert(model).values(rows[begin : begin + _AT_ONCE])
        added = {"requests": model.__table__.c.requests + new.excluded.requests}
        await db.execute(new.on_conflict_do_update(index_elements=key, set_=added))
