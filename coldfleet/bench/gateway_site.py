"""A gateway under measurement: alone on its processor; its sensors, its cloud and we are on the other."""

import contextlib
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from coldfleet.bench.processes import BenchProblem, Measured, cores, free_port
from device_sims.alarm_probe import SENSOR
from device_sims.own_process import Answer, OwnProcess

SENSORS = 40
#: messages in flight, a sensor: what Mosquitto grants its clients
WINDOW = 20
VALUES = 5
USER, PASSWORD = "bench", "bench"
ALARM_TOPIC = "coldfleet/alarm"
#: the first seconds of each run are not counted
WARM_UP_S = 1.0

CONFIG = {
    "version": 1,
    "limits": [
        {
            "rule": "too-warm",
            "sensor": f"z2m:{sensor}",
            "quantity": "temperature",
            "kind": "high",
            "set_at": 8.0,
            "clear_at": 7.0,
            "duration_s": 0.0,
        }
        for sensor in [*(f"sensor-{number:03d}" for number in range(SENSORS)), SENSOR]
    ],
    "outputs": [{"kind": "mqtt", "target": ALARM_TOPIC}],
}


@dataclass(frozen=True)
class Window:
    """What happened between two looks."""

    seconds: float
    #: messages acknowledged to the sensors
    messages: int
    #: readings stored by the cloud
    rows: int
    gateway_cpu_s: float
    load_cpu_s: float
    written_bytes: int
    #: tenths of milliseconds from PUBLISH to PUBACK -> messages
    latencies_100us: dict[str, int]

    @property
    def per_s(self) -> float:
        """Messages acknowledged a second."""
        return self.messages / self.seconds

    @property
    def cpu_us(self) -> float:
        """Microseconds of the gateway's processor time, a message."""
        return self.gateway_cpu_s / max(1, self.messages) * 1e6


class Site:
    """One gateway, its sensors and its cloud."""

    def __init__(self, folder: Path, gateway: Measured, port: int, cloud: OwnProcess, load: OwnProcess) -> None:
        self.folder = folder
        self.gateway = gateway
        self.port = port
        self.cloud = cloud
        self.load = load

    def send(self, **plan: object) -> None:
        """Let the sensors begin."""
        told: Answer = {"port": self.port, "user": USER, "password": PASSWORD, "connections": SENSORS}
        self.load.ask("start", **{**told, "window": WINDOW, **plan})

    def stop_sending(self) -> Answer:
        """Let them end; their report."""
        return self.load.ask("stop", settle_s=30.0)

    def watch(self, seconds: float) -> Window:
        """Look away for so long."""
        cloud = self.cloud.ask("report")
        sensors, cpu_s, written = self.load.ask("mark"), self.gateway.cpu_s(), self.gateway.written_bytes()
        time.sleep(seconds)
        after, cpu_after_s, written_after = self.load.ask("report"), self.gateway.cpu_s(), self.gateway.written_bytes()
        rows = self.cloud.ask("report")["rows"] - cloud["rows"]
        return Window(
            after["at_s"] - sensors["at_s"],
            after["acknowledged"] - sensors["acknowledged"],
            rows,
            cpu_after_s - cpu_s,
            after["cpu_s"] - sensors["cpu_s"],
            written_after - written,
            after["latencies_100us"],
        )

    def check(self) -> None:
        """What was measured was right, too.

        Raises:
            BenchProblem: the cloud has something to complain of.
        """
        seen = self.cloud.ask("report")
        if seen["complaints"] or seen["stored_twice"]:
            raise BenchProblem(f"the gateway was wrong: {seen['complaints']}, {seen['stored_twice']} rows twice")


@contextlib.contextmanager
def running_site(folder: Path, *, max_mb: int = 4096) -> Iterator[Site]:
    """A gateway that its cloud knows, with `SENSORS` limits in force."""
    measured, others = cores()
    folder.mkdir()
    with (
        OwnProcess("device_sims.cloud", cores={others}) as cloud,
        OwnProcess("device_sims.load", cores={others}) as load,
    ):
        url = cloud.ask("come")["url"]
        cloud.ask("configure", config=CONFIG)
        config, ready = folder / "gateway.toml", folder / "ready.json"
        config.write_text(
            f'data_dir = "{folder / "data"}"\n[cloud]\nurl = "{url}"\nclaim_code = "COLD-0001"\n'
            f'[listener]\nport = {free_port()}\nusers = {{ {USER} = "{PASSWORD}" }}\n[spool]\nmax_mb = {max_mb}\n',
            encoding="utf-8",
        )
        command = [sys.executable, "-m", "gateway", "--config", str(config), "--ready-file", str(ready)]
        with Measured(command, core=measured, log=folder / "gateway.log") as gateway:
            gateway.wait_for(ready, "0198")  # the cloud's name for it
            yield Site(folder, gateway, int(json.loads(ready.read_bytes())["mqtt_port"]), cloud, load)
