"""The service as systemd reads it, and the gateway under what it forbids."""

import asyncio
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import aiomqtt
import pytest

from gateway.contract import Command
from tests.gateway.cloud_double import CLAIM_CODE, CloudDouble, running_cloud
from tests.gateway.running import ROOT
from tests.services.processes import RunningProcess, running
from tests.services.waiting import until

UNIT = ROOT / "deploy/systemd/coldfleet-gateway.service"
#: what is worse than this is not shipped; 10 is a process that may do everything
WORST = 2.0


def systemd_analyze(*arguments: str) -> str:
    done = subprocess.run(["systemd-analyze", "--no-pager", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def directives() -> dict[str, list[str]]:
    """Of the unit: name -> its values, in order."""
    found: dict[str, list[str]] = {}
    for line in UNIT.read_text().splitlines():
        name, is_set, value = line.partition("=")
        if is_set and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a program that this machine has: systemd looks whether it is there."""
    text = UNIT.read_text().replace("/opt/coldfleet/venv/bin/coldfleet", shutil.which("true") or "/bin/true")
    copy = tmp_path / UNIT.name
    copy.write_text(text)
    return copy


def test_systemd_has_nothing_to_say_against_the_unit(unit: Path) -> None:
    assert systemd_analyze("verify", str(unit)) == ""


def test_systemd_would_say_it(unit: Path) -> None:
    unit.write_text(unit.read_text().replace("WatchdogSec=30", "WatchdogSec=often"))
    assert "Failed to parse sec value" in systemd_analyze("verify", str(unit))


def test_what_the_service_may_do_is_rated_well(unit: Path) -> None:
    rating = re.search(
        r"Overall exposure level for .*: ([\d.]+)", systemd_analyze("security", "--offline=true", str(unit))
    )
    assert rating is not None
    assert float(rating[1]) <= WORST


def test_the_service_is_started_again_for_ever_and_waits_for_no_clock_and_no_network() -> None:
    unit = directives()
    assert (unit["Type"], unit["Restart"], unit["StartLimitIntervalSec"]) == (["notify"], ["always"], ["0"])
    assert not any(
        "time-sync" in value or "online" in value for name in ("After", "Wants") for value in unit.get(name, [])
    )
    assert unit["WorkingDirectory"] == ["/var/lib/" + unit["StateDirectory"][0]]


def test_the_unit_and_the_example_speak_of_the_same_folder() -> None:
    assert f'data_dir = "{directives()["WorkingDirectory"][0]}"' in (ROOT / "deploy/gateway.example.toml").read_text()


def allowed_calls() -> set[str]:
    """What is left of the system calls when all lines of `SystemCallFilter` have been read, in order."""
    allowed: set[str] = set()
    for line in directives()["SystemCallFilter"]:
        is_denied = line.startswith("~")
        for name in line.removeprefix("~").split():
            calls = calls_of(name)
            allowed = allowed - calls if is_denied else allowed | calls
    return allowed


def calls_of(name: str) -> set[str]:
    """The system calls of a group, with those of the groups in it."""
    if not name.startswith("@"):
        return {name}
    told = systemd_analyze("syscall-filter", name).splitlines()
    names = {line.strip() for line in told if line.startswith(" ") and not line.strip().startswith("#")}
    return set().union(*(calls_of(inner) for inner in names))


def traced_calls(trace: Path) -> list[tuple[str, str]]:
    """(name, all of the line) of each system call that strace has written."""
    lines = trace.read_text(errors="replace").splitlines()
    found = (re.match(r"(?:\d+ +)?(\w+)\(", line) for line in lines)
    return [(match[1], match.string) for match in found if match is not None]


def settings_of(folder: Path, cloud: CloudDouble) -> Path:
    settings = folder / "gateway.toml"
    settings.write_text(
        f'data_dir = "{folder / "data"}"\n[cloud]\nurl = "{cloud.url}"\nclaim_code = "{CLAIM_CODE}"\n'
        "[listener]\nport = 0\nanonymous = true\n"
    )
    return settings


async def run_traced(folder: Path, cloud: CloudDouble) -> list[tuple[str, str]]:
    """A short life of the whole gateway, and all that it asked the kernel for."""
    settings, ready, trace = settings_of(folder, cloud), folder / "ready.json", folder / "trace"
    gateway = [sys.executable, "-m", "gateway", "--config", str(settings), "--ready-file", str(ready)]
    with running(["strace", "-f", "-qq", "-o", str(trace), *gateway], cwd=ROOT) as process:
        await until(lambda: ready.exists() or process.exit_code is not None, what="it is ready")
        assert process.exit_code is None, process.output()
        async with aiomqtt.Client("127.0.0.1", json.loads(ready.read_bytes())["mqtt_port"]) as client:
            await client.publish("zigbee2mqtt/room", b'{"temperature": 4.0}', qos=1)
        await until(lambda: bool(cloud.readings() and cloud.heartbeats), what="the cloud has heard of it")
        await asyncio.to_thread(end, process)
        assert "Traceback" not in process.output()
    return traced_calls(trace)


def end(process: RunningProcess) -> None:
    """End the gateway itself, not the one who watches it."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    subprocess.run(["kill", "-TERM", *children], check=True)
    assert process.wait_for_exit() == 0


async def test_the_gateway_asks_for_nothing_that_its_service_forbids(tmp_path: Path) -> None:
    async with running_cloud() as cloud:
        calls = await run_traced(tmp_path, cloud)
    started = next(number for number, (name, _) in enumerate(calls) if name == "execve")
    names = {name for name, _ in calls[started:]}
    assert {"fdatasync", "accept4", "connect"} <= names, "it has done its work"
    # SQLite gives its files to the folder's owner, but only as root, which the service is not.
    assert names - allowed_calls() <= ({"fchown"} if os.geteuid() == 0 else set())
    # MemoryDenyWriteExecute: no memory that is both written to and run, and none that is made runnable later.
    assert [line for name, line in calls if name == "mmap" and "PROT_WRITE|PROT_EXEC" in line] == []
    assert [line for name, line in calls if name in ("mprotect", "pkey_mprotect") and "PROT_EXEC" in line] == []
    # RestrictAddressFamilies
    families = {match[1] for name, line in calls if name == "socket" and (match := re.search(r"\((AF_\w+)", line))}
    assert families <= {*directives()["RestrictAddressFamilies"][0].split()}


async def test_the_gateway_tells_systemd_that_it_is_ready_that_it_lives_and_that_it_stops(tmp_path: Path) -> None:
    command = [ROOT / ".venv/bin/coldfleet", "gateway", "run", "--config"]
    heard: list[str] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.setblocking(False)
        environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "100000"}

        def listen() -> list[str]:
            with suppress(BlockingIOError):
                while True:
                    heard.append(systemd.recv(4096).decode())
            return heard

        async with running_cloud() as cloud:
            whole = [*map(str, command), str(settings_of(tmp_path, cloud))]
            with running(whole, cwd=ROOT, environment=environment) as process:
                await until(lambda: listen().count("WATCHDOG=1") >= 3, what="it lives")
                assert await asyncio.to_thread(process.terminate) == 0
        listen()
    assert heard[0] == "READY=1\nSTATUS=running"
    assert heard[-1].startswith("STOPPING=1")


async def test_a_restart_from_afar_ends_the_process_and_is_answered_by_the_next(tmp_path: Path) -> None:
    async with running_cloud() as cloud:
        command = [sys.executable, "-m", "gateway", "--config", str(settings_of(tmp_path, cloud))]
        cloud.commands = [Command("c1", "restart", cloud.server_time_ms, cloud.server_time_ms + 10**6)]
        with running(command, cwd=ROOT) as process:
            assert await asyncio.to_thread(process.wait_for_exit) == 0
        assert cloud.command_acks == {}
        with running(command, cwd=ROOT) as process:
            await until(lambda: "c1" in cloud.command_acks, what="it is up again, and says so")
            assert cloud.command_acks["c1"].outcome == "done"
            assert await asyncio.to_thread(process.terminate) == 0
