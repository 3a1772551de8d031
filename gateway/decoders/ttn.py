"""The Things Stack (The Things Network): a LoRaWAN network server's messages on `v3/<application>/devices/<id>/<kind>`.

Source: The Things Stack's documentation, "Data Formats" and "MQTT server". Readings come from `normalized_payload`,
whose units are laid down, and from `decoded_payload`, see `lorawan`; without both the bytes of a Milesight device are
read. Fields that are zero or empty are left out by the server (`f_port`, `f_cnt`). The signal is that of the best
gateway. Time: when the network server received the uplink. Repeats are known by session and frame counter, or by
counter and time. The sensor is the device's EUI as the server writes it, else its id.
"""

from gateway.decoders import device_time, json_payload, lorawan
from gateway.decoders.decoded import Decoded, DecodeError


def decode(topic: str, payload: bytes, received_at_ms: int) -> Decoded:
    """Read one message below `v3/`, or one like it on another topic.

    Raises:
        DecodeError: the payload is none of The Things Stack's.
    """
    message = json_payload.parse_object(payload)
    ids = json_payload.table(message.get("end_device_ids"))
    device = json_payload.text(ids.get("dev_eui")) or json_payload.text(ids.get("device_id"))
    if device is None:
        raise DecodeError("a message without end_device_ids: which device sent it?")
    uplink = message.get("uplink_message") or message.get("uplink_normalized")
    if not isinstance(uplink, dict):
        return Decoded()  # join, downlinks, location, and what the service says about itself
    sensor = f"lorawan:{device}"
    told_at = uplink.get("received_at") or message.get("received_at")
    when = device_time.of_iso_8601(told_at, received_at_ms)
    values, problems = _values(device, ids, uplink)
    values += lorawan.best_signal(json_payload.objects(uplink.get("rx_metadata")))
    return Decoded(lorawan.measurements(sensor, values, when), tuple(problems), _identity(sensor, uplink, told_at))


def _values(device: str, ids: dict[str, object], uplink: dict[str, object]) -> tuple[list[lorawan.Value], list[str]]:
    values, problems = lorawan.of_normalized(uplink.get("normalized_payload"))
    decoded = uplink.get("decoded_payload")
    if isinstance(decoded, dict) and decoded:
        known = {(value.quantity, value.channel) for value in values}
        more, more_problems = lorawan.of_object(decoded)
        values += [value for value in more if value.at_ms is not None or (value.quantity, value.channel) not in known]
        problems += more_problems
    if values or problems or decoded:
        return values, problems
    versions = json_payload.table(uplink.get("version_ids"))
    names = (versions.get("model_id"), ids.get("device_id"))
    model = " ".join(filter(None, map(json_payload.text, names)))
    return lorawan.of_bytes(uplink.get("frm_payload"), device, model)


def _identity(sensor: str, uplink: dict[str, object], told_at: object) -> str | None:
    counter = uplink.get("f_cnt", 0)
    session = json_payload.text(uplink.get("session_key_id"))
    if session:
        return f"{sensor}#{session}/{counter}"
    return f"{sensor}#{counter}@{told_at}" if told_at else None
