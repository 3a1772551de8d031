"""Shelly Plus H&T: a sleeping device that wakes up, connects, and notifies its full status.

Source: Shelly's documentation, "Gen2+: Notifications", "MQTT" and "Shelly Plus H&T". The topic prefix is the device's
id, as it is unless the user changes it. QoS 1 like everything here, so that there is an acknowledgement to count.
"""

import json

from device_sims.climate_sensor import Sample
from device_sims.ledger import Ledger, Outgoing
from device_sims.publisher import LastWill


class PlusHT:
    """One device. A repeated notification cannot be told from a second one."""

    is_numbered = False

    def __init__(self, device_id: str) -> None:
        self.sensor = f"shelly:{device_id}"
        self.will = LastWill(f"{device_id}/online", b"false")
        self._id = device_id

    def message(self, sample: Sample) -> tuple[str, bytes, tuple[str, ...]]:
        """Tenths of a degree and of a percent; the notification's time in hundredths of a second."""
        celsius = round(sample.temperature_c, 1)
        params: dict[str, object] = {
            "ts": round(sample.at_ms / 1000, 2),
            "ble": {},
            "cloud": {"connected": False},
            "devicepower:0": {
                "id": 0,
                "battery": {"V": round(4.4 + 0.018 * sample.battery_pct, 2), "percent": round(sample.battery_pct)},
                "external": {"present": False},
            },
            "ht_ui": {},
            "mqtt": {"connected": True},
            "sys": {"mac": self._id.rpartition("-")[2].upper(), "uptime": 1, "wakeup_period": 7200},
            "temperature:0": {"id": 0, "tC": celsius, "tF": round(celsius * 9 / 5 + 32, 1)},
            "wifi": {
                "sta_ip": "192.0.2.80",
                "status": "got ip",
                "ssid": "site",
                "rssi": round(-62 + 4 * sample.signal),
            },
            "ws": {"connected": False},
        }
        quantities = ["temperature", "battery", "battery_voltage", "rssi"]
        if sample.humidity_pct is not None:
            params["humidity:0"] = {"id": 0, "rh": round(sample.humidity_pct, 1)}
            quantities.append("humidity")
        notification = {"src": self._id, "dst": f"{self._id}/events", "method": "NotifyFullStatus", "params": params}
        return f"{self._id}/events/rpc", json.dumps(notification).encode(), tuple(quantities)

    def online(self, ledger: Ledger) -> Outgoing:
        """The retained withdrawal of its last will."""
        return Outgoing(f"{self._id}/online", b"true", ledger, quantities=("online",), retain=True)
