"""A battery-powered climate sensor: feels the room, reports on its interval and on change, fails as told.

What it writes is its maker's: see `zigbee2mqtt.py`, `shelly.py`, `ruuvi.py`, `chirpstack.py`.
"""

import random
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from device_sims.cold_room import ColdRoom
from device_sims.ledger import Ledger, Outgoing

Spot = Literal["air", "product_core"]
Kind = Literal["zigbee2mqtt", "shelly_plus_ht", "ruuvi", "em300_th"]

#: change that makes a sensor report before its interval is over, and the shortest time between two reports
CHANGE_K = 0.5
CHANGE_HUMIDITY_PCT = 6.0
SHORTEST_INTERVAL_S = 10.0


@dataclass(frozen=True)
class Faults:
    """Probabilities a report, 0 to 1."""

    #: the message is never sent
    dropout: float = 0.0
    #: the same payload is sent twice
    duplicate: float = 0.0
    #: the values freeze for `stuck_for_s`
    stuck: float = 0.0
    stuck_for_s: float = 600.0
    #: the JSON is cut short
    malformed: float = 0.0


@dataclass(frozen=True)
class SensorSpec:
    """One battery-powered sensor: temperature and humidity, with or without pressure."""

    friendly_name: str
    kind: Kind = "zigbee2mqtt"
    #: where it lies; a probe in the product's core has no humidity to tell
    spot: Spot = "air"
    interval_s: float = 60.0
    has_pressure: bool = False
    #: standard deviations of its noise
    noise_k: float = 0.03
    noise_humidity_pct: float = 0.3
    #: time constant of its housing
    response_s: float = 60.0
    battery_pct: float = 97.0
    faults: Faults = field(default_factory=Faults)


@dataclass(frozen=True)
class Sample:
    """What a sensor has measured, before its maker's registers round it."""

    at_ms: int
    #: of the sensor's reports, from 1
    number: int
    temperature_c: float
    #: None: this sensor has no such part
    humidity_pct: float | None
    pressure_hpa: float | None
    battery_pct: float
    #: how well it is heard: 0 as usual, in standard deviations
    signal: float


class Maker(Protocol):
    """How one maker's device writes its samples."""

    #: whether its messages carry a number by which a gateway drops repeats
    is_numbered: bool
    #: what a gateway calls the device
    sensor: str

    def message(self, sample: Sample) -> tuple[str, bytes, tuple[str, ...]]:
        """Topic, payload, and one entry for each reading that a gateway should make of it."""
        ...


class ClimateSensor:
    """One sensor: feels the room at every step, reports on its interval and on change, fails as told."""

    def __init__(self, spec: SensorSpec, maker: Maker, ledger: Ledger, *, seed: int) -> None:
        self.spec = spec
        self.maker = maker
        self.ledger = ledger
        # Faults have dice of their own, so that switching one on leaves the values as they were.
        self._noise = random.Random(f"{seed}/noise/{spec.friendly_name}")  # noqa: S311 - repeatable, no secret
        self._dice = random.Random(f"{seed}/faults/{spec.friendly_name}")  # noqa: S311 - repeatable, no secret
        self._felt_c: float | None = None
        self._felt_humidity_pct = 0.0
        self._reported_c = 0.0
        self._reported_humidity_pct = 0.0
        self._reported_at_ms: int | None = None
        self._frozen: Sample | None = None
        self._frozen_until_ms = 0
        self._lived_s = 0.0
        self._reports = 0

    def step(self, room: ColdRoom, dt_s: float) -> list[Outgoing]:
        """Feel the room after a step of `dt_s` seconds.

        Returns:
            The messages to send now: mostly none, two when the duplicate fault struck.
        """
        self._feel(room, dt_s)
        if not self._due(room.time_ms):
            return []
        self._reported_at_ms = room.time_ms
        self._reported_c = self._felt()
        self._reported_humidity_pct = self._felt_humidity_pct
        self._reports += 1
        return self._through_faults(self._sample(room.time_ms))

    def _feel(self, room: ColdRoom, dt_s: float) -> None:
        self._lived_s += dt_s
        true_c = room.air_temperature_c if self.spec.spot == "air" else room.product_core_c
        if self._felt_c is None:
            self._felt_c, self._felt_humidity_pct = true_c, room.humidity_pct
            return
        share = dt_s / (self.spec.response_s + dt_s)
        self._felt_c += share * (true_c - self._felt_c)
        self._felt_humidity_pct += share * (room.humidity_pct - self._felt_humidity_pct)

    def _felt(self) -> float:
        return 0.0 if self._felt_c is None else self._felt_c

    def _due(self, now_ms: int) -> bool:
        if self._reported_at_ms is None:
            return True
        since_s = (now_ms - self._reported_at_ms) / 1000
        if since_s < min(SHORTEST_INTERVAL_S, self.spec.interval_s):
            return False
        return (
            since_s >= self.spec.interval_s
            or abs(self._felt() - self._reported_c) >= CHANGE_K
            or (
                self._has_humidity and abs(self._felt_humidity_pct - self._reported_humidity_pct) >= CHANGE_HUMIDITY_PCT
            )
        )

    @property
    def _has_humidity(self) -> bool:
        return self.spec.spot == "air"

    def _sample(self, now_ms: int) -> Sample:
        humidity_pct = pressure_hpa = None
        temperature_c = self._felt() + self._noise.gauss(0, self.spec.noise_k)
        signal = self._noise.gauss(0, 1)
        if self._has_humidity:
            noisy_pct = self._felt_humidity_pct + self._noise.gauss(0, self.spec.noise_humidity_pct)
            humidity_pct = min(100.0, max(0.0, noisy_pct))
        if self.spec.has_pressure:
            pressure_hpa = 1013.2 + self._noise.gauss(0, 0.2)
        battery_pct = max(0.0, self.spec.battery_pct - self._lived_s / 86_400 * 0.15)  # two years on one cell
        return Sample(now_ms, self._reports, temperature_c, humidity_pct, pressure_hpa, battery_pct, signal)

    def _through_faults(self, sample: Sample) -> list[Outgoing]:
        faults, ledger, now_ms = self.spec.faults, self.ledger, sample.at_ms
        # All dice are thrown every time: one fault's luck does not depend on another's setting.
        sticks, drops, doubles, breaks = (self._dice.random() for _ in range(4))
        if now_ms >= self._frozen_until_ms and sticks < faults.stuck:
            self._frozen, self._frozen_until_ms = sample, now_ms + round(faults.stuck_for_s * 1000)
        elif now_ms < self._frozen_until_ms and self._frozen is not None:
            sample = replace(self._frozen, at_ms=now_ms, number=sample.number)
            ledger.stuck += 1
        if drops < faults.dropout:
            ledger.dropped += 1
            return []
        topic, payload, quantities = self.maker.message(sample)
        if breaks < faults.malformed:
            ledger.malformed += 1
            cut = self._dice.randrange(1, len(payload))
            return [Outgoing(topic, payload[:cut], ledger, malformed=True)]
        messages = [Outgoing(topic, payload, ledger, quantities=quantities)]
        if doubles < faults.duplicate:
            ledger.duplicated += 1
            again = () if self.maker.is_numbered else quantities
            messages.append(Outgoing(topic, payload, ledger, quantities=again))
        return messages
