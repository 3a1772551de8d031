"""An organisation is founded by who will run it, in one request."""

import itertools
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from cloud_api.kernel import clock
from tests.cloud_api.identity.mailed import mailed_token, mails
from tests.cloud_api.identity.people import me, sign_in, tokens
from tests.platform_under_test import PASSWORD, Platform, open_platform

REGISTER = "/api/v1/auth/register"
VERIFY = "/api/v1/auth/verify-email"
_numbers = itertools.count(1)


def wanted(platform: Platform, **changed: object) -> dict[str, Any]:
    """A registration that nothing is wrong with."""
    name = f"founder-{platform.tenant.slug}-{next(_numbers)}"
    return {
        "organization_name": "Konkan Mangoes",
        "slug": name,
        "username": name,
        "email": f"{name}@konkan.example",
        "full_name": "Meera Joshi",
        "password": PASSWORD,
        **changed,
    }


async def test_who_registers_founds_an_organisation_and_signs_in_as_its_administrator(
    shared_platform: Platform,
) -> None:
    body = wanted(shared_platform, timezone="Asia/Dubai", currency="AED")
    async with shared_platform.client() as client:
        answer = await client.post(REGISTER, json=body)
    assert answer.status_code == 201, answer.text
    assert answer.json()["data"]["timezone"] == "Asia/Dubai"
    user = (await tokens(shared_platform, body["email"]))["user"]
    assert (user["roles"], user["organization"]["slug"]) == (["org_admin"], body["slug"])
    assert user["email_verified"] is False


async def test_only_the_mailed_token_confirms_the_address_and_once(shared_platform: Platform) -> None:
    body = wanted(shared_platform)
    async with shared_platform.client() as client:
        await client.post(REGISTER, json=body)
        token = await mailed_token(shared_platform, body["email"], "verify_email")
        another = ("x" if token[0] != "x" else "y") + token[1:]
        assert (await client.post(VERIFY, json={"token": another})).status_code == 422
        assert (await client.post(VERIFY, json={"token": token})).status_code == 204
        again = await client.post(VERIFY, json={"token": token})
    assert (again.status_code, again.json()["error"]["code"]) == (422, "TOKEN_NOT_VALID")
    assert (await tokens(shared_platform, body["username"]))["user"]["email_verified"] is True


async def test_a_confirmation_can_be_mailed_again_and_nobody_learns_who_is_there(sqlite_platform: Platform) -> None:
    body = wanted(sqlite_platform)
    async with sqlite_platform.client() as client:
        await client.post(REGISTER, json=body)
        answers = [
            await client.post("/api/v1/auth/resend-verification", json={"email": email})
            for email in (body["email"], "nobody@nowhere.example")
        ]
    assert {(answer.status_code, answer.text) for answer in answers} == {(202, "null")}
    assert await mails(sqlite_platform, body["email"]) == ["verify_email"] * 2
    assert await mails(sqlite_platform, "nobody@nowhere.example") == []


async def test_a_confirmation_that_waited_too_long_confirms_nothing(sqlite_platform: Platform) -> None:
    body = wanted(sqlite_platform)
    async with sqlite_platform.client() as client:
        await client.post(REGISTER, json=body)
        token = await mailed_token(sqlite_platform, body["email"], "verify_email")
        clock.use(partial(clock.machine_now().__add__, timedelta(days=3, seconds=1)))
        assert (await client.post(VERIFY, json={"token": token})).status_code == 422


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"password": "abcdefgh"}, "password"),
        ({"slug": "Two Words"}, "slug"),
        ({"email": "nowhere"}, "email"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"currency": "rupees"}, "currency"),
        ({"username": "a@b"}, "username"),
        ({"phone": "12345"}, "phone"),
        ({"is_active": True}, "is_active"),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_is_founded(
    sqlite_platform: Platform, changed: dict[str, object], field: str
) -> None:
    body = wanted(sqlite_platform, **changed)
    async with sqlite_platform.client() as client:
        answer = await client.post(REGISTER, json=body)
    assert answer.status_code == 422
    assert [detail["field"] for detail in answer.json()["error"]["details"]] == [field]
    assert (await sign_in(sqlite_platform, str(body["username"]))).status_code == 401


async def test_a_name_that_is_taken_founds_nothing(shared_platform: Platform) -> None:
    body = wanted(shared_platform, username=shared_platform.tenant.username)
    async with shared_platform.client() as client:
        taken = await client.post(REGISTER, json=body)
        assert (taken.status_code, taken.json()["error"]["code"]) == (409, "NAME_TAKEN")
        free = {**body, "username": body["slug"]}
        assert (await client.post(REGISTER, json=free)).status_code == 201, "the short name was not left taken"
        assert (await client.post(REGISTER, json=free)).status_code == 409


async def test_where_registration_is_closed_nobody_founds_anything(sqlite_url: str) -> None:
    async with open_platform(sqlite_url, open_registration=False) as platform, platform.client() as client:
        assert (await client.post(REGISTER, json=wanted(platform))).status_code == 403


async def test_what_people_change_of_their_own_profile(shared_platform: Platform) -> None:
    body = wanted(shared_platform)
    async with shared_platform.client() as client:
        await client.post(REGISTER, json=body)
    access = (await tokens(shared_platform, body["username"]))["access_token"]
    async with shared_platform.client(access) as client:
        changed = {"full_name": "Meera J.", "phone": "+919812345678", "locale": "hi-IN", "theme": "dark"}
        assert (await client.put("/api/v1/auth/me", json=changed)).status_code == 200
        for wrong in ({"email": "other@konkan.example"}, {"roles": ["super_admin"]}, {"theme": "pink"}):
            assert (await client.put("/api/v1/auth/me", json=wrong)).status_code == 422
    profile = (await me(shared_platform, access)).json()["data"]
    assert {key: profile[key] for key in changed} == changed
    assert profile["email"] == body["email"]
