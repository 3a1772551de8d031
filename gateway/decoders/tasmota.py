"""Tasmota: `tele/<topic>/SENSOR`, `STATE` and `LWT`, and the same answered to a command on `stat/<topic>/STATUS8`.

Sources: Tasmota's documentation, "MQTT", "Commands" (`Time`, `SetOption8`, `FullTopic`, `SwitchMode`), "ADC",
"Zigbee", and the pages of the sensors. A message is an object of drivers, each an object of values. A probe on the
1-Wire bus is known by its `Id`: the number behind the driver's name changes when a probe is replaced. `Time` is local
and says no offset from UTC unless it was told to; without one it is no time. `FullTopic` is the user's, so `tele`
may stand anywhere in the topic. What Tasmota computes from other values (`DewPoint`, `SeaPressure`) and what a chip
measures for itself alone (`ReferenceTemperature`) is left out.
"""

from collections.abc import Iterator

from gateway.decoders import device_time, json_payload, quantities, rfid
from gateway.decoders.decoded import Decoded, DecodeError, Measurement, Sighting

#: key of a driver -> (quantity, unit); temperatures and pressures are in the message's own unit when it tells one
_VALUES = {
    "Temperature": ("temperature", "Cel"),
    "ProbeTemperature": ("temperature", "Cel"),
    "OBJTMP": ("temperature", "Cel"),
    "Humidity": ("humidity", "%"),
    "Pressure": ("pressure", "hPa"),
    "Illuminance": ("illuminance", "lx"),
    "CarbonDioxide": ("co2", "ppm"),
    "TVOC": ("tvoc", "ppb"),
    "PM2.5": ("pm25", "ug/m3"),
    "PM10": ("pm10", "ug/m3"),
    "Moisture": ("moisture", "%"),
    "Distance": ("distance", "cm"),
    "Weight": ("mass", "kg"),
    "Voltage": ("voltage", "V"),
    "Current": ("current", "A"),
    "Power": ("power", "W"),
    "Total": ("energy", "kWh"),
    "Energy": ("energy", "kWh"),
    "A": ("analog", "1"),
    "Battery": ("battery", "%"),
    "BatteryPercentage": ("battery", "%"),
    "BatteryVoltage": ("battery_voltage", "V"),
    "RSSI": ("rssi", "dBm"),
    "LinkQuality": ("linkquality", "1"),
    "Occupancy": ("occupancy", "bool"),
    "Water": ("water_leak", "bool"),
    "Contact": ("door_open", "bool"),
}
_MESSAGES = ("tele", "stat")
#: answers to `Status 8`, `Status 10` and `Status 11`, and what they wrap
_ANSWERS = {"STATUS8": "StatusSNS", "STATUS10": "StatusSNS", "STATUS11": "StatusSTS"}
_DIGITS = "0123456789"


def decode(topic: str, payload: bytes, received_at_ms: int) -> Decoded:
    """Read one message of a Tasmota device.

    Raises:
        DecodeError: the payload is not what the topic promises.
    """
    *levels, kind = topic.split("/")
    prefix = next((level for level in levels if level in _MESSAGES), None)
    if prefix is None:
        return Decoded()  # a command on its way to a device, or an announcement
    levels.remove(prefix)
    device = "/".join(levels)
    if not device:
        raise DecodeError("the topic names no device")
    if not payload:
        return Decoded()  # a retained message is deleted
    if kind == "LWT":
        return _last_will(device, payload, received_at_ms)
    if kind not in ("SENSOR", "STATE", "RESULT") and kind not in _ANSWERS:
        return Decoded()
    message = json_payload.parse_object(payload)
    if kind in _ANSWERS:
        message = json_payload.table(message.get(_ANSWERS[kind]))
    when = _recorded_at(message, received_at_ms)
    if kind in ("STATE", "STATUS11"):
        return _state(device, message, when)
    if kind == "RESULT":  # an answer to a command, or a switch that has just changed
        return _sensors(device, {key: told for key, told in message.items() if key.startswith("Switch")}, when)
    return _sensors(device, message, when)


def _last_will(device: str, payload: bytes, received_at_ms: int) -> Decoded:
    if payload not in (b"Online", b"Offline"):
        raise DecodeError(f"LWT is Online or Offline, not {payload!r:.60}")
    return Decoded((Measurement(f"tasmota:{device}", "online", float(payload == b"Online"), "bool", received_at_ms),))


def _recorded_at(message: dict[str, object], received_at_ms: int) -> device_time.When:
    told = message.get("Epoch", message.get("Time"))
    if isinstance(told, str):
        device_ms = device_time.from_iso_8601(told)
        return (received_at_ms, "gateway", "good") if device_ms is None else (device_ms, "device", "good")
    return device_time.of_epoch_s(told, received_at_ms)


def _state(device: str, message: dict[str, object], when: device_time.When) -> Decoded:
    """`STATE`: the device about itself. `RSSI` is a share of the best signal, `Signal` the signal."""
    told = (
        ("rssi", json_payload.number(json_payload.table(message.get("Wifi")).get("Signal")), "dBm"),
        ("voltage", json_payload.number(message.get("Vcc")), "V"),
    )
    return Decoded(
        tuple(
            Measurement(f"tasmota:{device}", quantity, value, unit, *when)
            for quantity, value, unit in told
            if value is not None
        )
    )


def _sensors(device: str, message: dict[str, object], when: device_time.When) -> Decoded:
    measurements: list[Measurement] = []
    sightings: list[Sighting] = []
    problems: list[str] = []
    text = json_payload.text
    units = {"temperature": text(message.get("TempUnit")), "pressure": text(message.get("PressureUnit"))}
    for driver, content in _drivers(message):
        sensor = f"tasmota:{device}/{driver}"
        try:
            if not isinstance(content, dict):
                closed = quantities.state("contact", content) if driver.startswith("Switch") else None
                if closed is not None:
                    quantity, value = closed
                    measurements.append(Measurement(sensor, quantity, value, "bool", *when))
            elif "UID" in content:
                sightings.append(_tag(sensor, content["UID"], when))
            else:
                address = content.get("Id")
                if isinstance(address, str) and address:
                    sensor = f"tasmota:{address}"
                _values(sensor, content, units, when, measurements, problems)
        except DecodeError as error:
            problems.append(f"{driver:.40}: {error}")
    return Decoded(tuple(measurements), tuple(problems), sightings=tuple(sightings))


def _drivers(message: dict[str, object]) -> Iterator[tuple[str, object]]:
    """(name, content); each device that a Zigbee bridge has heard, and each current clamp, is a driver of its own."""
    for driver, content in message.items():
        if not isinstance(content, dict):
            yield driver, content
        elif driver == "ZbReceived":
            for address, device in content.items():
                if isinstance(device, dict):
                    yield json_payload.text(device.get("Name")) or address, device
        elif driver.startswith("Switch"):
            yield driver, content.get("Action")
        else:
            yield driver, content
            if driver == "ANALOG":
                for channel, inner in content.items():
                    if isinstance(inner, dict):
                        yield f"ANALOG/{channel}", inner


def _values(
    sensor: str,
    content: dict[str, object],
    units: dict[str, str | None],
    when: device_time.When,
    measurements: list[Measurement],
    problems: list[str],
) -> None:
    """Add what one driver has measured: bad, when it reports an error along with it.

    Raises:
        DecodeError: it reports an error and has measured nothing.
    """
    failed, before = content.get("Error"), len(measurements)
    if failed:
        when = (when[0], when[1], "bad")
    for key, told in content.items():
        meaning, index = _VALUES.get(key), ""
        if meaning is None:  # not one that is measured, or one of several: Temperature2
            base = key.rstrip(_DIGITS)
            meaning, index = _VALUES.get(base), key[len(base) :]
            if meaning is None:
                continue
        quantity, usual = meaning
        unit = units.get(quantity) or usual
        for phase, raw in enumerate(told, 1) if isinstance(told, list) else ((index, told),):
            if raw is None:  # the chip has not answered
                continue
            where = f"{sensor}/{phase}" if phase != "" and quantity != "analog" else sensor
            try:
                measurements.append(_measurement(where, quantity, raw, unit, when))
            except DecodeError as error:
                problems.append(f"{key:.40}: {error}")
    if failed and len(measurements) == before:
        raise DecodeError(f"reports error {failed!r:.20}")


def _measurement(sensor: str, quantity: str, raw: object, unit: str, when: device_time.When) -> Measurement:
    if unit == "bool":
        switched = quantities.state(quantity, raw)
        if switched is None:
            raise DecodeError(f"{raw!r:.60} is neither yes nor no")
        return Measurement(sensor, switched[0], switched[1], unit, *when)
    value = quantities.figure(raw)
    if value is None:
        raise DecodeError(f"{raw!r:.60} is no {quantity}")
    value, code = quantities.standard(value, unit)
    return Measurement(sensor, quantity, value, code, *when)


def _tag(reader: str, told: object, when: device_time.When) -> Sighting:
    """A card: its number in hexadecimal, or, of a Wiegand reader, as a number."""
    number = json_payload.number(told)
    code: object = told if number is None else f"{int(number):X}"
    if isinstance(code, str) and len(code) % 2:
        code = f"0{code}"
    return Sighting(rfid.tag_read(reader, code, when, antenna=None, rssi_dbm=None, reads=None, tid=None))
