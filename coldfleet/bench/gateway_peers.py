"""Other gateways, measured like ours: their own processes, with the configuration in `peers/`.

- thingsboard-gateway 3.8.5, installed into a virtual environment of its own in a folder that is kept. As it is shipped,
  but for SQLite as its storage and no limits of rates; and once tuned: MQTT 3.1.1, quiet logs, larger packets. What it
  sends to stands in for ThingsBoard. It asks the internet for updates when it starts: that is pointed at a closed port.
- Mosquitto with aiomqtt, acknowledging by itself, into SQLite: `peers/aiomqtt_sqlite.py`.

Mosquitto is before both, on the same processor: without it they take nothing.
"""

import json
import subprocess
import sys
import time
import venv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from coldfleet.bench.gateway_site import SENSORS, VALUES
from coldfleet.bench.processes import BenchProblem, Measured, cores, free_port, mosquitto
from device_sims.own_process import Answer, OwnProcess

CONFIGURATION = Path(__file__).parent / "peers"
THINGSBOARD = "thingsboard-gateway==3.8.5"
_SHIPPED = "thingsboard-gateway as shipped, all on one core"
_TUNED = "thingsboard-gateway, tuned, own core"
_AIOMQTT = "mosquitto + aiomqtt + SQLite"
#: a peer's figure -> ours of the same kind
COMPARED: Mapping[str, str] = {
    f"{_SHIPPED}: end to end": "end to end, live",
    f"{_TUNED}: end to end": "end to end, live",
    f"{_AIOMQTT}: into the table": "durable ingest",
}
_DRAINED = 20_000
_CLOSED = "http://127.0.0.1:9"


@dataclass(frozen=True)
class PeerFigure:
    """One line of the report."""

    name: str
    unit: str
    samples: list[float]


def measure(folder: Path, peers: Path | None, *, seconds: float, repeat: int) -> Iterator[PeerFigure]:
    """All peers; thingsboard-gateway only when there is a folder to install it into."""
    yield from _aiomqtt(folder, repeat=repeat)
    if peers is not None:
        python = installed(peers)
        for name, is_tuned in ((_SHIPPED, False), (_TUNED, True)):
            yield from _thingsboard(folder, python, name, is_tuned=is_tuned, seconds=seconds, repeat=repeat)


# aiomqtt


def _aiomqtt(folder: Path, *, repeat: int) -> Iterator[PeerFigure]:
    """Drain what Mosquitto has kept for the client."""
    for name, arguments in ((f"{_AIOMQTT}: into the table", []), ("aiomqtt, counting only", ["--no-insert"])):
        drains = [_drain(folder / f"aiomqtt-{len(arguments)}-{run}", arguments) for run in range(repeat)]
        yield PeerFigure(name, "msg/s", [rate for rate, _ in drains])
        yield PeerFigure(f"{name}: its processor, without the broker", "µs/msg", [cost for _, cost in drains])


def _drain(folder: Path, arguments: list[str]) -> tuple[float, float]:
    """(messages a second, microseconds of the client's processor time a message)."""
    measured, others = cores()
    folder.mkdir()
    port = free_port()
    settings = (CONFIGURATION / "mosquitto.conf").read_text(encoding="utf-8")

    def client(*more: str) -> Measured:
        script = str(CONFIGURATION / "aiomqtt_sqlite.py")
        database, log = folder / f"{len(more)}.db", folder / f"client-{len(more)}.log"
        command = [sys.executable, script, "--port", str(port), "--database", str(database), *arguments, *more]
        started = Measured(command, core=measured, log=log)
        started.wait_for(log, "ready")
        return started

    with (
        mosquitto(folder, port, settings, core=measured),
        OwnProcess("device_sims.load", cores={others}) as load,
    ):
        client().kill()  # the broker keeps its session from now on
        load.ask("start", port=port, connections=SENSORS, window=20, limit=_DRAINED)
        while load.ask("mark")["acknowledged"] < _DRAINED:
            time.sleep(0.05)
        with client("--until", str(_DRAINED)) as draining:
            draining.wait_for(draining.log, f"\n{_DRAINED} ")
        lines = [line.split() for line in draining.log.read_text(encoding="utf-8").splitlines() if line[0].isdigit()]
    (first, began_s, cpu_s), (last, ended_s, cpu_after_s) = lines[0], lines[-1]
    taken = int(last) - int(first)
    return taken / (float(ended_s) - float(began_s)), (float(cpu_after_s) - float(cpu_s)) / taken * 1e6


# thingsboard-gateway


def installed(folder: Path) -> Path:
    """The interpreter that has it; installed when it is not there yet.

    Raises:
        BenchProblem: it cannot be installed.
    """
    home = folder / "thingsboard-gateway-3.8.5"
    python = home / "bin" / "python"
    if not (home / "complete").exists():
        venv.create(home, with_pip=True, clear=True)
        command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", THINGSBOARD]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - as above
        if done.returncode:
            raise BenchProblem(f"{THINGSBOARD} cannot be installed:\n{done.stderr[-2000:]}")
        (home / "complete").touch()
    return python


def _thingsboard(
    folder: Path, python: Path, name: str, *, is_tuned: bool, seconds: float, repeat: int
) -> Iterator[PeerFigure]:
    runs = [
        _end_to_end(folder / f"thingsboard-{is_tuned:d}-{run}", python, is_tuned=is_tuned, seconds=seconds)
        for run in range(repeat)
    ]
    yield PeerFigure(f"{name}: end to end", "msg/s", [run[0] for run in runs])
    yield PeerFigure(f"{name}: its processor, without the broker", "µs/msg", [run[1] for run in runs])
    yield PeerFigure(f"{name}: memory", "MB", [run[2] for run in runs])


def _end_to_end(folder: Path, python: Path, *, is_tuned: bool, seconds: float) -> tuple[float, float, float]:
    """(messages a second, microseconds a message, megabytes)."""
    measured, others = cores()
    others = others if is_tuned else measured
    port = free_port()
    folder.mkdir()
    settings = (CONFIGURATION / "mosquitto.conf").read_text(encoding="utf-8")
    with (
        mosquitto(folder, port, settings, core=measured),
        OwnProcess("coldfleet.bench.peers.thingsboard_standin", cores={others}) as thingsboard,
        OwnProcess("device_sims.load", cores={others}) as load,
    ):
        _configure(folder / "config", thingsboard.ask("report")["port"], port, is_tuned=is_tuned)
        for name in ("logs", "data"):
            (folder / name).mkdir()
        code = "from thingsboard_gateway.tb_gateway import main; main()"
        environment = {"TB_GW_CONFIG_DIR": f"{folder / 'config'}/", "HTTPS_PROXY": _CLOSED, "HTTP_PROXY": _CLOSED}
        command = [str(python), "-c", code]
        log = folder / "thingsboard.log"
        with Measured(command, core=measured, log=log, cwd=folder, environment=environment) as gateway:
            _wait_until_it_forwards(load, thingsboard, port, gateway)
            load.ask("start", port=port, connections=SENSORS, window=1)
            time.sleep(3.0)
            before, cpu_s = thingsboard.ask("report"), gateway.cpu_s()
            time.sleep(seconds)
            after, cpu_after_s = thingsboard.ask("report"), gateway.cpu_s()
            messages = (after["values"] - before["values"]) / VALUES  # two of one millisecond become one entry
            return (
                messages / (after["at_s"] - before["at_s"]),
                (cpu_after_s - cpu_s) / max(1.0, messages) * 1e6,
                gateway.memory_mb()[0],
            )


def _configure(folder: Path, thingsboard_port: int, broker_port: int, *, is_tuned: bool) -> None:
    folder.mkdir()
    ports = {'"THINGSBOARD_PORT"': str(thingsboard_port), '"BROKER_PORT"': str(broker_port)}
    for name in ("tb_gateway", "mqtt", "logs"):
        text = (CONFIGURATION / "thingsboard" / f"{name}.json").read_text(encoding="utf-8")
        for placeholder, port in ports.items():
            text = text.replace(placeholder, port)
        content: Answer = json.loads(text)
        if is_tuned:
            tuned = CONFIGURATION / "thingsboard" / f"{name}.tuned.json"
            _lay_over(content, json.loads(tuned.read_text(encoding="utf-8")) if tuned.exists() else {})
        (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")


def _lay_over(content: Answer, changes: Answer) -> None:
    for key, value in changes.items():
        if isinstance(value, dict) and isinstance(content.get(key), dict):
            _lay_over(content[key], value)
        else:
            content[key] = value


def _wait_until_it_forwards(load: OwnProcess, thingsboard: OwnProcess, port: int, gateway: Measured) -> None:
    load.ask("start", port=port, connections=1, rate=5.0)
    deadline_s = time.monotonic() + 60.0
    while not thingsboard.ask("report")["values"]:
        if time.monotonic() > deadline_s:
            raise BenchProblem(f"thingsboard-gateway forwards nothing:\n{gateway.tail()}")
        time.sleep(0.2)
