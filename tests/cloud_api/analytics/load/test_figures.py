"""How the platform is doing, counted by hand: answers' times, errors, and what it holds."""

from datetime import UTC, datetime, timedelta

from cloud_api.analytics.load.recording import RequestHistory
from cloud_api.kernel import clock
from cloud_api.kernel.db import Database
from cloud_api.kernel.metrics import ERROR_CODE
from tests.cloud_api.analytics.business.books import FIGURES
from tests.factories.scopes import heard_by
from tests.platform_under_test import Platform, Tenant

STOCK, ORDERS = "/api/v1/warehouse/stock/levels", "/api/v1/orders/{id}"


async def an_operator(platform: Platform) -> Tenant:
    return await platform.found_platform()


async def count(platform: Platform, at: datetime, *noted: tuple[str, int, float, str]) -> None:
    """Write down requests of one moment: (route, status, seconds, code)."""
    history = RequestHistory()
    clock.use(lambda: at)
    for route, status, duration_s, code in noted:
        history.note({ERROR_CODE: code} if code else {}, route, status, duration_s)
    clock.use(None)
    await history.flush(platform.database)


async def test_answers_are_told_by_hour_and_by_what_was_asked(platform: Platform) -> None:
    operator = await an_operator(platform)
    quick = [(STOCK, 200, 0.0035, "")] * 98
    await count(platform, datetime(2026, 6, 1, 18, 59, tzinfo=UTC), *quick, (ORDERS, 500, 4.0, ""))
    await count(platform, datetime(2026, 6, 1, 19, 0, tzinfo=UTC), *quick, *[(ORDERS, 200, 0.18, "")] * 2)
    # in India the second of June begins at 18:30: its first whole hour is 19:00
    told = await operator.get(f"{FIGURES}/performance", **{"from": "2026-06-02", "to": "2026-06-02"})
    assert [(one["hour"], one["requests"], one["failed"]) for one in told["hours"]] == [
        ("2026-06-01T19:00:00Z", 100, 0)
    ]
    total = told["total"]
    assert (total["p50_ms"], total["p95_ms"], total["p99_ms"]) == (3.02, 3.94, 175.0)
    both = await operator.get(f"{FIGURES}/performance", **{"from": "2026-06-01", "to": "2026-06-02"})
    areas = [(one["area"], one["requests"], one["failed"], one["error_rate"]) for one in both["areas"]]
    assert areas == [("stock", 196, 0, 0.0), ("orders", 3, 1, 0.333333)]
    assert both["total"]["error_rate"] == 0.005025


async def test_minutes_that_nobody_wrote_down_were_not_up(platform: Platform) -> None:
    operator = await an_operator(platform)
    began = datetime(2026, 6, 1, 12, 0, 30, tzinfo=UTC)
    first, second = RequestHistory(), RequestHistory()

    async def up(history: RequestHistory, database: Database, *minutes: float) -> None:
        for minute in minutes:
            clock.use(lambda minute=minute: began + timedelta(minutes=minute))  # type: ignore[misc]
            await history.flush(database)

    # a minute and a second apart: none is lost between two
    await up(first, platform.database, 0, 1.02, 2.9)
    # a second process says the same again; then nobody runs, then the database takes nothing
    await up(second, platform.database, 2, 3)
    await up(second, Database("postgresql+asyncpg://nobody@127.0.0.1:1/nothing"), 10)
    await up(second, platform.database, 19)
    days = {"from": "2026-06-01", "to": "2026-06-01"}
    uptime = (await operator.get(f"{FIGURES}/performance", **days))["uptime"]
    clock.use(None)
    assert uptime == {"minutes": 20, "minutes_down": 15, "share": 0.25, "goal": 0.999, "budget_minutes": 0.0}
    nothing = (await operator.get(f"{FIGURES}/performance", **{"from": "2026-05-01", "to": "2026-05-02"}))["uptime"]
    assert (nothing["minutes"], nothing["share"]) == (0, None)


async def test_errors_are_told_by_type(platform: Platform) -> None:
    operator = await an_operator(platform)
    at = datetime(2026, 6, 1, 12, tzinfo=UTC)
    conflict = (ORDERS, 409, 0.01, "INVALID_TRANSITION")
    await count(platform, at, (STOCK, 200, 0.01, ""), conflict, conflict, (STOCK, 500, 0.01, ""))
    told = await operator.get(f"{FIGURES}/errors", **{"from": "2026-06-01", "to": "2026-06-01"})
    types = [(one["status"], one["code"], one["area"], one["requests"]) for one in told["types"]]
    assert types == [(409, "INVALID_TRANSITION", "orders", 2), (500, "INTERNAL", "stock", 1)]
    assert (told["requests"], told["refused"], told["failed"], told["error_rate"]) == (4, 2, 1, 0.25)
    assert told["hours"] == [{"hour": "2026-06-01T12:00:00Z", "refused": 2, "failed": 1}]


async def test_what_the_platform_holds_is_told_of_all_of_it(platform: Platform) -> None:
    operator = await an_operator(platform)
    told = await operator.get(f"{FIGURES}/system")
    assert (told["organizations"], told["people"], told["active_people"], told["live_sessions"]) == (2, 2, 2, 2)
    assert (told["growth"][-1]["organizations"], told["growth"][0]["people"], len(told["growth"])) == (2, 0, 12)
    assert told["process"]["memory_bytes"] > 0
    assert told["process"]["uptime_s"] > 0


async def test_only_those_who_run_the_platform_see_it(platform: Platform) -> None:
    for what in ("performance", "errors", "system"):
        assert await heard_by(platform.tenant, "GET", f"{FIGURES}/{what}") == (403, "FORBIDDEN")
    operator = await an_operator(platform)
    days = {"from": "2026-05-01", "to": "2026-06-01"}
    assert await heard_by(operator, "GET", f"{FIGURES}/performance", **days) == (422, "INVALID")
