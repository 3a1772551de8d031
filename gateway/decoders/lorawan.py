"""What the LoRaWAN network servers have in common: the names that payload codecs give to what a device measured.

Sources: Milesight's and Dragino's codecs, the Cayenne Low Power Payload as ChirpStack and The Things Stack name its
channels, and the measurement schema of `normalized_payload` in The Things Stack's documentation. Names without a unit
that all makers agree on (`light`, `luminosity`, `tvoc`) say nothing here: a mapping of the user's can tell them.
A channel is a sensor of its own. A server without a codec hands on bytes: those of Milesight devices are read.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from gateway.decoders import device_time, json_payload, milesight
from gateway.decoders.decoded import DecodeError, Measurement
from gateway.decoders.units import to_standard


class Value(NamedTuple):
    """One thing measured, before it is known whose clock its message carries."""

    quantity: str
    value: float
    unit: str
    #: of the device, empty: the device itself
    channel: str = ""
    #: of a record out of the device's memory; None: measured when the message was sent
    at_ms: int | None = None


#: name -> (quantity, unit as written, channel). Values come in this order
_NAMES: dict[str, tuple[str, str, str]] = {
    "temperature": ("temperature", "Cel", ""),
    "temp": ("temperature", "Cel", ""),
    "TempC_SHT": ("temperature", "Cel", ""),
    "temperature_chn1": ("temperature", "Cel", ""),
    "temperature_chn2": ("temperature", "Cel", "2"),
    "external_temperature": ("temperature", "Cel", "external"),
    "externalTemperature": ("temperature", "Cel", "external"),
    "TempC_DS": ("temperature", "Cel", "external"),
    "TempC1": ("temperature", "Cel", "1"),
    "TempC2": ("temperature", "Cel", "2"),
    "TempC3": ("temperature", "Cel", "3"),
    "humidity": ("humidity", "%", ""),
    "relative_humidity": ("humidity", "%", ""),
    "relativeHumidity": ("humidity", "%", ""),
    "Hum_SHT": ("humidity", "%", ""),
    "pressure": ("pressure", "hPa", ""),
    "barometric_pressure": ("pressure", "hPa", ""),
    "co2": ("co2", "ppm", ""),
    "pm1_0": ("pm1", "ug/m3", ""),
    "pm2_5": ("pm25", "ug/m3", ""),
    "pm10": ("pm10", "ug/m3", ""),
    "soil_moisture": ("soil_moisture", "%", ""),
    "illuminance": ("illuminance", "lx", ""),
    "illumination": ("illuminance", "lx", ""),
    "battery": ("battery", "%", ""),
    "battery_level": ("battery", "%", ""),
    "batteryLevel": ("battery", "%", ""),
    "battery_voltage": ("battery_voltage", "V", ""),
    "batteryVoltage": ("battery_voltage", "V", ""),
    "BatV": ("battery_voltage", "V", ""),
    "Bat_V": ("battery_voltage", "V", ""),
    "vdd": ("battery_voltage", "mV", ""),
}
#: ChirpStack's names of Cayenne's types, each with a table of channels
_CAYENNE = {
    "temperatureSensor": ("temperature", "Cel"),
    "humiditySensor": ("humidity", "%"),
    "barometer": ("pressure", "hPa"),
    "illuminanceSensor": ("illuminance", "lx"),
}
#: The Things Stack's: `temperature_1`
_CAYENNE_CHANNEL = re.compile(
    r"(temperature|relative_humidity|barometric_pressure|luminosity|voltage|presence)_(\d{1,3})"
)
_CAYENNE_TTS = {
    "temperature": ("temperature", "Cel"),
    "relative_humidity": ("humidity", "%"),
    "barometric_pressure": ("pressure", "hPa"),
    "luminosity": ("illuminance", "lx"),
    "voltage": ("voltage", "V"),
    "presence": ("occupancy", "bool"),
}
_DOOR = {"close": 1.0, "closed": 1.0, "open": 0.0, "opened": 0.0}
_LEAK = {"normal": 0.0, "leak": 1.0, "no leak": 0.0}
#: name -> (quantity, words, channel)
_STATES: dict[str, tuple[str, Mapping[str, float], str]] = {
    "magnet_status": ("contact", _DOOR, ""),
    "door": ("contact", _DOOR, ""),
    "door_status": ("contact", _DOOR, ""),
    "magnet_chn1": ("contact", _DOOR, ""),
    "magnet_chn2": ("contact", _DOOR, "2"),
    "water_leak": ("water_leak", _LEAK, ""),
    "leakage_status": ("water_leak", _LEAK, ""),
    "pir": ("occupancy", {"trigger": 1.0, "idle": 0.0, "occupied": 1.0, "vacant": 0.0, "normal": 0.0}, ""),
}
#: The Things Stack's schema, by group and name
_NORMALIZED: dict[tuple[str, str], tuple[str, str]] = {
    ("air", "temperature"): ("temperature", "Cel"),
    ("air", "relativeHumidity"): ("humidity", "%"),
    ("air", "pressure"): ("pressure", "hPa"),
    ("air", "co2"): ("co2", "ppm"),
    ("air", "lightIntensity"): ("illuminance", "lx"),
    ("soil", "temperature"): ("soil_temperature", "Cel"),
    ("soil", "moisture"): ("soil_moisture", "%"),
    ("water", "leak"): ("water_leak", "bool"),
}
_ORDER = {name: rank for rank, name in enumerate((*_NAMES, *_CAYENNE, *_STATES))}
#: no battery has more per cent: such a value is in millivolts
_MILLIVOLTS_FROM = 600


def of_object(decoded: dict[str, object]) -> tuple[list[Value], list[str]]:
    """What a codec said, and what of it could not be used."""
    values: list[Value] = []
    problems: list[str] = []
    last = len(_ORDER)
    for name in sorted(decoded, key=lambda name: _ORDER.get(name, last)):
        told = decoded[name]
        if told is None:
            continue
        if name in _NAMES:
            _named(name, told, values, problems)
        elif name in _CAYENNE and isinstance(told, dict):
            quantity, unit = _CAYENNE[name]
            for channel, raw in told.items():
                _take(name, raw, (quantity, unit, str(channel)), values, problems)
        elif name in _STATES:
            _state(name, told, values, problems)
        elif (found := _CAYENNE_CHANNEL.fullmatch(name)) is not None:
            _take(name, told, (*_CAYENNE_TTS[found[1]], found[2]), values, problems)
    values += _history(decoded.get("history"), problems)
    return values, problems


def of_normalized(payload: object) -> tuple[list[Value], list[str]]:
    """What The Things Stack's normaliser said: one measurement or a list of them, each with its own time or not."""
    values: list[Value] = []
    problems: list[str] = []
    for measurement in json_payload.objects(payload if isinstance(payload, list) else [payload]):
        found: list[Value] = []
        for (group, name), spec in _NORMALIZED.items():
            raw = json_payload.table(measurement.get(group)).get(name)
            if raw is not None:
                _take(f"{group}.{name}", raw, (*spec, ""), found, problems)
        action = json_payload.table(measurement.get("action"))
        if isinstance(state := action.get("contactState"), str) and state in _DOOR:
            found.append(Value("contact", _DOOR[state], "bool"))
        if isinstance(detected := json_payload.table(action.get("motion")).get("detected"), bool):
            found.append(Value("occupancy", float(detected), "bool"))
        if (battery := measurement.get("battery")) is not None:
            _take("battery", battery, ("battery_voltage", "V", ""), found, problems)
        told_at = measurement.get("time")
        at_ms = device_time.from_iso_8601(told_at) if isinstance(told_at, str) else None
        values += found if at_ms is None else [value._replace(at_ms=at_ms) for value in found]
    return values, problems


def of_bytes(raw: object, eui: str, model: str) -> tuple[list[Value], list[str]]:
    """What undecoded bytes in base64 say: those of Milesight; the bytes of other makers are not guessed at."""
    if not raw or not (eui.lower().startswith(milesight.VENDOR) or milesight.is_model(model)):
        return [], []
    try:
        found, problems = milesight.values(json_payload.from_base64(raw), model)
    except DecodeError as error:
        return [], [f"data: {error}"]
    return [Value(*value) for value in found], problems


def best_signal(radios: list[dict[str, object]]) -> list[Value]:
    """The signal of the best gateway, when one told."""
    strengths = [strength for radio in radios if (strength := json_payload.number(radio.get("rssi"))) is not None]
    return [Value("rssi", max(strengths), "dBm")] if strengths else []


def measurements(sensor: str, values: list[Value], when: device_time.When) -> tuple[Measurement, ...]:
    """The values as readings; records of a device's memory keep their own time."""
    found = []
    for quantity, value, unit, channel, at_ms in values:
        name = f"{sensor}/{channel}" if channel else sensor
        if at_ms is None:
            found.append(Measurement(name, quantity, value, unit, *when))
        else:
            found.append(Measurement(name, quantity, value, unit, at_ms, "device"))
    return tuple(found)


def _named(name: str, told: object, values: list[Value], problems: list[str]) -> None:
    quantity, unit, channel = _NAMES[name]
    if quantity == "battery" and isinstance(told, int | float) and told >= _MILLIVOLTS_FROM:
        quantity, unit = "battery_voltage", "mV"
    _take(name, told, (quantity, unit, channel), values, problems)


def _take(name: str, told: object, spec: tuple[str, str, str], values: list[Value], problems: list[str]) -> None:
    quantity, unit, channel = spec
    value = float(told) if unit == "bool" and isinstance(told, bool) else json_payload.number(told)
    if value is None:
        problems.append(f"{name}: {told!r:.60} is no value in {unit}")
    else:
        values.append(Value(quantity, *to_standard(value, unit), channel))


def _state(name: str, told: object, values: list[Value], problems: list[str]) -> None:
    quantity, words, channel = _STATES[name]
    if isinstance(told, str) and told in words:
        values.append(Value(quantity, words[told], "bool", channel))
    elif quantity == "water_leak" and isinstance(told, bool):
        values.append(Value(quantity, float(told), "bool", channel))
    else:
        problems.append(f"{name}: {told!r:.60} is none of {', '.join(words)}")


def _history(told: object, problems: list[str]) -> list[Value]:
    """Records that a codec found in the device's memory, each with its own time."""
    values: list[Value] = []
    for record in json_payload.objects(told):
        at_ms, source, _ = _when(record.get("timestamp", record.get("time")))
        if source != "device":
            problems.append(f"history: {record!r:.60} has no timestamp")
            continue
        found, more = of_object({name: value for name, value in record.items() if name != "history"})
        problems += more
        values += [value._replace(at_ms=at_ms) for value in found]
    return values


def _when(told: object) -> device_time.When:
    """Seconds since 1970, or a date."""
    is_date = isinstance(told, str) and not told.isdecimal()
    return device_time.of_iso_8601(told, 0) if is_date else device_time.of_epoch_s(told, 0)
