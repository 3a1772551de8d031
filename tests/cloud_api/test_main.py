"""The platform put together: it delivers its own events where it is alone, and not where workers do."""

import asyncio

from cloud_api.logistics.dispatch.planner import Planner
from cloud_api.main import open_dispatcher
from cloud_api.realtime.hub import Hub
from tests.factories.stores import make_cold_store, make_rule
from tests.platform_under_test import open_platform
from tests.services.waiting import until


async def test_alone_on_sqlite_it_delivers_its_own_events(shared_sqlite_url: str) -> None:
    async with open_platform(shared_sqlite_url) as platform, platform.app.router.lifespan_context(platform.app):
        store = await make_cold_store(platform)
        await make_rule(store)

        async def configured() -> bool:
            config = await store.tenant.get(f"/api/v1/edge/gateways/{store.gateway_id}/config")
            return len(config["limits"]) == 1

        await until(configured, what="the gateway has its limit")


async def test_on_postgresql_it_leaves_them_to_workers(postgres_url: str) -> None:
    async with open_platform(postgres_url) as platform, platform.app.router.lifespan_context(platform.app):
        await make_cold_store(platform)
        names = {task.get_name() for task in asyncio.all_tasks()}
        assert "wake-ups" in names
        assert "dispatcher" not in names
        async with open_dispatcher(platform.settings, platform.database, Planner(platform.database), Hub()) as worker:
            assert await worker.deliver_due() > 0
