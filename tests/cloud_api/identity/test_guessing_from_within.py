"""A stolen access token is no licence to guess what it does not show: the password, the second factor's codes."""

import pytest

from tests.attacks.calls import AUTH, enrol
from tests.cloud_api.identity.people import sign_in
from tests.cloud_api.identity.staff import join, refusal
from tests.platform_under_test import PASSWORD, Platform

NEXT_PASSWORD = "Warm-depot-2"
LOCKED = (423, "SIGN_IN_LOCKED")


async def test_guessing_the_present_password_when_changing_it_locks_the_name(shared_platform: Platform) -> None:
    member = await join(shared_platform)
    wrong = {"current_password": "Wrong-room-1", "new_password": NEXT_PASSWORD}
    for _ in range(5):
        answer = await member.client.post(f"{AUTH}/change-password", json=wrong)
        assert refusal(answer) == (401, "WRONG_CREDENTIALS")
    right = {"current_password": PASSWORD, "new_password": NEXT_PASSWORD}
    assert refusal(await member.client.post(f"{AUTH}/change-password", json=right)) == LOCKED
    assert refusal(await sign_in(shared_platform, member.username)) == LOCKED


@pytest.mark.parametrize(
    ("path", "rest"), [("2fa/backup-codes", {}), ("2fa/disable", {"password": PASSWORD})], ids=["renew", "switch off"]
)
async def test_guessing_codes_from_within_locks_the_name(
    shared_platform: Platform, path: str, rest: dict[str, str]
) -> None:
    member, _, backup_codes = await enrol(shared_platform)
    for _ in range(5):
        answer = await member.client.post(f"{AUTH}/{path}", json={"code": "000000", **rest})
        assert refusal(answer) == (401, "WRONG_CODE")
    assert refusal(await member.client.post(f"{AUTH}/{path}", json={"code": backup_codes[0], **rest})) == LOCKED


async def test_without_a_second_factor_there_are_no_codes_to_renew(sqlite_platform: Platform) -> None:
    member = await join(sqlite_platform)
    answer = await member.client.post(f"{AUTH}/2fa/backup-codes", json={"code": "000000"})
    assert refusal(answer) == (409, "CONFLICT")
