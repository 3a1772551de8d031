"""A Tasmota device with a BME280 or a DS18B20, as it writes to `tele/<topic>/SENSOR`, `STATE` and `LWT`.

Source: Tasmota's documentation, "MQTT", "BME280", "DS18x20" and "Commands" (`SetOption8`, `TempRes`, `HumRes`). Times
are local and without an offset; temperatures have one digit behind the point, in the unit that `SetOption8` chose.
"""

import json
from datetime import UTC, datetime

from device_sims.climate_sensor import Sample
from device_sims.ledger import Ledger, Outgoing


class Device:
    """One device. A repeated message cannot be told from a second one."""

    is_numbered = False

    def __init__(self, topic: str, *, probe_id: str | None = None, fahrenheit: bool = False) -> None:
        self.sensor = f"tasmota:{probe_id}" if probe_id else f"tasmota:{topic}/BME280"
        self._topic, self._probe_id, self._fahrenheit = topic, probe_id, fahrenheit

    def message(self, sample: Sample) -> tuple[str, bytes, tuple[str, ...]]:
        """What the driver of the sensor reads, and what Tasmota computes from it."""
        told: dict[str, object] = {"Temperature": self._temperature(sample.temperature_c)}
        quantities = ["temperature"]
        if self._probe_id:
            told = {"Id": self._probe_id, **told}
        elif sample.humidity_pct is not None:
            told |= {"Humidity": round(sample.humidity_pct, 1), "DewPoint": self._temperature(_dew_point(sample))}
            quantities.append("humidity")
            if sample.pressure_hpa is not None:
                told["Pressure"] = round(sample.pressure_hpa, 1)
                quantities.append("pressure")
        message: dict[str, object] = {
            "Time": datetime.fromtimestamp(sample.at_ms // 1000, tz=UTC).replace(tzinfo=None).isoformat(),
            "DS18B20" if self._probe_id else "BME280": told,
            "PressureUnit": "hPa",
            "TempUnit": "F" if self._fahrenheit else "C",
        }
        return f"tele/{self._topic}/SENSOR", _json_bytes(message), tuple(quantities)

    def state(self, sample: Sample, ledger: Ledger) -> Outgoing:
        """The device about itself: how well it is heard."""
        signal_dbm = round(-60 + 4 * sample.signal)
        wifi = {"AP": 1, "SSId": "coldstore", "RSSI": max(0, min(100, 2 * (signal_dbm + 100))), "Signal": signal_dbm}
        payload = _json_bytes({"Uptime": "0T00:10:00", "Heap": 25, "Wifi": wifi})
        return Outgoing(f"tele/{self._topic}/STATE", payload, ledger, quantities=("rssi",))

    def last_will(self, ledger: Ledger, *, is_online: bool = True) -> Outgoing:
        """The retained message that tells whether the device is there."""
        payload = b"Online" if is_online else b"Offline"
        return Outgoing(f"tele/{self._topic}/LWT", payload, ledger, quantities=("online",), retain=True)

    def _temperature(self, celsius: float) -> float:
        return round(celsius * 9 / 5 + 32 if self._fahrenheit else celsius, 1)


def _dew_point(sample: Sample) -> float:
    """A rule of thumb: a degree less for each five per cent below saturation."""
    return sample.temperature_c - (100 - (sample.humidity_pct or 100)) / 5


def _json_bytes(message: dict[str, object]) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode()
