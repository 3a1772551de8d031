"""Sensors, readers and scales: registered, placed, named, and what is booked of what a reader sees."""

import csv

import httpx2

from tests.cloud_api.console.screens import at_console
from tests.factories.farms import make_person, plant_store
from tests.factories.stores import make_room
from tests.platform_under_test import Platform

GATEWAYS = "/console/gateways"
SENSORS, READERS, SCALES = (f"{GATEWAYS}/{kind}" for kind in ("sensors", "readers", "scales"))
EDGE = "/api/v1/edge"
PORTAL_RULES = "/api/v1/warehouse/portal-rules"


async def test_all_sensors_are_listed_filtered_and_kept_as_a_table(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    store = await plant_store(sqlite_platform)
    calibration = {"certificate": "NABL-9", "due_on": "2030-05-01"}
    await store.tenant.post(f"{EDGE}/sensors/{store.sensor_id}/calibrations", calibration)
    page = (await console.get(SENSORS, params={"location_id": store.room_id})).text
    assert f'href="{SENSORS}/{store.sensor_id}"' in page
    assert f'href="{SENSORS}/export?location_id={store.room_id}&amp;format=csv"' in page
    assert "No sensor is like this" in (await console.get(SENSORS, params={"unplaced": "true"})).text
    [head, row] = csv.reader((await console.get(f"{SENSORS}/export")).text.lstrip("\ufeff").splitlines())
    said = dict(zip(head, row, strict=True))
    assert (said["Sensor"], said["Certificate"], said["Due again"]) == ("z2m:cold-room-1", "NABL-9", "2030-05-01")
    sheet = await console.get(f"{SENSORS}/export", params={"format": "xlsx"})
    assert sheet.content.startswith(b"PK")


async def test_a_reader_is_registered_with_its_antennas_and_changed(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    store = await plant_store(sqlite_platform)
    devices = (await console.get(f"{GATEWAYS}/{store.gateway_id}/devices")).text
    assert f'href="{READERS}/new?gateway_id={store.gateway_id}"' in devices
    page = (await console.get(f"{READERS}/new", params={"gateway_id": store.gateway_id})).text
    assert f'<option value="{store.gateway_id}" selected>' in page
    typed = {
        "gateway_id": store.gateway_id,
        "code": "llrp:dock-1",
        "name": "Dock 1",
        "location_id": store.room_id,
        "direction": "both",
        "portal": "true",
        "antennas.0.number": "1",
        "antennas.0.direction": "in",
        "antennas.2.number": "2",
        "antennas.2.direction": "out",
    }
    refused = await console.post(READERS, data={**typed, "antennas.2.number": "two"})
    assert refused.status_code == 422
    assert 'id="e-antennas.1.number"' in refused.text
    made = await console.post(READERS, data=typed)
    [reader] = await store.tenant.get(f"{EDGE}/readers", gateway_id=store.gateway_id)
    assert made.headers["location"] == f"{READERS}/{reader['id']}"
    assert [(one["number"], one["direction"]) for one in reader["antennas"]] == [(1, "in"), (2, "out")]
    assert reader["portal"] is True
    again = await console.post(READERS, data=typed)
    assert again.status_code == 409
    assert 'id="e-code"' in again.text
    path = f"{READERS}/{reader['id']}"
    changed = {"name": "Dock 7", "direction": "in", "location_id": ""}
    assert (await console.post(path, data=changed)).status_code == 303
    after = await store.tenant.get(f"{EDGE}/readers/{reader['id']}")
    assert (after["name"], after["antennas"], after["location_id"], after["portal"]) == ("Dock 7", [], None, False)
    assert (await console.post(f"{path}/retire")).status_code == 303
    assert "Bring back" in (await console.get(path)).text
    assert (await console.post(f"{path}/bring-back")).status_code == 303
    assert (await store.tenant.get(f"{EDGE}/readers/{reader['id']}"))["status"] == "active"


async def test_a_portals_rules_are_added_switched_and_taken_away(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    store = await plant_store(sqlite_platform)
    room = await make_room(store.tenant, store.warehouse_id)
    body = {"gateway_id": store.gateway_id, "code": "llrp:dock-1", "name": "Dock 1", "portal": True}
    path = f"{READERS}/{(await store.tenant.post(f'{EDGE}/readers', body))['id']}"
    assert "It has no rule of its own" in (await console.get(path)).text
    typed = {"direction": "in", "action": "receive", "mode": "propose", "window_s": "20", "max_age_min": "5"}
    refused = await console.post(f"{path}/rules", data=typed)
    assert refused.status_code == 422
    assert "to_location_id" in refused.text
    refused = await console.post(f"{path}/rules", data={**typed, "to_location_id": room, "max_age_min": "long"})
    assert 'id="e-max_age_min"' in refused.text
    assert (await console.post(f"{path}/rules", data={**typed, "to_location_id": room})).status_code == 303
    [rule] = await store.tenant.get(PORTAL_RULES)
    assert (rule["action"], rule["to_location_id"], rule["window_s"], rule["max_age_s"]) == ("receive", room, 20, 300)
    page = (await console.get(path)).text
    assert "Book at once" in page
    await console.post(f"{path}/rules/{rule['id']}/mode", data={"mode": "automatic"})
    [after] = await store.tenant.get(PORTAL_RULES)
    assert after == {**rule, "mode": "automatic", "version": 2}
    assert (await console.post(f"{path}/rules/{rule['id']}/delete")).status_code == 303
    assert await store.tenant.get(PORTAL_RULES) == []


async def test_a_scale_is_registered_and_changed(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    store = await plant_store(sqlite_platform)
    typed = {
        "gateway_id": store.gateway_id,
        "code": "scale:dock-1",
        "name": "Platform",
        "location_id": store.room_id,
        "capacity_kg": "600",
        "division_kg": "0.2",
        "unit": "kg",
        "tare_kg": "",
    }
    refused = await console.post(SCALES, data={**typed, "capacity_kg": "much"})
    assert refused.status_code == 422
    assert 'id="e-capacity_kg"' in refused.text
    assert 'value="much"' in refused.text
    assert (await console.post(SCALES, data=typed)).status_code == 303
    [scale] = await store.tenant.get(f"{EDGE}/scales", gateway_id=store.gateway_id)
    path = f"{SCALES}/{scale['id']}"
    assert 'value="600"' in (await console.get(path)).text
    assert (await console.post(f"{path}/retire")).status_code == 303
    assert "saving it brings it back" in (await console.get(path)).text
    changed = {"name": "Platform 2", "capacity_kg": "300", "division_kg": "0.1", "unit": "kg", "tare_kg": "12.5"}
    assert (await console.post(path, data=changed)).status_code == 303
    after = await store.tenant.get(f"{EDGE}/scales/{scale['id']}")
    assert (after["name"], after["capacity_kg"], after["tare_kg"], after["status"]) == (
        "Platform 2",
        300.0,
        12.5,
        "active",
    )
    other = await plant_store(sqlite_platform)
    assert await store.tenant.get(f"{EDGE}/scales", gateway_id=other.gateway_id) == []


async def test_a_scale_is_tared_and_believed_when_its_weights_agree(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    store = await plant_store(sqlite_platform)
    body = {"gateway_id": store.gateway_id, "code": "scale:dock-1", "name": "Platform"}
    scale = await store.tenant.post(f"{EDGE}/scales", {**body, "capacity_kg": 600.0, "division_kg": 0.2})
    path = f"{SCALES}/{scale['id']}"
    assert "at once, when the scale says" in (await console.get(path)).text
    refused = await console.post(f"{path}/stability", data={"readings": "some", "within_s": "30"})
    assert refused.status_code == 422
    assert 'id="e-readings"' in refused.text
    assert 'value="some"' in refused.text
    assert (await console.post(f"{path}/stability", data={"readings": "3", "within_s": "30"})).status_code == 303
    assert "when 3 in 30 s say the same" in (await console.get(path)).text
    assert (await console.post(f"{path}/tare")).status_code == 303
    [command] = await store.tenant.get(f"{EDGE}/gateways/{store.gateway_id}/commands")
    assert (command["kind"], command["target"]) == ("tare", "scale:dock-1")


async def test_who_only_looks_registers_nothing(sqlite_platform: Platform) -> None:
    store = await plant_store(sqlite_platform)
    body = {"gateway_id": store.gateway_id, "code": "llrp:dock-1", "name": "Dock 1"}
    reader = await store.tenant.post(f"{EDGE}/readers", body)
    viewer = await make_person(sqlite_platform, sqlite_platform.tenant, "viewer")
    async with at_console(sqlite_platform, viewer) as console:
        page = await console.get(f"{READERS}/{reader['id']}")
        assert page.status_code == 200
        assert "<form" not in page.text.split('id="content"')[1]
        assert (await console.post(READERS, data=body)).status_code == 403
