"""A scenario: which rooms stand, what hangs in them, what goes wrong and when. Read from TOML, refused by name."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from device_sims.climate_sensor import Faults, Kind, SensorSpec, Spot
from device_sims.cold_room import Ambient, ColdRoomSpec
from device_sims.publisher import Broker
from device_sims.rfid_gate import GateSpec
from device_sims.scale import ScaleSpec
from device_sims.zigbee2mqtt import BASE_TOPIC

EventKind = Literal["door_open", "compressor_failure"]

#: how a maker names its devices; a Zigbee2MQTT name is free
_NAMES: dict[str, tuple[re.Pattern[str], str]] = {
    "shelly_plus_ht": (re.compile(r"shellyplusht-[0-9a-f]{12}"), "the device's id: shellyplusht-08b61fce63c4"),
    "ruuvi": (re.compile(r"([0-9A-F]{2}:){5}[0-9A-F]{2}"), "the tag's address: F4:1F:0C:28:CB:D6"),
    "em300_th": (re.compile(r"24e124[0-9a-f]{10}"), "the device's EUI: 24e124136b502217"),
}

_REQUIRED = object()


class ScenarioError(Exception):
    """The file is not a scenario; the message names the key and what to write there."""


@dataclass(frozen=True)
class RoomEvent:
    """Something that happens to a room, in world seconds since the scenario's start."""

    kind: EventKind
    at_s: float
    for_s: float

    def active(self, elapsed_s: float) -> bool:
        """True while it goes on."""
        return self.at_s <= elapsed_s < self.at_s + self.for_s


@dataclass(frozen=True)
class RoomPlan:
    """One room with its sensors and its misfortunes."""

    name: str
    spec: ColdRoomSpec
    sensors: tuple[SensorSpec, ...]
    events: tuple[RoomEvent, ...]


@dataclass(frozen=True)
class Scenario:
    """Everything that `run` needs; the same scenario and seed give the same payloads."""

    name: str
    seed: int
    #: world seconds per real second
    speed: float
    #: None: both clocks agree at the moment of starting
    origin_ms: int | None
    #: world seconds; None: until stopped
    duration_s: float | None
    #: world seconds between two steps of the physics
    step_s: float
    broker: Broker
    base_topic: str
    rooms: tuple[RoomPlan, ...]
    gates: tuple[GateSpec, ...]
    scales: tuple[ScaleSpec, ...]


def load(path: Path) -> Scenario:
    """Read a scenario file.

    Raises:
        ScenarioError: it cannot be read, is not TOML, or a key is missing, unknown or out of range.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ScenarioError(f"cannot read {path}: {error.strerror}; give the path of a scenario file") from error
    except UnicodeDecodeError as error:
        raise ScenarioError(f"{path} is not a text file; give the path of a TOML scenario") from error
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{path} is not valid TOML: {error}; correct that line") from error
    try:
        return parse(document, name=path.stem)
    except ScenarioError as error:
        raise ScenarioError(f"{path}: {error}") from None


def parse(document: dict[str, object], *, name: str) -> Scenario:
    """Turn a parsed TOML document into a scenario.

    Raises:
        ScenarioError: a key is missing, unknown or out of range.
    """
    top = _Table("", document)
    clock, mqtt = top.table("clock"), top.table("mqtt")
    scenario = Scenario(
        name=name,
        seed=top.integer("seed", 1, least=0, most=2**63 - 1),
        speed=clock.number("speed", 1.0, least=0.001, most=100_000),
        origin_ms=clock.optional_integer("origin_ms", least=0, most=253_402_300_799_000),
        duration_s=top.optional_number("duration_s", least=1, most=1e9),
        step_s=top.number("step_s", 5.0, least=0.1, most=60),
        broker=Broker(
            host=mqtt.text("host", "127.0.0.1"),
            port=mqtt.integer("port", 1883, least=1, most=65_535),
            user=mqtt.optional_text("user"),
            password=mqtt.optional_text("password"),
            client_id=mqtt.text("client_id", f"zigbee2mqtt-{name}"),
        ),
        base_topic=mqtt.text("base_topic", BASE_TOPIC),
        rooms=tuple(_room(table) for table in top.tables("rooms")),
        gates=tuple(_gate(table) for table in top.tables("gates", required=False)),
        scales=tuple(_scale(table) for table in top.tables("scales", required=False)),
    )
    for table in (top, clock, mqtt):
        table.refuse_unknown()
    _refuse_repeats("rooms", [room.name for room in scenario.rooms])
    _refuse_repeats("gates", [gate.name for gate in scenario.gates])
    _refuse_repeats("scales", [scale.name for scale in scenario.scales])
    _refuse_repeats("sensors", [sensor.friendly_name for room in scenario.rooms for sensor in room.sensors])
    return scenario


def _room(table: "_Table") -> RoomPlan:
    ambient = table.table("ambient")
    usual, weather = ColdRoomSpec(), Ambient()
    plan = RoomPlan(
        name=table.text("name"),
        spec=ColdRoomSpec(
            setpoint_c=table.number("setpoint_c", usual.setpoint_c, least=-40, most=20),
            hysteresis_k=table.number("hysteresis_k", usual.hysteresis_k, least=0.1, most=5),
            volume_m3=table.number("volume_m3", usual.volume_m3, least=5, most=5_000),
            product_kg=table.number("product_kg", usual.product_kg, least=1, most=1e6),
            cooling_capacity_w=table.number("cooling_capacity_w", usual.cooling_capacity_w, least=100, most=1e6),
            ambient=Ambient(
                mean_c=ambient.number("mean_c", weather.mean_c, least=-40, most=60),
                swing_k=ambient.number("swing_k", weather.swing_k, least=0, most=30),
                humidity_pct=ambient.number("humidity_pct", weather.humidity_pct, least=1, most=100),
                noise_k=ambient.number("noise_k", weather.noise_k, least=0, most=5),
            ),
        ),
        sensors=tuple(_sensor(row) for row in table.tables("sensors")),
        events=tuple(_event(row) for row in table.tables("events", required=False)),
    )
    ambient.refuse_unknown()
    table.refuse_unknown()
    return plan


def _sensor(table: "_Table") -> SensorSpec:
    faults, none = table.table("faults"), Faults()
    kinds: dict[str, Kind] = {kind: kind for kind in get_args(Kind)}
    kind = kinds[table.choice("kind", list(kinds), "zigbee2mqtt")]
    spec = SensorSpec(
        friendly_name=_name(table, kind),
        kind=kind,
        spot=_spot(table),
        interval_s=table.number("interval_s", 60.0, least=1, most=86_400),
        has_pressure=table.boolean("pressure", False),
        battery_pct=table.number("battery_pct", 97.0, least=0, most=100),
        faults=Faults(
            dropout=faults.number("dropout", none.dropout, least=0, most=1),
            duplicate=faults.number("duplicate", none.duplicate, least=0, most=1),
            stuck=faults.number("stuck", none.stuck, least=0, most=1),
            stuck_for_s=faults.number("stuck_for_s", none.stuck_for_s, least=1, most=1e6),
            malformed=faults.number("malformed", none.malformed, least=0, most=1),
        ),
    )
    faults.refuse_unknown()
    table.refuse_unknown()
    return spec


def _name(table: "_Table", kind: Kind) -> str:
    name = table.topic_level("name")
    if kind in _NAMES:
        form, wanted = _NAMES[kind]
        if not form.fullmatch(name):
            raise table.refuse("name", name, wanted)
    return name


def _gate(table: "_Table") -> GateSpec:
    usual = GateSpec("")
    spec = GateSpec(
        name=table.topic_level("name"),
        crates=table.integer("crates", usual.crates, least=1, most=500),
        every_s=table.number("every_s", usual.every_s, least=10, most=1e6),
        passage_s=table.number("passage_s", usual.passage_s, least=1, most=60),
        antennas=table.integer("antennas", usual.antennas, least=1, most=8),
        heartbeat_s=table.number("heartbeat_s", usual.heartbeat_s, least=1, most=86_400),
        duplicate=table.number("duplicate", usual.duplicate, least=0, most=1),
    )
    if spec.passage_s >= spec.every_s:
        raise table.refuse("passage_s", spec.passage_s, "less than every_s: a gate is empty between two pallets")
    table.refuse_unknown()
    return spec


def _scale(table: "_Table") -> ScaleSpec:
    usual = ScaleSpec("")
    spec = ScaleSpec(
        name=table.topic_level("name"),
        every_s=table.number("every_s", usual.every_s, least=5, most=1e6),
        mean_kg=table.number("mean_kg", usual.mean_kg, least=0.1, most=60_000),
        spread_kg=table.number("spread_kg", usual.spread_kg, least=0, most=10_000),
        capacity_kg=table.number("capacity_kg", usual.capacity_kg, least=1, most=100_000),
        overload=table.number("overload", usual.overload, least=0, most=1),
    )
    table.refuse_unknown()
    return spec


def _spot(table: "_Table") -> Spot:
    spots: dict[str, Spot] = {spot: spot for spot in get_args(Spot)}
    return spots[table.choice("spot", list(spots), "air")]


def _event(table: "_Table") -> RoomEvent:
    kinds: dict[str, EventKind] = {kind: kind for kind in get_args(EventKind)}
    event = RoomEvent(
        kind=kinds[table.choice("kind", list(kinds))],
        at_s=table.number("at_s", least=0, most=1e9),
        for_s=table.number("for_s", least=1, most=1e9),
    )
    table.refuse_unknown()
    return event


def _refuse_repeats(what: str, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ScenarioError(f"two {what} are called {name!r}: give each a name of its own")


class _Table:
    """A TOML table that knows its path and which of its keys were asked for."""

    def __init__(self, path: str, content: object) -> None:
        if not isinstance(content, dict):
            raise ScenarioError(f"{path} is {content!r}: write a table, [{path}]")
        self._path = path
        self._content: dict[str, object] = content
        self._asked: set[str] = set()

    def _name(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key

    def _value(self, key: str, default: object, wanted: str) -> object:
        self._asked.add(key)
        value = self._content.get(key, default)
        if value is _REQUIRED:
            raise ScenarioError(f"{self._name(key)} is missing: write {wanted}")
        return value

    def refuse(self, key: str, value: object, wanted: str) -> ScenarioError:
        """The error for a value that cannot be used."""
        return ScenarioError(f"{self._name(key)} is {value!r}: write {wanted}")

    def number(self, key: str, default: float | object = _REQUIRED, *, least: float, most: float) -> float:
        wanted = f"a number from {least:g} to {most:g}"
        value = self._value(key, default, wanted)
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            raise self.refuse(key, value, wanted)
        return float(value)

    def optional_number(self, key: str, *, least: float, most: float) -> float | None:
        return self.number(key, least=least, most=most) if self._has(key) else None

    def integer(self, key: str, default: int | object = _REQUIRED, *, least: int, most: int) -> int:
        wanted = f"a whole number from {least} to {most}"
        value = self._value(key, default, wanted)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self.refuse(key, value, wanted)
        return value

    def optional_integer(self, key: str, *, least: int, most: int) -> int | None:
        return self.integer(key, least=least, most=most) if self._has(key) else None

    def boolean(self, key: str, default: bool) -> bool:
        value = self._value(key, default, "true or false")
        if not isinstance(value, bool):
            raise self.refuse(key, value, "true or false")
        return value

    def text(self, key: str, default: str | object = _REQUIRED) -> str:
        value = self._value(key, default, "a text in quotes")
        if not isinstance(value, str) or not value:
            raise self.refuse(key, value, "a text in quotes")
        return value

    def optional_text(self, key: str) -> str | None:
        return self.text(key) if self._has(key) else None

    def topic_level(self, key: str) -> str:
        value = self.text(key)
        reserved = value.startswith(("/", "bridge/")) or value.endswith(("/", "/availability", "/set", "/get"))
        if reserved or any(sign in value for sign in "+#\x00"):
            raise self.refuse(
                key, value, "a name without '+', '#', outer '/' or Zigbee2MQTT's own endings: it becomes an MQTT topic"
            )
        return value

    def choice(self, key: str, choices: list[str], default: str | object = _REQUIRED) -> str:
        wanted = "one of " + ", ".join(f'"{choice}"' for choice in choices)
        value = self._value(key, default, wanted)
        if not isinstance(value, str) or value not in choices:
            raise self.refuse(key, value, wanted)
        return value

    def table(self, key: str) -> "_Table":
        return _Table(self._name(key), self._value(key, {}, "a table"))

    def tables(self, key: str, *, required: bool = True) -> list["_Table"]:
        value = self._value(key, [], "tables")
        heading = f"[[{self._heading(key)}]]"
        if not isinstance(value, list):
            raise self.refuse(key, value, f"one or more tables headed {heading}")
        if required and not value:
            raise ScenarioError(f"{self._name(key)} is missing: write at least one table headed {heading}")
        return [_Table(f"{self._name(key)}[{index}]", row) for index, row in enumerate(value)]

    def _heading(self, key: str) -> str:
        return "".join(part for part in self._name(key).replace("]", "[").split("[") if not part.isdigit())

    def _has(self, key: str) -> bool:
        self._asked.add(key)
        return key in self._content

    def refuse_unknown(self) -> None:
        """Refuse keys that nothing asked for: most are misspelt, and silence would hide it."""
        for key in self._content:
            if key not in self._asked:
                known = ", ".join(sorted(self._asked))
                raise ScenarioError(f"{self._name(key)} is not known here: remove it, or write one of {known}")
