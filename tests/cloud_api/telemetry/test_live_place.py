"""Whoever watches a place sees the last values in it at once, and each change; nobody else sees any."""

import uuid

from sqlalchemy import update

from cloud_api.devices.models import Sensor
from cloud_api.identity.sessions.models import UserSession
from cloud_api.kernel import clock
from cloud_api.kernel.db import announce
from cloud_api.kernel.tenancy import OrganizationScope
from cloud_api.realtime.hub import topic_of
from tests.cloud_api.realtime.sockets import refused, shown, token_of
from tests.factories.batches import EIGHT_OCLOCK_MS, make_epoch, make_reading, send
from tests.factories.farms import make_farm, make_person, open_farm_alone, plant_sensor, plant_store
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.scopes import confine, make_keeper
from tests.factories.stores import ColdStore, make_room, make_warehouse
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP


def path_of(store: ColdStore) -> str:
    return f"/ws/telemetry/{store.room_id}"


async def stored(
    farm: Platform, store: ColdStore, value: float, *, at_ms: int = EIGHT_OCLOCK_MS, **fields: str
) -> None:
    """A reading is taken in."""
    await send(farm, store, [make_reading(1, value, at_ms, **fields)], epoch=make_epoch())


async def changed(farm: Platform, scope: OrganizationScope, place_id: str) -> None:
    """Somebody says that a place has changed."""
    async with farm.database.unit_of_work(scope) as db:
        announce(db, topic_of("place", scope.organization_id, uuid.UUID(place_id)))


async def test_a_watcher_sees_the_last_values_at_once_and_each_change(farm: Platform, store: ColdStore) -> None:
    await stored(farm, store, 4.25)
    async with shown(farm.app, path_of(store), by=farm.tenant) as socket:
        expected = {
            "id": store.sensor_id,
            "location_id": store.room_id,
            "code": "z2m:cold-room-1",
            "quantity": "temperature",
            "unit": "Cel",
            "value": 4.25,
            "quality": "good",
            "recorded_at": "2026-01-31T08:00:00Z",
        }
        assert await socket.state() == [expected]
        socket.say("what a watcher says means nothing")
        await stored(farm, store, 0.0, at_ms=EIGHT_OCLOCK_MS + 60_000)
        changed_one = expected | {"value": 0.0, "recorded_at": "2026-01-31T08:01:00Z"}
        assert await socket.change() == ([changed_one], [])
    assert not farm.app.state.hub._watchers
    assert not farm.app.state.hub.open_sockets


async def test_what_lies_within_the_place_is_seen_and_its_changes_too(farm: Platform, store: ColdStore) -> None:
    rack = await make_room(store.tenant, store.warehouse_id, parent_id=store.room_id, location_type="rack")
    beside = await make_room(store.tenant, store.warehouse_id)
    await plant_sensor(farm, store.tenant, store.gateway_id, location_id=rack, code="z2m:rack")
    await plant_sensor(farm, store.tenant, store.gateway_id, location_id=beside, code="z2m:beside")
    await stored(farm, store, 2.0, sensor="z2m:rack")
    await stored(farm, store, 9.0, sensor="z2m:beside")
    async with shown(farm.app, path_of(store), by=farm.tenant) as socket:
        assert [(item["code"], item["value"]) for item in await socket.state()] == [("z2m:rack", 2.0)]
        await stored(farm, store, 3.0, at_ms=EIGHT_OCLOCK_MS + 60_000, sensor="z2m:rack")
        [item], _ = await socket.change()
        assert (item["code"], item["value"], item["location_id"]) == ("z2m:rack", 3.0, rack)


async def test_a_sensor_that_is_carried_away_or_retired_is_gone(farm: Platform, store: ColdStore) -> None:
    await stored(farm, store, 4.0)
    async with shown(farm.app, path_of(store), by=farm.tenant) as socket:
        await socket.state()
        async with farm.database.unit_of_work(store.tenant.organization) as db:
            await db.execute(update(Sensor).where(Sensor.id == uuid.UUID(store.sensor_id)).values(status="retired"))
            announce(db, topic_of("place", store.tenant.organization.organization_id, uuid.UUID(store.room_id)))
        assert await socket.change() == ([], [store.sensor_id])


async def test_values_are_those_of_the_present_calibration(farm: Platform, store: ColdStore) -> None:
    await plant_sensor(farm, store.tenant, store.gateway_id, location_id=store.room_id, code="z2m:off", offset=-0.5)
    await stored(farm, store, 4.0, sensor="z2m:off")
    async with shown(farm.app, path_of(store), by=farm.tenant) as socket:
        assert [item["value"] for item in await socket.state()] == [3.5]


async def test_whoever_may_not_see_a_place_is_told_why(farm: Platform, store: ColdStore) -> None:
    stranger, driver = await make_farm(farm), await make_person(farm, farm.tenant, "delivery_personnel")
    path = path_of(store)
    for token in (None, "", "nonsense", token_of(farm.tenant)[:-3] + "AAA"):
        code, reason = await refused(farm.app, path, token=token)
        assert code == 4401
        assert "sign in" in reason
    assert await refused(farm.app, path, token=token_of(driver)) == (4403, "this needs the permission telemetry:read")
    unknown = (4404, f"no location with id {store.room_id}")
    assert await refused(farm.app, path, token=token_of(stranger)) == unknown
    code, reason = await refused(farm.app, "/ws/telemetry/cold-room", token=token_of(farm.tenant))
    assert (code, "by its id" in reason) == (4422, True)


async def test_who_is_confined_to_another_warehouse_sees_nothing(farm: Platform, store: ColdStore) -> None:
    other = await plant_store(farm)
    keeper = await make_keeper(farm, other.warehouse_id)
    async with shown(farm.app, path_of(other), by=keeper) as socket:
        assert await socket.state() == []
    code, _ = await refused(farm.app, path_of(store), token=token_of(keeper))
    assert code == 4404


async def test_a_change_of_others_is_handed_to_nobody_here(farm: Platform, store: ColdStore) -> None:
    """Not even when somebody announces it under our topic."""
    stranger = await make_farm(farm)
    theirs = await plant_store(farm, stranger)
    await stored(farm, store, 4.0)
    async with (
        shown(farm.app, path_of(store), by=farm.tenant) as ours,
        shown(farm.app, path_of(theirs), by=stranger) as socket,
    ):
        assert [item["value"] for item in await ours.state()] == [4.0]
        assert await socket.state() == []
        await stored(farm, theirs, 9.0)
        assert [item["id"] for item in (await socket.change())[0]] == [theirs.sensor_id]
        await changed(farm, store.tenant.organization, store.room_id)
        await stored(farm, store, 5.0, at_ms=EIGHT_OCLOCK_MS + 60_000)
        assert [(item["id"], item["value"]) for item in (await ours.change())[0]] == [(store.sensor_id, 5.0)]


async def test_whose_sign_in_ends_is_disconnected_when_looked_at_again(database_url: str) -> None:
    async with open_farm_alone(database_url) as farm:
        store = await plant_store(farm)
        hub = farm.app.state.hub
        usual, hub.look_again_s = hub.look_again_s, (0.01, 0.02)
        try:
            async with shown(farm.app, path_of(store), by=farm.tenant) as socket:
                assert await socket.state() == []
                async with farm.database.unit_of_work(farm.tenant.organization) as db:
                    await db.execute(update(UserSession).values(revoked_at=clock.now()))
                code, reason = await socket.closed()
                assert (code, "sign in" in reason) == (4401, True)
        finally:
            hub.look_again_s = usual


async def test_who_is_confined_while_watching_is_let_go(farm: Platform, store: ColdStore) -> None:
    hub = farm.app.state.hub
    keeper, other = await make_person(farm, farm.tenant, "warehouse_manager"), await make_warehouse(farm.tenant)
    usual, hub.look_again_s = hub.look_again_s, (0.01, 0.02)
    try:
        async with shown(farm.app, path_of(store), by=keeper) as socket:
            assert await socket.state() == []
            await confine(farm.tenant, keeper, other)
            assert (await socket.closed())[0] == 4404
    finally:
        hub.look_again_s = usual
