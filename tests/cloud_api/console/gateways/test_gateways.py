"""Gateways come in by a code, say how they are, and are told what to do."""

import base64
import re

import httpx2
import zxingcpp
from PIL import Image, ImageDraw

from cloud_api.console import qr
from cloud_api.kernel import clock
from tests.cloud_api.console.screens import Screen, at_console
from tests.factories.batches import EIGHT_OCLOCK_MS, EPOCH, make_alarm, send
from tests.factories.farms import make_person, plant_gateway, plant_store
from tests.factories.stores import ColdStore
from tests.platform_under_test import Platform

GATEWAYS = "/console/gateways"
EDGE = "/api/v1/edge"


async def beat(platform: Platform, gateway_id: str, token: str, **fields: object) -> None:
    """A gateway says how it is."""
    said = {
        "epoch": EPOCH,
        "recorded_at_ms": clock.now_ms(),
        "uptime_s": 3_700,
        "software_version": "0.2.0",
        "config_version": 1,
        "backlog_rows": 17,
        "oldest_unsent_ms": None,
        "dead_letters": 0,
        "disk_free_mb": 900,
        **fields,
    }
    async with platform.client(token) as box:
        answer = await box.post(f"{EDGE}/gateways/{gateway_id}/heartbeat", json=said)
        assert answer.status_code == 200, answer.text


async def test_a_keeper_adds_a_gateway_sees_its_code_and_sees_it_come_online(
    screen: Screen, sqlite_platform: Platform
) -> None:
    sqlite_platform.database.on_announced = sqlite_platform.app.state.hub.announce_all
    page = screen.page
    await screen.open(GATEWAYS)
    await page.click("text=Add a gateway >> nth=0")
    await page.fill("#f-name", "Dock 2")
    await page.click("text=Show the claim code")
    await page.wait_for_selector("img[data-qr]")
    await screen.is_accessible()
    code = (await page.inner_text("#claim-code")).strip()
    await page.click("text=Go to the gateway")
    await page.wait_for_selector("#health >> text=Pending")
    await screen.is_accessible()
    secret = "5" * 64
    claim = {"claim_code": code, "secret": secret, "software_version": "0.2.0"}
    async with sqlite_platform.client() as box:
        claimed = await box.post(f"{EDGE}/provision", json=claim)
    gateway_id = claimed.json()["data"]["gateway_id"]
    await screen.open(GATEWAYS)
    await page.wait_for_selector("#fleet >> text=Dock 2")
    await beat(sqlite_platform, gateway_id, f"gateway.{gateway_id}.{secret}")
    await page.wait_for_selector("#fleet >> text=17")
    await page.wait_for_selector("[data-state=online]")
    await screen.is_accessible()


def test_the_code_that_is_drawn_says_what_was_meant() -> None:
    drawn = base64.b64decode(qr.picture_of("ABCD-1234").partition(",")[2]).decode()
    picture = Image.new("L", (290, 290), 255)
    pen = ImageDraw.Draw(picture)
    for bar in re.findall(r"M(\d+) (\d+)h(\d+)v(\d+)", drawn):
        x, y, width, height = (int(figure) * 10 for figure in bar)
        pen.rectangle((x, y, x + width - 1, y + height - 1), fill=0)
    assert [one.text for one in zxingcpp.read_barcodes(picture)] == ["ABCD-1234"]


async def test_without_gateways_the_page_says_what_one_is(console: httpx2.AsyncClient) -> None:
    assert "There are no gateways yet" in (await console.get(GATEWAYS)).text
    assert "No gateway is like this" in (await console.get(f"{GATEWAYS}?status=pending")).text
    part = (await console.get(f"{GATEWAYS}/part?status=pending")).text
    assert f'action="{GATEWAYS}"' in part, "what is read again leads to the page, not to itself"
    assert f'href="{GATEWAYS}"' in part


async def test_a_name_that_is_taken_is_said_beside_it(console: httpx2.AsyncClient) -> None:
    first = await console.post(GATEWAYS, data={"name": "Dock 1"})
    assert "shown once" in first.text
    again = await console.post(GATEWAYS, data={"name": "Dock 1"})
    assert again.status_code == 409
    assert 'id="e-name"' in again.text
    assert 'value="Dock 1"' in again.text


async def test_how_a_gateway_is_shows_its_warnings_and_devices(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    store = await plant_store(sqlite_platform)
    sources = [{"name": "listener", "connected": 3, "received": 10, "warnings": ["z2m sends QoS 0"]}]
    told = {"clock": "trusted", "temperature_c": 51.0, "sources": sources, "warnings": ["the disk is slow"]}
    await beat(sqlite_platform, store.gateway_id, store.gateway_token, **told)
    here = f"{GATEWAYS}/{store.gateway_id}"
    page = (await console.get(here)).text
    for text in ("the disk is slow", "z2m sends QoS 0", "51 °C", "1 h 1 min", "Online"):
        assert text in page
    assert f"{GATEWAYS}/sensors/{store.sensor_id}" in (await console.get(f"{here}/devices")).text
    assert "No sensor is like this" in (await console.get(f"{here}/devices?code=nothing")).text
    assert "It has handed in no log" in (await console.get(f"{here}/logs")).text


async def test_a_command_waits_for_its_gateway(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    gateway_id, _ = await plant_gateway(sqlite_platform, sqlite_platform.tenant)
    here = f"{GATEWAYS}/{gateway_id}/commands"
    assert "It was told nothing yet" in (await console.get(here)).text
    assert (await console.post(here, data={"kind": "identify", "target": "ignored"})).status_code == 303
    [command] = await sqlite_platform.tenant.get(f"{EDGE}/gateways/{gateway_id}/commands")
    assert (command["kind"], command["target"], command["status"]) == ("identify", "", "waiting")
    assert "Identify" in (await console.get(f"{here}/part")).text
    refused = await console.post(here, data={"kind": "tare", "target": "", "expires_in_s": "90"})
    assert refused.status_code == 422
    assert 'value="90"' in refused.text


async def test_a_configuration_is_changed_as_it_was_read_or_not_at_all(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    store = await plant_store(sqlite_platform)
    here, api = f"{GATEWAYS}/{store.gateway_id}/config", f"{EDGE}/gateways/{store.gateway_id}/config"
    pause = {"sensor": "z2m:cold-room-1", "quantity": "temperature", "starts_at_ms": 0, "duration_s": 600}
    await sqlite_platform.tenant.put(api, {"pauses": [pause]})
    version = str((await sqlite_platform.tenant.get(api))["version"])
    watch = {"rule": "silent-1", "sensor": "z2m:cold-room-1", "quantity": "temperature", "kind": "silent"}
    sent = {f"watches.0.{name}": value for name, value in {**watch, "duration_s": "900"}.items()}
    sent |= {"version": version, "heartbeat_interval_s": "30", "outputs.0.kind": "gpio", "outputs.0.target": "GPIO17"}
    assert (await console.post(here, data=sent)).status_code == 303
    config = await sqlite_platform.tenant.get(api)
    assert [one["rule"] for one in config["watches"]] == ["silent-1"]
    assert (config["heartbeat_interval_s"], config["outputs"][0]["target"]) == (30, "GPIO17")
    assert len(config["pauses"]) == 1, "what was not taken away stays"
    late = await console.post(here, data=sent)
    assert late.status_code == 409
    assert "Somebody else has changed" in late.text
    wrong = {**sent, "version": str(config["version"]), "watches.0.duration_s": "soon"}
    refused = await console.post(here, data=wrong)
    assert refused.status_code == 422
    assert 'id="e-watches.0.duration_s"' in refused.text
    page = (await console.get(here)).text
    assert 'value="900"' in page
    for said in ("Says how it is every, seconds: 60 → 30", "Watch silent-1: added", "Output GPIO17: added"):
        assert f"<li>{said}</li>" in page
    assert "Pause" not in page.partition("Watch silent-1: added")[0].rpartition("<ul")[2], "it is as it was"
    assert (await console.post(f"{here}/rollback", data={"version": version})).status_code == 303
    assert (await sqlite_platform.tenant.get(api))["watches"] == []
    assert "<li>Watch silent-1: taken away</li>" in (await console.get(here)).text


async def test_a_calibration_is_entered_and_a_sensor_gets_its_place(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    store = await plant_store(sqlite_platform)
    here, api = f"{GATEWAYS}/sensors/{store.sensor_id}", f"{EDGE}/sensors/{store.sensor_id}"
    sent = {"gain": "1.01", "offset": "-0.2", "certificate": "NABL-7", "due_on": clock.now().date().isoformat()}
    assert (await console.post(f"{here}/calibrations", data=sent)).status_code == 303
    assert (await sqlite_platform.tenant.get(api))["gain"] == 1.01
    assert "NABL-7" in (await console.get(here)).text
    assert "To be calibrated" in (await console.get(GATEWAYS)).text
    refused = await console.post(f"{here}/calibrations", data={"gain": "0", "offset": "1", "note": "kept"})
    assert refused.status_code == 422
    assert 'id="e-gain"' in refused.text
    assert 'value="kept"' in refused.text
    assert (await console.post(here, data={"location_id": "", "interval_s": "120"})).status_code == 303
    said = await sqlite_platform.tenant.get(api)
    assert (said["location_id"], said["interval_s"]) == (None, 120)
    assert (await console.post(f"{here}/status", data={"status": "retired"})).status_code == 303
    assert (await sqlite_platform.tenant.get(api))["status"] == "retired"


async def test_a_gateway_is_renamed_replaced_and_revoked(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    gateway_id, _ = await plant_gateway(sqlite_platform, sqlite_platform.tenant)
    here = f"{GATEWAYS}/{gateway_id}"
    assert (await console.post(f"{here}/name", data={"name": "Dock 9"})).status_code == 303
    refused = await console.post(f"{here}/name", data={"name": ""})
    assert refused.status_code == 422
    assert 'id="e-name"' in refused.text
    assert "data:image/svg+xml;base64," in (await console.post(f"{here}/claim-code")).text
    assert (await console.post(f"{here}/revoke", data={"sensors": "keep"})).status_code == 303
    said = await sqlite_platform.tenant.get(f"{EDGE}/gateways/{gateway_id}")
    assert said["status"] == "decommissioned"
    assert "Take it out of service" not in (await console.get(here)).text


async def test_who_only_looks_is_offered_no_change(sqlite_platform: Platform) -> None:
    store: ColdStore = await plant_store(sqlite_platform)
    here = f"{GATEWAYS}/{store.gateway_id}"
    viewer = await make_person(sqlite_platform, sqlite_platform.tenant, "viewer")
    async with at_console(sqlite_platform, viewer) as looking:
        assert "Add a gateway" not in (await looking.get(GATEWAYS)).text
        assert "Take it out of service" not in (await looking.get(here)).text
        assert "Keep as a new version" not in (await looking.get(f"{here}/config")).text
        assert "Send a command" not in (await looking.get(f"{here}/commands")).text
        assert "Enter a calibration" not in (await looking.get(f"{GATEWAYS}/sensors/{store.sensor_id}")).text
        assert (await looking.post(f"{here}/revoke")).status_code == 403
    driver = await make_person(sqlite_platform, sqlite_platform.tenant, "delivery_personnel")
    async with at_console(sqlite_platform, driver) as driving:
        assert (await driving.get(GATEWAYS)).status_code == 403


async def test_what_the_box_judged_itself_is_listed_and_goes_into_a_file(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    store = await plant_store(sqlite_platform)
    at = f"{GATEWAYS}/{store.gateway_id}/alarms"
    assert "It has raised no alarm." in (await console.get(at)).text
    watch = {"rule": "too-quick", "sensor": "z2m:cold-room-1", "quantity": "temperature", "kind": "rising"}
    await sqlite_platform.tenant.put(
        f"{EDGE}/gateways/{store.gateway_id}/config", {"watches": [{**watch, "duration_s": 600, "change": 4}]}
    )
    at_ms = EIGHT_OCLOCK_MS
    raised = make_alarm(1, "raised", rule="too-quick", kind="rising", started_at_ms=at_ms, at_ms=at_ms, value=11.5)
    await send(sqlite_platform, store, [raised], lane="alarms")
    page = (await console.get(at)).text
    assert f'href="{GATEWAYS}/sensors/{store.sensor_id}">z2m:cold-room-1</a>' in page
    assert "Active" in page
    assert f'href="{at}"' in (await console.get(f"{GATEWAYS}/{store.gateway_id}/part")).text
    file = (await console.get(f"{at}/export")).text
    assert "z2m:cold-room-1,Rising,11.5,too-quick" in file
