"""Impinj RFID: the R700's IoT device interface on `impinj/<reader>/tags`, Speedway Connect on `speedway/tags`.

Sources: Impinj's "IoT Device Interface", schema `ReaderEvent`; Speedway Connect's "MQTT" article. The topics are the
user's; these are the ones that are understood here. An R700 that was told to send its `hostname` is known by it, else
by its topic. It writes signals in hundredths of a decibel-milliwatt, and EPCs in hexadecimal (`epcHex`), in URL-safe
base64 (`epc`), or both. Neither numbers its reads: a repeated message cannot be told from a second read.
"""

from gateway.decoders import device_time, json_payload, rfid
from gateway.decoders.decoded import Decoded, DecodeError, Sighting


def decode(topic: str, payload: bytes, received_at_ms: int) -> Decoded:
    """Read one message on `.../tags`.

    Raises:
        DecodeError: the payload is neither a record nor an array of them.
    """
    levels = topic.split("/")
    if levels[-1] != "tags":
        raise DecodeError("tag reads are understood on impinj/<reader>/tags and speedway/tags")
    sightings: list[Sighting] = []
    problems: list[str] = []
    for record in json_payload.parse_objects(payload):
        try:
            sightings += _sightings(levels[-2], record, received_at_ms)
        except DecodeError as error:
            problems.append(str(error))
    return Decoded(problems=tuple(problems), sightings=tuple(sightings))


def _sightings(name: str, record: dict[str, object], received_at_ms: int) -> list[Sighting]:
    """None or one: other events, and the heartbeats of Speedway Connect, are no tags."""
    if "eventType" in record:
        event = record.get("tagInventoryEvent")
        if record["eventType"] != "tagInventory" or not isinstance(event, dict):
            return []
        return [_r700(json_payload.text(record.get("hostname")) or name, record, event, received_at_ms)]
    if record.get("isHeartBeat") is True:
        return []
    read = rfid.tag_read(
        f"impinj:{name}",
        record.get("epc"),
        device_time.of_iso_8601(record.get("firstSeenTimestamp"), received_at_ms),
        antenna=record.get("antennaPort"),
        rssi_dbm=json_payload.number(record.get("peakRssi")),
        reads=record.get("tagSeenCount"),
        tid=record.get("tid"),
    )
    return [Sighting(read)]


def _r700(name: str, record: dict[str, object], event: dict[str, object], received_at_ms: int) -> Sighting:
    hundredths = json_payload.number(event.get("peakRssiCdbm"))
    seen_at = event.get("lastSeenTime") or record.get("timestamp")
    read = rfid.tag_read(
        f"impinj:{name}",
        _hexadecimal(event, "epcHex", "epc"),
        device_time.of_iso_8601(seen_at, received_at_ms),
        antenna=event.get("antennaPort"),
        rssi_dbm=None if hundredths is None else hundredths / 100,
        reads=None,
        tid=_hexadecimal(event, "tidHex", "tid"),
    )
    return Sighting(read)


def _hexadecimal(event: dict[str, object], plain: str, encoded: str) -> object:
    if plain in event or encoded not in event:
        return event.get(plain)
    return json_payload.from_base64(event[encoded], is_url_safe=True).hex()
