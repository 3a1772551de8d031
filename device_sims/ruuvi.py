"""RuuviTags heard by a Ruuvi Gateway, which hands on each advertisement as it is.

Source: Ruuvi's documentation, "Data format 5 (RAWv2)" and "Ruuvi Gateway: MQTT, time-stamped data". Times are seconds
since 1970 as text.
"""

import json
import struct

from device_sims.climate_sensor import Sample
from device_sims.ledger import Ledger, Outgoing
from device_sims.publisher import LastWill

GATEWAY = "C8:25:2D:00:00:01"
WILL = LastWill(f"ruuvi/{GATEWAY}/gw_status", b'{"state":"offline"}')

_HEADER = bytes.fromhex("0201061BFF9904")
_FORMAT_5 = struct.Struct(">BhHHhhhHBH6s")
_NOT_AVAILABLE = 0xFFFF
_AT_REST = (-12, 8, 1008)
_TRANSMIT_POWER = (4 + 40) // 2


class Tag:
    """One tag, named by its address. Its measurements are numbered: two gateways may hear one."""

    is_numbered = True

    def __init__(self, address: str) -> None:
        self.sensor = f"ruuvi:{address.upper()}"
        self._address = address.upper()

    def message(self, sample: Sample) -> tuple[str, bytes, tuple[str, ...]]:
        """Two hundredths of a degree, four hundredths of a percent, pascals, millivolts."""
        quantities = ["temperature", "battery_voltage", "rssi"]
        humidity = pressure = _NOT_AVAILABLE
        if sample.humidity_pct is not None:
            humidity = round(sample.humidity_pct * 400)
            quantities.append("humidity")
        if sample.pressure_hpa is not None:
            pressure = round(sample.pressure_hpa * 100) - 50_000
            quantities.append("pressure")
        millivolts = round(2200 + 8 * sample.battery_pct)
        advertisement = _FORMAT_5.pack(
            5,
            round(sample.temperature_c * 200),
            humidity,
            pressure,
            *_AT_REST,
            (millivolts - 1600) << 5 | _TRANSMIT_POWER,
            0,
            sample.number % _NOT_AVAILABLE,
            bytes.fromhex(self._address.replace(":", "")),
        )
        heard_at = str(sample.at_ms // 1000)
        message = {
            "gw_mac": GATEWAY,
            "rssi": round(-68 + 5 * sample.signal),
            "aoa": [],
            "gwts": heard_at,
            "ts": heard_at,
            "data": (_HEADER + advertisement).hex().upper(),
            "coords": "",
        }
        return f"ruuvi/{GATEWAY}/{self._address}", json.dumps(message).encode(), tuple(quantities)


def gateway_status(ledger: Ledger) -> Outgoing:
    """The retained message of a Ruuvi Gateway that is up."""
    payload = b'{"state":"online"}'
    return Outgoing(f"ruuvi/{GATEWAY}/gw_status", payload, ledger, quantities=("online",), retain=True)
