"""Runs a scenario: rooms step in world time, sensors publish, a report on disk tells what was acknowledged."""

import asyncio
import json
import math
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from device_sims import chirpstack, ruuvi, shelly, zigbee2mqtt
from device_sims.climate_sensor import ClimateSensor, Maker, SensorSpec
from device_sims.clock import WorldClock, real_now_ms
from device_sims.cold_room import ColdRoom
from device_sims.ledger import Ledger, Outgoing
from device_sims.publisher import Broker, LastWill, Publisher
from device_sims.rfid_gate import Gate
from device_sims.scale import Scale
from device_sims.scenario import RoomPlan, Scenario

#: real seconds between two reports
REPORT_EVERY_S = 1.0
#: real seconds that outstanding acknowledgements may take after the stop
DRAIN_S = 15.0


#: the voice of all devices behind Zigbee2MQTT
_BRIDGE = "zigbee2mqtt"

Greeting = Callable[[], list[Outgoing]]


@dataclass
class _Voice:
    """One MQTT connection: a bridge for many devices, or one device's own."""

    publisher: Publisher
    #: of what the bridge says about itself
    ledger: Ledger
    greetings: list[Greeting] = field(default_factory=list)


@dataclass
class _Room:
    plan: RoomPlan
    physics: ColdRoom
    sensors: list[tuple[ClimateSensor, _Voice]]

    def step(self, dt_s: float) -> None:
        happening = {event.kind for event in self.plan.events if event.active(self.physics.elapsed_s)}
        self.physics.door_open = "door_open" in happening
        self.physics.compressor_failed = "compressor_failure" in happening
        self.physics.step(dt_s)
        for sensor, voice in self.sensors:
            for message in sensor.step(self.physics, dt_s):
                voice.publisher.put(message)


class ScenarioRun:
    """One run of a scenario against one broker.

    Args:
        broker: overrides the scenario's.
        report: file that receives the report about every real second; None for none.
        clock: overrides the scenario's.
    """

    def __init__(
        self,
        scenario: Scenario,
        *,
        broker: Broker | None = None,
        report: Path | None = None,
        clock: WorldClock | None = None,
    ) -> None:
        self.scenario = scenario
        self.finished = False
        origin_ms = real_now_ms() if scenario.origin_ms is None else scenario.origin_ms
        self.clock = clock or WorldClock(scenario.speed, origin_ms)
        self._report_path = report
        self._stop = asyncio.Event()
        self._steps = 0
        self._started_at_ms = 0
        self._rooms: list[_Room] = []
        self._others: list[tuple[Gate | Scale, _Voice]] = []
        self._broker = broker or scenario.broker
        self._voices: dict[str, _Voice] = {}

    def stop(self) -> None:
        """Publish nothing more; `run` ends when what is outstanding is acknowledged. Safe in a signal handler."""
        self._stop.set()

    async def run(self) -> None:
        """Run to the scenario's end or to `stop`.

        Raises:
            BrokerUnreachableError: there was no broker at the start.
            OSError: the report cannot be written.
        """
        self._build()
        publishing = {asyncio.create_task(voice.publisher.run()) for voice in self._voices.values()}
        reporting = asyncio.create_task(self._report_regularly())
        try:
            await self._live({*publishing, reporting})
            for voice in self._voices.values():
                voice.publisher.close()
            done, _ = await asyncio.wait(publishing, timeout=DRAIN_S)
            for task in done:
                task.result()
        finally:
            for task in (*publishing, reporting):
                task.cancel()
            await asyncio.gather(*publishing, reporting, return_exceptions=True)
        self.finished = True
        self.write_report()

    def report(self) -> dict[str, object]:
        """What happened so far; the file holds the same."""
        bridge = self._voices[_BRIDGE].ledger if _BRIDGE in self._voices else Ledger()
        return {
            "scenario": self.scenario.name,
            "seed": self.scenario.seed,
            "finished": self.finished,
            "world_time_ms": self.clock.now_ms(),
            "connections": sum(voice.publisher.connections for voice in self._voices.values()),
            "outstanding": sum(voice.publisher.outstanding for voice in self._voices.values()),
            "bridge": {"acknowledged": bridge.acknowledged, "resends": bridge.resends},
            "voices": {name: voice.ledger.as_json() for name, voice in self._voices.items()},
            "sensors": {
                sensor.spec.friendly_name: {
                    "room": room.plan.name,
                    "sensor": sensor.maker.sensor,
                    **sensor.ledger.as_json(),
                }
                for room in self._rooms
                for sensor, _ in room.sensors
            },
            "gates": {
                gate.spec.name: {"reader": gate.reader, **gate.ledger.as_json()}
                for gate, _ in self._others
                if isinstance(gate, Gate)
            },
            "scales": {
                scale.spec.name: {"scale": scale.scale, **scale.ledger.as_json()}
                for scale, _ in self._others
                if isinstance(scale, Scale)
            },
            "rooms": {room.plan.name: _room_report(room.physics) for room in self._rooms},
        }

    def write_report(self) -> None:
        """Replace the report file in one move: a reader sees the old one or the new one, never half of one."""
        if self._report_path is None:
            return
        fresh = self._report_path.with_name(f".{self._report_path.name}.{os.getpid()}")
        fresh.write_text(json.dumps(self.report(), indent=1) + "\n", encoding="utf-8")
        fresh.replace(self._report_path)

    def _build(self) -> None:
        scenario = self.scenario
        self._started_at_ms = self.clock.now_ms()
        for index, plan in enumerate(scenario.rooms):
            seed = scenario.seed * 1000 + index
            room = ColdRoom(plan.spec, seed=seed, started_at_ms=self._started_at_ms)
            self._rooms.append(_Room(plan, room, [self._sensor(spec, seed) for spec in plan.sensors]))
        for gate in scenario.gates:
            reader = Gate(gate, seed=scenario.seed, started_at_ms=self._started_at_ms)
            self._others.append((reader, self._voice(reader.reader)))
        for spec in scenario.scales:
            scale = Scale(spec, seed=scenario.seed, started_at_ms=self._started_at_ms)
            self._others.append((scale, self._voice(scale.scale)))

    def _sensor(self, spec: SensorSpec, seed: int) -> tuple[ClimateSensor, _Voice]:
        """The sensor, and the connection through which it speaks."""
        name, base = spec.friendly_name, self.scenario.base_topic
        ledger = Ledger()
        maker: Maker
        greeting: Greeting | None = None
        match spec.kind:
            case "zigbee2mqtt":
                device = zigbee2mqtt.Device(name, base_topic=base)
                maker, greeting = device, lambda: [device.availability(ledger)]
                # Zigbee2MQTT's own last will: the bridge is gone, of its devices it says nothing.
                will = LastWill(f"{base}/bridge/state", b'{"state":"offline"}')
                voice = self._voice(_BRIDGE, will, lambda told: [zigbee2mqtt.bridge_state(told, base_topic=base)])
            case "shelly_plus_ht":
                ht = shelly.PlusHT(name)
                maker, greeting = ht, lambda: [ht.online(ledger)]
                voice = self._voice(name, ht.will)
            case "ruuvi":
                maker = ruuvi.Tag(name)
                voice = self._voice(f"ruuvi:{ruuvi.GATEWAY}", ruuvi.WILL, lambda told: [ruuvi.gateway_status(told)])
            case "em300_th":
                maker = chirpstack.Device(name)
                voice = self._voice("chirpstack")
        if greeting is not None:
            voice.greetings.append(greeting)
        return ClimateSensor(spec, maker, ledger, seed=seed), voice

    def _voice(
        self, name: str, will: LastWill | None = None, own: Callable[[Ledger], list[Outgoing]] | None = None
    ) -> _Voice:
        """The connection of this name, made when it is new; `own` is what it says about itself when it connects."""
        if name in self._voices:
            return self._voices[name]
        ledger = Ledger()
        greetings: list[Greeting] = []
        if own is not None:
            greetings.append(lambda: own(ledger))
        broker = self._broker
        if name != _BRIDGE:
            broker = replace(broker, client_id=f"{name}-{self.scenario.name}")
        publisher = Publisher(
            broker,
            greeting=lambda: [message for greeting in greetings for message in greeting()],
            will=will,
            seed=self.scenario.seed,
        )
        self._voices[name] = _Voice(publisher, ledger, greetings)
        return self._voices[name]

    async def _live(self, background: set[asyncio.Task[None]]) -> None:
        """Step the rooms whenever world time has reached their next step; ends early when a background task fails."""
        scenario = self.scenario
        last_step = math.inf if scenario.duration_s is None else math.floor(scenario.duration_s / scenario.step_s)
        stopping = asyncio.create_task(self._stop.wait())
        try:
            while self._steps < last_step and not self._stop.is_set():
                wait_s = self._next_step_in_s()
                if wait_s > 0:
                    await asyncio.wait({stopping, *background}, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED)
                else:
                    self._step_rooms()
                    await asyncio.sleep(0)
                for task in background:
                    if task.done():
                        task.result()
        finally:
            stopping.cancel()

    def _next_step_in_s(self) -> float:
        """Real seconds until world time reaches the next step; at or below 0 when it is due."""
        due_ms = self._started_at_ms + (self._steps + 1) * self.scenario.step_s * 1000
        return self.clock.real_seconds((due_ms - self.clock.now_ms()) / 1000)

    def _step_rooms(self) -> None:
        self._steps += 1
        for room in self._rooms:
            room.step(self.scenario.step_s)
        # By the rooms' clock, so that the same seed and start give the same bytes.
        now_ms = self._started_at_ms + round(self._steps * self.scenario.step_s * 1000)
        for device, voice in self._others:
            for message in device.step(now_ms):
                voice.publisher.put(message)

    async def _report_regularly(self) -> None:
        while True:
            self.write_report()
            await asyncio.sleep(REPORT_EVERY_S)


def _room_report(room: ColdRoom) -> dict[str, float | int | str | bool]:
    return {
        "time_ms": room.time_ms,
        "air_temperature_c": round(room.air_temperature_c, 3),
        "product_core_c": round(room.product_core_c, 3),
        "humidity_pct": round(room.humidity_pct, 2),
        "ambient_temperature_c": round(room.ambient_temperature_c, 3),
        "door": "open" if room.door_open else "closed",
        "compressor": "failed" if room.compressor_failed else "running" if room.compressor_running else "standing",
        "defrosting": room.defrosting,
    }
