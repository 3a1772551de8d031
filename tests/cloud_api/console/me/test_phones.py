"""One's own phones at the console: who is woken at night tries it by day."""

from pathlib import Path

import httpx2

from cloud_api.notifications.push import FcmPush
from device_sims.fcm import FcmDouble
from tests.platform_under_test import Platform

PHONES = "/console/me/phones"


async def test_a_phone_is_tried_and_given_up(
    console: httpx2.AsyncClient, sqlite_platform: Platform, tmp_path: Path
) -> None:
    assert "No phone takes pushes for you" in (await console.get(PHONES)).text
    with FcmDouble() as double:
        account = tmp_path / "account.json"
        double.write_service_account(account)
        sqlite_platform.push = FcmPush(account, url=double.url)
        registered = double.mint_phone()
        phone = await sqlite_platform.tenant.post("/api/v1/mobile/devices", {"registration": registered.fid})
        assert (await console.post(f"{PHONES}/{phone['id']}/try")).headers["location"] == PHONES
        await sqlite_platform.deliver()
        await sqlite_platform.push.close()
        assert len(double.deliveries(registered.fid)) == 1
    assert 'data-state="sent"' in (await console.get(PHONES)).text
    await console.post(f"{PHONES}/{phone['id']}/remove")
    page = (await console.get(PHONES)).text
    assert "Takes no pushes" in page
    assert "Send a test" not in page
