"""Inviting somebody, and what becomes of the mailed token."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from cloud_api.identity.invitations.service import INVITATION_LIFE
from cloud_api.kernel import clock
from tests.cloud_api.identity.people import add_person, sign_in
from tests.cloud_api.identity.staff import INVITES, ORGANIZATIONS, ROLES, USERS, join, make_role, refusal
from tests.platform_under_test import Platform, Tenant

CHOSEN = "Monsoon-crate-9"


def address(platform: Platform) -> str:
    return f"Ravi@{platform.tenant.slug}.example"


async def invite(platform: Platform, *, by: Tenant | None = None, **changed: Any) -> str:
    """Invite somebody, and read the token in their newest mail."""
    body = {"email": address(platform), "roles": ["viewer"], **changed}
    await (by or platform.tenant).post(INVITES, body)
    return await mailed_token(platform, body["email"])


async def mailed_token(platform: Platform, email: str) -> str:
    await platform.deliver()
    mails = [mail for mail in platform.letterbox.mails if email.lower() in mail["To"].lower()]
    assert mails[-1]["X-Coldfleet-Mail"] == "invitation"
    plain = mails[-1].get_body(("plain",))
    assert plain is not None
    return str(plain.get_content()).partition("token=")[2].split()[0]


async def accept(platform: Platform, token: str, **changed: Any) -> httpx2.Response:
    body = {"username": f"ravi-{platform.tenant.slug}", "full_name": "Ravi Kumar", "password": CHOSEN, **changed}
    async with platform.client() as anybody:
        return await anybody.post(f"{INVITES}/{token}/accept", json=body)


async def test_who_is_invited_makes_an_account_with_a_confirmed_address(shared_platform: Platform) -> None:
    admin = shared_platform.tenant
    token = await invite(shared_platform, roles=["viewer", "inventory_staff"])
    [seen] = await admin.get(INVITES)
    assert (seen["email"], seen["roles"]) == (address(shared_platform).lower(), ["inventory_staff", "viewer"])
    assert token not in str(seen)
    answer = await accept(shared_platform, token, phone="+919812345678")
    assert answer.status_code == 201, answer.text
    made = answer.json()["data"]
    assert (made["email"], made["organization_id"]) == (seen["email"], str(admin.organization.organization_id))
    person = await admin.get(f"{USERS}/{made['id']}")
    assert (person["email_verified"], person["must_change_password"], person["phone"]) == (True, False, "+919812345678")
    assert [role["name"] for role in person["roles"]] == ["inventory_staff", "viewer"]
    assert (await sign_in(shared_platform, made["email"], CHOSEN)).status_code == 200
    assert await admin.get(INVITES) == []


async def test_a_token_works_once(shared_platform: Platform) -> None:
    token = await invite(shared_platform)
    assert (await accept(shared_platform, token)).status_code == 201
    assert refusal(await accept(shared_platform, token, username="another")) == (422, "TOKEN_NOT_VALID")


async def test_of_many_who_accept_at_once_one_does(shared_platform: Platform) -> None:
    token = await invite(shared_platform)
    name = shared_platform.tenant.slug
    answers = await asyncio.gather(
        *(accept(shared_platform, token, username=f"{name}-{number}") for number in range(5))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 422, 422, 422, 422]
    assert len(await shared_platform.tenant.get(USERS, search=address(shared_platform))) == 1


async def test_an_invitation_ends_after_seven_days(shared_platform: Platform) -> None:
    token = await invite(shared_platform)
    late = clock.now() + INVITATION_LIFE + timedelta(seconds=1)
    clock.use(lambda: late)
    assert refusal(await accept(shared_platform, token)) == (422, "TOKEN_NOT_VALID")
    clock.use(None)
    assert (await accept(shared_platform, token)).status_code == 201


async def test_a_revoked_invitation_opens_nothing(shared_platform: Platform) -> None:
    admin, stranger = shared_platform.tenant, await shared_platform.found()
    token = await invite(shared_platform)
    [seen] = await admin.get(INVITES)
    assert await stranger.get(INVITES) == []
    assert (await stranger.client.delete(f"{INVITES}/{seen['id']}")).status_code == 404
    assert (await admin.client.delete(f"{INVITES}/{seen['id']}")).status_code == 204
    assert (await admin.client.delete(f"{INVITES}/{seen['id']}")).status_code == 404
    assert refusal(await accept(shared_platform, token)) == (422, "TOKEN_NOT_VALID")


async def test_a_second_invitation_takes_the_place_of_the_first(shared_platform: Platform) -> None:
    first = await invite(shared_platform)
    second = await invite(shared_platform, email=address(shared_platform).upper(), roles=["inventory_staff"])
    [seen] = await shared_platform.tenant.get(INVITES)
    assert seen["roles"] == ["inventory_staff"]
    assert refusal(await accept(shared_platform, first)) == (422, "TOKEN_NOT_VALID")
    assert (await accept(shared_platform, second)).status_code == 201


async def test_one_invitation_is_open_however_many_are_sent_at_once(shared_platform: Platform) -> None:
    admin = shared_platform.tenant
    body = {"email": address(shared_platform), "roles": ["viewer"]}
    answers = await asyncio.gather(*(admin.client.post(INVITES, json=body) for _ in range(5)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len(await admin.get(INVITES)) == 1


async def test_inviting_does_not_tell_who_has_an_account(shared_platform: Platform) -> None:
    admin, stranger = shared_platform.tenant, await shared_platform.found()
    person = await add_person(shared_platform)
    told = []
    for email in (person.email, f"nobody@{admin.slug}.example"):
        answer = await stranger.client.post(INVITES, json={"email": email, "roles": ["viewer"]})
        told.append((answer.status_code, {*answer.json()["data"]}))
    assert told[0] == told[1]
    token = await mailed_token(shared_platform, person.email)
    assert refusal(await accept(shared_platform, token)) == (409, "NAME_TAKEN")
    assert refusal(await accept(shared_platform, token)) == (409, "NAME_TAKEN"), "it stays open"


@pytest.mark.parametrize(
    ("changed", "heard"),
    [
        ({"password": "weak"}, (422, "WEAK_PASSWORD")),
        ({"username": "a@b"}, (422, "VALIDATION_FAILED")),
        ({"full_name": ""}, (422, "VALIDATION_FAILED")),
        ({"roles": ["org_admin"]}, (422, "VALIDATION_FAILED")),
        ({"email": "mine@farm.example"}, (422, "VALIDATION_FAILED")),
    ],
)
async def test_an_account_that_cannot_be_leaves_the_invitation_open(
    sqlite_platform: Platform, changed: dict[str, Any], heard: tuple[int, str]
) -> None:
    token = await invite(sqlite_platform)
    assert refusal(await accept(sqlite_platform, token, **changed)) == heard
    assert (await accept(sqlite_platform, token)).status_code == 201


async def test_a_user_name_that_is_taken_leaves_the_invitation_open(shared_platform: Platform) -> None:
    person = await add_person(shared_platform)
    token = await invite(shared_platform)
    assert refusal(await accept(shared_platform, token, username=person.username)) == (409, "NAME_TAKEN")
    assert (await accept(shared_platform, token)).status_code == 201


async def test_invented_tokens_open_nothing(sqlite_platform: Platform) -> None:
    for token in ("x", "0" * 43, "%20", "a" * 128):
        assert refusal(await accept(sqlite_platform, token)) == (422, "TOKEN_NOT_VALID"), token
    assert (await accept(sqlite_platform, "a" * 129)).status_code == 422


async def test_nobody_invites_somebody_mightier(shared_platform: Platform) -> None:
    admin, member = shared_platform.tenant, await join(shared_platform, roles=[])
    clerk = await make_role(admin, "clerk", "users:*")
    await admin.post(f"{USERS}/{member.id}/roles", {"role_id": clerk})
    for role in ("org_admin", "viewer"):
        answer = await member.client.post(INVITES, json={"email": address(shared_platform), "roles": [role]})
        assert refusal(answer) == (403, "ROLE_TOO_MIGHTY")
    answer = await admin.client.post(INVITES, json={"email": address(shared_platform), "roles": ["super_admin"]})
    assert refusal(answer) == (422, "INVALID")
    assert await member.get(INVITES) == []


async def test_a_role_that_is_gone_meanwhile_is_not_given(shared_platform: Platform) -> None:
    admin = shared_platform.tenant
    role_id = await make_role(admin, "clerk", "users:read")
    token = await invite(shared_platform, roles=["clerk", "viewer"])
    assert (await admin.client.delete(f"{ROLES}/{role_id}")).status_code == 204
    made = (await accept(shared_platform, token)).json()["data"]
    assert [role["name"] for role in (await admin.get(f"{USERS}/{made['id']}"))["roles"]] == ["viewer"]


async def test_a_closed_organisation_takes_nobody_in(platform: Platform) -> None:
    owner = await platform.found_platform()
    token = await invite(platform)
    closed = f"{ORGANIZATIONS}/{platform.tenant.organization.organization_id}"
    assert (await owner.client.delete(closed)).status_code == 204
    assert refusal(await accept(platform, token)) == (422, "TOKEN_NOT_VALID")
