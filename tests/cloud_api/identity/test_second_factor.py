"""A second factor: enrolling, answering, what works once, and who cannot do without."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from typing import Any

import httpx2
import pyotp
import pytest
from sqlalchemy import text

from cloud_api.kernel import clock
from tests.cloud_api.identity.mailed import sent_code
from tests.cloud_api.identity.people import Person, add_person, change_person, me, sign_in, tokens
from tests.platform_under_test import PASSWORD, Platform, open_platform

TWO_FACTOR = "/api/v1/auth/2fa"
STEP = timedelta(seconds=30)


def code_of(secret: str) -> str:
    return pyotp.TOTP(secret).at(clock.now())


def pass_time(passed: timedelta) -> None:
    clock.use(partial(clock.machine_now().__add__, passed))


async def enrol(platform: Platform, access: str) -> tuple[str, list[str]]:
    """The seed and the backup codes."""
    async with platform.client(access) as client:
        begun = (await client.post(f"{TWO_FACTOR}/setup")).json()["data"]
        enabled = await client.post(f"{TWO_FACTOR}/enable", json={"code": code_of(begun["secret"])})
    assert enabled.status_code == 200, enabled.text
    return begun["secret"], enabled.json()["data"]["backup_codes"]


async def enrolled(platform: Platform, **changed: object) -> tuple[Person, str, list[str]]:
    person = await add_person(platform)
    if changed:
        await change_person(platform, person, **changed)
    secret, backup_codes = await enrol(platform, (await tokens(platform, person.username))["access_token"])
    return person, secret, backup_codes


async def challenged(platform: Platform, person: Person) -> dict[str, Any]:
    answer = await sign_in(platform, person.username)
    assert answer.status_code == 200
    data: dict[str, Any] = answer.json()["data"]
    assert "access_token" not in data
    return data


async def answer(platform: Platform, challenge: str, code: str) -> httpx2.Response:
    async with platform.client() as client:
        return await client.post(f"{TWO_FACTOR}/challenge", json={"challenge": challenge, "code": code})


async def test_with_a_second_factor_the_password_alone_brings_a_challenge(shared_platform: Platform) -> None:
    person, secret, _ = await enrolled(shared_platform)
    pass_time(STEP)
    challenge = await challenged(shared_platform, person)
    assert challenge["methods"] == ["totp", "backup_code"]
    wrong = await answer(shared_platform, challenge["challenge"], "000000")
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (401, "WRONG_CODE")
    right = await answer(shared_platform, challenge["challenge"], code_of(secret))
    assert right.json()["data"]["user"]["two_factor"] is True
    assert (await me(shared_platform, right.json()["data"]["access_token"])).status_code == 200


async def test_a_code_and_a_challenge_work_once(shared_platform: Platform) -> None:
    person, secret, _ = await enrolled(shared_platform)
    enrolment_code = code_of(secret)
    first = (await challenged(shared_platform, person))["challenge"]
    assert (await answer(shared_platform, first, enrolment_code)).status_code == 401, "it was taken when enrolling"
    pass_time(STEP)
    code = code_of(secret)
    assert (await answer(shared_platform, first, code)).status_code == 200
    assert (await answer(shared_platform, first, code)).status_code == 401
    second = (await challenged(shared_platform, person))["challenge"]
    assert (await answer(shared_platform, second, code)).status_code == 401


async def test_of_six_at_once_with_one_code_one_gets_in(shared_platform: Platform) -> None:
    person, secret, _ = await enrolled(shared_platform, phone="")
    pass_time(STEP)
    challenges = [(await challenged(shared_platform, person))["challenge"] for _ in range(4)]
    code = code_of(secret)
    answers = await asyncio.gather(*(answer(shared_platform, challenge, code) for challenge in challenges))
    assert sorted(got.status_code for got in answers) == [200, 401, 401, 401]


@pytest.mark.parametrize(("off", "status"), [(-2, 401), (-1, 200), (1, 200), (2, 401)])
async def test_a_phones_clock_may_be_half_a_minute_off(sqlite_platform: Platform, off: int, status: int) -> None:
    person, secret, _ = await enrolled(sqlite_platform)
    pass_time(10 * STEP)
    challenge = (await challenged(sqlite_platform, person))["challenge"]
    code = pyotp.TOTP(secret).at(clock.now() + off * STEP)
    assert (await answer(sqlite_platform, challenge, code)).status_code == status


async def test_each_backup_code_works_once_however_it_is_typed(shared_platform: Platform) -> None:
    person, _, backup_codes = await enrolled(shared_platform)
    assert len(set(backup_codes)) == 10
    for typed in (backup_codes[0], backup_codes[1].lower(), backup_codes[2].replace("-", "")):
        challenge = (await challenged(shared_platform, person))["challenge"]
        assert (await answer(shared_platform, challenge, typed)).status_code == 200
    challenge = (await challenged(shared_platform, person))["challenge"]
    assert (await answer(shared_platform, challenge, backup_codes[0])).status_code == 401


async def test_new_backup_codes_take_the_place_of_the_old(shared_platform: Platform) -> None:
    person, secret, old = await enrolled(shared_platform)
    challenge = (await challenged(shared_platform, person))["challenge"]
    access = (await answer(shared_platform, challenge, old[0])).json()["data"]["access_token"]
    pass_time(STEP)
    async with shared_platform.client(access) as client:
        made = await client.post(f"{TWO_FACTOR}/backup-codes", json={"code": code_of(secret)})
    new = made.json()["data"]["backup_codes"]
    challenge = (await challenged(shared_platform, person))["challenge"]
    assert (await answer(shared_platform, challenge, old[1])).status_code == 401
    assert (await answer(shared_platform, challenge, new[1])).status_code == 200


async def test_a_code_by_sms_finishes_the_sign_in_once(shared_platform: Platform) -> None:
    phone = f"+9198{shared_platform.tenant.username.removeprefix('keeper-'):0>8}"
    person, _, _ = await enrolled(shared_platform, phone=phone)
    challenge = await challenged(shared_platform, person)
    assert challenge["methods"] == ["totp", "backup_code", "sms"]
    async with shared_platform.client() as client:
        sent = await client.post(f"{TWO_FACTOR}/sms", json={"challenge": challenge["challenge"]})
    assert sent.status_code == 202
    code = await sent_code(shared_platform, phone)
    assert (await answer(shared_platform, challenge["challenge"], code)).status_code == 200
    assert (await answer(shared_platform, challenge["challenge"], code)).status_code == 401


async def test_a_challenge_and_its_sms_are_over_after_five_minutes(sqlite_platform: Platform) -> None:
    phone = f"+9197{sqlite_platform.tenant.username.removeprefix('keeper-'):0>8}"
    person, _, backup_codes = await enrolled(sqlite_platform, phone=phone)
    challenge = (await challenged(sqlite_platform, person))["challenge"]
    async with sqlite_platform.client() as client:
        await client.post(f"{TWO_FACTOR}/sms", json={"challenge": challenge})
    pass_time(timedelta(minutes=5, seconds=1))
    for code in (await sent_code(sqlite_platform, phone), backup_codes[0]):
        assert (await answer(sqlite_platform, challenge, code)).status_code == 401


async def test_who_has_no_phone_number_hears_what_else_there_is(sqlite_platform: Platform) -> None:
    person, _, _ = await enrolled(sqlite_platform)
    challenge = (await challenged(sqlite_platform, person))["challenge"]
    async with sqlite_platform.client() as client:
        refused = await client.post(f"{TWO_FACTOR}/sms", json={"challenge": challenge})
    assert refused.status_code == 409
    assert "use the app or a backup code" in refused.json()["error"]["message"]


async def test_guessing_codes_locks_the_name(shared_platform: Platform) -> None:
    person, _, backup_codes = await enrolled(shared_platform)
    challenge = (await challenged(shared_platform, person))["challenge"]
    guesses = [(await answer(shared_platform, challenge, f"{number:06d}")).status_code for number in range(5)]
    assert guesses == [401] * 5
    assert (await answer(shared_platform, challenge, backup_codes[0])).status_code == 401, "this challenge is over"
    assert (await sign_in(shared_platform, person.username)).status_code == 423


async def test_a_wrong_first_code_enrols_nobody(sqlite_platform: Platform) -> None:
    person = await add_person(sqlite_platform)
    access = (await tokens(sqlite_platform, person.username))["access_token"]
    async with sqlite_platform.client(access) as client:
        assert (await client.post(f"{TWO_FACTOR}/enable", json={"code": "123456"})).status_code == 409
        await client.post(f"{TWO_FACTOR}/setup")
        assert (await client.post(f"{TWO_FACTOR}/enable", json={"code": "000000"})).status_code == 422
    assert "access_token" in (await sign_in(sqlite_platform, person.username)).json()["data"]


async def test_switching_it_off_takes_both_factors(shared_platform: Platform) -> None:
    person = await add_person(shared_platform)
    access = (await tokens(shared_platform, person.username))["access_token"]
    _, backup_codes = await enrol(shared_platform, access)
    async with shared_platform.client(access) as client:
        for body in (
            {"password": "Not-my-room-9", "code": backup_codes[0]},
            {"password": PASSWORD, "code": "000000"},
        ):
            assert (await client.post(f"{TWO_FACTOR}/disable", json=body)).status_code == 401
        off = await client.post(f"{TWO_FACTOR}/disable", json={"password": PASSWORD, "code": backup_codes[0]})
    assert off.status_code == 204
    assert "access_token" in (await sign_in(shared_platform, person.username)).json()["data"]
    events = await shared_platform.tenant.get("/api/v1/admin/security/events", type="two_factor_disabled")
    assert len(events) == 1


async def test_the_seed_and_the_codes_stand_sealed_in_the_database(shared_platform: Platform) -> None:
    _, secret, backup_codes = await enrolled(shared_platform)
    async with shared_platform.database.engine.connect() as raw:
        if not shared_platform.database.is_sqlite:
            await raw.execute(text("SELECT set_config('coldfleet.system_reason', 'test', true)"))
        kept = str((await raw.execute(text("SELECT * FROM second_factors"))).all())
    assert "gAAAA" in kept
    assert secret not in kept
    assert backup_codes[0].replace("-", "") not in kept


@pytest.fixture
async def strict(sqlite_url: str) -> AsyncIterator[Platform]:
    """Where administrators need a second factor, as everywhere outside development."""
    async with open_platform(sqlite_url, two_factor_for_admins=True) as opened:
        yield opened


async def test_an_administrator_without_one_may_only_enrol(strict: Platform) -> None:
    admin = await add_person(strict, roles=["org_admin"])
    signed_in = await tokens(strict, admin.username)
    assert signed_in["user"]["duty"] == "TWO_FACTOR_REQUIRED"
    async with strict.client(signed_in["access_token"]) as client:
        for method, path in (
            ("GET", "/api/v1/admin/settings"),
            ("GET", "/api/v1/auth/sessions"),
            ("PUT", "/api/v1/auth/me"),
            ("POST", f"{TWO_FACTOR}/backup-codes"),
        ):
            refused = await client.request(method, path, json={})
            assert (refused.status_code, refused.json()["error"]["code"]) == (403, "TWO_FACTOR_REQUIRED"), path
        assert (await client.get("/api/v1/auth/me")).status_code == 200
    _, backup_codes = await enrol(strict, signed_in["access_token"])
    async with strict.client(signed_in["access_token"]) as client:
        assert (await client.get("/api/v1/auth/sessions")).status_code == 200
        off = await client.post(f"{TWO_FACTOR}/disable", json={"password": PASSWORD, "code": backup_codes[0]})
        assert off.status_code == 403


async def test_who_administers_nothing_may_do_without(strict: Platform) -> None:
    person = await add_person(strict, roles=["warehouse_manager"])
    assert (await tokens(strict, person.username))["user"]["duty"] is None


async def test_a_seed_that_was_begun_is_no_second_factor(strict: Platform) -> None:
    admin = await add_person(strict, roles=["org_admin"])
    access = (await tokens(strict, admin.username))["access_token"]
    async with strict.client(access) as client:
        await client.post(f"{TWO_FACTOR}/setup")
        assert (await client.get("/api/v1/auth/sessions")).status_code == 403


async def test_who_lost_phone_and_codes_is_let_in_by_an_administrator(shared_platform: Platform) -> None:
    person, _, _ = await enrolled(shared_platform)
    user = (await shared_platform.tenant.get("/api/v1/admin/users/search", q=person.username))[0]
    path = f"/api/v1/admin/users/{user['id']}/2fa"
    assert (await shared_platform.tenant.client.delete(path)).status_code == 204
    assert "access_token" in (await sign_in(shared_platform, person.username)).json()["data"]
    events = await shared_platform.tenant.get("/api/v1/admin/security/events", type="two_factor_disabled")
    assert events[0]["actor_name"] == shared_platform.tenant.username
    me_id = (await shared_platform.tenant.get("/api/v1/auth/me"))["id"]
    own = await shared_platform.tenant.client.delete(f"/api/v1/admin/users/{me_id}/2fa")
    assert own.status_code == 403, "one's own takes both factors"


async def test_the_number_that_codes_go_to_changes_with_the_password_only(shared_platform: Platform) -> None:
    person = await add_person(shared_platform)
    access = (await tokens(shared_platform, person.username))["access_token"]
    async with shared_platform.client(access) as client:
        assert (await client.put("/api/v1/auth/me", json={"phone": "+919812345678"})).status_code == 200
    await enrol(shared_platform, access)
    async with shared_platform.client(access) as client:
        stolen = await client.put("/api/v1/auth/me", json={"phone": "+919800000000"})
        assert (stolen.status_code, stolen.json()["error"]["code"]) == (403, "PASSWORD_NEEDED")
        guessed = {"phone": "+919800000000", "current_password": "Not-my-room-9"}
        assert (await client.put("/api/v1/auth/me", json=guessed)).status_code == 401
        assert (await client.put("/api/v1/auth/me", json={"theme": "dark"})).status_code == 200
        own = await client.put("/api/v1/auth/me", json={"phone": "+919800000000", "current_password": PASSWORD})
    assert own.json()["data"]["phone"] == "+919800000000"
