"""The gateway as a process, from the outside."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import aiomqtt
import pytest

from gateway.contract import GatewayConfig
from tests.gateway.cloud_double import CLAIM_CODE, GATEWAY_ID, CloudDouble
from tests.gateway.mqtt_bytes import CONNACK, connect, publish
from tests.gateway.running import ROOT, high_limit, in_background
from tests.services.mosquitto import PrivateMosquitto
from tests.services.processes import RunningProcess, running
from tests.services.waiting import until

COMMAND = [sys.executable, "-c", "from gateway.cli import app; app()"]
TOPIC = "zigbee2mqtt/room"


class Box:
    """A data folder, its settings, and the processes that run on them."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.data_dir = folder / "data"
        self.config = folder / "gateway.toml"
        self.ready_file = folder / "ready.json"
        self._stack = stack

    def neighbour(self) -> "Box":
        folder = self.data_dir.parent / "neighbour"
        folder.mkdir()
        return Box(folder, self._stack)

    def configure(self, cloud_url: str, *, port: int = 0, claim_code: str = CLAIM_CODE) -> None:
        self.config.write_text(
            f'data_dir = "{self.data_dir}"\n'
            f'[cloud]\nurl = "{cloud_url}"\nclaim_code = "{claim_code}"\nupload_interval_s = 0.01\n'
            f'[listener]\nport = {port}\nusers = {{ room = "secret" }}\n'
        )

    def configure_bridge(self, cloud_url: str, broker_port: int) -> None:
        self.config.write_text(
            f'data_dir = "{self.data_dir}"\n'
            f'[cloud]\nurl = "{cloud_url}"\nclaim_code = "{CLAIM_CODE}"\nupload_interval_s = 0.01\n'
            f'[bridge]\nhost = "127.0.0.1"\nport = {broker_port}\n'
            'topics = ["zigbee2mqtt/#", "zebra/#", "scale/#"]\n'
        )

    def run(self, *arguments: str) -> RunningProcess:
        command = [
            *COMMAND,
            *(arguments or ("run", "--config", str(self.config), "--ready-file", str(self.ready_file))),
        ]
        return self._stack.enter_context(running(command, cwd=ROOT))

    async def start_bridge(self) -> RunningProcess:
        process = self.run()
        await until(lambda: "bridge: mqtt://" in process.output(), what="the gateway is subscribed")
        return process

    async def start(self) -> tuple[RunningProcess, int]:
        self.ready_file.unlink(missing_ok=True)
        process = self.run()
        await until(lambda: self.ready_file.exists() or process.exit_code is not None, what="the gateway is ready")
        assert process.exit_code is None, process.output()
        ready = json.loads(self.ready_file.read_bytes())
        assert isinstance(ready["mqtt_port"], int)
        return process, ready["mqtt_port"]

    async def end(self, *arguments: str) -> tuple[int, str]:
        process = self.run(*arguments)
        return await asyncio.to_thread(process.wait_for_exit), process.output()


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    with ExitStack() as stack:
        yield Box(tmp_path, stack)


async def send(port: int, *temperatures: float) -> None:
    async with aiomqtt.Client("127.0.0.1", port, username="room", password="secret") as client:
        for temperature in temperatures:
            await client.publish(TOPIC, json.dumps({"temperature": temperature}), qos=1)


async def test_a_reading_travels_from_the_sensor_to_the_cloud_and_the_alarm_with_it(
    box: Box, cloud: CloudDouble
) -> None:
    cloud.config = GatewayConfig(1, [high_limit()])
    box.configure(cloud.url)
    process, port = await box.start()
    assert json.loads(box.ready_file.read_bytes()) == {"mqtt_port": port, "gateway_id": GATEWAY_ID}
    assert f"listening on mqtt://127.0.0.1:{port}\n" in process.output()
    await send(port, 4.0, 9.0)
    await until(lambda: len(cloud.readings()) == 2 and len(cloud.alarms()) == 1, what="all has arrived")
    assert [row.value for row in cloud.readings()] == [4.0, 9.0]
    (alarm,) = json.loads((box.data_dir / "alarms.json").read_bytes())
    assert (alarm["sensor"], alarm["rule"], alarm["peak"]) == ("z2m:room", "limit-1", 9.0)
    await send(port, 3.0)
    await until(lambda: len(cloud.alarms()) == 2, what="the all-clear has arrived")
    assert json.loads((box.data_dir / "alarms.json").read_bytes()) == []
    await until(lambda: bool(cloud.heartbeats), what="a heartbeat")
    assert await asyncio.to_thread(process.terminate) == 0
    assert "Traceback" not in process.output()


async def test_readings_of_a_day_without_cloud_arrive_when_it_is_back(box: Box, cloud: CloudDouble) -> None:
    box.configure("http://127.0.0.1:1")
    process, port = await box.start()
    assert json.loads(box.ready_file.read_bytes()) == {"mqtt_port": port, "gateway_id": None}
    await send(port, 1.0, 2.0)
    assert await asyncio.to_thread(process.terminate) == 0
    box.configure(cloud.url)
    await box.start()
    await until(lambda: len(cloud.readings()) == 2, what="both readings have arrived")


async def test_nothing_acknowledged_is_lost_when_the_gateway_is_killed_again_and_again(
    box: Box, cloud: CloudDouble
) -> None:
    box.configure(cloud.url)
    acknowledged: set[float] = set()
    for life in range(3):
        process, port = await box.start()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(connect(keepalive_s=0))
        assert await reader.readexactly(4) == CONNACK
        first = life * 3000
        for number in range(3000):
            payload = json.dumps({"temperature": (first + number) / 1000}).encode()
            writer.write(publish(TOPIC, payload, packet_id=number + 1))
        enough = (life + 1) * 500
        while len(acknowledged) < first + enough:
            packet = await reader.readexactly(4)
            acknowledged.add((first + int.from_bytes(packet[2:], "big") - 1) / 1000)
            if int.from_bytes(packet[2:], "big") >= enough:
                break
        os.kill(process.pid, signal.SIGKILL)
        try:
            while packet := await reader.readexactly(4):
                acknowledged.add((first + int.from_bytes(packet[2:], "big") - 1) / 1000)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
        await asyncio.to_thread(process.wait_for_exit)
    process, port = await box.start()
    await until(lambda: acknowledged <= {row.value for row in cloud.readings()}, what="all acknowledged have arrived")
    assert await asyncio.to_thread(process.terminate) == 0
    sequences = [row.sequence for row in cloud.readings()]
    assert sequences == list(range(1, len(sequences) + 1))
    values = [row.value for row in cloud.readings()]
    assert len(values) == len(set(values))


KILLED_WITH: dict[str, Callable[[int], str]] = {
    "zigbee2mqtt/room": lambda number: json.dumps({"temperature": number / 1000}),
    "zebra/gate/d-evt": lambda number: json.dumps(
        [{"data": {"idHex": f"{number:024X}", "antenna": 1}, "type": "INVENTORY"}]
    ),
    "scale/dock/raw": lambda number: f"S S {number}.0 kg\r\n",
}


class Load:
    """Publishes numbers on all topics, without a pause."""

    def __init__(self, port: int) -> None:
        self.acknowledged = 0
        self.is_over = False
        self._port = port

    def has_sent(self, count: int) -> bool:
        return self.acknowledged > count

    async def run(self) -> None:
        async with aiomqtt.Client("127.0.0.1", self._port, max_inflight_messages=1000) as client:
            client.pending_calls_threshold = 1000
            while not self.is_over:
                numbers = range(self.acknowledged + 1, self.acknowledged + 21)
                sent = [client.publish(topic, say(n), qos=1) for n in numbers for topic, say in KILLED_WITH.items()]
                await asyncio.gather(*sent)
                self.acknowledged += 20


async def test_nothing_the_broker_acknowledged_is_lost_when_the_gateway_behind_it_is_killed_again_and_again(
    box: Box, cloud: CloudDouble, mosquitto: PrivateMosquitto
) -> None:
    box.configure_bridge(cloud.url, mosquitto.port)
    process = await box.start_bridge()
    load = Load(mosquitto.port)
    async with in_background(load.run()) as publishing:
        for _ in range(2):
            enough = load.acknowledged + 100
            await until(partial(load.has_sent, enough), what="more has been published")
            await asyncio.to_thread(process.kill)
            process = await box.start_bridge()
        load.is_over = True
        await publishing
    wanted = set(range(1, load.acknowledged + 1))
    found: dict[str, Callable[[], list[int]]] = {
        "readings": lambda: [round(row.value * 1000) for row in cloud.readings()],
        "tags": lambda: [int(row.epc, 16) for row in cloud.tags()],
        "weights": lambda: [round(row.weight_kg or 0) for row in cloud.weights()],
    }
    await until(lambda: all(wanted <= set(rows()) for rows in found.values()), what="all acknowledged have arrived")
    assert await asyncio.to_thread(process.terminate) == 0
    assert "Traceback" not in process.output()
    for lane, rows in found.items():
        # Committed, and killed before the broker heard of it: those few come again, at most a window of them a kill.
        assert len(rows()) - len(wanted) <= 2 * int(mosquitto.settings["max_inflight_messages"]), lane
    for stored in cloud.stored.values():
        assert [row.sequence for row in stored] == list(range(1, len(stored) + 1))


async def test_what_goes_wrong_at_the_start_is_one_plain_sentence(box: Box, cloud: CloudDouble) -> None:
    box.configure(cloud.url)
    _, port = await box.start()
    code, output = await box.end()
    assert (code, output.count("\n")) == (1, 1)
    assert "in use by another gateway: stop that one" in output
    other = box.neighbour()
    other.configure(cloud.url, port=port)
    code, output = await other.end()
    assert code == 1
    assert output.splitlines()[-1].startswith(f"cannot listen on 127.0.0.1:{port}")
    other.configure(cloud.url, claim_code="WRONG")
    code, output = await other.end()
    assert code == 1
    assert output.splitlines()[-1].endswith("set cloud.claim_code anew.")
    other.config.write_text("[cloud]")
    code, output = await other.end()
    assert (code, output.count("\n")) == (1, 1)
    assert "Traceback" not in output


async def test_wrong_usage_is_exit_code_2(box: Box) -> None:
    code, output = await box.end("run", "--confg", "x")
    assert code == 2
    assert "--confg" in output
    assert "Traceback" not in output


async def test_inspect_shows_what_waits_beside_the_running_gateway(box: Box) -> None:
    box.configure("http://127.0.0.1:1")
    _, port = await box.start()
    await send(port, 1.0, 2.0)
    async with aiomqtt.Client("127.0.0.1", port, username="room", password="secret") as client:
        await client.publish("tele/room/SENSOR", b"[red]{}", qos=1)
    code, output = await box.end("inspect", "--data-dir", str(box.data_dir))
    assert code == 0
    assert "not yet provisioned" in output
    assert "1 since the beginning" in output
    assert "tele/room/SENSOR" in output.replace("\n", "")
    cells = [[cell.strip() for cell in line.split("│")] for line in output.splitlines()]
    assert any(row[1:3] == ["readings", "2"] for row in cells)
    code, output = await box.end("inspect", "--data-dir", "/nowhere")
    assert (code, output.count("\n")) == (1, 1)


async def test_the_gateway_carries_nothing_of_the_cloud(box: Box, cloud: CloudDouble) -> None:
    source = (
        "import sys, gateway.__main__;"
        "print({'fastapi', 'sqlalchemy', 'typer', 'sqlite_utils', 'cloud_api', 'device_sims'} & set(sys.modules))"
    )
    code, output = await asyncio.to_thread(_python, source)
    assert (code, output) == (0, "set()\n")
    box.configure(cloud.url)
    process, port = await box.start()
    await send(port, 4.0)
    await until(lambda: len(cloud.readings()) == 1, what="the reading has arrived")
    libraries = await asyncio.to_thread(Path(f"/proc/{process.pid}/maps").read_text)
    assert "msgspec" in libraries
    assert "pydantic" not in libraries


async def test_a_gateway_without_a_bridge_carries_no_mqtt_client(box: Box, cloud: CloudDouble) -> None:
    program = (
        "import asyncio, sys\nfrom pathlib import Path\nfrom gateway.app import Gateway\n"
        "from gateway.config import load\n"
        f"async def main(): Gateway(load(Path({str(box.config)!r}), {{}}))\n"
        "asyncio.run(main())\nprint({'aiomqtt', 'paho', 'gateway.sources.bridge'} & set(sys.modules))"
    )
    box.configure(cloud.url)
    assert await asyncio.to_thread(_python, program) == (0, "set()\n")


def _python(source: str) -> tuple[int, str]:
    done = subprocess.run([sys.executable, "-c", source], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout
