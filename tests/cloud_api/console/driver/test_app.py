"""What the driver's app is made of, and what the console passes on for it."""

import hashlib
import json
import re
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from cloud_api.console.browser_parts import STATIC
from tests.cloud_api.console.driver.hands import PICTURE, ROOM
from tests.cloud_api.console.screens import at_console
from tests.cloud_api.logistics.deliveries.rounds import Round
from tests.factories.farms import make_person
from tests.platform_under_test import Platform


@pytest.fixture
async def van(sqlite_platform: Platform, day: Round) -> AsyncIterator[httpx2.AsyncClient]:
    """The console as the driver's browser asks it."""
    async with at_console(sqlite_platform, day.driver) as client:
        yield client


async def test_the_page_has_the_texts_of_the_app_in_the_drivers_language(van: httpx2.AsyncClient, day: Round) -> None:
    assert '"texts": {}' in (await van.get("/console/driver")).text
    await day.driver.put("/api/v1/auth/me", {"locale": "hi-IN"})
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
    van: httpx2.AsyncClient, day: Round, console: httpx2.AsyncClient
) -> None:
    asked = {"warehouse_id": day.depot.warehouse_id}
    assert (await van.get("/console/driver/places", params=asked)).json() == []
    rooms = (await console.get("/console/driver/places", params=asked)).json()
    assert [room["id"] for room in rooms] == [day.depot.room_id]


async def test_the_order_of_the_stops_and_the_load_are_asked_for_with_signal(
    van: httpx2.AsyncClient, day: Round
) -> None:
    await day.start()
    answer = await van.put(f"/console/driver/routes/{day.route_id}/order", json={"latitude": 12.94, "longitude": 77.61})
    assert answer.status_code == 200, answer.text
    stops = answer.json()["data"]["deliveries"]
    assert {stop["id"] for stop in stops} == {*day.delivery_ids}
    order = await day.order()
    scan = await van.post(f"/console/driver/routes/{day.route_id}/scan", json={"codes": [order["number"], "X"]})
    said = scan.json()["data"]
    assert (said["complete"], len(said["missing"]), said["unknown"]) == (False, 2, ["X"])


async def test_a_stop_says_whom_to_pay_when_something_is_due_and_somebody_is_to_be_paid(day: Round) -> None:
    today = await day.driver.get("/api/v1/mobile/today")
    links = {stop["order_id"]: stop["upi_link"] for stop in today["stops"]}
    third = await day.order(2)
    assert [links[order] for order in day.order_ids[:2]] == ["", ""]
    assert links[day.order_ids[2]].startswith("upi://pay?pa=farm@upi&pn=Farm%20")
    assert links[day.order_ids[2]].endswith(f"&am=170.00&cu=INR&tn={third['number']}")
    await day.dispatcher.put("/api/v1/admin/settings/deliveries.upi_id", {"value": ""})
    today = await day.driver.get("/api/v1/mobile/today")
    assert {stop["upi_link"] for stop in today["stops"]} == {""}
    answer = await day.dispatcher.client.put("/api/v1/admin/settings/deliveries.upi_id", json={"value": "no address"})
    assert answer.status_code == 422
