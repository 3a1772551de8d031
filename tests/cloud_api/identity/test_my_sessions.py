"""Where somebody is signed in, and how they end it from afar."""

from datetime import timedelta
from functools import partial
from typing import Any

from cloud_api.kernel import clock
from tests.cloud_api.identity.people import LOGIN, Person, add_person, me, tokens
from tests.platform_under_test import PASSWORD, Platform

SESSIONS = "/api/v1/auth/sessions"


async def sessions(platform: Platform, access: str) -> list[dict[str, Any]]:
    async with platform.client(access) as client:
        listed: list[dict[str, Any]] = (await client.get(SESSIONS)).json()["data"]
    return listed


async def test_the_list_says_where_from_and_which_is_this_one(shared_platform: Platform) -> None:
    person = await add_person(shared_platform)
    async with shared_platform.client() as client:
        body = {"login": person.username, "password": PASSWORD}
        await client.post(LOGIN, json=body, headers={"User-Agent": "Cold phone 7"})
    here = await tokens(shared_platform, person.username)
    newest, oldest = await sessions(shared_platform, here["access_token"])
    assert (newest["current"], oldest["current"]) == (True, False)
    assert (oldest["user_agent"], oldest["address"]) == ("Cold phone 7", "127.0.0.1")
    assert "refresh" not in str(newest)


async def test_another_sign_in_is_ended_from_here(shared_platform: Platform) -> None:
    person = await add_person(shared_platform)
    lost, here = [await tokens(shared_platform, person.username) for _ in range(2)]
    [other] = [one for one in await sessions(shared_platform, here["access_token"]) if not one["current"]]
    async with shared_platform.client(here["access_token"]) as client:
        assert (await client.delete(f"{SESSIONS}/{other['id']}")).status_code == 204
        assert (await client.delete(f"{SESSIONS}/{other['id']}")).status_code == 404
    ended = await me(shared_platform, lost["access_token"])
    assert (ended.status_code, ended.json()["error"]["code"]) == (401, "SESSION_ENDED")
    assert (await me(shared_platform, here["access_token"])).status_code == 200


async def test_somebody_elses_sign_in_is_not_there(shared_platform: Platform) -> None:
    ours, theirs = await add_person(shared_platform), await add_person(shared_platform)
    access = (await tokens(shared_platform, ours.username))["access_token"]
    [foreign] = await sessions(shared_platform, (await tokens(shared_platform, theirs.username))["access_token"])
    async with shared_platform.client(access) as client:
        assert (await client.delete(f"{SESSIONS}/{foreign['id']}")).status_code == 404


async def test_all_but_this_one_are_ended_at_once(shared_platform: Platform) -> None:
    person = await add_person(shared_platform)
    *others, here = [await tokens(shared_platform, person.username) for _ in range(3)]
    async with shared_platform.client(here["access_token"]) as client:
        assert (await client.delete(SESSIONS)).status_code == 204
    assert len(await sessions(shared_platform, here["access_token"])) == 1
    for other in others:
        assert (await me(shared_platform, other["access_token"])).status_code == 401


async def sign_in_often(platform: Platform, person: Person, times: int) -> list[dict[str, Any]]:
    began = clock.machine_now()
    signed_in = []
    for number in range(times):
        clock.use(partial(began.__add__, timedelta(seconds=number)))
        signed_in.append(await tokens(platform, person.username))
    return signed_in


async def test_the_sixth_sign_in_ends_the_oldest(shared_platform: Platform) -> None:
    person = await add_person(shared_platform)
    signed_in = await sign_in_often(shared_platform, person, 6)
    statuses = [(await me(shared_platform, one["access_token"])).status_code for one in signed_in]
    assert statuses == [401] + [200] * 5


async def test_an_organisation_sets_how_many_there_may_be(shared_platform: Platform) -> None:
    person = await add_person(shared_platform)
    await shared_platform.tenant.put("/api/v1/admin/settings/session.limit", {"value": 1})
    signed_in = await sign_in_often(shared_platform, person, 3)
    statuses = [(await me(shared_platform, one["access_token"])).status_code for one in signed_in]
    assert statuses == [401, 401, 200]
