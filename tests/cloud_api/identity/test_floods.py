"""What costs money or fills an inbox is not to be had without end, whoever asks and from wherever."""

import uuid

from tests.attacks.calls import AUTH, enrol
from tests.cloud_api.identity.mailed import mails
from tests.cloud_api.identity.people import tokens
from tests.cloud_api.identity.staff import INVITES, join, refusal
from tests.platform_under_test import PASSWORD, Platform

TOO_OFTEN = (429, "RATE_LIMITED")


async def test_a_challenge_brings_three_messages(sqlite_platform: Platform) -> None:
    member, _, _ = await enrol(sqlite_platform)
    await member.put(f"{AUTH}/me", {"phone": "+919812345678", "current_password": PASSWORD})
    challenge = (await tokens(sqlite_platform, member.username))["challenge"]
    async with sqlite_platform.client() as client:
        answers = [await client.post(f"{AUTH}/2fa/sms", json={"challenge": challenge}) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [202, 202, 202, 429]
    assert refusal(answers[-1]) == TOO_OFTEN
    assert int(answers[-1].headers["Retry-After"]) > 0


async def test_a_person_is_sent_ten_messages_an_hour_however_many_challenges_there_are(
    sqlite_platform: Platform,
) -> None:
    member, _, _ = await enrol(sqlite_platform)
    await member.put(f"{AUTH}/me", {"phone": "+919812345678", "current_password": PASSWORD})
    heard: list[int] = []
    async with sqlite_platform.client() as client:
        for _ in range(4):
            challenge = (await tokens(sqlite_platform, member.username))["challenge"]
            answers = [await client.post(f"{AUTH}/2fa/sms", json={"challenge": challenge}) for _ in range(3)]
            heard += [answer.status_code for answer in answers]
    assert heard == [202] * 10 + [429] * 2


async def test_nobodys_inbox_is_filled_by_who_forgets_their_password_and_the_answer_stays_the_same(
    sqlite_platform: Platform,
) -> None:
    member = await join(sqlite_platform)
    async with sqlite_platform.client() as client:
        answers = [
            await client.post(f"{AUTH}/forgot-password", json={"login": member.username.upper()}) for _ in range(8)
        ]
    assert {answer.status_code for answer in answers} == {202}
    sent = await mails(sqlite_platform, f"{member.username}@{sqlite_platform.tenant.slug}.example")
    assert sent.count("reset_password") == 5


async def test_one_address_is_invited_five_times_an_hour(sqlite_platform: Platform) -> None:
    body = {"email": f"victim-{uuid.uuid4()}@elsewhere.example", "roles": ["viewer"]}
    answers = [await sqlite_platform.tenant.client.post(INVITES, json=body) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [201] * 5 + [429]
    assert refusal(answers[-1]) == TOO_OFTEN
