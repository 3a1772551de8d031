"""The driver's app: signing in with the phone it runs on, and out with its pushes."""

from typing import Any

import httpx2

from tests.factories.orders import make_drive, make_driver
from tests.platform_under_test import PASSWORD, Platform

AUTH = "/api/v1/mobile/auth"


async def mobile_login(platform: Platform, username: str, **changed: object) -> httpx2.Response:
    body = {"login": username, "password": PASSWORD, "device_id": "pixel-7", **changed}
    async with platform.client() as client:
        return await client.post(f"{AUTH}/login", json=body)


async def signed_in(platform: Platform, username: str) -> httpx2.AsyncClient:
    answer = await mobile_login(platform, username)
    assert answer.status_code == 200, answer.text
    return platform.client(answer.json()["data"]["access_token"])


async def test_the_sign_in_says_which_phone_it_runs_on(shared_platform: Platform) -> None:
    _, driver = await make_driver(shared_platform, shared_platform.tenant)
    phone = await signed_in(shared_platform, driver.username)
    sessions: list[dict[str, Any]] = (await phone.get("/api/v1/auth/sessions")).json()["data"]
    assert {session["device_id"] for session in sessions if session["current"]} == {"pixel-7"}
    await phone.aclose()
    await driver.client.aclose()


async def test_a_phone_without_a_name_and_a_wrong_password_get_nowhere(sqlite_platform: Platform) -> None:
    _, driver = await make_driver(sqlite_platform, sqlite_platform.tenant)
    nameless = await mobile_login(sqlite_platform, driver.username, device_id="")
    assert (nameless.status_code, nameless.json()["error"]["details"][0]["field"]) == (422, "device_id")
    assert (await mobile_login(sqlite_platform, driver.username, password="Wrong-1-word")).status_code == 401
    await driver.client.aclose()


async def test_signing_out_takes_the_phones_pushes_along_and_nobody_elses(shared_platform: Platform) -> None:
    _, driver = await make_driver(shared_platform, shared_platform.tenant)
    registrations = [f"{kind}-{driver.username}" for kind in ("here", "elsewhere")]
    phone = await signed_in(shared_platform, driver.username)
    for registration in registrations:
        await phone.post("/api/v1/mobile/devices", json={"registration": registration})
    stranger = await shared_platform.tenant.client.post(f"{AUTH}/logout", json={"registration": registrations[1]})
    assert stranger.status_code == 204
    assert (await phone.post(f"{AUTH}/logout", json={"registration": registrations[0]})).status_code == 204
    assert (await phone.get("/api/v1/auth/me")).status_code == 401
    listed = (await driver.client.get("/api/v1/mobile/devices")).json()["data"]
    assert [one["is_active"] for one in listed] == [True, False], "newest first"
    await phone.aclose()
    await driver.client.aclose()


async def test_the_profile_shows_the_driver_and_the_route_at_hand(shared_platform: Platform) -> None:
    drive = await make_drive(shared_platform, doors=1)
    profile = (await drive.driver.client.get(f"{AUTH}/profile")).json()["data"]
    assert profile["user"]["username"] == drive.driver.username
    assert profile["route"]["driver_id"] == profile["user"]["id"]
    _, idle = await make_driver(shared_platform, shared_platform.tenant)
    assert (await idle.client.get(f"{AUTH}/profile")).json()["data"]["route"] is None
    await idle.client.aclose()
