"""Whether it is alive, whether it can work, and who may read the figures."""

from datetime import timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from cloud_api.kernel import clock
from cloud_api.kernel.outbox import Dispatcher, OutboxDelivery, OutboxEvent, emit
from cloud_api.kernel.settings import Settings
from cloud_api.kernel.tenancy import SystemScope
from tests.cloud_api.kernel.test_outbox import WindowOpened, a_name
from tests.platform_under_test import Platform, application, open_platform
from tests.services.free_port import free_port

MONITORING = "/api/v1/monitoring"


async def test_a_healthy_platform_says_so_to_anybody(shared_platform: Platform) -> None:
    async with shared_platform.client() as anybody:
        alive = await anybody.get(f"{MONITORING}/health/live")
        assert (alive.status_code, alive.json()["data"]) == (200, {"status": "ok"})
        for path in ("health", "health/ready"):
            answer = await anybody.get(f"{MONITORING}/{path}")
            assert answer.status_code == 200
            health = answer.json()["data"]
            assert (health["status"], health["database"]) == ("ok", "ok")


async def test_deliveries_that_nobody_makes_are_noticed(database_url: str) -> None:
    async with open_platform(database_url) as platform:
        async with platform.database.unit_of_work(platform.tenant.organization) as db:
            emit(db, WindowOpened("east"))
        await Dispatcher(platform.database, []).deliver_due()
        async with platform.database.unit_of_work(SystemScope("test")) as db:
            event = (await db.scalars(select(OutboxEvent))).one()
            late = clock.machine_now() - timedelta(seconds=61)
            db.add(OutboxDelivery(event_id=event.id, reaction=a_name(), due_at=late))
            db.add(OutboxDelivery(event_id=event.id, reaction=a_name(), due_at=late, state="parked"))
        health = await platform.tenant.get(f"{MONITORING}/health")
        assert (health["status"], health["outbox"]) == ("ok", "stalled: is a worker running?")
        assert health["parked_deliveries"] == 1


@pytest.mark.parametrize(
    "url",
    ["postgresql+asyncpg://coldfleet_app:x@127.0.0.1:{port}/nowhere", "sqlite+aiosqlite:///{folder}/empty.db"],
    ids=["no server", "no tables"],
)
async def test_without_its_database_it_is_alive_but_not_ready(
    url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("empty")
    settings = Settings(database_url=url.format(port=free_port(), folder=folder), _env_file=None)
    app = application(settings)
    platform = Platform(app, app.state.database, settings)
    async with platform.client() as anybody:
        assert (await anybody.get(f"{MONITORING}/health/live")).status_code == 200
        for path in ("health", "health/ready"):
            answer = await anybody.get(f"{MONITORING}/{path}")
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "UNAVAILABLE")
            assert "retry-after" in answer.headers
    await platform.database.close()


async def test_the_figures_are_for_those_who_may_see_them(sqlite_url: str) -> None:
    async with open_platform(sqlite_url) as platform, platform.client() as nobody:
        operator = await platform.found_platform()
        assert (await nobody.get(f"{MONITORING}/metrics")).status_code == 401
        assert (await platform.tenant.client.get(f"{MONITORING}/metrics")).status_code == 403
        figures = await operator.client.get(f"{MONITORING}/metrics")
    assert figures.status_code == 200
    assert figures.headers["content-type"].startswith("text/plain")
    assert 'coldfleet_request_seconds_count{method="POST",route="/api/v1/auth/login",status="200"}' in figures.text


async def test_a_scraper_has_a_token_of_its_own(shared_sqlite_url: str) -> None:
    settings = Settings(database_url=shared_sqlite_url, metrics_token=SecretStr("scrape-me"), _env_file=None)
    app = application(settings)
    platform = Platform(app, app.state.database, settings)
    statuses = {}
    async with platform.client() as scraper:
        for given in ("Bearer scrape-me", "Bearer scrape-m", "Bearer ", "Bearer gateway.x.y", "scrape-me", "Bearer ä"):
            headers = {b"Authorization": given.encode("latin-1")}
            statuses[given] = (await scraper.get(f"{MONITORING}/metrics", headers=headers)).status_code
        none = await scraper.get(f"{MONITORING}/metrics")
    await platform.database.close()
    assert statuses.pop("Bearer scrape-me") == 200
    assert none.status_code == 401
    assert set(statuses.items()) - {("scrape-me", 200)} == {(given, 401) for given in statuses if given != "scrape-me"}


async def test_requests_are_counted_by_the_template_of_their_route_never_by_their_path(
    sqlite_platform: Platform,
) -> None:
    await sqlite_platform.tenant.client.get("/api/v1/warehouse/warehouses/a-path-that-nobody-else-asks-for")
    await sqlite_platform.tenant.client.get("/a-path-that-is-not-there")
    settings = sqlite_platform.app.state.settings
    sqlite_platform.app.state.settings = settings.model_copy(update={"metrics_token": SecretStr("scrape-me")})
    async with sqlite_platform.client("scrape-me") as scraper:
        figures = (await scraper.get(f"{MONITORING}/metrics")).text
    assert 'route="/api/v1/warehouse/warehouses/{id}",status="422"' in figures
    assert 'route="none",status="404"' in figures
    assert "a-path-that" not in figures
