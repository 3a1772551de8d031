"""A gateway's secret: replaced without a moment in which none is good, and dead when the gateway is."""

import asyncio
import uuid

from tests.cloud_api.devices.boxes import ask, path_of, tell
from tests.factories.batches import make_batch, make_series, post, stored_rows
from tests.factories.farms import make_person
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.stores import ColdStore
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP


def draw() -> str:
    return uuid.uuid4().hex * 2


def token(store: ColdStore, secret: str) -> str:
    return f"gateway.{store.gateway_id}.{secret}"


async def rotate(farm: Platform, store: ColdStore, secret: str, *, by: str | None = None) -> int:
    answer = await tell(farm, store, "/rotate-credentials", {"secret": secret}, token=by)
    return int(answer.status_code)


async def works(farm: Platform, store: ColdStore, credential: str) -> bool:
    return (await ask(farm, store, "/config", token=credential)).status_code == 200


async def test_the_old_secret_is_good_until_the_new_one_has_been_used(farm: Platform, store: ColdStore) -> None:
    secret = draw()
    assert await rotate(farm, store, secret) == 200
    assert await works(farm, store, store.gateway_token)
    assert await works(farm, store, token(store, secret))
    assert not await works(farm, store, store.gateway_token)
    assert await works(farm, store, token(store, secret))


async def test_a_gateway_that_did_not_hear_the_answer_asks_again(farm: Platform, store: ColdStore) -> None:
    secret = draw()
    for credential in (None, None, token(store, secret), token(store, secret)):
        assert await rotate(farm, store, secret, by=credential) == 200
    assert await works(farm, store, token(store, secret))


async def test_only_the_last_secret_that_was_drawn_is_the_next(farm: Platform, store: ColdStore) -> None:
    lost, kept = draw(), draw()
    for secret in (lost, kept):
        assert await rotate(farm, store, secret) == 200
    assert [await works(farm, store, token(store, secret)) for secret in (lost, kept)] == [False, True]


async def test_a_new_secret_used_by_many_requests_at_once_is_good_for_all(farm: Platform, store: ColdStore) -> None:
    secret = draw()
    await rotate(farm, store, secret)
    assert all(await asyncio.gather(*(works(farm, store, token(store, secret)) for _ in range(6))))


async def test_a_secret_that_is_none_is_refused(farm: Platform, store: ColdStore) -> None:
    for secret in ("", "G" * 64, "0" * 63):
        assert await rotate(farm, store, secret) == 422
    assert await works(farm, store, store.gateway_token)


async def test_people_have_the_gateway_told_to_draw_another(farm: Platform, store: ColdStore) -> None:
    answer = await store.tenant.post(path_of(store, "/rotate-credentials"))
    assert answer["commands_waiting"] == 1
    [command] = (await ask(farm, store, "/commands")).json()["data"]
    assert command["kind"] == "rotate_credential"
    secret = await store.tenant.client.post(path_of(store, "/rotate-credentials"), json={"secret": draw()})
    assert secret.status_code == 422
    viewer = await make_person(farm, farm.tenant, "viewer")
    assert (await viewer.client.post(path_of(store, "/rotate-credentials"), json={})).status_code == 403


async def test_a_claim_makes_every_secret_before_it_useless(farm: Platform, store: ColdStore) -> None:
    next_one, claimed = draw(), draw()
    await rotate(farm, store, next_one)
    renewed = await store.tenant.post(path_of(store, "/claim-code"))
    claim = {"claim_code": renewed["claim_code"], "secret": claimed, "software_version": "0.2.0"}
    async with farm.client() as box:
        assert (await box.post("/api/v1/edge/provision", json=claim)).status_code == 200
    secrets = (store.gateway_token, token(store, next_one), token(store, claimed))
    assert [await works(farm, store, credential) for credential in secrets] == [False, False, True]


async def test_a_gateway_out_of_service_opens_nothing_and_its_history_stays(farm: Platform, store: ColdStore) -> None:
    secret = draw()
    await post(farm, store, make_batch(make_series([4.0])))
    renewed = await store.tenant.post(path_of(store, "/claim-code"))
    await rotate(farm, store, secret)
    for _ in range(2):
        assert (await store.tenant.client.delete(path_of(store))).status_code == 204
    for credential in (store.gateway_token, token(store, secret)):
        answer = await ask(farm, store, "/config", token=credential)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "GATEWAY_UNKNOWN")
    claim = {"claim_code": renewed["claim_code"], "secret": draw(), "software_version": "0.2.0"}
    async with farm.client() as box:
        assert (await box.post("/api/v1/edge/provision", json=claim)).status_code == 403
    assert (await store.tenant.get(path_of(store)))["status"] == "decommissioned"
    assert len(await stored_rows(farm, store)) == 1


async def test_a_gateway_out_of_service_is_told_nothing_and_comes_back_by_no_code(
    farm: Platform, store: ColdStore
) -> None:
    await store.tenant.client.delete(path_of(store))
    for method, rest, body in (
        ("POST", "/claim-code", {}),
        ("POST", "/commands", {"kind": "restart"}),
        ("POST", "/rotate-credentials", {}),
        ("PUT", "/config", {}),
        ("POST", "/config/rollback", {"version": 1}),
    ):
        answer = await store.tenant.client.request(method, path_of(store, rest), json=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "GATEWAY_DECOMMISSIONED"), rest


async def test_a_gateway_is_called_something_else(farm: Platform, store: ColdStore) -> None:
    name, taken = f"Cellar {uuid.uuid4()}", f"Attic {uuid.uuid4()}"
    assert (await store.tenant.put(path_of(store), {"name": name}))["name"] == name
    await store.tenant.post("/api/v1/edge/gateways", {"name": taken})
    answer = await store.tenant.client.put(path_of(store), json={"name": taken})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "ALREADY_EXISTS")
