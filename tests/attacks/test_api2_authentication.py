"""API2:2023, broken authentication: each credential opens its own doors only, and a refusal tells nothing.

Passwords, locks, sessions and tokens have their own tests in tests/cloud_api/identity.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from tests.architecture.worlds import make_world
from tests.attacks.calls import AUTH, enrol
from tests.cloud_api.conftest import open_shared_platform
from tests.cloud_api.identity.mailed import mailed_token
from tests.cloud_api.identity.people import LOGIN, ME, sign_in, tokens
from tests.cloud_api.identity.programs import TOKEN, make_client, make_key
from tests.cloud_api.identity.staff import Member, join, refusal
from tests.cloud_api.realtime.sockets import connected_to
from tests.platform_under_test import PASSWORD, Platform

#: what only people do with their own account, and none of their machines
PEOPLES_OWN = [
    ("GET", f"{AUTH}/me", None),
    ("PUT", f"{AUTH}/me", {"full_name": "Robot"}),
    ("GET", f"{AUTH}/sessions", None),
    ("DELETE", f"{AUTH}/sessions", None),
    ("POST", f"{AUTH}/2fa/setup", {}),
    ("POST", f"{AUTH}/2fa/enable", {"code": "123456"}),
    ("POST", f"{AUTH}/2fa/disable", {"password": PASSWORD, "code": "123456"}),
    ("POST", f"{AUTH}/2fa/backup-codes", {"code": "123456"}),
    ("POST", f"{AUTH}/change-password", {"current_password": PASSWORD, "new_password": "Warm-depot-2"}),
    ("POST", f"{AUTH}/logout", None),
    ("POST", "/api/v1/mobile/auth/logout", {}),
    ("POST", "/api/v1/privacy/exports", {}),
    ("POST", "/api/v1/privacy/erasure-requests", {}),
]


@dataclass(frozen=True)
class Secrets:
    """One of each kind, all good for what they are for."""

    member: Member
    access: str
    refresh: str
    challenge: str
    reset: str
    gateway: str
    api_key: str
    client_secret: str
    client_token: str


@pytest.fixture
async def platform(shared_sqlite_url: str) -> AsyncIterator[Platform]:
    """One engine: what is shown is looked at before anything is looked for."""
    async with open_shared_platform(shared_sqlite_url) as opened:
        yield opened


async def draw(platform: Platform) -> Secrets:
    world = await make_world(platform, platform.tenant)
    member = await join(platform)
    signed_in = await tokens(platform, member.username)
    enrolled, _, _ = await enrol(platform)
    challenge = (await tokens(platform, enrolled.username))["challenge"]
    program = await make_client(platform.tenant, "products:read")
    async with platform.client() as client:
        await client.post(f"{AUTH}/forgot-password", json={"login": member.username})
        form = {"grant_type": "client_credentials", "client_id": program["client_id"]}
        granted = await client.post(TOKEN, data={**form, "client_secret": program["client_secret"]})
    return Secrets(
        member=member,
        access=signed_in["access_token"],
        refresh=signed_in["refresh_token"],
        challenge=challenge,
        reset=await mailed_token(platform, f"{member.username}@{platform.tenant.slug}.example", "reset_password"),
        gateway=world.store.gateway_token,
        api_key=(await make_key(platform.tenant))["key"],
        client_secret=program["client_secret"],
        client_token=granted.json()["access_token"],
    )


async def test_no_secret_serves_as_another(platform: Platform) -> None:
    drawn = await draw(platform)
    no_bearers = (drawn.refresh, drawn.challenge, drawn.reset, drawn.client_secret, drawn.gateway.rpartition(".")[2])
    for token in no_bearers:
        async with platform.client(token) as client:
            assert (await client.get(ME)).status_code == 401
    async with platform.client() as client:
        for token in (drawn.access, drawn.challenge, drawn.reset, drawn.api_key, drawn.client_token):
            refused = await client.post(f"{AUTH}/refresh", json={"refresh_token": token[:128]})
            assert refused.status_code == 401, refused.text
        for token in (drawn.refresh, drawn.reset):
            refused = await client.post(f"{AUTH}/2fa/challenge", json={"challenge": token, "code": "123456"})
            assert refusal(refused) == (401, "WRONG_CODE")
        for token in (drawn.refresh, drawn.challenge):
            body = {"token": token, "new_password": "Warm-depot-2"}
            assert (await client.post(f"{AUTH}/reset-password", json=body)).status_code == 422
            assert (await client.post(f"{AUTH}/verify-email", json={"token": token})).status_code == 422
        assert (await client.post(f"{AUTH}/verify-email", json={"token": drawn.reset})).status_code == 422
        for secret in (drawn.api_key, drawn.refresh, PASSWORD):
            form = {"grant_type": "client_credentials", "client_id": "coldfleet-0", "client_secret": secret}
            assert (await client.post(TOKEN, data=form)).status_code == 401
        assert (await sign_in(platform, drawn.member.username, drawn.reset)).status_code == 401


async def test_machines_have_no_account_of_a_person(platform: Platform) -> None:
    drawn = await draw(platform)
    for token in (drawn.gateway, drawn.api_key, drawn.client_token):
        async with platform.client(token) as client:
            for method, path, body in PEOPLES_OWN:
                answer = await client.request(method, path, json=body)
                assert answer.status_code == 403, (path, answer.text)


async def test_a_gateway_sees_nothing_that_people_do(platform: Platform) -> None:
    drawn = await draw(platform)
    async with platform.client(drawn.gateway) as client:
        for path in ("/warehouse/products", "/orders", "/admin/users", "/admin/settings", "/telemetry/readings/latest"):
            assert (await client.get(f"/api/v1{path}")).status_code == 403, path


async def test_an_ended_sign_in_opens_no_websocket(platform: Platform) -> None:
    watcher = await join(platform, roles=["org_admin"])
    token = watcher.client.headers["Authorization"].removeprefix("Bearer ")
    assert (await watcher.client.post(f"{AUTH}/logout")).status_code == 204
    async with connected_to(platform.app, "/ws/admin/security-events", token=token) as socket:
        assert (await socket.heard())["type"] == "websocket.close"


async def test_other_credentials_open_no_websocket_of_administrators(platform: Platform) -> None:
    drawn = await draw(platform)
    for token in (drawn.gateway, drawn.refresh, drawn.api_key, drawn.client_token, ""):
        async with connected_to(platform.app, "/ws/admin/security-events", token=token) as socket:
            assert (await socket.heard())["type"] == "websocket.close", token[:12]


async def test_what_asks_for_somebody_answers_alike_for_everybody_and_nobody(platform: Platform) -> None:
    member = await join(platform)
    async with platform.client() as client:
        for path in ("forgot-password", "resend-verification"):
            heard = [
                await client.post(f"{AUTH}/{path}", json={"login": login}) for login in (member.username, "nobody-here")
            ]
            assert heard[0].status_code == heard[1].status_code == 202
            assert heard[0].content == heard[1].content
        wrong = [
            (await client.post(LOGIN, json={"login": login, "password": "Wrong-room-1"})).json()["error"]
            for login in (member.username, "nobody-here-either")
        ]
        assert wrong[0] == wrong[1]


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Basic", "Token", "Bearer Bearer"])
async def test_a_token_is_a_bearers_in_one_way(platform: Platform, scheme: str) -> None:
    token = platform.tenant.client.headers["Authorization"].removeprefix("Bearer ")
    async with platform.client() as client:
        answer = await client.get(ME, headers={"Authorization": f"{scheme} {token}"})
    assert answer.status_code == (200 if scheme.lower() == "bearer" else 401)
