"""What a simulated sensor under load sends: MQTT packets made once, in one buffer, patched where they differ."""

import json
import random
import time
from dataclasses import dataclass
from typing import Literal

#: packets of a connection; packet identifiers are 1 to this
RING = 2000
_DUPLICATE = 0x08
_NUMBER_DIGITS = 8
#: a numbered message says 4 degrees and its number in hundred-millionths of one
NUMBERED_FROM = 4.0
NUMBERED_STEP = 10.0**-_NUMBER_DIGITS

Kind = Literal["climate", "numbered"]


@dataclass(frozen=True)
class LoadPlan:
    """What is sent."""

    port: int
    host: str = "127.0.0.1"
    user: str | None = None
    password: str | None = None
    connections: int = 40
    #: topics that a connection goes through in turn: 1 for a sensor, 40 for a bridge that speaks for 40 sensors
    topics: int = 1
    #: messages in flight, a connection
    window: int = 20
    #: messages a second, all connections together; 0: as many as are acknowledged
    rate: float = 0.0
    #: messages, all connections together, shared evenly, after which no more are sent (with `rate` 0 only); 0: no end
    limit: int = 0
    kind: Kind = "climate"
    #: the first message's `last_seen`, and how far each next one of a topic is from it; 0: the time of sending
    world_start_ms: int = 0
    world_interval_ms: int = 0
    seed: int = 1


def number_of(temperature: float) -> int:
    """Which message of its sensor this temperature is."""
    return round((temperature - NUMBERED_FROM) / NUMBERED_STEP)


class Packets:
    """The PUBLISH packets of one connection in one buffer: number n stands at n % RING."""

    def __init__(self, plan: LoadPlan, connection: int) -> None:
        self._plan = plan
        self._buffer = bytearray()
        self._starts = []
        #: where the part that differs each time stands
        self._varying = []
        rooms = [_Room(random.Random(f"{plan.seed}/{connection}/{topic}")) for topic in range(plan.topics)]  # noqa: S311
        for position in range(RING):
            topic = position % plan.topics
            payload, varies_at = rooms[topic].payload(plan.kind)
            name = f"zigbee2mqtt/{sensor_name(connection * plan.topics + topic)}".encode()
            body = len(name).to_bytes(2, "big") + name + (position + 1).to_bytes(2, "big")
            head = b"\x32" + remaining_length(len(body) + len(payload)) + body
            self._starts.append(len(self._buffer))
            self._varying.append(len(self._buffer) + len(head) + varies_at)
            self._buffer += head + payload
        self._starts.append(len(self._buffer))
        self._jitter = random.Random(plan.seed)  # noqa: S311 - no secret

    @property
    def mean_payload_bytes(self) -> float:
        """Without the packet's head."""
        head = 4 + 2 + len(f"zigbee2mqtt/{sensor_name(0)}")
        return len(self._buffer) / RING - head

    def take(self, first: int, count: int, *, duplicates: int = 0) -> bytes:
        """`count` packets from number `first` on, the first `duplicates` of them marked as sent before."""
        position = first % RING
        count_here = min(count, RING - position)
        self._vary(first, position, count_here)
        taken: bytes = bytes(memoryview(self._buffer)[self._starts[position] : self._starts[position + count_here]])
        if duplicates:
            taken = self._marked(taken, position, min(duplicates, count_here))
        if count_here == count:
            return taken
        return taken + self.take(first + count_here, count - count_here, duplicates=max(0, duplicates - count_here))

    def _vary(self, first: int, position: int, count: int) -> None:
        buffer, varying, plan = self._buffer, self._varying, self._plan
        if plan.kind == "numbered":
            for index in range(count):
                at = varying[position + index]
                buffer[at : at + _NUMBER_DIGITS] = b"%0*d" % (_NUMBER_DIGITS, first + index)
            return
        if not plan.world_interval_ms:
            stamp = iso_8601(time.time_ns() // 1_000_000)
            for at in varying[position : position + count]:
                buffer[at : at + 24] = stamp
            return
        for index in range(count):
            at = varying[position + index]
            nominal_ms = plan.world_start_ms + (first + index) // plan.topics * plan.world_interval_ms
            stamp = iso_8601(nominal_ms + int(self._jitter.random() * plan.world_interval_ms * 0.2))
            buffer[at : at + 24] = stamp

    def _marked(self, taken: bytes, position: int, count: int) -> bytes:
        marked = bytearray(taken)
        origin = self._starts[position]
        for start in self._starts[position : position + count]:
            marked[start - origin] |= _DUPLICATE
        return bytes(marked)


_DAYS: dict[int, bytes] = {}
_MINUTES = [f"{minute // 60:02d}:{minute % 60:02d}:".encode() for minute in range(1440)]
_SECONDS = [f"{millisecond // 1000:02d}.{millisecond % 1000:03d}Z".encode() for millisecond in range(60_000)]


def iso_8601(at_ms: int) -> bytes:
    """`2026-11-21T14:46:54.123Z`, out of tables: 24 bytes."""
    minutes, milliseconds = divmod(at_ms, 60_000)
    day, minute = divmod(minutes, 1440)
    date = _DAYS.get(day)
    if date is None:
        date = _DAYS[day] = time.strftime("%Y-%m-%dT", time.gmtime(day * 86_400)).encode()
    return date + _MINUTES[minute] + _SECONDS[milliseconds]


def sensor_name(number: int) -> str:
    """A friendly name of constant length."""
    return f"sensor-{number:03d}"


class _Room:
    """A cold room with a compressor that comes and goes, and a sensor that is never quite sure."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._temperature_c = chance.uniform(2.0, 5.0)
        self._humidity_pct = chance.uniform(70.0, 85.0)
        self._battery_pct = chance.randint(60, 100)
        self._signal = chance.randint(60, 200)
        self._cools = chance.random() < 0.5

    def payload(self, kind: Kind) -> tuple[bytes, int]:
        """The payload, and where its varying part begins."""
        if kind == "numbered":
            text = f'{{"temperature":{NUMBERED_FROM:.0f}.'.encode()
            return text + b"0" * _NUMBER_DIGITS + b"}", len(text)
        chance = self._chance
        self._temperature_c += (-0.02 if self._cools else 0.015) + chance.gauss(0, 0.01)
        if not 2.0 < self._temperature_c < 5.0:
            self._cools = self._temperature_c > 3.5
        self._humidity_pct += 0.02 * (78 - self._humidity_pct) + chance.gauss(0, 0.15)
        state = {
            "battery": self._battery_pct,
            "humidity": round(self._humidity_pct + chance.gauss(0, 0.1), 2),
            "last_seen": iso_8601(0).decode(),
            "linkquality": max(0, min(255, self._signal + round(chance.gauss(0, 4)))),
            "temperature": round(self._temperature_c + chance.gauss(0, 0.02), 2),
            "voltage": 2500 + 5 * self._battery_pct + 5 * round(chance.gauss(0, 0.4)),
        }
        text = json.dumps(state, separators=(",", ":")).encode()
        return text, text.index(iso_8601(0))


def remaining_length(count: int) -> bytes:
    """MQTT's variable byte integer."""
    encoded = bytearray()
    while True:
        count, digit = divmod(count, 128)
        encoded.append(digit | (0x80 if count else 0))
        if not count:
            return bytes(encoded)


def connect_packet(client_id: str, user: str | None, password: str | None) -> bytes:
    """CONNECT of MQTT 3.1.1: a clean session, no keep-alive."""
    flags = 0x02 | (0x80 if user is not None else 0) | (0x40 if password is not None else 0)
    body = b"\x00\x04MQTT\x04" + bytes((flags,)) + b"\x00\x00"
    for text in (client_id, user, password):
        if text is not None:
            body += len(text.encode()).to_bytes(2, "big") + text.encode()
    return b"\x10" + remaining_length(len(body)) + body
