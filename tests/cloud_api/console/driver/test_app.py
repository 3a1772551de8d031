"""The driver's app in a browser: with signal, without, and with signal again."""

import hashlib
import json
import re
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.async_api import Page

from cloud_api.console.browser_parts import STATIC
from cloud_api.logistics.sync import feed
from tests.cloud_api.console.screens import PHONE, Screen, at_console, screen_of, served
from tests.factories.farms import make_person
from tests.factories.orders import Drive, hire_driver, make_drive
from tests.platform_under_test import Platform

ROOM = Path(__file__).parents[4] / "cloud_api" / "console"
PICTURE = ROOM / "browser" / "src" / "driver-192.png"
OFFLINE = "ERR_INTERNET_DISCONNECTED"


@pytest.fixture
async def drive(sqlite_platform: Platform) -> Drive:
    """A planned route of two stops that its driver's phone may hear of."""
    driver = await hire_driver(sqlite_platform, sqlite_platform.tenant)
    made = await make_drive(sqlite_platform, doors=2, driver=driver)
    await let_phones_hear(sqlite_platform, made)
    return made


@pytest.fixture
async def phone(browser_url: str, sqlite_platform: Platform, drive: Drive) -> AsyncIterator[Screen]:
    """The driver's phone, with the app's address in its hand."""
    here = {"geolocation": {"latitude": 12.93, "longitude": 77.61}, "permissions": ["geolocation"]}
    async with (
        served(sqlite_platform) as address,
        screen_of(browser_url, address, viewport=PHONE, has_touch=True, **here) as opened,
    ):
        await opened.come_in(drive.driver)
        yield opened


async def let_phones_hear(platform: Platform, drive: Drive) -> None:
    """Bring the drivers' feeds up to date, as the reactions do."""
    route = await drive.driver.get("/api/v1/mobile/routes/current")
    async with platform.database.unit_of_work(drive.tenant.organization) as db:
        await feed.refresh_route(db, uuid.UUID(route["id"]))


async def kept(page: Page, store: str) -> list[Any]:
    """What the phone has in one of its stores."""
    said = await page.evaluate(
        """async (name) => {
          const [{ name: base }] = await indexedDB.databases();
          const db = await new Promise((done) => {
            const asked = indexedDB.open(base);
            asked.onsuccess = () => done(asked.result);
          });
          const all = await new Promise((done) => {
            const asked = db.transaction(name).objectStore(name).getAll();
            asked.onsuccess = () => done(asked.result);
          });
          db.close();
          return JSON.stringify(all);
        }""",
        store,
    )
    return list(json.loads(said))


async def hand_over(phone: Screen) -> None:
    """To the cook, with a photo; the name is forgotten at first."""
    page = phone.page
    await page.click("text=Hand over")
    await page.click("text=Delivered")
    assert await page.inner_text("#e-recipient") == "Who takes the goods? Write the name."
    await page.fill("[name=recipient]", "The cook")
    await page.set_input_files("[name=photo]", PICTURE)
    await page.wait_for_selector(".shot img")
    await page.fill("[name=temperature]", "3,4")
    await phone.is_accessible()
    await page.click("text=Delivered")


async def test_a_day_that_loses_its_signal_is_told_once_and_whole(
    phone: Screen, drive: Drive, sqlite_platform: Platform
) -> None:
    page = phone.page
    await phone.open("/console/driver")
    await page.click("text=Start route")
    await page.wait_for_selector("#sent.ok")
    await phone.is_accessible()
    await page.wait_for_function("navigator.serviceWorker.controller !== null")
    first, second = (stop["id"] for stop in (await drive.driver.get("/api/v1/mobile/routes/current"))["deliveries"])

    await page.context.set_offline(True)
    await page.reload()
    await page.click(f".next [href='#stop/{first}']")
    await page.click("text=I am at the door")
    await hand_over(phone)
    await page.click(f".next [href='#stop/{second}']")
    await page.click("text=Cannot deliver")
    await page.check("[value=customer_absent]")
    await phone.is_accessible()
    await page.click("button:has-text('Not delivered')")
    await page.wait_for_selector("text=All stops are done")
    assert re.search(r"Not yet sent: \d entries, 1 picture\.", await page.inner_text("#standing"))
    await page.reload()
    await page.wait_for_selector("text=All stops are done")

    await page.context.set_offline(False)
    await page.wait_for_selector("#sent.ok")
    assert await page.inner_text("#standing") == ""
    assert "Not yet sent" not in await page.inner_text("main")
    phone.complaints = [one for one in phone.complaints if OFFLINE not in one]
    proof = await drive.tenant.get(f"/api/v1/warehouse/deliveries/{first}/proof")
    assert (proof["recipient_name"], proof["cargo_temperature_c"], proof["photo"]["intact"]) == ("The cook", 3.4, True)
    gone = await drive.tenant.get(f"/api/v1/warehouse/deliveries/{second}")
    assert (gone["status"], gone["failure_reason"]) == ("failed", "customer_absent")
    told = [entry for entry in await kept(page, "entries") if entry["kind"] != "position_batch"]
    assert [(entry["kind"], entry["result"]) for entry in told] == [
        ("start_route", "applied"),
        ("arrive", "applied"),
        ("deliver", "applied"),
        ("fail", "applied"),
    ]
    heard = await drive.driver.get("/api/v1/mobile/commands", limit=50)
    assert len([one for one in heard if one["kind"] != "position_batch"]) == 4
    assert await kept(page, "photos") == [], "a picture that has arrived is not kept on the phone"

    await page.click("text=Finish route")
    await page.fill("[name=place]", drive.room_id)
    await phone.is_accessible()
    await page.click("button:has-text('Finish route')")
    await page.wait_for_selector("h1:has-text('is finished')")
    await page.wait_for_selector("#sent.ok")
    returned = await drive.tenant.get(f"/api/v1/warehouse/deliveries/{second}")
    assert returned["status"] == "returned"


async def test_who_was_signed_out_goes_on_with_a_signature_and_loses_nothing(phone: Screen, drive: Drive) -> None:
    page = phone.page
    await phone.open("/console/driver")
    await page.wait_for_selector("#sent.ok")
    await page.context.clear_cookies()
    await page.click("text=Start route")
    await page.wait_for_selector("#standing.signed_out")
    assert "Not yet sent: 1 entry" in await page.inner_text("#standing")
    await page.click(".next .main")
    first = page.url.rpartition("/")[2]
    await page.click("text=I am at the door")
    await page.click("text=Hand over")
    await page.fill("[name=recipient]", "The cook")
    await page.click("text=Signature instead of a picture")
    await page.fill("[name=signed]", "A. Cook")
    await page.click("text=Delivered")
    await page.click(".next .main")
    assert page.url.rpartition("/")[2] != first, "the next stop is another one"
    await phone.come_in(drive.driver)
    await page.click("text=Sign in")
    await page.wait_for_selector("#sent.ok")
    proof = await drive.tenant.get(f"/api/v1/warehouse/deliveries/{first}/proof")
    assert (proof["signature"]["mime"], proof["signature"]["intact"], proof["photo"]) == ("image/png", True, None)


@pytest.fixture
async def van(sqlite_platform: Platform, drive: Drive) -> AsyncIterator[httpx2.AsyncClient]:
    """The console as the driver's browser asks it."""
    async with at_console(sqlite_platform, drive.driver) as client:
        yield client


async def test_the_page_has_the_texts_of_the_app_in_the_drivers_language(van: httpx2.AsyncClient, drive: Drive) -> None:
    assert '"texts": {}' in (await van.get("/console/driver")).text
    await drive.driver.put("/api/v1/auth/me", {"locale": "hi-IN"})
    page = (await van.get("/console/driver")).text
    [said] = re.findall(r'<script type="application/json" id="told">(.*?)</script>', page)
    assert json.loads(said)["texts"]["Start route"] == "रूट शुरू करें"


def test_everything_that_the_app_says_is_said_in_hindi() -> None:
    source = ROOM / "browser" / "src"
    scripts = [source / "driver.js", *sorted((source / "driver").glob("*.js"))]
    spoken = {text for script in scripts for text in re.findall(r'\bt\("([^"]+)"', script.read_text())}
    words = (source / "driver" / "words.js").read_text()
    spoken |= {text for block in re.findall(r"(?:WORDS|RESULTS) = \{(.*?)\};", words, re.S) for text in said_in(block)}
    hindi = json.loads((ROOM / "driver" / "hi.json").read_text())
    assert spoken - hindi.keys() == set()
    assert {text for text in hindi if places(text) != places(hindi[text])} == set()


def said_in(block: str) -> list[str]:
    return re.findall(r': "([^"]+)"', block)


def places(text: str) -> set[str]:
    return set(re.findall(r"\{\w+\}", text))


async def test_a_phone_is_told_what_to_install(van: httpx2.AsyncClient) -> None:
    told = await van.get("/console/driver/manifest.webmanifest")
    assert told.headers["content-type"] == "application/manifest+json"
    assert (told.json()["scope"], told.json()["start_url"]) == ("/console/driver", "/console/driver")
    for drawn in told.json()["icons"]:
        assert (await van.get(drawn["src"])).headers["content-type"] == drawn["type"]
    worker = await van.get("/console/driver/worker.js")
    assert worker.headers["service-worker-allowed"] == "/console/driver"
    assert worker.headers["content-type"].startswith("text/javascript")
    assert "default-src 'none'" in worker.headers["content-security-policy"]
    shell = json.loads(worker.text.partition("self.shell=")[2].partition(";\n")[0])
    assert [file for file in shell["files"] if not (STATIC / Path(file).name).exists()] == []


async def test_the_app_is_for_people_who_drive(sqlite_platform: Platform) -> None:
    viewer = await make_person(sqlite_platform, sqlite_platform.tenant, "viewer")
    async with at_console(sqlite_platform, viewer) as client:
        answer = await client.get("/console/driver")
        assert answer.status_code == 403
        assert "This app is for people who drive." in answer.text
        assert (await client.post("/console/driver/sync", json={})).status_code == 403


async def test_what_the_platform_says_to_the_log_is_passed_back_as_it_is(van: httpx2.AsyncClient) -> None:
    body = {"key_id": str(uuid.uuid4()), "sent_at": "2026-01-01T00:00:00Z", "entries": []}
    answer = await van.post("/console/driver/sync", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "KEY_UNKNOWN")
    told = await van.get("/console/driver/sync")
    assert {item["kind"] for item in told.json()["data"]["items"]} == {"route", "stop"}
    asked = {"cursor": told.json()["data"]["cursor"]}
    again = await van.get("/console/driver/sync", params=asked, headers={"If-None-Match": told.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_a_picture_is_passed_on_under_its_hash(van: httpx2.AsyncClient) -> None:
    picture = PICTURE.read_bytes()
    sha256 = hashlib.sha256(picture).hexdigest()
    headers = {"Content-Type": "image/png", "X-Content-SHA256": sha256}
    kept_as = await van.post("/console/driver/photos", content=picture, headers=headers)
    assert (kept_as.status_code, kept_as.json()["data"]["sha256"]) == (201, sha256)
    broken = await van.post("/console/driver/photos", content=picture[:-1], headers=headers)
    assert broken.status_code == 422


async def test_what_one_driver_sealed_is_not_sent_as_another(van: httpx2.AsyncClient) -> None:
    for_another = {"X-Driver": str(uuid.uuid4())}
    for answer in (
        await van.post("/console/driver/sync", json={}, headers=for_another),
        await van.get("/console/driver/sync", headers=for_another),
    ):
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "SOMEBODY_ELSE")


async def test_places_to_unload_at_are_for_who_may_look_at_the_store(
    van: httpx2.AsyncClient, drive: Drive, console: httpx2.AsyncClient
) -> None:
    asked = {"warehouse_id": drive.warehouse_id}
    assert (await van.get("/console/driver/places", params=asked)).json() == []
    rooms = (await console.get("/console/driver/places", params=asked)).json()
    assert [room["id"] for room in rooms] == [drive.room_id]
