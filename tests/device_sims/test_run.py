import asyncio
import itertools
import json
from pathlib import Path
from typing import cast

import pytest

from device_sims.clock import WorldClock
from device_sims.publisher import BrokerUnreachableError
from device_sims.run import ScenarioRun
from device_sims.scenario import Scenario, load
from tests.device_sims.mqtt_acceptor import MqttAcceptor
from tests.services.waiting import until

Counts = dict[str, int]

SCENARIO = """
seed = 11
{top}
[clock]
speed = {speed}
[mqtt]
port = {port}
user = "site-1"
password = "secret"
[[rooms]]
name = "Cold room 1"
[rooms.ambient]
mean_c = 35.0
[[rooms.sensors]]
name = "cold-room-1"
interval_s = 30
pressure = true
[rooms.sensors.faults]
dropout = 0.1
duplicate = 0.1
stuck = 0.02
malformed = 0.1
[[rooms.sensors]]
name = "cold-room-1-core"
spot = "product_core"
[[rooms.events]]
kind = "door_open"
at_s = 600
for_s = 1800
"""


def scenario(folder: Path, port: int, *, speed: float = 20_000, top: str = "duration_s = 2400") -> Scenario:
    path = folder / "site.toml"
    path.write_text(SCENARIO.format(port=port, speed=speed, top=top), encoding="utf-8")
    return load(path)


def read_report(path: Path) -> dict[str, object]:
    report = json.loads(path.read_text(encoding="utf-8"))
    assert isinstance(report, dict)
    return report


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def sensor(report: dict[str, object], name: str) -> dict[str, object]:
    return cast(dict[str, dict[str, object]], report["sensors"])[name]


def room(report: dict[str, object]) -> dict[str, object]:
    return cast(dict[str, dict[str, object]], report["rooms"])["Cold room 1"]


async def test_the_report_counts_what_the_broker_received(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    async with MqttAcceptor() as broker:
        await ScenarioRun(scenario(tmp_path, broker.port), report=path).run()
    report = read_report(path)
    air, core = sensor(report, "cold-room-1"), sensor(report, "cold-room-1-core")
    whole = [message for message in broker.states("cold-room-1") if message.payload.endswith(b"}")]
    cut = [message for message in broker.states("cold-room-1") if not message.payload.endswith(b"}")]
    readings = cast(Counts, air["readings"])
    assert report["finished"] is True
    assert report["outstanding"] == 0
    assert air["acknowledged"] == len(whole) + 1  # and its availability
    assert air["malformed_acknowledged"] == air["malformed"] == len(cut) > 0
    assert readings == {
        **dict.fromkeys(
            ["battery", "battery_voltage", "humidity", "linkquality", "pressure", "temperature"], len(whole)
        ),
        "online": 1,
    }
    assert cast(int, air["dropped"]) > 0
    assert len({message.payload for message in whole}) == len(whole) - cast(int, air["duplicated"])
    assert cast(Counts, core["readings"])["temperature"] == len(broker.states("cold-room-1-core")) == 40
    assert core["room"] == "Cold room 1"
    assert files(tmp_path) == ["report.json", "site.toml"]


async def test_the_open_door_is_seen_by_the_sensor(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    async with MqttAcceptor() as broker:
        await ScenarioRun(scenario(tmp_path, broker.port), report=path).run()
    states = [message.json() for message in broker.states("cold-room-1") if message.payload.endswith(b"}")]
    temperatures = [cast(float, state["temperature"]) for state in states]
    assert temperatures[0] < 6
    assert temperatures[-1] > 12
    report = read_report(path)
    assert room(report)["door"] == "open"
    assert cast(float, room(report)["air_temperature_c"]) > 12
    assert cast(float, room(report)["product_core_c"]) < 6


async def test_every_connection_opens_with_the_bridge_and_its_devices(tmp_path: Path) -> None:
    async with MqttAcceptor() as broker:
        await ScenarioRun(scenario(tmp_path, broker.port, top="duration_s = 10")).run()
    greeting = broker.received[:3]
    assert [(message.topic, message.payload, message.retain, message.qos) for message in greeting] == [
        ("zigbee2mqtt/bridge/state", b'{"state":"online"}', True, 1),
        ("zigbee2mqtt/cold-room-1/availability", b'{"state":"online"}', True, 1),
        ("zigbee2mqtt/cold-room-1-core/availability", b'{"state":"online"}', True, 1),
    ]


async def test_the_same_seed_and_start_publish_the_same_bytes(tmp_path: Path) -> None:
    stories = []
    for _ in range(2):
        clock = WorldClock(20_000, 1_768_471_950_000, itertools.count(1_768_471_950_000).__next__)
        async with MqttAcceptor() as broker:
            await ScenarioRun(scenario(tmp_path, broker.port), clock=clock).run()
        stories.append([(message.topic, message.payload) for message in broker.received])
    assert stories[0] == stories[1]
    assert len(stories[0]) > 100


async def test_stopping_waits_for_what_is_not_acknowledged_yet(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    async with MqttAcceptor(acknowledging=False) as broker:
        run = ScenarioRun(scenario(tmp_path, broker.port, speed=600, top=""), report=path)
        task = asyncio.create_task(run.run())
        await until(lambda: run.report()["outstanding"] in range(20, 1000), what="messages wait")
        run.stop()
        assert not task.done()
        broker.acknowledging = True
        broker.drop_connections()
        await task
    report = read_report(path)
    assert report["finished"] is True
    assert report["outstanding"] == 0
    acknowledged = cast(int, sensor(report, "cold-room-1")["acknowledged"])
    assert acknowledged + cast(int, sensor(report, "cold-room-1")["malformed_acknowledged"]) > 5
    assert cast(int, sensor(report, "cold-room-1")["resends"]) > 0


async def test_the_report_is_there_while_it_runs(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    async with MqttAcceptor() as broker:
        run = ScenarioRun(scenario(tmp_path, broker.port, speed=600, top=""), report=path)
        task = asyncio.create_task(run.run())
        await until(path.exists, what="a first report")
        assert read_report(path)["finished"] is False
        run.stop()
        await task
    assert read_report(path)["finished"] is True


async def test_world_time_is_the_shared_clocks(tmp_path: Path) -> None:
    async with MqttAcceptor() as broker:
        plan = scenario(tmp_path, broker.port, top="duration_s = 10")
        run = ScenarioRun(plan)
        before_ms = run.clock.now_ms()
        await run.run()
        after_ms = run.clock.now_ms()
    assert before_ms <= cast(int, room(run.report())["time_ms"]) <= after_ms


async def test_without_a_broker_it_ends_at_once(tmp_path: Path) -> None:
    async with MqttAcceptor() as broker:
        plan = scenario(tmp_path, broker.port, top="")
    with pytest.raises(BrokerUnreachableError):
        await ScenarioRun(plan).run()


async def test_a_report_that_cannot_be_written_ends_it(tmp_path: Path) -> None:
    async with MqttAcceptor() as broker:
        plan = scenario(tmp_path, broker.port, top="")
        with pytest.raises(FileNotFoundError):
            await ScenarioRun(plan, report=tmp_path / "none" / "report.json").run()
