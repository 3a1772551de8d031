"""ChirpStack: a LoRaWAN network server's events on `application/<id>/device/<EUI>/event/<kind>`, version 3 on `.../rx`.

Source: ChirpStack's documentation, "Integrations: Event types" of versions 3 and 4. Readings come from `object` (in
version 3 also `objectJSON`), which the device profile's codec made, see `lorawan`; without it the bytes of a Milesight
device are read. The signal is that of the best gateway. Time: the server's, else that of the radio gateway which heard
it first; records of a device's memory keep theirs. Repeats are known by `deduplicationId` (version 4), or by frame
counter and time. Milesight's own gateways send the same JSON on any topic.
"""

import re

from gateway.decoders import device_time, json_payload, lorawan
from gateway.decoders.decoded import Decoded, DecodeError, Measurement

_TOPIC = re.compile(r"application/[^/]+/device/([0-9A-Fa-f]{16})/(?:event/)?(\w+)")


def decode(topic: str, payload: bytes, received_at_ms: int) -> Decoded:
    """Read one message below `application/`.

    Raises:
        DecodeError: the topic or the payload is none of ChirpStack's.
    """
    match = _TOPIC.fullmatch(topic)
    if match is None:
        if b"devE" in payload:
            return decode_message(topic, payload, received_at_ms)
        raise DecodeError("the topic is none of ChirpStack's: application/<id>/device/<EUI>/event/<kind>")
    kind = match[2]
    if kind not in ("up", "rx", "status"):
        return Decoded()  # join, ack, txack, log, location, integration, and commands to the device
    message = json_payload.parse_object(payload)
    eui = match[1].lower()
    return _status(eui, message, received_at_ms) if kind == "status" else _uplink(eui, message, received_at_ms)


def decode_message(topic: str, payload: bytes, received_at_ms: int) -> Decoded:
    """Read an uplink on a topic of the user's choice: it names its device itself.

    Raises:
        DecodeError: the payload is none.
    """
    message = json_payload.parse_object(payload)
    device = json_payload.table(message.get("deviceInfo"))
    eui = next(
        filter(None, map(json_payload.text, (message.get("devEUI"), message.get("devEui"), device.get("devEui")))), None
    )
    if eui is None:
        raise DecodeError("an uplink without devEUI: which device sent it?")
    return _uplink(eui, message, received_at_ms)


def _uplink(eui: str, message: dict[str, object], received_at_ms: int) -> Decoded:
    sensor = f"lorawan:{eui}"
    radios = json_payload.objects(message.get("rxInfo"))
    told_at = _told_at(message, radios)
    when = device_time.of_iso_8601(told_at, received_at_ms)
    values, problems = _values(eui, message)
    found = lorawan.measurements(sensor, values + lorawan.best_signal(radios), when)
    return Decoded(found, tuple(problems), _identity(sensor, message, told_at))


def _values(eui: str, message: dict[str, object]) -> tuple[list[lorawan.Value], list[str]]:
    decoded = message.get("object") or message.get("objectJSON")
    if isinstance(decoded, str):
        decoded = json_payload.parse_object(decoded.encode())
    if isinstance(decoded, dict) and decoded:
        return lorawan.of_object(decoded)
    device = json_payload.table(message.get("deviceInfo"))
    if "data" not in message:  # a gateway of Milesight's may put what its codec said beside the rest
        return lorawan.of_object(message)
    names = (
        device.get("deviceProfileName"),
        message.get("deviceProfileName"),
        device.get("deviceName"),
        message.get("deviceName"),
    )
    return lorawan.of_bytes(message.get("data"), eui, " ".join(filter(None, map(json_payload.text, names))))


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


def _status(eui: str, message: dict[str, object], received_at_ms: int) -> Decoded:
    raw = message.get("batteryLevel")
    if raw is None or message.get("externalPowerSource") is True or message.get("batteryLevelUnavailable") is True:
        return Decoded()
    value = json_payload.number(raw)
    if value is None:
        raise DecodeError(f"batteryLevel: {raw!r:.60} is no value in %")
    when = device_time.of_iso_8601(_told_at(message, []), received_at_ms)
    return Decoded((Measurement(f"lorawan:{eui}", "battery", value, "%", *when),))
