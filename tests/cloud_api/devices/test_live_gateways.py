"""Whoever watches the gateways sees who is online and what waits, and hears of silence that nobody announces."""

import uuid
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import update

from cloud_api.devices.live import GatewaysView
from cloud_api.devices.models import Gateway
from cloud_api.kernel import clock
from cloud_api.kernel.db import announce
from cloud_api.places.queries import EVERYWHERE
from cloud_api.realtime.feeds import Pace
from cloud_api.realtime.hub import topic_of
from cloud_api.realtime.sockets import feeds_of
from tests.cloud_api.realtime.sockets import refused, shown, token_of
from tests.cloud_api.realtime.views import Kept
from tests.factories.farms import make_farm, make_person, plant_gateway, plant_store
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.scopes import make_keeper
from tests.factories.stores import ColdStore
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

PATH = "/ws/edge/status"


async def hear(farm: Platform, gateway_id: str, **said: object) -> None:
    """A gateway is heard of, and those who watch are told."""
    scope = farm.tenant.organization
    async with farm.database.unit_of_work(scope) as db:
        its = update(Gateway).where(Gateway.id == uuid.UUID(gateway_id))
        await db.execute(its.values(last_seen_at=clock.now(), **said))
        announce(db, topic_of("gateways", scope.organization_id, scope.organization_id))


async def test_a_watcher_sees_every_gateway_at_once_and_each_change(farm: Platform, store: ColdStore) -> None:
    async with shown(farm.app, PATH, by=farm.tenant) as socket:
        [first] = await socket.state()
        assert (first["id"], first["status"], first["backlog_rows"]) == (store.gateway_id, "active", None)
        oldest = clock.now() - timedelta(hours=1)
        await hear(farm, store.gateway_id, backlog_rows=120, oldest_unsent_at=oldest)
        [changed], gone = await socket.change()
        assert (changed["id"], changed["online"], changed["backlog_rows"], gone) == (store.gateway_id, True, 120, [])
        other, _ = await plant_gateway(farm, farm.tenant)
        await hear(farm, other)
        assert [item["id"] for item in (await socket.change())[0]] == [other]
    assert not farm.app.state.hub._watchers


async def test_a_gateway_that_falls_silent_is_offline_although_nobody_says_so(farm: Platform, store: ColdStore) -> None:
    await hear(farm, store.gateway_id)
    feeds, outlet = feeds_of(farm.app), Kept()
    view = replace(GatewaysView(farm.tenant.organization, EVERYWHERE), pace=Pace(look_every_s=0.02))
    feeds.join(view, outlet)
    assert [item["online"] for item in (await outlet.hears(1))[0]["items"]] == [True]
    later = clock.now() + timedelta(minutes=5)
    clock.use(lambda: later)
    assert [item["online"] for item in (await outlet.hears(2))[1]["items"]] == [False]
    await feeds.leave(view, outlet)


async def test_one_that_is_taken_out_of_service_is_gone(farm: Platform, store: ColdStore) -> None:
    async with shown(farm.app, PATH, by=farm.tenant) as socket:
        await socket.state()
        await hear(farm, store.gateway_id, status="decommissioned")
        assert await socket.change() == ([], [store.gateway_id])


async def test_only_gateways_to_be_seen_are_shown(farm: Platform, store: ColdStore) -> None:
    other, stranger = await plant_store(farm), await make_farm(farm)
    keeper = await make_keeper(farm, other.warehouse_id, role="warehouse_manager")
    async with shown(farm.app, PATH, by=keeper) as socket:
        assert [item["id"] for item in await socket.state()] == [other.gateway_id]
        await hear(farm, store.gateway_id, backlog_rows=7)
        await hear(farm, other.gateway_id, backlog_rows=8)
        assert [item["backlog_rows"] for item in (await socket.change())[0]] == [8]
    async with shown(farm.app, PATH, by=stranger) as socket:
        assert await socket.state() == []


async def test_whoever_may_not_see_gateways_is_told_why(farm: Platform) -> None:
    driver = await make_person(farm, farm.tenant, "delivery_personnel")
    assert (await refused(farm.app, PATH, token=None))[0] == 4401
    assert await refused(farm.app, PATH, token=token_of(driver)) == (4403, "this needs the permission devices:read")
