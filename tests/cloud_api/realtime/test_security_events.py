"""Those responsible see each security event when it is raised, once; nobody else sees any."""

import asyncio
import uuid
from contextlib import AbstractAsyncContextManager

from sqlalchemy import select

from cloud_api.audit.service import raise_security_event
from cloud_api.identity.sessions.models import UserSession
from cloud_api.kernel import clock
from cloud_api.kernel.tenancy import OrganizationScope, SystemScope
from tests.cloud_api.realtime.sockets import Socket, connected_to
from tests.factories.farms import make_farm, make_person, open_farm_alone
from tests.factories.grounds import IN_ONE_LOOP
from tests.platform_under_test import Platform, Tenant

pytestmark = IN_ONE_LOOP

PATH = "/ws/admin/security-events"


def token_of(tenant: Tenant) -> str:
    return tenant.client.headers["Authorization"].removeprefix("Bearer ")


def watching(farm: Platform) -> AbstractAsyncContextManager[Socket]:
    return connected_to(farm.app, PATH, token=token_of(farm.tenant))


async def raised(farm: Platform, scope: OrganizationScope | None = None) -> str:
    organization_id = (scope or farm.tenant.organization).organization_id
    async with farm.database.unit_of_work(SystemScope("sign in")) as db:
        event = raise_security_event(db, type="failed_sign_in", severity="low", organization_id=organization_id)
    return str(event.id)


async def test_a_watcher_is_sent_each_event_once_and_none_of_before(database_url: str) -> None:
    async with open_farm_alone(database_url) as farm:
        await raised(farm)
        await farm.deliver()
        async with watching(farm) as socket:
            assert (await socket.heard())["type"] == "websocket.accept"
            first, second = await raised(farm), await raised(farm)
            await farm.deliver()
            seen = await socket.message()
            assert (seen["id"], seen["type"], seen["status"]) == (first, "failed_sign_in", "open")
            assert seen == (await farm.tenant.get("/api/v1/admin/security/events"))[1]
            assert (await socket.message())["id"] == second
            third = await raised(farm)
            await farm.deliver()
            assert (await socket.message())["id"] == third
            assert socket.is_silent()
        assert not farm.app.state.hub._watchers


async def test_an_event_of_others_is_not_sent(database_url: str) -> None:
    async with open_farm_alone(database_url) as farm:
        stranger = await make_farm(farm)
        async with watching(farm) as socket:
            await socket.heard()
            await raised(farm, stranger.organization)
            await farm.deliver()
            ours = await raised(farm)
            await farm.deliver()
            assert (await socket.message())["id"] == ours


async def test_whoever_may_not_see_them_is_turned_away(farm: Platform) -> None:
    driver = await make_person(farm, farm.tenant, "delivery_personnel")
    for token in ("", "nonsense", token_of(driver)):
        async with connected_to(farm.app, PATH, token=token) as socket:
            said = await socket.heard()
            assert (said["type"], said["code"]) == ("websocket.close", 1008)
            assert socket.is_silent()


async def test_whose_session_ends_is_disconnected_before_the_next_event(database_url: str) -> None:
    async with open_farm_alone(database_url) as farm, watching(farm) as socket:
        await socket.heard()
        async with farm.database.unit_of_work(farm.tenant.organization) as db:
            (await db.scalars(select(UserSession))).one().revoked_at = clock.now()
        await raised(farm)
        await farm.deliver()
        said = await socket.heard()
        assert (said["type"], said["code"]) == ("websocket.close", 1008)


async def test_an_event_that_commits_late_is_sent_after_a_newer_one(postgres_url: str) -> None:
    async with open_farm_alone(postgres_url) as farm, watching(farm) as socket:
        await socket.heard()
        async with farm.database.unit_of_work(farm.tenant.organization) as db:
            late = raise_security_event(db, type="ip_refused", severity="low")
            await db.flush()
            newer = await raised(farm)
            await farm.deliver()
            assert (await socket.message())["id"] == newer
        await farm.deliver()
        assert late.id < uuid.UUID(newer)
        assert (await socket.message())["id"] == str(late.id)
        await asyncio.sleep(0)
        assert socket.is_silent()
