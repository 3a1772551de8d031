"""A sign-in: how long it lasts, how it goes on, how it ends, and what does not pass for one."""

import asyncio
import base64
import json
import uuid
from datetime import timedelta
from functools import partial

import jwt
import pytest

from cloud_api.identity.sessions.keyring import SETTINGS_KEY
from cloud_api.identity.sessions.service import REFRESH_TOKEN_LIFE, SESSION_LIFE
from cloud_api.identity.tokens import ACCESS_TOKEN_LIFE, AccessClaims, issue
from cloud_api.kernel import clock
from cloud_api.kernel.settings import DEVELOPMENT_SECRET
from cloud_api.kernel.tenancy import SystemScope
from tests.cloud_api.identity.people import LOGOUT, add_person, change_person, me, refresh, tokens
from tests.factories.stores import make_gateway
from tests.platform_under_test import Platform

SECOND = timedelta(seconds=1)


def pass_time(passed: timedelta) -> None:
    clock.use(partial(clock.machine_now().__add__, passed))


async def test_a_refresh_token_works_once_and_brings_the_next(shared_platform: Platform) -> None:
    person = await add_person(shared_platform)
    first = await tokens(shared_platform, person.username)
    second = (await refresh(shared_platform, first["refresh_token"])).json()["data"]
    assert second["user"] == first["user"]
    assert second["refresh_token"] != first["refresh_token"]
    assert (await me(shared_platform, second["access_token"])).status_code == 200
    third = await refresh(shared_platform, second["refresh_token"])
    assert third.status_code == 200


async def test_a_used_refresh_token_ends_the_whole_sign_in_and_no_other(shared_platform: Platform) -> None:
    person = await add_person(shared_platform)
    first, elsewhere = [await tokens(shared_platform, person.username) for _ in range(2)]
    second = (await refresh(shared_platform, first["refresh_token"])).json()["data"]
    used = await refresh(shared_platform, first["refresh_token"])
    assert (used.status_code, used.json()["error"]["code"]) == (401, "SESSION_ENDED")
    assert (await refresh(shared_platform, second["refresh_token"])).status_code == 401
    assert (await me(shared_platform, second["access_token"])).status_code == 401
    assert (await me(shared_platform, elsewhere["access_token"])).status_code == 200
    events = await shared_platform.tenant.get("/api/v1/admin/security/events", type="refresh_reuse")
    assert [event["details"]["user_id"] for event in events] == [second["user"]["id"]]


async def test_of_eight_at_once_with_one_refresh_token_one_goes_on(shared_platform: Platform) -> None:
    person = await add_person(shared_platform)
    token = (await tokens(shared_platform, person.username))["refresh_token"]
    answers = await asyncio.gather(*(refresh(shared_platform, token) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 7
    [winner] = [answer for answer in answers if answer.status_code == 200]
    assert (await me(shared_platform, winner.json()["data"]["access_token"])).status_code == 401, "the family is over"


async def test_signing_out_stops_the_tokens_at_once_and_no_other_sign_in(shared_platform: Platform) -> None:
    person = await add_person(shared_platform)
    here, elsewhere = [await tokens(shared_platform, person.username) for _ in range(2)]
    async with shared_platform.client(here["access_token"]) as client:
        assert (await client.post(LOGOUT)).status_code == 204
        again = await client.post(LOGOUT)
    assert (again.status_code, again.json()["error"]["code"]) == (401, "SESSION_ENDED")
    assert (await me(shared_platform, here["access_token"])).status_code == 401
    assert (await refresh(shared_platform, here["refresh_token"])).status_code == 401
    assert (await me(shared_platform, elsewhere["access_token"])).status_code == 200
    assert (await refresh(shared_platform, elsewhere["refresh_token"])).status_code == 200


async def test_tokens_end_when_they_said_they_would(shared_platform: Platform) -> None:
    person = await add_person(shared_platform)
    signed_in = await tokens(shared_platform, person.username)
    pass_time(ACCESS_TOKEN_LIFE - timedelta(minutes=1))
    assert (await me(shared_platform, signed_in["access_token"])).status_code == 200
    pass_time(ACCESS_TOKEN_LIFE + SECOND)
    ended = await me(shared_platform, signed_in["access_token"])
    assert (ended.status_code, ended.json()["error"]["code"]) == (401, "TOKEN_EXPIRED")
    pass_time(REFRESH_TOKEN_LIFE - timedelta(minutes=1))
    signed_in = (await refresh(shared_platform, signed_in["refresh_token"])).json()["data"]
    pass_time(2 * REFRESH_TOKEN_LIFE)
    assert (await refresh(shared_platform, signed_in["refresh_token"])).status_code == 401


@pytest.mark.parametrize("status", ["suspended", "inactive"])
async def test_who_is_suspended_is_out_at_once(shared_platform: Platform, status: str) -> None:
    person = await add_person(shared_platform)
    signed_in = await tokens(shared_platform, person.username)
    await change_person(shared_platform, person, status=status)
    assert (await me(shared_platform, signed_in["access_token"])).status_code == 401
    assert (await refresh(shared_platform, signed_in["refresh_token"])).status_code == 401
    await change_person(shared_platform, person, status="active")
    assert (await me(shared_platform, signed_in["access_token"])).status_code == 200


def unsigned(claims: dict[str, object]) -> str:
    """A token of the algorithm `none`."""
    parts = [json.dumps(part).encode() for part in ({"alg": "none", "typ": "JWT"}, claims)]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts) + "."


def signed(claims: dict[str, object]) -> str:
    """With the key that is in force."""
    return jwt.encode(claims, DEVELOPMENT_SECRET, algorithm="HS256", headers={"kid": SETTINGS_KEY})


async def test_what_we_did_not_sign_opens_nothing(sqlite_platform: Platform) -> None:
    person = await add_person(sqlite_platform)
    genuine = (await tokens(sqlite_platform, person.username))["access_token"]
    claims = jwt.decode(genuine, options={"verify_signature": False})
    later = {**claims, "exp": claims["exp"] + 10**6}
    header, payload, signature = genuine.split(".")
    forged = [
        jwt.encode(later, "another-secret-key-of-32-characters-or-more", algorithm="HS256"),
        signed({**claims, "iss": "somebody"}),
        signed({**claims, "aud": "somebody-else"}),
        signed({**claims, "kind": "client"}),
        jwt.encode(claims, DEVELOPMENT_SECRET, algorithm="HS256"),
        jwt.encode(claims, DEVELOPMENT_SECRET, algorithm="HS256", headers={"kid": str(uuid.uuid4())}),
        signed({"sub": claims["sub"], "sid": claims["sid"]}),
        signed({**claims, "sub": "me"}),
        unsigned(later),
        f"{header}.{jwt.encode(later, 'x' * 32, algorithm='HS256').split('.')[1]}.{signature}",
        f"{header}.{payload}.",
        f"{header}.{payload}",
        genuine[:-2],
        "gateway",
        "gateway..",
        f"gateway.{uuid.uuid4()}.{'0' * 64}",
        "x",
        "x" * 10_000,
    ]
    for token in forged:
        answer = await me(sqlite_platform, token)
        assert (answer.status_code, answer.headers.get("www-authenticate")) == (401, "Bearer"), token
    assert (await me(sqlite_platform, genuine)).status_code == 200


async def test_a_token_of_a_sign_in_that_never_was_opens_nothing(sqlite_platform: Platform) -> None:
    person, other = await add_person(sqlite_platform), await add_person(sqlite_platform)
    ours, theirs = [
        jwt.decode(
            (await tokens(sqlite_platform, somebody.username))["access_token"], options={"verify_signature": False}
        )
        for somebody in (person, other)
    ]
    for sub, sid in ((ours["sub"], str(uuid.uuid4())), (ours["sub"], theirs["sid"])):
        claims = AccessClaims(uuid.UUID(sub), session_id=uuid.UUID(sid))
        async with sqlite_platform.database.unit_of_work(SystemScope("test"), read_only=True) as db:
            token = await issue(claims, sqlite_platform.app.state.keyring, db)
        assert (await me(sqlite_platform, token)).json()["error"]["code"] == "SESSION_ENDED"


async def test_other_ways_to_sign_in_are_none(sqlite_platform: Platform) -> None:
    person = await add_person(sqlite_platform)
    token = (await tokens(sqlite_platform, person.username))["access_token"]
    async with sqlite_platform.client() as client:
        for header in (token, f"Basic {token}", f"Token {token}", "Bearer", "Bearer ", ""):
            answer = await client.get("/api/v1/auth/me", headers={"Authorization": header})
            assert (answer.status_code, answer.json()["error"]["code"]) == (401, "UNAUTHENTICATED"), header
        answer = await client.get("/api/v1/auth/me", params={"access_token": token})
        assert answer.status_code == 401


async def test_a_gateway_is_nobody_who_signs_out(sqlite_platform: Platform) -> None:
    _, token = await make_gateway(sqlite_platform, sqlite_platform.tenant)
    async with sqlite_platform.client(token) as gateway:
        assert (await gateway.post(LOGOUT)).status_code == 403


async def test_a_sign_in_ends_after_thirty_days_however_often_it_was_refreshed(shared_platform: Platform) -> None:
    person = await add_person(shared_platform)
    token = (await tokens(shared_platform, person.username))["refresh_token"]
    for days in (6, 12, 18, 24, 29):
        pass_time(timedelta(days=days))
        token = (await refresh(shared_platform, token)).json()["data"]["refresh_token"]
    pass_time(SESSION_LIFE + SECOND)
    assert (await refresh(shared_platform, token)).status_code == 401
