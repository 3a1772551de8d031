"""Zebra RFID: fixed readers (FX, FXR90, ATR) by their IoT Connector, hand-held ones (RFD40, RFD90) by their own MQTT.

Sources: Zebra's "IoT Connector" documentation, events `tag data` and `heartbeat`; "RFD40/RFD90 MQTT", event `dataEVT`.
The topics of a fixed reader are the user's: here `zebra/<reader>/d-evt` for tags and `zebra/<reader>/m-evt` for
management; on another topic the reader is the level before the last one. A message is one record or an array. With fast
identification switched on, `idHex` is the EPC and behind it the TID; the PC word tells how long the EPC is, and a TID
begins with E2. `eventNum` counts from the reader's start, so that event number, time and EPC together are unique.
"""

import re

from gateway.decoders import device_time, json_payload, rfid
from gateway.decoders.decoded import Decoded, DecodeError, Measurement, Sighting

_HAND_HELD = re.compile(r".+/clients/[^/]+/([^/]+)")
#: an EPC and a TID of 96 bits each, as fast identification writes them
_EPC_AND_TID = re.compile(r"([0-9A-Fa-f]{24})([Ee]2[0-9A-Fa-f]{22})")


def decode(topic: str, payload: bytes, received_at_ms: int) -> Decoded:
    """Read one message of a fixed reader.

    Raises:
        DecodeError: the payload is neither a record nor an array of them.
    """
    levels = topic.split("/")
    reader = f"zebra:{levels[1] if levels[0] == 'zebra' and len(levels) > 1 else levels[-2:][0]}"
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
    reader = f"zebra:{match[1] if match else topic.rpartition('/')[2]}"
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
    epc, tid = _epc_and_tid(data)
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


def _epc_and_tid(data: dict[str, object]) -> tuple[object, object]:
    epc, tid = data["idHex"], data.get("TID")
    if not isinstance(epc, str):
        return epc, tid
    words = _epc_words(data.get("PC"))
    if words and len(epc) > 4 * words:
        return epc[: 4 * words], tid or epc[4 * words :]
    if (both := _EPC_AND_TID.fullmatch(epc)) is not None:
        return both[1], tid or both[2]
    return epc, tid


def _epc_words(protocol_control: object) -> int:
    """The EPC's length in words of 16 bits: the upper five bits of the tag's PC word (EPC UHF Gen2)."""
    try:
        return int(protocol_control, 16) >> 11 if isinstance(protocol_control, str) else 0
    except ValueError:
        return 0


def _identity(reader: str, data: dict[str, object], stamp: object, epc: str) -> str | None:
    number = json_payload.whole(data.get("eventNum"))
    return None if number is None or stamp is None else f"{reader}#{number}@{stamp}/{epc}"
