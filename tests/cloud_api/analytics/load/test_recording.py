"""What requests took is counted in the process, written down by several, and nothing of it is lost or told twice."""

import asyncio
import math
import uuid
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select
from starlette.types import Scope

from cloud_api.analytics.load.expiry import expire
from cloud_api.analytics.load.models import BOUNDS_MS, ErrorHour, RequestHour, SurfaceQuarter
from cloud_api.analytics.load.percentiles import percentile_ms
from cloud_api.analytics.load.recording import RequestHistory, area_of
from cloud_api.kernel import clock
from cloud_api.kernel.db import Database
from cloud_api.kernel.metrics import ERROR_CODE, PRINCIPAL
from cloud_api.kernel.permissions import CONSOLE, Principal
from cloud_api.kernel.tenancy import SystemScope
from tests.factories.properties import FEW
from tests.platform_under_test import Platform, open_platform

AT = datetime(2026, 6, 1, 18, 44, 59, tzinfo=UTC)
STOCK = "/api/v1/warehouse/stock/levels"


@pytest.fixture(autouse=True)
def _at_a_known_time() -> Iterator[None]:
    clock.use(lambda: AT)
    yield
    clock.use(None)


def asked_by(organization_id: uuid.UUID, *, kind: str = "user", console: bool = False) -> Scope:
    fields: dict[str, Any] = {"kind": kind, "id": uuid.uuid4(), "organization_id": organization_id}
    return {PRINCIPAL: Principal(**fields, permissions=frozenset()), **({CONSOLE: {}} if console else {})}


async def told(database: Database, model: Any, *columns: Any) -> list[tuple[Any, ...]]:
    async with database.unit_of_work(SystemScope("test"), read_only=True) as db:
        return [tuple(row) for row in (await db.execute(select(*columns, model.requests).order_by(*columns))).tuples()]


@pytest.mark.parametrize(
    ("route", "area"),
    [
        ("/api/v1/warehouse/products/{id}", "products"),
        ("/api/v1/orders/{id}/confirm", "orders"),
        ("/api/v1/admin/analytics/revenue", "analytics"),
        ("/api/v1/auth/login", "login"),
        ("/console/stock", "console"),
        ("none", "none"),
        ("/", "none"),
    ],
)
def test_routes_are_counted_by_what_they_are_about(route: str, area: str) -> None:
    assert area_of(route) == area


async def test_two_processes_that_write_at_once_add_up(platform: Platform) -> None:
    ours, database = platform.tenant.organization.organization_id, platform.database
    second = Database(platform.settings.database_url)
    histories = [RequestHistory(), RequestHistory()]
    for history in histories:
        history.note(asked_by(ours, console=True), STOCK, 200, 0.004)
        history.note(asked_by(ours, kind="api_key"), STOCK, 200, 0.0041)
        history.note({ERROR_CODE: "CONFLICT"}, STOCK, 409, 0.004)
        history.note({}, STOCK, 500, 60.0)
        history.note({}, "/api/v1/monitoring/health", 200, 0.001)
    await asyncio.gather(histories[0].flush(database), histories[1].flush(second))
    await second.close()
    hour = AT.replace(minute=0, second=0)
    assert await told(database, RequestHour, RequestHour.hour, RequestHour.area, RequestHour.bound) == [
        (hour, "stock", BOUNDS_MS.index(4), 4),
        (hour, "stock", BOUNDS_MS.index(7), 2),
        (hour, "stock", len(BOUNDS_MS), 2),
    ]
    assert await told(database, ErrorHour, ErrorHour.status, ErrorHour.code) == [
        (409, "CONFLICT", 2),
        (500, "INTERNAL", 2),
    ]
    assert await told(database, SurfaceQuarter, SurfaceQuarter.begins_at, SurfaceQuarter.surface) == [
        (hour + timedelta(minutes=30), "console", 2),
        (hour + timedelta(minutes=30), "key", 2),
    ]
    await histories[0].flush(database)
    assert len(await told(database, RequestHour, RequestHour.bound)) == 3, "what is written is not written again"


async def test_what_the_database_does_not_take_is_kept_for_the_next_time(sqlite_platform: Platform) -> None:
    history = RequestHistory()
    before = await total(sqlite_platform.database)
    history.note({}, STOCK, 200, 0.1)
    await history.flush(Database("postgresql+asyncpg://nobody@127.0.0.1:1/nothing"))
    history.note({}, STOCK, 200, 0.1)
    await history.flush(sqlite_platform.database)
    assert await total(sqlite_platform.database) == before + 2


async def total(database: Database) -> int:
    async with database.unit_of_work(SystemScope("test"), read_only=True) as db:
        return int(await db.scalar(select(func.sum(RequestHour.requests))) or 0)


async def test_a_clean_stop_writes_down_what_was_counted(database_url: str) -> None:
    async with open_platform(database_url) as platform:
        app, before = platform.app, await total(platform.database)
        async with app.router.lifespan_context(app):
            transport = httpx2.ASGITransport(app=app)
            async with httpx2.AsyncClient(transport=transport, base_url="http://coldfleet.test") as client:
                assert (await client.get("/api/v1/orders")).status_code == 401
        again = Database(database_url)
        assert await total(again) > before
        assert (401, "UNAUTHENTICATED", 1) in await told(again, ErrorHour, ErrorHour.status, ErrorHour.code)
        await again.close()


async def test_counts_are_kept_for_ninety_days(platform: Platform) -> None:
    history = RequestHistory()
    for days in (0, 91):
        clock.use(lambda days=days: AT - timedelta(days=days))  # type: ignore[misc]
        history.note(asked_by(platform.tenant.organization.organization_id), STOCK, 422, 0.1)
    clock.use(lambda: AT)
    await history.flush(platform.database)
    await expire(platform.database)
    for model in (RequestHour, ErrorHour, SurfaceQuarter):
        assert [row[-1] for row in await told(platform.database, model, model.requests)] == [1], model


@FEW
@given(times_ms=st.lists(st.floats(0.01, 29_000), min_size=1, max_size=200), share=st.sampled_from((0.5, 0.95, 0.99)))
def test_a_percentile_lies_in_the_class_of_the_answer_at_that_place(times_ms: list[float], share: float) -> None:
    counts: Counter[int] = Counter(bisect_left(BOUNDS_MS, one) for one in times_ms)
    found = percentile_ms(counts, share)
    exact = sorted(times_ms)[math.ceil(share * len(times_ms)) - 1]
    bound = bisect_left(BOUNDS_MS, exact)
    assert found is not None
    assert (BOUNDS_MS[bound - 1] if bound else 0) <= found <= BOUNDS_MS[bound]


def test_of_nothing_there_is_no_percentile() -> None:
    assert percentile_ms({}, 0.95) is None
    assert percentile_ms({len(BOUNDS_MS): 3}, 0.5) == BOUNDS_MS[-1]
    assert percentile_ms({0: 1}, 1.0) == BOUNDS_MS[0]
