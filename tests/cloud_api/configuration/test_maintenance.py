"""Maintenance: everything can be read, people write later, and what sensors say is stored all the same."""

import pytest
from sqlalchemy import event

from cloud_api.configuration import maintenance
from cloud_api.configuration.errors import UnderMaintenance
from cloud_api.configuration.maintenance import MaintenanceGate, Notice
from cloud_api.configuration.models import Maintenance
from cloud_api.kernel.db import Database
from cloud_api.kernel.ids import new_id
from cloud_api.kernel.tenancy import SystemScope
from tests.factories.batches import make_batch, make_epoch, make_reading, post
from tests.factories.farms import make_person, plant_store
from tests.platform_under_test import PASSWORD, Platform, Tenant

PATH = "/api/v1/admin/maintenance"
WAREHOUSES = "/api/v1/warehouse/warehouses"
WAREHOUSE = {"code": "SITE-9", "name": "Store"}
ON = {"enabled": True, "message": "New shelves until six", "retry_after_s": 1800}
OFF = {"enabled": False}


@pytest.fixture
async def operator(platform_alone: Platform) -> Tenant:
    """Somebody of the platform."""
    return await make_person(platform_alone, platform_alone.tenant, "super_admin")


async def test_nobody_has_touched_the_switch(platform_alone: Platform) -> None:
    state = await platform_alone.tenant.get(PATH)
    assert (state["enabled"], state["updated_at"]) == (False, None)


async def test_people_write_later_and_are_told_when(platform_alone: Platform, operator: Tenant) -> None:
    await operator.put(PATH, ON)
    state = await platform_alone.tenant.get(PATH)
    assert {**ON, "until": None, "version": 1, "updated_at": state["updated_at"]} == state
    assert state["updated_at"]
    for person in (platform_alone.tenant, operator):
        answer = await person.client.post(WAREHOUSES, json=WAREHOUSE)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "MAINTENANCE")
        assert answer.json()["error"]["message"] == ON["message"]
        assert answer.headers["retry-after"] == "1800"
    assert await platform_alone.tenant.get(WAREHOUSES) == []
    await operator.put(PATH, OFF)
    await platform_alone.tenant.post(WAREHOUSES, WAREHOUSE)
    assert len(await platform_alone.tenant.get(WAREHOUSES)) == 1


async def test_what_operators_write_for_the_whole_platform_waits_too(operator: Tenant) -> None:
    await operator.put(PATH, ON)
    answer = await operator.client.post("/api/v1/admin/feature-flags", json={"key": "new-picking-list"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "MAINTENANCE")


async def test_readings_and_heartbeats_are_taken_all_the_same(platform_alone: Platform, operator: Tenant) -> None:
    store = await plant_store(platform_alone)
    await operator.put(PATH, ON)
    answer = await post(platform_alone, store, make_batch([make_reading(1, 4.5)], epoch=make_epoch()))
    assert answer.status_code == 200, answer.text
    [latest] = await platform_alone.tenant.get("/api/v1/telemetry/readings/latest")
    assert latest["value"] == 4.5
    beat = {
        "epoch": "0" * 32,
        "recorded_at_ms": 1,
        "uptime_s": 1,
        "software_version": "0.1.0",
        "config_version": 1,
        "backlog_rows": 0,
        "oldest_unsent_ms": None,
        "dead_letters": 0,
        "disk_free_mb": 1,
    }
    async with platform_alone.client(store.gateway_token) as gateway:
        heard = await gateway.post(f"/api/v1/edge/gateways/{store.gateway_id}/heartbeat", json=beat)
    assert heard.is_success, heard.text


async def test_people_sign_in_and_out_as_ever(platform_alone: Platform, operator: Tenant) -> None:
    await operator.put(PATH, ON)
    keeper = await platform_alone.found()
    assert (await keeper.client.post(WAREHOUSES, json=WAREHOUSE)).status_code == 503
    async with platform_alone.client() as anybody:
        body = {"login": keeper.username, "password": PASSWORD}
        signed_in = (await anybody.post("/api/v1/auth/login", json=body)).json()["data"]
        again = await anybody.post("/api/v1/auth/refresh", json={"refresh_token": signed_in["refresh_token"]})
    assert again.status_code == 200, again.text
    assert (await keeper.client.post("/api/v1/auth/logout")).status_code == 204
    assert (await keeper.client.get(WAREHOUSES)).status_code == 401


async def test_a_refused_write_may_be_sent_again_under_the_same_key(platform_alone: Platform, operator: Tenant) -> None:
    await operator.put(PATH, ON)
    key = {"Idempotency-Key": str(new_id())}
    refused = await platform_alone.tenant.client.post(WAREHOUSES, json=WAREHOUSE, headers=key)
    await operator.put(PATH, OFF)
    again = await platform_alone.tenant.client.post(WAREHOUSES, json=WAREHOUSE, headers=key)
    assert [refused.status_code, again.status_code] == [503, 201]


async def test_the_switch_is_the_operators(platform_alone: Platform) -> None:
    assert (await platform_alone.tenant.client.put(PATH, json=ON)).status_code == 403
    viewer = await make_person(platform_alone, platform_alone.tenant, "viewer")
    assert (await viewer.client.get(PATH)).status_code == 403


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"enabled": None},
        {"enabled": True, "message": ""},
        {"enabled": True, "message": "x" * 501},
        {"enabled": True, "retry_after_s": 0},
        {"enabled": True, "until": "six"},
    ],
)
async def test_a_switch_that_says_nothing_useful_is_refused(operator: Tenant, wrong: dict[str, object]) -> None:
    assert (await operator.client.put(PATH, json=wrong)).status_code == 422
    assert (await operator.get(PATH))["enabled"] is False


async def throw(database: Database, *, enabled: bool) -> Maintenance:
    """The switch, in another process."""
    async with database.unit_of_work(SystemScope("test")) as db:
        return await maintenance.switch(db, enabled=enabled, notice=Notice("Wait", 1), by=new_id())


async def is_shut(gate: MaintenanceGate, database: Database) -> bool:
    try:
        await gate(database)
    except UnderMaintenance:
        return True
    return False


async def test_other_processes_know_within_two_seconds(database: Database) -> None:
    seconds = 100.0
    gate = MaintenanceGate(monotonic=lambda: seconds)
    assert not await is_shut(gate, database)
    await throw(database, enabled=True)
    seconds = 101.9
    assert not await is_shut(gate, database)
    seconds = 102.0
    assert await is_shut(gate, database)
    await throw(database, enabled=False)
    seconds = 103.9
    assert await is_shut(gate, database)
    seconds = 104.0
    assert not await is_shut(gate, database)


async def test_the_gate_asks_the_database_once_in_two_seconds_not_with_each_write(database: Database) -> None:
    statements: list[str] = []

    @event.listens_for(database.engine.sync_engine, "before_cursor_execute")
    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if "FROM maintenance" in statement:
            statements.append(statement)

    seconds = 0.0
    gate = MaintenanceGate(monotonic=lambda: seconds)
    for _ in range(100):
        await is_shut(gate, database)
    assert len(statements) == 1
    seconds = 2.0
    await is_shut(gate, database)
    assert len(statements) == 2
