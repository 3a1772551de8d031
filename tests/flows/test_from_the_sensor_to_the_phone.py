"""Real processes, real sockets: a sensor, a gateway, the cloud, a phone, and a power cut at the cloud."""

import json
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiomqtt
import httpx2
import pytest

from cloud_api.identity.passwords import new_password
from cloud_api.identity.people import service as people
from cloud_api.kernel.db import Database
from cloud_api.kernel.tenancy import SystemScope
from tests.flows.phones import Phones
from tests.platform_under_test import PASSWORD
from tests.services.processes import RunningProcess, running
from tests.services.waiting import until

ROOT = Path(__file__).parents[2]
TOPIC = "zigbee2mqtt/cold-room-1"
SENSOR = "z2m:cold-room-1"


@dataclass
class World:
    """The processes, and where they keep what they know."""

    folder: Path
    database_url: str
    phones: Phones
    stack: AsyncExitStack
    client: httpx2.AsyncClient
    #: chosen by the first cloud process, kept by the next
    cloud_port: int = 0

    async def start_cloud(self) -> RunningProcess:
        ready = self.folder / "cloud.json"
        ready.unlink(missing_ok=True)
        command = [sys.executable, "-m", "coldfleet", "cloud", "serve", "--ready-file", str(ready)]
        environment = {
            "COLDFLEET_DATABASE_URL": self.database_url,
            "COLDFLEET_FCM_SERVICE_ACCOUNT": str(self.phones.service_account),
            "COLDFLEET_FCM_URL": self.phones.double.url,
            "COLDFLEET_REQUESTS_PER_HOUR": "1000000",
            "COLDFLEET_TWO_FACTOR_FOR_ADMINS": "false",
        }
        process = self._start([*command, "--port", str(self.cloud_port)], environment)
        await until(lambda: ready.exists() or process.exit_code is not None, what="the cloud answers", timeout_s=60)
        assert process.exit_code is None, process.output()
        self.client.base_url = httpx2.URL(json.loads(ready.read_bytes())["url"])
        self.cloud_port = self.client.base_url.port or 0
        return process

    async def start_gateway(self, claim_code: str) -> int:
        config, ready = self.folder / "gateway.toml", self.folder / "gateway.json"
        config.write_text(
            f'data_dir = "{self.folder / "gateway"}"\n'
            f'[cloud]\nurl = "{self.client.base_url}"\nclaim_code = "{claim_code}"\nupload_interval_s = 0.01\n'
            "[listener]\nport = 0\nanonymous = true\n"
        )
        command = [sys.executable, "-m", "gateway", "--config", str(config), "--ready-file", str(ready)]
        process = self._start(command, {})
        await until(lambda: ready.exists() or process.exit_code is not None, what="the gateway listens", timeout_s=60)
        assert process.exit_code is None, process.output()
        return int(json.loads(ready.read_bytes())["mqtt_port"])

    def _start(self, command: list[str], environment: dict[str, str]) -> RunningProcess:
        outside = {"PYTHONPATH": str(ROOT), **environment}
        return self.stack.enter_context(running(command, cwd=self.folder, environment=outside))

    async def get(self, path: str, **parameters: Any) -> Any:
        answer = await self.client.get(f"/api/v1{path}", params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    async def post(self, path: str, body: object) -> Any:
        answer = await self.client.post(f"/api/v1{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json()["data"]


@pytest.fixture
async def world(tmp_path: Path, sqlite_url: str, phones: Phones) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        database = Database(sqlite_url)
        async with database.unit_of_work(SystemScope("test")) as db:
            await people.found_organization(
                db,
                name="Farm",
                slug="farm",
                admin_username="keeper",
                admin_email="keeper@farm.example",
                admin_full_name="Keeper",
                admin_password_hash=await new_password(PASSWORD),
            )
        await database.close()
        client = await stack.enter_async_context(httpx2.AsyncClient(timeout=20))
        yield World(tmp_path, sqlite_url, phones, stack, client)


async def measure(port: int, temperatures_c: list[float]) -> int:
    """Publish as Zigbee2MQTT does; how many messages the gateway acknowledged."""
    acknowledged = 0
    async with aiomqtt.Client("127.0.0.1", port) as sensor:
        for temperature_c in temperatures_c:
            payload = {"temperature": temperature_c, "humidity": 80.5}
            await sensor.publish(TOPIC, json.dumps(payload), qos=1)
            acknowledged += 1
    return acknowledged


async def temperatures_in_the_cloud(world: World, sensor_id: str) -> list[float]:
    values: list[float] = []
    asked = {"sensor_id": sensor_id, "since": "2020-01-01T00:00:00Z", "until": "2100-01-01T00:00:00Z", "limit": "200"}
    while True:
        answer = (await world.client.get("/api/v1/telemetry/readings", params=asked)).json()
        values += [row["value"] for row in answer["data"]]
        if answer["meta"]["next_cursor"] is None:
            return values
        asked["cursor"] = answer["meta"]["next_cursor"]


async def make_store(world: World) -> tuple[str, str]:
    """A cold room with a rule and a lot, and a gateway to come: the sensor's id and the claim code."""
    warehouse = await world.post("/warehouse/warehouses", {"code": "W", "name": "Store"})
    place = {"code": "COLD-1", "name": "Cold room 1", "location_type": "room", "storage_type": "cold_storage"}
    room = await world.post("/warehouse/storage/locations", {**place, "warehouse_id": warehouse["id"]})
    product = await world.post("/warehouse/products", {"sku": "CHARD", "name": "Chard", "unit": "kg"})
    gateway = await world.post("/edge/gateways", {"name": "Box"})
    sensor = {"code": SENSOR, "quantity": "temperature", "unit": "Cel", "location_id": room["id"]}
    sensor_id = (await world.post("/edge/sensors", {**sensor, "gateway_id": gateway["gateway_id"]}))["id"]
    rule = {"name": "Warm", "kind": "high", "set_at": 8, "clear_at": 7, "duration_s": 0}
    await world.post("/alerts/rules", {**rule, "location_id": room["id"]})
    receipt = {"product_id": product["id"], "location_id": room["id"], "lot_number": "LOT-1", "quantity": "100"}
    await world.post("/warehouse/stock/receiving", receipt)
    return sensor_id, gateway["claim_code"]


async def test_what_was_acknowledged_to_the_sensor_is_in_the_cloud_once_though_the_cloud_was_killed(
    world: World,
) -> None:
    cloud = await world.start_cloud()
    signed_in = await world.post("/auth/login", {"login": "keeper", "password": PASSWORD})
    world.client.headers["Authorization"] = f"Bearer {signed_in['access_token']}"
    phone = world.phones.double.mint_phone()
    await world.post("/mobile/devices", {"registration": phone.fid})
    sensor_id, claim_code = await make_store(world)
    port = await world.start_gateway(claim_code)

    before, during = ([degrees + step / 1000 for step in range(150)] for degrees in (4, 5))
    acknowledged = await measure(port, before)
    cloud.kill()
    acknowledged += await measure(port, during)
    await world.start_cloud()
    acknowledged += await measure(port, [9.5, 9.6])

    async def all_has_arrived() -> bool:
        accepted = [lane["accepted"] for lane in await world.get("/telemetry/stats") if lane["lane"] == "readings"]
        return sum(map(int, accepted)) == 2 * acknowledged

    await until(all_has_arrived, what="every reading has arrived", timeout_s=60)
    stored = await temperatures_in_the_cloud(world, sensor_id)
    assert sorted(stored) == pytest.approx(
        [*before, *during, 9.5, 9.6]
    )  # two of one millisecond may have come by two lanes
    assert len(stored) == acknowledged
    await until(lambda: bool(world.phones.double.deliveries(phone.fid)), what="the phone has the alert")

    async def both_have_judged() -> bool:
        return any(lane["lane"] == "alarms" for lane in await world.get("/telemetry/stats"))

    await until(both_have_judged, what="the gateway's own alarm has arrived")
    [excursion] = await world.get("/excursions")
    assert (excursion["status"], excursion["peak_value"]) == ("open", 9.6)
    [level] = await world.get("/warehouse/stock/levels")
    assert level["status"] == "on_hold"
    assert len(world.phones.double.deliveries()) == 1
