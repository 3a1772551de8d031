"""`coldfleet sim`: simulated devices from the command line."""

import asyncio
import contextlib
import json
import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, NoReturn

import httpx2
import typer

from device_sims import scenario as scenarios
from device_sims.clock import WorldClock, real_now_ms
from device_sims.fcm import FcmDouble
from device_sims.phone import Phone, PhoneProblem
from device_sims.publisher import BrokerUnreachableError
from device_sims.run import ScenarioRun
from device_sims.twilio import MAGIC_SENDER, TwilioDouble

app = typer.Typer(help="Simulated rooms, sensors and phones.", no_args_is_help=True)


@app.command()
def run(
    scenario: Annotated[Path, typer.Argument(help="TOML file that describes rooms, sensors and mishaps.")],
    report: Annotated[Path | None, typer.Option(help="JSON file rewritten every second with all counts.")] = None,
    mqtt_port: Annotated[
        int | None, typer.Option(min=1, max=65_535, help="MQTT port, instead of the scenario's.")
    ] = None,
) -> None:
    """Run a scenario until its end, or until SIGTERM: then publish no more and wait for what is outstanding."""
    try:
        plan = scenarios.load(scenario)
    except scenarios.ScenarioError as error:
        _give_up(f"{error}.")
    broker = plan.broker if mqtt_port is None else replace(plan.broker, port=mqtt_port)
    try:
        asyncio.run(_run(ScenarioRun(plan, broker=broker, report=report)))
    except BrokerUnreachableError as error:
        where = f"{broker.host}:{broker.port}"
        _give_up(f"No MQTT broker let us in at {where} ({error}): start one there, or correct [mqtt] in {scenario}.")
    except OSError as error:
        _give_up(f"Cannot write the report {report} ({error.strerror}): give --report a path in a writable folder.")


async def _run(scenario_run: ScenarioRun) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, scenario_run.stop)
    await scenario_run.run()


@app.command()
def fcm(
    service_account: Annotated[Path, typer.Option(help="File that receives the service account's key.")],
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port to listen on; 0 for any free one.")] = 0,
    ready_file: Annotated[
        Path | None, typer.Option(help='JSON file {"url": ...}, written when the double answers.')
    ] = None,
    project: Annotated[str, typer.Option(help="Firebase project that the double stands for.")] = "coldfleet-demo",
) -> None:
    """Run the double of Firebase Cloud Messaging on loopback until SIGTERM."""
    try:
        double = FcmDouble(project, port=port)
    except OSError as error:
        _give_up(f"Cannot listen on port {port} ({error.strerror}): stop what uses it, or give another --port.")
    with double, _stop_signals() as stopped:
        try:
            double.write_service_account(service_account)
            if ready_file is not None:
                _write_ready(ready_file, {"url": double.url, "project_id": double.project_id})
        except OSError as error:
            _give_up(f"Cannot write {error.filename} ({error.strerror}): give a path in a writable folder.")
        typer.echo(f"FCM double for project {project} at {double.url}")
        stopped.wait()


@app.command()
def twilio(
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port to listen on; 0 for any free one.")] = 0,
    ready_file: Annotated[
        Path | None,
        typer.Option(help='JSON file {"url", "account_sid", "auth_token", "from"}, written when the double answers.'),
    ] = None,
    account_sid: Annotated[str, typer.Option(help="The account; drawn when empty.")] = "",
    auth_token: Annotated[str, typer.Option(help="The account's secret; drawn when empty.")] = "",
) -> None:
    """Run the double of Twilio's messaging on loopback until SIGTERM."""
    try:
        double = TwilioDouble(port=port, account_sid=account_sid, auth_token=auth_token)
    except OSError as error:
        _give_up(f"Cannot listen on port {port} ({error.strerror}): stop what uses it, or give another --port.")
    account = {"url": double.url, "account_sid": double.account_sid, "auth_token": double.auth_token}
    with double, _stop_signals() as stopped:
        try:
            if ready_file is not None:
                _write_ready(ready_file, {**account, "from": MAGIC_SENDER})
        except OSError as error:
            _give_up(f"Cannot write {error.filename} ({error.strerror}): give a path in a writable folder.")
        for name, value in {**account, "from": MAGIC_SENDER}.items():
            typer.echo(f"COLDFLEET_TWILIO_{name.upper()}={value}")
        stopped.wait()


@app.command()
def drive(
    url: Annotated[str, typer.Argument(help="Where the platform answers, without a path.")],
    login: Annotated[str, typer.Option(help="The driver's user name.")],
    password: Annotated[str, typer.Option(help="The driver's password.")],
    report: Annotated[Path | None, typer.Option(help="JSON file with what the phone itself counted.")] = None,
    speed: Annotated[float, typer.Option(min=0.001, help="Times real time.")] = 1.0,
    origin_ms: Annotated[int, typer.Option(min=0, help="When world and real time agree; now, when 0.")] = 0,
    seed: Annotated[int, typer.Option(min=0)] = 1,
    broken_camera: Annotated[bool, typer.Option("--broken-camera", help="Every photo loses a byte.")] = False,
) -> None:
    """Be a driver's phone: fetch the route, drive it, prove every delivery."""
    clock = WorldClock(speed, origin_ms or real_now_ms())
    phone = Phone(url, login, password, clock=clock, seed=seed, broken_camera=broken_camera, report=report)
    try:
        done = asyncio.run(phone.drive())
    except PhoneProblem as error:
        _give_up(f"The platform refused: {error}")
    except httpx2.HTTPError as error:
        _give_up(f"The platform cannot be reached at {url} ({error}): start it, or correct the address.")
    typer.echo(f"{done.route}: {len(done.proofs)} delivered, {done.positions} positions, {done.repeated} repeats")


def _write_ready(path: Path, content: dict[str, str]) -> None:
    """In one move, so that who waits for the file never reads half of it."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_text(json.dumps(content) + "\n", encoding="utf-8")
    fresh.replace(path)


@contextlib.contextmanager
def _stop_signals() -> Iterator[threading.Event]:
    """An event that SIGTERM and SIGINT set, in place of what they did before."""
    stopped = threading.Event()
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(number, lambda *_: stopped.set()) for number in numbers]
    try:
        yield stopped
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _give_up(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(1)
