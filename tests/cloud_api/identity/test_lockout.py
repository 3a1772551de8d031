"""Guessing passwords: what it brings, and that it tells nothing about who is there."""

from datetime import timedelta
from functools import partial

from cloud_api.kernel import clock
from tests.cloud_api.identity.people import Person, add_person, sign_in, tokens
from tests.platform_under_test import Platform

WRONG = "Wrong-guess-1"


async def guess(platform: Platform, login: str, times: int) -> list[int]:
    return [(await sign_in(platform, login, WRONG)).status_code for _ in range(times)]


async def locked_person(platform: Platform) -> Person:
    person = await add_person(platform)
    assert await guess(platform, person.username, 5) == [401] * 5
    return person


async def test_after_five_failures_even_the_right_password_waits(shared_platform: Platform) -> None:
    person = await locked_person(shared_platform)
    answer = await sign_in(shared_platform, person.username)
    assert (answer.status_code, answer.json()["error"]["code"]) == (423, "SIGN_IN_LOCKED")
    assert 890 <= int(answer.headers["Retry-After"]) <= 901
    events = await shared_platform.tenant.get("/api/v1/admin/security/events", type="account_lockout")
    assert len(events) == 1


async def test_the_lock_opens_by_itself(shared_platform: Platform) -> None:
    person = await locked_person(shared_platform)
    clock.use(partial(clock.machine_now().__add__, timedelta(minutes=15, seconds=1)))
    assert (await sign_in(shared_platform, person.username)).status_code == 200


async def test_the_same_happens_to_a_name_that_nobody_has(shared_platform: Platform) -> None:
    """Otherwise five wrong passwords would tell who is there."""
    person = await locked_person(shared_platform)
    nobody = f"nobody-{shared_platform.tenant.slug}"
    assert await guess(shared_platform, nobody, 5) == [401] * 5
    there, not_there = [await sign_in(shared_platform, login) for login in (person.username, nobody)]
    assert there.status_code == not_there.status_code == 423
    assert there.json()["error"] == not_there.json()["error"]


async def test_user_name_and_e_mail_are_one_person(shared_platform: Platform) -> None:
    person = await add_person(shared_platform)
    for login in (person.username, person.email, person.username.upper(), person.email, person.username):
        assert (await sign_in(shared_platform, login, WRONG)).status_code == 401
    assert (await sign_in(shared_platform, person.email)).status_code == 423


async def test_a_sign_in_forgets_the_failures_before_it(shared_platform: Platform) -> None:
    person = await add_person(shared_platform)
    for _ in range(3):
        assert await guess(shared_platform, person.username, 4) == [401] * 4
        await tokens(shared_platform, person.username)


async def test_an_organisation_sets_its_own_measure(shared_platform: Platform) -> None:
    person = await add_person(shared_platform)
    await shared_platform.tenant.put("/api/v1/admin/settings/sign_in.lockout_attempts", {"value": 3})
    assert await guess(shared_platform, person.username, 4) == [401, 401, 401, 423]


async def test_one_persons_lock_is_not_anothers(shared_platform: Platform) -> None:
    await locked_person(shared_platform)
    other = await add_person(shared_platform)
    assert (await sign_in(shared_platform, other.username)).status_code == 200
