"""The demonstration's world: its folder, its clock, its processes, and what can be read of them from outside."""

import json
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2

from coldfleet.demo.api import ADMIN, PASSWORD, Api
from coldfleet.demo.farm import DRIVERS, SENSORS, Farm
from coldfleet.demo.processes import DemoProblem, Process

#: world seconds: when the door of Cold room 1 is opened, and for how long it stays open
DOOR_OPENS_AT_S = 300
DOOR_STAYS_OPEN_S = 900


@dataclass
class World:
    """Everything that runs."""

    folder: Path
    speed: float
    seed: int
    #: world and machine time agree here
    origin_ms: int = field(default_factory=lambda: time.time_ns() // 1_000_000)
    processes: dict[str, Process] = field(default_factory=dict)
    api_url: str = ""
    fcm_url: str = ""
    mqtt_port: int = 0

    def start(self, name: str, *arguments: str, **environment: str) -> Process:
        """Start a `coldfleet` command under `name`."""
        process = Process(name, arguments, log=self.folder / f"{name}.log", environment=environment)
        self.processes[name] = process
        return process

    def start_push_service(self) -> None:
        """The double of Google's push service."""
        ready, account = self.folder / "fcm.ready", self.folder / "fcm.json"
        process = self.start("fcm", "sim", "fcm", "--service-account", str(account), "--ready-file", str(ready))
        self.fcm_url = process.wait_ready(ready, "url")["url"]

    def start_cloud(self, port: int) -> Api:
        """The platform on SQLite, with one organisation. Returns its administrator's connection."""
        origin = datetime.fromtimestamp(self.origin_ms / 1000, UTC)
        environment = {
            "COLDFLEET_ENVIRONMENT": "development",
            "COLDFLEET_DATABASE_URL": f"sqlite+aiosqlite:///{self.database}",
            "COLDFLEET_FCM_SERVICE_ACCOUNT": str(self.folder / "fcm.json"),
            "COLDFLEET_FCM_URL": self.fcm_url,
            "COLDFLEET_MEDIA_FOLDER": str(self.folder / "media"),
            "COLDFLEET_CLOCK_SPEED": str(self.speed),
            # its people sign in without a phone, and its hours last minutes: what guards a real platform is in the way
            "COLDFLEET_TWO_FACTOR_FOR_ADMINS": "false",
            "COLDFLEET_SIGN_INS_PER_MINUTE": "100000",
            "COLDFLEET_REQUESTS_PER_HOUR": "1000000",
            "COLDFLEET_GATEWAY_REQUESTS_PER_HOUR": "1000000",
            "COLDFLEET_DRIVER_REQUESTS_PER_HOUR": "1000000",
            "COLDFLEET_MAIL_FOLDER": str(self.folder / "mail"),
            "COLDFLEET_CLOCK_ORIGIN": origin.isoformat(),
            "COLDFLEET_LOG_LEVEL": "warning",
        }
        founding = self.start(
            "founding", "cloud", "create-organization", "--name", "Demo farm", "--slug", "demo",
            "--admin-username", ADMIN, "--admin-email", f"{ADMIN}@demo.example", "--admin-password", PASSWORD,
            **environment,
        )  # fmt: skip
        if not founding.wait(90) or "is founded" not in founding.tail():
            raise DemoProblem(f"the organisation could not be founded:\n{founding.tail()}")
        ready = self.folder / "cloud.ready"
        process = self.start("cloud", "cloud", "serve", "--port", str(port), "--ready-file", str(ready), **environment)
        self.api_url = process.wait_ready(ready, "url")["url"]
        return Api(self.api_url)

    def start_gateway(self, farm: Farm, *, cloud_url: str, known: bool = True) -> None:
        """The gateway with its own MQTT listener.

        Args:
            known: wait until the cloud has given it its credential.
        """
        config, ready = self.folder / "gateway.toml", self.folder / "gateway.ready"
        ready.unlink(missing_ok=True)
        config.write_text(
            f"""data_dir = "{self.folder / "gateway"}"
[cloud]
url = "{cloud_url}"
claim_code = "{farm.claim_code}"
upload_interval_s = 5.0
[listener]
port = {self.mqtt_port}
[listener.users]
zigbee2mqtt = "{PASSWORD}"
[clock]
speed = {self.speed}
origin_ms = {self.origin_ms}
""",
            encoding="utf-8",
        )
        config.chmod(0o600)
        process = self.start("gateway", "gateway", "run", "--config", str(config), "--ready-file", str(ready))
        keys = ("mqtt_port", "gateway_id") if known else ("mqtt_port",)
        self.mqtt_port = process.wait_ready(ready, *keys)["mqtt_port"]

    def start_rooms(self, *, duration_s: float | None) -> None:
        """Two cold rooms; the first one's door is left open for a while."""
        scenario = self.folder / "rooms.toml"
        rooms = "".join(_room(name, sensor) for name, sensor in SENSORS.items())
        ends = "" if duration_s is None else f"duration_s = {duration_s}\n"
        scenario.write_text(
            f"""seed = {self.seed}
{ends}[clock]
speed = {self.speed}
origin_ms = {self.origin_ms}
[mqtt]
port = {self.mqtt_port}
user = "zigbee2mqtt"
password = "{PASSWORD}"
{rooms}""",
            encoding="utf-8",
        )
        self.start("rooms", "sim", "run", str(scenario), "--report", str(self.folder / "rooms.json"))

    @property
    def database(self) -> Path:
        """The platform's SQLite file."""
        return self.folder / "cloud.db"

    @property
    def spool(self) -> Path:
        """The gateway's SQLite file."""
        return self.folder / "gateway" / "spool.sqlite3"

    def world_time(self) -> datetime:
        """What time it is in the demonstration."""
        elapsed_ms = time.time() * 1000 - self.origin_ms
        return datetime.fromtimestamp((self.origin_ms + elapsed_ms * self.speed) / 1000, UTC)

    def rooms_report(self) -> dict[str, Any]:
        """What the simulator itself counted; {} before it has."""
        path = self.folder / "rooms.json"
        report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        return report

    def phone_reports(self) -> dict[str, dict[str, Any]]:
        """What each driver's phone itself counted."""
        return {
            driver: json.loads(path.read_text(encoding="utf-8"))
            for driver in DRIVERS
            if (path := self.folder / f"{driver}.json").exists()
        }

    def pushed(self, farm: Farm) -> list[dict[str, Any]]:
        """The messages that reached the phone."""
        messages: list[dict[str, Any]] = httpx2.get(f"{self.fcm_url}/double/messages").json()["messages"]
        return [message for message in messages if message["fid"] == farm.phone_fid]

    def stop(self) -> None:
        """Stop everything, the senders first."""
        for name in (*DRIVERS, "rooms", "gateway", "cloud", "fcm", "founding"):
            if name in self.processes:
                self.processes[name].stop()


def query(path: Path, sql: str) -> list[tuple[Any, ...]]:
    """Rows of a SQLite file, read from outside the process that owns it."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def numbered(world: World, lane: str) -> int:
    """How many rows of a lane the gateway's present spool has ever numbered: the last that waits or has left."""
    (found,) = query(
        world.spool,
        f"SELECT max(coalesce((SELECT max(last) FROM {lane}), 0),"  # noqa: S608  # a name of ours
        f" coalesce((SELECT max(acked_through) FROM lanes WHERE lane = '{lane}'), 0))",
    )
    return int(found[0])


@contextmanager
def closed_port() -> Iterator[int]:
    """A port of this machine that refuses every connection while the context is open."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, never listening
        yield taken.getsockname()[1]


def _room(name: str, sensor: str) -> str:
    door = f"""
[[rooms.events]]
kind = "door_open"
at_s = {DOOR_OPENS_AT_S}
for_s = {DOOR_STAYS_OPEN_S}
"""
    return f"""
[[rooms]]
name = "{name}"
setpoint_c = 4.0
product_kg = 600
[rooms.ambient]
mean_c = 35.0
swing_k = 3.0
humidity_pct = 50.0
[[rooms.sensors]]
name = "{sensor}"
interval_s = 30
[rooms.sensors.faults]
dropout = 0.01
duplicate = 0.01
stuck = 0.002
stuck_for_s = 120
malformed = 0.02
{door if name == "Cold room 1" else ""}"""
