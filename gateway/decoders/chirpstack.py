"""ChirpStack: a LoRaWAN network server's events on `application/<id>/device/<EUI>/event/<kind>`, version 3 on `.../rx`.

Source: ChirpStack's documentation, "Integrations: Event types" of versions 3 and 4. Readings come from `object`, which
the device profile's codec made: flat names, or the Cayenne form, a table of channels under each name, each channel a
sensor of its own. Without `object` the bytes of a Milesight device are read here; the bytes of others are not guessed
at. The signal is that of the best gateway. Time: the server's, else that of the radio gateway which heard it first.
Repeats are known by `deduplicationId` (version 4), or by frame counter and time.
"""

import re

from gateway.decoders import device_time, json_payload, milesight
from gateway.decoders.decoded import Decoded, DecodeError, Measurement

_TOPIC = re.compile(r"application/[^/]+/device/([0-9A-Fa-f]{16})/(?:event/)?(\w+)")
#: name in `object` -> (quantity, unit)
_FLAT = {
    "temperature": ("temperature", "Cel"),
    "humidity": ("humidity", "%"),
    "pressure": ("pressure", "hPa"),
    "barometric_pressure": ("pressure", "hPa"),
    "battery": ("battery", "%"),
    "battery_voltage": ("battery_voltage", "V"),
    "illuminance": ("illuminance", "lx"),
    "co2": ("co2", "ppm"),
}
#: the same in the Cayenne form
_CAYENNE = {
    "temperatureSensor": ("temperature", "Cel"),
    "humiditySensor": ("humidity", "%"),
    "barometer": ("pressure", "hPa"),
    "illuminanceSensor": ("illuminance", "lx"),
}
#: words of Milesight's codecs
_STATES = {
    "water_leak": ("water_leak", {"normal": 0.0, "leak": 1.0}),
    "leakage_status": ("water_leak", {"normal": 0.0, "leak": 1.0}),
    "magnet_status": ("contact", {"close": 1.0, "closed": 1.0, "open": 0.0}),
}


def decode(topic: str, payload: bytes, received_at_ms: int) -> Decoded:
    """Read one message below `application/`.

    Raises:
        DecodeError: the topic or the payload is none of ChirpStack's.
    """
    match = _TOPIC.fullmatch(topic)
    if match is None:
        raise DecodeError("the topic is none of ChirpStack's: application/<id>/device/<EUI>/event/<kind>")
    sensor, kind = f"lorawan:{match[1].lower()}", match[2]
    if kind not in ("up", "rx", "status"):
        return Decoded()  # join, ack, txack, log, location, integration, and commands to the device
    message = json_payload.parse_object(payload)
    radios = json_payload.objects(message.get("rxInfo"))
    told_at = _told_at(message, radios)
    when = device_time.of_iso_8601(told_at, received_at_ms)
    if kind == "status":
        return _status(sensor, message, when)
    values, problems = _values(sensor, message)
    strengths = [strength for radio in radios if (strength := json_payload.number(radio.get("rssi"))) is not None]
    if strengths:
        values.append((sensor, "rssi", max(strengths), "dBm"))
    measurements = tuple(Measurement(*value, *when) for value in values)
    return Decoded(measurements, tuple(problems), _identity(sensor, message, told_at))


def _told_at(message: dict[str, object], radios: list[dict[str, object]]) -> object:
    candidates = [message.get("time"), *(radio.get("time") or radio.get("gwTime") for radio in radios)]
    candidates.append(message.get("publishedAt"))
    return next((candidate for candidate in candidates if candidate), None)


def _identity(sensor: str, message: dict[str, object], told_at: object) -> str | None:
    deduplication = json_payload.text(message.get("deduplicationId"))
    if deduplication:
        return f"{sensor}#{deduplication}"
    # The counter begins anew when the device joins again: alone it is not unique. At 0 version 4 leaves it out.
    return f"{sensor}#{message.get('fCnt', 0)}@{told_at}" if told_at else None


def _status(sensor: str, message: dict[str, object], when: device_time.When) -> Decoded:
    raw = message.get("batteryLevel")
    if raw is None or message.get("externalPowerSource") is True or message.get("batteryLevelUnavailable") is True:
        return Decoded()
    value = json_payload.number(raw)
    if value is None:
        raise DecodeError(f"batteryLevel: {raw!r:.60} is no value in %")
    return Decoded((Measurement(sensor, "battery", value, "%", *when),))


Value = tuple[str, str, float, str]


def _values(sensor: str, message: dict[str, object]) -> tuple[list[Value], list[str]]:
    """(sensor, quantity, value, unit) of everything measured, and what could not be used."""
    decoded = message.get("object")
    if isinstance(decoded, dict) and decoded:
        return _of_object(sensor, decoded)
    raw = message.get("data")
    if not raw or not sensor.startswith(f"lorawan:{milesight.VENDOR}"):
        return [], []
    try:
        found, problem = milesight.values(json_payload.from_base64(raw))
    except DecodeError as error:
        return [], [f"data: {error}"]
    return [(sensor, *value) for value in found], [problem] if problem else []


def _of_object(sensor: str, decoded: dict[str, object]) -> tuple[list[Value], list[str]]:
    values: list[Value] = []
    problems: list[str] = []
    for name, (quantity, unit) in (*_FLAT.items(), *_CAYENNE.items()):
        raw = decoded.get(name)
        channels = raw.items() if isinstance(raw, dict) else ((None, raw),)
        for channel, told in channels:
            if told is None:
                continue
            value = json_payload.number(told)
            if value is None:
                problems.append(f"{name}: {told!r:.60} is no value in {unit}")
                continue
            values.append((sensor if channel is None else f"{sensor}/{channel}", quantity, value, unit))
    for name, (quantity, words) in _STATES.items():
        told = decoded.get(name)
        if isinstance(told, str) and told in words:
            values.append((sensor, quantity, words[told], "bool"))
        elif told is not None:
            problems.append(f"{name}: {told!r:.60} is none of {', '.join(words)}")
    return values, problems
