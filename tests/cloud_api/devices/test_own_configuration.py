"""What people set of a gateway's configuration: in versions, signed, and taken back when it was a mistake."""

import asyncio
import base64
import uuid
from datetime import timedelta
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import delete, select

from cloud_api.devices.configuration.models import ConfigKey
from cloud_api.devices.events import GatewayConfigRefused
from cloud_api.kernel import clock
from cloud_api.kernel.tenancy import SystemScope
from gateway.contract import SIGNATURE_HEADER
from tests.cloud_api.devices.boxes import ask, path_of, tell
from tests.cloud_api.devices.things import emitted
from tests.factories.farms import make_person
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.stores import ColdStore, make_rule
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

SERIES = {"sensor": "z2m:cold-room-1", "quantity": "temperature"}
SILENT = {**SERIES, "rule": "silent-1", "kind": "silent", "duration_s": 600}
RISING = {**SILENT, "rule": "rising-1", "kind": "rising", "change": 2.0}
DEFROST = {**SERIES, "starts_at_ms": 0, "duration_s": 900, "every_s": 21600}
BUZZER = {"kind": "gpio", "target": "GPIO17", "cloud_silent_s": 300}


async def put(store: ColdStore, **own: Any) -> Any:
    return await store.tenant.put(path_of(store, "/config"), own)


async def refused(store: ColdStore, **own: Any) -> Any:
    answer = await store.tenant.client.put(path_of(store, "/config"), json=own)
    assert answer.status_code == 422, answer.text
    return answer.json()["error"]["details"][0]["field"]


async def config(store: ColdStore) -> Any:
    return await store.tenant.get(path_of(store, "/config"))


async def acknowledge(farm: Platform, store: ColdStore, version: int, state: str, at_ms: int, reason: str = "") -> Any:
    body = {"version": version, "state": state, "recorded_at_ms": at_ms, "reason": reason}
    return await tell(farm, store, "/config/ack", body)


async def states(store: ColdStore) -> dict[int, tuple[str, str]]:
    rows = await store.tenant.get(path_of(store, "/config/history"))
    return {row["version"]: (row["state"], row["reason"]) for row in rows}


async def test_what_people_set_reaches_the_gateway_beside_its_limits(farm: Platform, store: ColdStore) -> None:
    rule = await make_rule(store)
    pause = {**DEFROST, "rules": [rule["id"], "rising-1"], "relax_by": 3.0}
    made = await put(store, watches=[SILENT, RISING], pauses=[pause], outputs=[BUZZER], heartbeat_interval_s=30)
    assert (made["version"], made["state"], made["created_by"] is not None) == (3, "offered", True)
    told = (await ask(farm, store, "/config")).json()["data"]
    assert (told["version"], told["heartbeat_interval_s"], len(told["limits"])) == (3, 30, 1)
    assert told["watches"] == [
        {**SILENT, "duration_s": 600.0, "change": 0.0, "latched": False, "gain": 1.0},
        {**RISING, "duration_s": 600.0, "latched": False, "gain": 1.0},
    ]
    assert told["pauses"] == [{**pause, "duration_s": 900.0, "every_s": 21600.0}]
    assert told["outputs"] == [{**BUZZER, "rules": [], "cloud_silent_s": 300.0}]
    await store.tenant.put(f"/api/v1/alerts/rules/{rule['id']}", {"set_at": 9.0})
    after = await config(store)
    assert (after["version"], after["limits"][0]["set_at"]) == (4, 9.0)
    assert (after["watches"], after["pauses"], after["outputs"]) == (told["watches"], told["pauses"], told["outputs"])


async def test_the_same_again_makes_no_version(farm: Platform, store: ColdStore) -> None:
    for _ in range(3):
        assert (await put(store, watches=[SILENT]))["version"] == 2
    assert (await put(store))["version"] == 3
    assert (await put(store))["version"] == 3
    assert len(await store.tenant.get(path_of(store, "/config/history"))) == 3


async def test_changes_at_the_same_moment_are_versions_one_after_the_other(farm: Platform, store: ColdStore) -> None:
    await asyncio.gather(
        *(put(store, watches=[{**SILENT, "duration_s": 60.0 * minutes}]) for minutes in range(1, 5)),
        make_rule(store),
    )
    assert (await config(store))["version"] == 6
    assert len((await config(store))["limits"]) == 1


async def test_a_mistake_is_taken_back_as_a_new_version_and_the_limits_stay(farm: Platform, store: ColdStore) -> None:
    await put(store, watches=[SILENT])
    await put(store, watches=[RISING], heartbeat_interval_s=30)
    await make_rule(store)
    made = await store.tenant.post(path_of(store, "/config/rollback"), {"version": 2})
    told = await config(store)
    assert (made["version"], told["version"], len(told["limits"])) == (5, 5, 1)
    assert ([watch["rule"] for watch in told["watches"]], told["heartbeat_interval_s"]) == (["silent-1"], 60)
    again = await store.tenant.post(path_of(store, "/config/rollback"), {"version": 2})
    assert again["version"] == 5
    answer = await store.tenant.client.post(path_of(store, "/config/rollback"), json={"version": 99})
    assert (answer.status_code, answer.json()["error"]["details"][0]["field"]) == (404, "version")


async def test_the_history_says_who_made_a_version_and_what_became_of_it(farm: Platform, store: ColdStore) -> None:
    await put(store, watches=[SILENT])
    assert (await acknowledge(farm, store, 2, "staged", 1000)).status_code == 200
    assert await states(store) == {1: ("offered", ""), 2: ("staged", "")}
    await acknowledge(farm, store, 2, "rolled_back", 3000, "no uplink since")
    assert await states(store) == {1: ("offered", ""), 2: ("rolled_back", "no uplink since")}
    await acknowledge(farm, store, 2, "confirmed", 2000)  # sent before, arrived behind
    assert (await states(store))[2] == ("rolled_back", "no uplink since")
    await acknowledge(farm, store, 2, "rolled_back", 3000, "no uplink since")
    newest, first = await store.tenant.get(path_of(store, "/config/history"))
    me = await store.tenant.get("/api/v1/auth/me")
    assert (newest["created_by"], first["created_by"], newest["version"]) == (me["id"], None, 2)
    assert newest["config"]["watches"][0]["rule"] == "silent-1"
    for nothing in (7, 0, -1, 2**31, 2**63):
        assert (await acknowledge(farm, store, nothing, "staged", 1000)).status_code == 404
    assert (await acknowledge(farm, store, 2, "staged", -1)).status_code == 422
    person = await store.tenant.client.post(path_of(store, "/config/ack"), json={})
    assert person.status_code == 403


async def test_who_set_what_stands_in_the_trail(farm: Platform, store: ColdStore) -> None:
    await put(store, heartbeat_interval_s=30)
    trail = await store.tenant.get("/api/v1/admin/security/audit-logs", entity_id=store.gateway_id)
    [entry] = [entry for entry in trail if entry["action"] == "gateways.configured"]
    assert (entry["old"]["heartbeat_interval_s"], entry["new"]["heartbeat_interval_s"]) == (60, 30)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("watches", {**SILENT, "change": 2.0}),
        ("watches", {**RISING, "change": None}),
        ("watches", {**RISING, "change": 0}),
        ("watches", {**RISING, "change": 1e300}),
        ("watches", {**SILENT, "duration_s": 0}),
        ("watches", {**SILENT, "duration_s": 1e9}),
        ("watches", {**SILENT, "rule": "Cold Room"}),
        ("watches", {**SILENT, "rule": ""}),
        ("watches", {**SILENT, "rule": "01a1fea8-e0d7-7000-a77d-cc2c2ca2d8d4"}),
        ("watches", {**SILENT, "kind": "asleep"}),
        ("watches", {**SILENT, "sensor": ""}),
        ("pauses", {**DEFROST, "every_s": 900}),
        ("pauses", {**DEFROST, "every_s": 900.0001}),
        ("pauses", {**DEFROST, "duration_s": 0.0001}),
        ("pauses", {**DEFROST, "starts_at_ms": -1}),
        ("pauses", {**DEFROST, "starts_at_ms": 2**60}),
        ("pauses", {**DEFROST, "relax_by": 0}),
        ("pauses", {**DEFROST, "rules": ["nobody-knows"]}),
        ("outputs", {**BUZZER, "target": "17"}),
        ("outputs", {**BUZZER, "target": "GPIO99"}),
        ("outputs", {"kind": "mqtt", "target": "site/#"}),
        ("outputs", {**BUZZER, "rules": ["nobody-knows"]}),
        ("outputs", {**BUZZER, "cloud_silent_s": 0}),
    ],
)
async def test_what_no_gateway_could_do_is_refused(farm: Platform, store: ColdStore, name: str, change: Any) -> None:
    assert name in await refused(store, **{name: [change]})
    assert (await config(store))["version"] == 1


async def test_watches_are_told_apart_and_the_rest_has_bounds(farm: Platform, store: ColdStore) -> None:
    await refused(store, watches=[SILENT, SILENT])
    for interval_s in (9, 3601, 30.5, "30"):
        assert await refused(store, heartbeat_interval_s=interval_s) == "heartbeat_interval_s"
    assert "limits" in await refused(store, limits=[])


async def test_a_gateway_that_is_to_say_less_often_how_it_is_is_offline_later(farm: Platform, store: ColdStore) -> None:
    await put(store, heartbeat_interval_s=300)
    beat = {"epoch": "0" * 32, "recorded_at_ms": 1, "uptime_s": 1, "software_version": "0.2.0", "config_version": 2}
    rest = {"backlog_rows": 0, "oldest_unsent_ms": None, "dead_letters": 0, "disk_free_mb": 1}
    heard = clock.now()
    clock.use(lambda: heard)
    assert (await tell(farm, store, "/heartbeat", {**beat, **rest})).status_code == 200
    for after_s, online in ((310, True), (311, False)):
        instant = heard + timedelta(seconds=after_s)
        clock.use(lambda instant=instant: instant)  # type: ignore[misc]
        assert (await store.tenant.get(path_of(store)))["online"] is online


async def test_a_gateways_configuration_is_signed_to_the_byte(farm: Platform, store: ColdStore) -> None:
    announced = await store.tenant.post("/api/v1/edge/gateways", {"name": f"Signed {uuid.uuid4()}"})
    claim = {"claim_code": announced["claim_code"], "secret": "ab" * 32, "software_version": "0.2.0"}
    async with farm.client() as box:
        given = (await box.post("/api/v1/edge/provision", json=claim)).json()["data"]["config_key"]
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(given))
    answer = await ask(farm, store, "/config")
    signature = base64.b64decode(answer.headers[SIGNATURE_HEADER], validate=True)
    key.verify(signature, answer.content)
    with pytest.raises(InvalidSignature):
        key.verify(signature, answer.content.replace(b'"version":1', b'"version":2'))
    await put(store, watches=[SILENT])
    other = await ask(farm, store, "/config")
    key.verify(base64.b64decode(other.headers[SIGNATURE_HEADER]), other.content)
    person = await store.tenant.client.get(path_of(store, "/config"))
    assert SIGNATURE_HEADER not in person.headers


async def test_gateways_from_before_there_was_a_key_are_answered_signed_too(farm: Platform, store: ColdStore) -> None:
    async with farm.database.unit_of_work(SystemScope("test")) as db:
        await db.execute(delete(ConfigKey))
    answers = await asyncio.gather(*(ask(farm, store, "/config") for _ in range(4)))
    async with farm.database.unit_of_work(SystemScope("test"), read_only=True) as db:
        [kept] = await db.scalars(select(ConfigKey))
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(kept.public_key))
    for answer in answers:
        key.verify(base64.b64decode(answer.headers[SIGNATURE_HEADER]), answer.content)


async def test_who_may_only_look_sets_nothing(farm: Platform, store: ColdStore) -> None:
    viewer = await make_person(farm, farm.tenant, "viewer")
    assert (await viewer.client.get(path_of(store, "/config"))).status_code == 200
    for method, rest in (("PUT", "/config"), ("POST", "/config/rollback")):
        answer = await viewer.client.request(method, path_of(store, rest), json={"version": 1})
        assert answer.status_code == 403


async def test_a_version_that_the_gateway_does_not_work_by_is_told_of_once(farm: Platform, store: ColdStore) -> None:
    await put(store, heartbeat_interval_s=30)
    for state, at_ms in (("staged", 1000), ("rolled_back", 2000), ("rolled_back", 3000)):
        await acknowledge(farm, store, 2, state, at_ms, "no uplink since")
    shown = await store.tenant.get(path_of(store))
    assert (shown["config_version"], shown["config_state"]) == (2, "rolled_back")
    [event] = await emitted(farm, store, GatewayConfigRefused)
    told = {"version": 2, "state": "rolled_back", "reason": "no uplink since"}
    assert event == {"gateway_id": store.gateway_id, **told}
    await put(store, heartbeat_interval_s=40)
    await acknowledge(farm, store, 2, "refused", 4000)  # of a version that is not wanted any more
    assert (await store.tenant.get(path_of(store)))["config_state"] == "offered"
    assert len(await emitted(farm, store, GatewayConfigRefused)) == 2


async def test_who_knows_the_version_is_told_that_nothing_has_changed(farm: Platform, store: ColdStore) -> None:
    first = await store.tenant.client.get(path_of(store, "/config"))
    known = {"If-None-Match": first.headers["ETag"]}
    again = await store.tenant.client.get(path_of(store, "/config"), headers=known)
    assert (again.status_code, again.content) == (304, b"")
    await put(store, heartbeat_interval_s=30)
    assert (await store.tenant.client.get(path_of(store, "/config"), headers=known)).status_code == 200
