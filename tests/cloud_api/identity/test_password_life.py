"""Passwords: which are taken, how they change, what ends with them, and what to do when one is forgotten."""

from datetime import timedelta
from functools import partial

import pytest

from cloud_api.identity.errors import WeakPassword
from cloud_api.identity.passwords import check_policy
from cloud_api.kernel import clock
from tests.cloud_api.identity.mailed import mailed_token, mails
from tests.cloud_api.identity.people import add_person, change_person, me, sign_in, tokens
from tests.platform_under_test import PASSWORD, Platform

CHANGE = "/api/v1/auth/change-password"
FORGOT = "/api/v1/auth/forgot-password"
RESET = "/api/v1/auth/reset-password"


@pytest.mark.parametrize(
    ("password", "complaint"),
    [
        ("abcdefgh", "a capital, a digit, another sign"),
        ("Ab-1", "8 characters"),
        ("", "8 characters, a small letter, a capital, a digit, another sign"),
        ("P@ssw0rd1", "known from breaches"),
        ("Password1!", "known from breaches"),
        ("Summer2024!", "known from breaches"),
        ("Admin@123", "known from breaches"),
        ("Qwerty123!", "known from breaches"),
        ("Coldfleet-1", "known from breaches"),
        ("Asha-patil-1", "known from breaches, or close"),
    ],
)
def test_a_password_that_falls_to_the_first_guesses_is_refused_in_words(password: str, complaint: str) -> None:
    with pytest.raises(WeakPassword, match=complaint):
        check_policy(password, about=("asha-patil-1", "asha@farm.example", "Asha Patil"))


@pytest.mark.parametrize(
    "password", [PASSWORD, "kX9#vmQ2pL", "Correct-horse-7-battery", "शीतगृह-Kamra-42", "A1-" + "x" * 250]
)
def test_a_good_password_passes(password: str) -> None:
    check_policy(password, about=("asha", "asha@farm.example", "Asha Patil"))


async def change(platform: Platform, access: str, current: str, new: str) -> tuple[int, str]:
    async with platform.client(access) as client:
        answer = await client.post(CHANGE, json={"current_password": current, "new_password": new})
    return answer.status_code, "" if answer.is_success else answer.json()["error"]["code"]


async def test_a_changed_password_ends_every_other_sign_in(shared_platform: Platform) -> None:
    person = await add_person(shared_platform)
    here, elsewhere = [await tokens(shared_platform, person.username) for _ in range(2)]
    new = "Warmer-room-2"
    assert await change(shared_platform, here["access_token"], PASSWORD, new) == (204, "")
    assert (await me(shared_platform, here["access_token"])).status_code == 200
    assert (await me(shared_platform, elsewhere["access_token"])).status_code == 401
    assert (await sign_in(shared_platform, person.username)).status_code == 401
    assert (await sign_in(shared_platform, person.username, new)).status_code == 200
    assert await mails(shared_platform, person.email) == ["password_changed"]


async def test_who_does_not_know_the_present_password_changes_nothing(sqlite_platform: Platform) -> None:
    person = await add_person(sqlite_platform)
    access = (await tokens(sqlite_platform, person.username))["access_token"]
    assert await change(sqlite_platform, access, "Not-my-room-9", "Warmer-room-2") == (401, "WRONG_CREDENTIALS")
    assert await change(sqlite_platform, access, PASSWORD, "warmer") == (422, "WEAK_PASSWORD")
    assert (await sign_in(sqlite_platform, person.username)).status_code == 200


async def test_none_of_the_last_five_is_taken_again(shared_platform: Platform) -> None:
    person = await add_person(shared_platform)
    access = (await tokens(shared_platform, person.username))["access_token"]
    present = PASSWORD
    for number in range(1, 5):
        new = f"Colder-room-{number}"
        assert await change(shared_platform, access, present, new) == (204, "")
        present = new
        assert await change(shared_platform, access, present, PASSWORD) == (422, "WEAK_PASSWORD")
        assert await change(shared_platform, access, present, present) == (422, "WEAK_PASSWORD")
    assert await change(shared_platform, access, present, "Colder-room-5") == (204, "")
    assert await change(shared_platform, access, "Colder-room-5", PASSWORD) == (204, ""), "the sixth last is forgotten"


async def test_an_administrators_password_lasts_ninety_days(shared_platform: Platform) -> None:
    admin, viewer = await add_person(shared_platform, roles=["org_admin"]), await add_person(shared_platform)
    clock.use(partial(clock.machine_now().__add__, timedelta(days=90)))
    access = (await tokens(shared_platform, admin.username))["access_token"]
    async with shared_platform.client(access) as client:
        refused = await client.get("/api/v1/admin/settings")
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "PASSWORD_EXPIRED")
    assert (await me(shared_platform, access)).json()["data"]["duty"] == "PASSWORD_EXPIRED"
    assert await change(shared_platform, access, PASSWORD, "Colder-room-1") == (204, "")
    async with shared_platform.client(access) as client:
        assert (await client.get("/api/v1/admin/settings")).status_code == 200
    young = (await tokens(shared_platform, viewer.username))["user"]
    assert young["duty"] is None


async def test_a_forgotten_password_is_reset_by_the_mailed_token_once(shared_platform: Platform) -> None:
    person = await add_person(shared_platform)
    before = await tokens(shared_platform, person.username)
    async with shared_platform.client() as client:
        assert (await client.post(FORGOT, json={"login": person.email})).status_code == 202
        token = await mailed_token(shared_platform, person.email, "reset_password")
        same = await client.post(RESET, json={"token": token, "new_password": PASSWORD})
        assert (same.status_code, same.json()["error"]["code"]) == (422, "WEAK_PASSWORD")
        taken = await client.post(RESET, json={"token": token, "new_password": "Colder-room-1"})
        assert taken.status_code == 204, "a refused password has not used the token up"
        again = await client.post(RESET, json={"token": token, "new_password": "Colder-room-2"})
        assert (again.status_code, again.json()["error"]["code"]) == (422, "TOKEN_NOT_VALID")
    assert (await me(shared_platform, before["access_token"])).status_code == 401
    assert (await sign_in(shared_platform, person.username)).status_code == 401
    assert (await tokens(shared_platform, person.username, "Colder-room-1"))["user"]["email_verified"] is True


async def test_a_reset_token_lives_half_an_hour(sqlite_platform: Platform) -> None:
    person = await add_person(sqlite_platform)
    async with sqlite_platform.client() as client:
        await client.post(FORGOT, json={"login": person.username})
        token = await mailed_token(sqlite_platform, person.email, "reset_password")
        clock.use(partial(clock.machine_now().__add__, timedelta(minutes=30, seconds=1)))
        late = await client.post(RESET, json={"token": token, "new_password": "Colder-room-1"})
    assert late.status_code == 422


async def test_forgetting_tells_nobody_who_is_there(sqlite_platform: Platform) -> None:
    person, suspended = await add_person(sqlite_platform), await add_person(sqlite_platform)
    await change_person(sqlite_platform, suspended, status="suspended")
    async with sqlite_platform.client() as client:
        answers = [
            await client.post(FORGOT, json={"login": login})
            for login in (person.email, person.username, suspended.email, "nobody@nowhere.example")
        ]
    assert {(answer.status_code, answer.text) for answer in answers} == {(202, "null")}
    assert len(await mails(sqlite_platform, person.email)) == 2
    assert await mails(sqlite_platform, suspended.email) == []


async def test_a_reset_opens_a_locked_name(shared_platform: Platform) -> None:
    person = await add_person(shared_platform)
    for _ in range(5):
        await sign_in(shared_platform, person.username, "Wrong-guess-1")
    async with shared_platform.client() as client:
        await client.post(FORGOT, json={"login": person.email})
        token = await mailed_token(shared_platform, person.email, "reset_password")
        await client.post(RESET, json={"token": token, "new_password": "Colder-room-1"})
    assert (await sign_in(shared_platform, person.username, "Colder-room-1")).status_code == 200


async def test_blanks_at_both_ends_belong_to_a_password(shared_platform: Platform) -> None:
    person = await add_person(shared_platform)
    access = (await tokens(shared_platform, person.username))["access_token"]
    assert await change(shared_platform, access, PASSWORD, " Colder-room-1 ") == (204, "")
    assert (await sign_in(shared_platform, person.username, "Colder-room-1")).status_code == 401
    assert (await sign_in(shared_platform, person.username, " Colder-room-1 ")).status_code == 200
