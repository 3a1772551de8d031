"""Climate sensors behind a Zigbee2MQTT bridge: topics and payloads as Zigbee2MQTT writes them.

Source: "MQTT Topics and Messages" and "Device availability" of the Zigbee2MQTT documentation. A state is one JSON
object, keys sorted, on `<base>/<friendly name>`; `last_seen` is in the `ISO_8601` option's form; whole numbers carry
no decimal point, as JavaScript writes them.
"""

import json
from datetime import UTC, datetime
from typing import Literal

from device_sims.climate_sensor import Sample
from device_sims.ledger import Ledger, Outgoing

BASE_TOPIC = "zigbee2mqtt"

#: what a gateway should call the readings of a state's keys; `last_seen` is their time
QUANTITIES = {
    "battery": "battery",
    "humidity": "humidity",
    "linkquality": "linkquality",
    "pressure": "pressure",
    "temperature": "temperature",
    "voltage": "battery_voltage",
}

State = dict[str, float | int | str]


class Device:
    """A device as its bridge shows it. A repeated message cannot be told from a second one."""

    is_numbered = False

    def __init__(self, friendly_name: str, *, base_topic: str = BASE_TOPIC) -> None:
        self.sensor = f"z2m:{friendly_name}"
        self._topic = f"{base_topic}/{friendly_name}"

    def message(self, sample: Sample) -> tuple[str, bytes, tuple[str, ...]]:
        """Values as the device's registers hold them: hundredths of a degree, tenths of a hectopascal, millivolts."""
        state: State = {
            "temperature": _quantised(sample.temperature_c, 2),
            "battery": round(sample.battery_pct),
            "voltage": 2500 + 5 * round(sample.battery_pct),
            "linkquality": min(255, max(0, round(120 + 8 * sample.signal))),
        }
        if sample.humidity_pct is not None:
            state["humidity"] = _quantised(sample.humidity_pct, 2)
        if sample.pressure_hpa is not None:
            state["pressure"] = _quantised(sample.pressure_hpa, 1)
        quantities = tuple(QUANTITIES[key] for key in sorted(state))
        return self._topic, _json_bytes({**state, "last_seen": iso_8601(sample.at_ms)}), quantities

    def availability(self, ledger: Ledger, state: Literal["online", "offline"] = "online") -> Outgoing:
        """The retained message that tells whether the bridge reaches the device."""
        payload = _json_bytes({"state": state})
        return Outgoing(f"{self._topic}/availability", payload, ledger, quantities=("online",), retain=True)


def bridge_state(ledger: Ledger, *, base_topic: str = BASE_TOPIC) -> Outgoing:
    """The retained message that a bridge publishes when it is up."""
    return Outgoing(f"{base_topic}/bridge/state", _json_bytes({"state": "online"}), ledger, retain=True)


def iso_8601(time_ms: int) -> str:
    """An instant as JavaScript's `Date.toISOString` writes it."""
    return datetime.fromtimestamp(time_ms / 1000, tz=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _quantised(value: float, digits: int) -> float | int:
    rounded = round(value, digits)
    return int(rounded) if rounded.is_integer() else rounded


def _json_bytes(state: State) -> bytes:
    return json.dumps(state, sort_keys=True, separators=(",", ":")).encode()
