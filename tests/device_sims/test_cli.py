"""The commands as programs: what a script or a person at the terminal sees."""

import asyncio
import json
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import httpx2
import pytest
from typer.testing import CliRunner

import device_sims
from device_sims.cli import app
from tests.device_sims.mqtt_acceptor import MqttAcceptor
from tests.services.free_port import free_port
from tests.services.processes import running

EXAMPLE = Path(device_sims.__file__).parent / "scenarios" / "cold_room.toml"
PROGRAM = [sys.executable, "-c", "from device_sims.cli import app; app()"]


def refused(arguments: Sequence[str | Path]) -> str:
    """The one sentence that a failing command leaves on standard error."""
    outcome = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert outcome.exit_code == 1
    assert isinstance(outcome.exception, SystemExit)
    assert len(outcome.stderr.splitlines()) == 1
    return outcome.stderr


async def test_a_run_ends_on_sigterm_with_everything_counted(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    async with MqttAcceptor() as broker:
        command = [*PROGRAM, "run", str(EXAMPLE), "--report", str(report), "--mqtt-port", str(broker.port)]
        with running(command) as simulator:
            await broker.wait_for(5)
            assert await asyncio.to_thread(simulator.terminate) == 0
            assert simulator.output() == ""
    final = json.loads(report.read_text(encoding="utf-8"))
    assert final["finished"] is True
    assert final["outstanding"] == 0
    counted = sum(item["acknowledged"] + item["malformed_acknowledged"] for item in final["sensors"].values())
    assert counted + final["bridge"]["acknowledged"] == len(broker.received)


def test_a_missing_broker_is_told_in_one_sentence() -> None:
    port = free_port()
    sentence = refused(["run", EXAMPLE, "--mqtt-port", str(port)])
    assert f"No MQTT broker let us in at 127.0.0.1:{port}" in sentence
    assert "start one there" in sentence


def test_a_bad_scenario_is_told_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text("seed = 'x'", encoding="utf-8")
    assert "seed is 'x': write a whole number" in refused(["run", path])
    assert "give the path of a scenario file" in refused(["run", tmp_path / "none.toml"])


def test_the_fcm_double_serves_until_sigterm(tmp_path: Path) -> None:
    ready, key = tmp_path / "ready.json", tmp_path / "key.json"
    command = [*PROGRAM, "fcm", "--port", "0", "--service-account", str(key), "--ready-file", str(ready)]
    with running(command) as double:
        double.wait_for(ready.exists, what="the ready file is there")
        url = json.loads(ready.read_text(encoding="utf-8"))["url"]
        assert json.loads(key.read_text(encoding="utf-8"))["token_uri"] == f"{url}/token"
        assert httpx2.post(f"{url}/double/phones").status_code == 201
        assert double.terminate() == 0
        with pytest.raises(httpx2.ConnectError):
            httpx2.get(f"{url}/double/messages")


def test_the_twilio_double_serves_until_sigterm_and_says_what_to_set(tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    with running([*PROGRAM, "twilio", "--ready-file", str(ready), "--auth-token", "a-token"]) as double:
        double.wait_for(ready.exists, what="the ready file is there")
        told = json.loads(ready.read_text(encoding="utf-8"))
        for name in ("url", "account_sid", "auth_token", "from"):
            double.wait_for_output(f"COLDFLEET_TWILIO_{name.upper()}={told[name]}\n")
        sent = httpx2.post(
            f"{told['url']}/2010-04-01/Accounts/{told['account_sid']}/Messages.json",
            auth=(told["account_sid"], "a-token"),
            data={"To": "+919812345678", "From": told["from"], "Body": "1"},
        )
        assert sent.status_code == 201
        assert double.terminate() == 0


@pytest.mark.parametrize("command", [["fcm", "--service-account", "key.json"], ["twilio"]])
def test_a_busy_port_is_told_in_one_sentence(command: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        sentence = refused([*command, "--port", str(port)])
    assert f"Cannot listen on port {port}" in sentence
    assert "give another --port" in sentence


def test_a_key_file_without_a_folder_is_told_in_one_sentence(tmp_path: Path) -> None:
    for command in (["fcm", "--service-account"], ["twilio", "--ready-file"]):
        sentence = refused([*command, tmp_path / "none" / "key.json"])
        assert "key.json" in sentence
        assert "writable folder" in sentence


@pytest.mark.parametrize("arguments", [["run"], ["fcm"], ["run", "a.toml", "--mqtt-port", "0"], ["fly"]])
def test_a_wrong_option_shows_how_to_ask(arguments: list[str]) -> None:
    outcome = CliRunner().invoke(app, arguments)
    assert outcome.exit_code == 2
    assert "Usage" in outcome.stderr
