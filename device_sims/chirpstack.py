"""Milesight EM300-TH and EM500-PT100 behind a ChirpStack 4 whose device profiles have no codec: the bytes go out raw.

Sources: ChirpStack's documentation, "Integrations: Event types", `up`; Milesight's user guides, "Device payload".
"""

import base64
import json
import struct
import uuid
from datetime import UTC, datetime

from device_sims.climate_sensor import Sample

APPLICATION = "17c82e96-be03-4f38-aef3-f83d48582d97"


class Device:
    """One device, named by its EUI: 16 hexadecimal digits, the first six Milesight's. Each uplink has an id."""

    is_numbered = True

    def __init__(self, eui: str) -> None:
        self.sensor = f"lorawan:{eui}"
        self._eui = eui

    def message(self, sample: Sample) -> tuple[str, bytes, tuple[str, ...]]:
        """Tenths of a degree, half percents; without a humidity it is a Pt100 probe."""
        payload = bytes((0x01, 0x75, round(sample.battery_pct), 0x03, 0x67))
        payload += struct.pack("<h", round(sample.temperature_c * 10))
        quantities = ["battery", "temperature", "rssi"]
        if sample.humidity_pct is not None:
            payload += bytes((0x04, 0x68, round(sample.humidity_pct * 2)))
            quantities.append("humidity")
        model = "EM300-TH" if sample.humidity_pct is not None else "EM500-PT100"
        heard_at = datetime.fromtimestamp(sample.at_ms / 1000, UTC).isoformat(timespec="microseconds")
        event = {
            "deduplicationId": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self._eui}/{sample.at_ms}/{sample.number}")),
            "time": heard_at.replace("+00:00", "000+00:00"),
            "deviceInfo": {
                "tenantName": "ChirpStack",
                "applicationId": APPLICATION,
                "applicationName": "Cold rooms",
                "deviceProfileName": model,
                "deviceName": self._eui,
                "devEui": self._eui,
                "tags": {},
            },
            "devAddr": "00189440",
            "adr": True,
            "dr": 3,
            "fCnt": sample.number,
            "fPort": 85,
            "confirmed": False,
            "data": base64.b64encode(payload).decode(),
            "rxInfo": [{"gatewayId": "0016c001f153a14c", "rssi": round(-92 + 6 * sample.signal), "snr": 8.5}],
            "txInfo": {"frequency": 867_100_000},
        }
        topic = f"application/{APPLICATION}/device/{self._eui}/event/up"
        return topic, json.dumps(event).encode(), tuple(quantities)
