"""API6:2023, unrestricted access to sensitive business flows: signing up, guessing, and what is sent to others.

Messages, mails and invitations are counted in tests/cloud_api/identity/test_floods.py.
"""

from tests.attacks.calls import AUTH
from tests.platform_under_test import PASSWORD, open_platform
from tests.services.waiting import let_the_minute_turn


def _sign_up(number: int) -> dict[str, object]:
    who = {"username": f"bot-{number}", "email": f"bot-{number}@farm.example", "full_name": "Bot"}
    return {"organization_name": f"Bot {number}", "slug": f"bot-{number}", **who, "password": PASSWORD}


async def test_organisations_are_not_founded_by_the_hundred(sqlite_url: str) -> None:
    async with open_platform(sqlite_url, sign_ins_per_minute=3) as platform, platform.client() as client:
        let_the_minute_turn()
        heard = [(await client.post(f"{AUTH}/register", json=_sign_up(number))).status_code for number in range(4)]
    assert 429 in heard
    assert heard.count(201) <= 3


async def test_another_spelling_of_ones_address_brings_no_second_budget(sqlite_url: str) -> None:
    async with open_platform(sqlite_url, sign_ins_per_minute=3) as platform, platform.client() as client:
        body = {"login": "nobody", "password": "Wrong-room-1"}
        heard = []
        let_the_minute_turn()
        for number in range(6):
            forged = {
                "X-Forwarded-For": f"203.0.113.{number}",
                "X-Real-IP": f"203.0.113.{number}",
                "Forwarded": "for=1",
            }
            heard.append((await client.post(f"{AUTH}/login", json=body, headers=forged)).status_code)
    assert heard[-1] == 429, heard


async def test_where_registration_is_closed_nobody_registers(sqlite_url: str) -> None:
    async with open_platform(sqlite_url, open_registration=False) as platform, platform.client() as client:
        assert (await client.post(f"{AUTH}/register", json=_sign_up(1))).status_code == 403
