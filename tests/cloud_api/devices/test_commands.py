"""People tell a gateway to do something once; it fetches that, does it, and says what became of it."""

import itertools
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from cloud_api.devices.commands.service import MAX_WAITING
from cloud_api.devices.commands.states import COMMAND, CommandAction, CommandStatus
from cloud_api.kernel import clock
from cloud_api.kernel.states import InvalidTransition
from gateway.contract import Command, Envelope
from tests.cloud_api.devices.boxes import ask, path_of, tell
from tests.factories.batches import make_series, send
from tests.factories.farms import make_person, plant_sensor, plant_store
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.pictures import picture_of
from tests.factories.stores import ColdStore, make_rule
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

WAITING, DONE, FAILED, EXPIRED = CommandStatus
LIFE = {
    (WAITING, CommandAction.DO): DONE,
    (WAITING, CommandAction.FAIL): FAILED,
    (WAITING, CommandAction.EXPIRE): EXPIRED,
}


async def issue(store: ColdStore, kind: str = "identify", **fields: Any) -> Any:
    return await store.tenant.post(path_of(store, "/commands"), {"kind": kind, **fields})


async def waiting(farm: Platform, store: ColdStore) -> list[Command]:
    answer = await ask(farm, store, "/commands")
    return msgspec.json.decode(answer.content, type=Envelope[list[Command]]).data


async def settle(farm: Platform, store: ColdStore, command: Any, outcome: str, **fields: Any) -> Any:
    body = {"outcome": outcome, "recorded_at_ms": clock.now_ms(), **fields}
    return await tell(farm, store, f"/commands/{command['id']}/ack", body)


async def seen(store: ColdStore) -> list[tuple[str, str]]:
    return [(row["kind"], row["status"]) for row in await store.tenant.get(path_of(store, "/commands"))]


@pytest.mark.parametrize(("status", "action"), [*itertools.product(CommandStatus, CommandAction)])
async def test_a_settled_command_is_settled(status: CommandStatus, action: CommandAction) -> None:
    if (status, action) in LIFE:
        assert COMMAND.apply(status, action) == LIFE[status, action]
    else:
        with pytest.raises(InvalidTransition):
            COMMAND.apply(status, action)


async def test_the_picture_in_the_documentation_is_the_table() -> None:
    assert picture_of("command") == COMMAND.mermaid()


async def test_a_command_is_fetched_done_and_told_of(farm: Platform, store: ColdStore) -> None:
    first, second = await issue(store), await issue(store, "restart", expires_in_s=60)
    fetched = await waiting(farm, store)
    assert [(command.id, command.kind, command.target) for command in fetched] == [
        (first["id"], "identify", ""),
        (second["id"], "restart", ""),
    ]
    assert fetched[1].expires_at_ms - fetched[1].issued_at_ms == 60_000
    answer = await settle(farm, store, first, "done", message="the lamp blinked")
    assert (answer.status_code, answer.json()["data"]["commands_waiting"]) == (200, 1)
    assert await seen(store) == [("restart", "waiting"), ("identify", "done")]
    assert [command.kind for command in await waiting(farm, store)] == ["restart"]
    kept = (await store.tenant.get(path_of(store, "/commands")))[1]
    assert (kept["message"], kept["settled_at"] is not None) == ("the lamp blinked", True)


async def test_an_answer_that_got_lost_is_given_again_and_another_is_refused(farm: Platform, store: ColdStore) -> None:
    command = await issue(store)
    for _ in range(2):
        assert (await settle(farm, store, command, "failed", message="no lamp")).status_code == 200
    refused = await settle(farm, store, command, "done")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "INVALID_TRANSITION")
    assert await seen(store) == [("identify", "failed")]


async def test_batches_and_heartbeats_say_how_many_wait(farm: Platform, store: ColdStore) -> None:
    await issue(store)
    await issue(await plant_store(farm))
    assert (await send(farm, store, make_series([4.0])))["commands_waiting"] == 1


async def test_what_is_not_fetched_in_time_is_expired_to_the_second(farm: Platform, store: ColdStore) -> None:
    now = clock.now()
    clock.use(lambda: now)
    command = await issue(store, expires_in_s=60)
    for after_ms, count, status in ((59_999, 1, "waiting"), (60_000, 0, "expired")):
        instant = now + timedelta(milliseconds=after_ms)
        clock.use(lambda instant=instant: instant)  # type: ignore[misc]
        assert (len(await waiting(farm, store)), await seen(store)) == (count, [("identify", status)])
    assert (await settle(farm, store, command, "done")).status_code == 200  # it was done in time, and told of late
    assert await seen(store) == [("identify", "done")]


async def test_a_scale_is_tared_by_its_own_gateway(farm: Platform, store: ColdStore) -> None:
    scale = await plant_sensor(
        farm, store.tenant, store.gateway_id, location_id=store.room_id, code="scale:dock-1", quantity="weight"
    )
    made = await store.tenant.post(f"/api/v1/edge/scales/{scale}/tare")
    assert (made["kind"], made["target"], made["gateway_id"]) == ("tare", "scale:dock-1", store.gateway_id)
    assert [command.target for command in await waiting(farm, store)] == ["scale:dock-1"]
    assert (await issue(store, "tare", target="scale:dock-1"))["target"] == "scale:dock-1"
    for no_scale in (store.sensor_id, store.gateway_id):
        assert (await store.tenant.client.post(f"/api/v1/edge/scales/{no_scale}/tare")).status_code == 404
    await store.tenant.client.delete(f"/api/v1/edge/sensors/{scale}")
    assert (await store.tenant.client.post(f"/api/v1/edge/scales/{scale}/tare")).status_code == 404


async def test_a_command_that_makes_no_sense_is_refused(farm: Platform, store: ColdStore) -> None:
    for body in (
        {"kind": "explode"},
        {"kind": "tare"},
        {"kind": "reset_alarm"},
        {"kind": "restart", "target": "scale:dock-1"},
        {"kind": "tare", "target": "scale:nowhere"},
        {"kind": "reset_alarm", "target": "no-such-rule"},
        {"kind": "restart", "expires_in_s": 59},
        {"kind": "restart", "expires_in_s": 30 * 24 * 3600},
    ):
        answer = await store.tenant.client.post(path_of(store, "/commands"), json=body)
        assert answer.status_code == 422, body
    assert await seen(store) == []


async def test_an_alarm_is_reset_by_a_rule_that_the_gateway_has(farm: Platform, store: ColdStore) -> None:
    rule = await make_rule(store)
    watch = {"sensor": "z2m:cold-room-1", "quantity": "temperature", "kind": "silent", "duration_s": 600}
    await store.tenant.put(path_of(store, "/config"), {"watches": [{**watch, "rule": "no-news"}]})
    for target in (rule["id"], "no-news"):
        assert (await issue(store, "reset_alarm", target=target))["target"] == target


async def test_a_gateway_has_only_so_much_to_do(farm: Platform, store: ColdStore) -> None:
    for _ in range(MAX_WAITING):
        await issue(store)
    answer = await store.tenant.client.post(path_of(store, "/commands"), json={"kind": "identify"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "TOO_MANY_COMMANDS")


async def test_a_gateway_settles_its_own_commands_only(farm: Platform, store: ColdStore) -> None:
    neighbour = await plant_store(farm)
    theirs = await issue(neighbour)
    assert (await settle(farm, store, theirs, "done")).status_code == 404
    body = {"outcome": "done", "recorded_at_ms": 1}
    async with farm.client(store.gateway_token) as box:
        assert (await box.get(path_of(neighbour, "/commands"))).status_code == 403
        answer = await box.post(path_of(neighbour, f"/commands/{theirs['id']}/ack"), json=body)
        assert answer.status_code == 403
        assert (await box.post(path_of(store, "/commands"), json={"kind": "restart"})).status_code == 403
    answer = await store.tenant.client.post(path_of(neighbour, f"/commands/{theirs['id']}/ack"), json=body)
    assert answer.status_code == 403


async def test_who_may_see_devices_sees_commands_and_gives_none(farm: Platform, store: ColdStore) -> None:
    await issue(store)
    viewer = await make_person(farm, farm.tenant, "viewer")
    assert len(await viewer.get(path_of(store, "/commands"))) == 1
    assert (await viewer.client.post(path_of(store, "/commands"), json={"kind": "restart"})).status_code == 403
    buyer = await make_person(farm, farm.tenant, "customer")
    assert (await buyer.client.get(path_of(store, "/commands"))).status_code == 403


async def test_what_was_commanded_and_what_became_of_it_stands_in_the_trail(farm: Platform, store: ColdStore) -> None:
    command = await issue(store, "restart")
    await settle(farm, store, command, "done")
    trail = await store.tenant.get("/api/v1/admin/security/audit-logs", entity_id=command["id"])
    assert [(entry["action"], entry["actor_kind"]) for entry in trail] == [
        ("gateway_commands.changed", "gateway"),
        ("gateway_commands.created", "user"),
    ]
