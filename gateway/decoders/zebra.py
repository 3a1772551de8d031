"""Zebra RFID: fixed readers (FX, FXR90, ATR) by their IoT Connector, hand-held ones (RFD40, RFD90) by their own MQTT.

Sources: Zebra's "IoT Connector" documentation, events `tag data` and `heartbeat`; "RFD40/RFD90 MQTT", event `dataEVT`.
The topics of a fixed reader are the user's: here `zebra/<reader>/d-evt` for tags and `zebra/<reader>/m-evt` for
management. A message is one record or an array. With fast identification switched on, `idHex` is the EPC and behind it
the TID; the PC word tells how long the EPC is. `eventNum` counts from the reader's start, so that event number, time
and EPC together are unique.
"""

import re

from gateway.decoders import device_time, json_payload, rfid
from gateway.decoders.decoded import Decoded, DecodeError, Measurement, Sighting

_HAND_HELD = re.compile(r"[^/]+/DATA/clients/data[12]event/([^/]+)")


def decode(topic: str, payload: bytes, received_at_ms: int) -> Decoded:
    """Read one message below `zebra/`.

    Raises:
        DecodeError: the payload is neither a record nor an array of them.
    """
    name, _, _ = topic.removeprefix("zebra/").partition("/")
    reader = f"zebra:{name}"
    sightings: list[Sighting] = []
    measurements: list[Measurement] = []
    problems: list[str] = []
    for record in json_payload.parse_objects(payload):
        when = device_time.of_iso_8601(record.get("timestamp"), received_at_ms)
        data = json_payload.table(record.get("data"))
        if record.get("type") == "heartbeat":
            measurements.append(Measurement(reader, "online", 1.0, "bool", *when))
        elif "idHex" in data:
            try:
                sightings.append(_fixed(reader, data, record.get("timestamp"), when))
            except DecodeError as error:
                problems.append(str(error))
        elif topic.endswith("/d-evt"):
            problems.append(f"a record without idHex: {record!r:.60}")
    return Decoded(tuple(measurements), tuple(problems), sightings=tuple(sightings))


def decode_hand_held(topic: str, payload: bytes, received_at_ms: int) -> Decoded:
    """Read one message on `<tenant>/DATA/clients/data1event/<serial number>`.

    Raises:
        DecodeError: the payload is none.
    """
    match = _HAND_HELD.fullmatch(topic)
    reader = f"zebra:{match[1] if match else ''}"
    message = json_payload.parse_object(payload)
    stamp = message.get("timestamp")
    when = device_time.of_iso_8601(stamp, received_at_ms)
    sightings: list[Sighting] = []
    problems: list[str] = []
    for tag in json_payload.objects(json_payload.table(message.get("data")).get("tagData")):
        try:
            read = rfid.tag_read(
                reader,
                tag.get("EPCid"),
                when,
                antenna=tag.get("antenna"),
                rssi_dbm=json_payload.number(tag.get("peakRssi")),
                reads=tag.get("seenCount"),
                tid=tag.get("TID"),
            )
        except DecodeError as error:
            problems.append(str(error))
            continue
        sightings.append(Sighting(read, _identity(reader, tag, stamp, read.epc)))
    return Decoded(problems=tuple(problems), sightings=tuple(sightings))


def _fixed(reader: str, data: dict[str, object], stamp: object, when: device_time.When) -> Sighting:
    epc, tid = data["idHex"], data.get("TID")
    words = _epc_words(data.get("PC"))
    if isinstance(epc, str) and words and len(epc) > 4 * words:
        epc, tid = epc[: 4 * words], tid or epc[4 * words :]
    read = rfid.tag_read(
        reader,
        epc,
        when,
        antenna=data.get("antenna"),
        rssi_dbm=json_payload.number(data.get("peakRssi")),
        reads=data.get("reads"),
        tid=tid,
    )
    return Sighting(read, _identity(reader, data, stamp, read.epc))


def _epc_words(protocol_control: object) -> int:
    """The EPC's length in words of 16 bits: the upper five bits of the tag's PC word (EPC UHF Gen2)."""
    try:
        return int(protocol_control, 16) >> 11 if isinstance(protocol_control, str) else 0
    except ValueError:
        return 0


def _identity(reader: str, data: dict[str, object], stamp: object, epc: str) -> str | None:
    number = json_payload.whole(data.get("eventNum"))
    return None if number is None or stamp is None else f"{reader}#{number}@{stamp}/{epc}"
