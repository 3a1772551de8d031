"""Impinj RFID: the R700's IoT device interface on `impinj/<reader>/tags`, Speedway Connect and SmartReader.

Sources: Impinj's "IoT Device Interface", schema `ReaderEvent`; Speedway Connect's "Data Integration"; SmartReader's
"MQTT Events". The topics are the user's; on any of them the reader is the level before the last one, unless the message
names it (`hostname` of an R700 that was told to send it, `readerName` of SmartReader). An R700 writes signals in
hundredths of a decibel-milliwatt, and EPCs in hexadecimal (`epcHex`), in URL-safe base64 (`epc`), or both; SmartReader
writes times in microseconds since 1970. None numbers its reads: a repeated message cannot be told from a second read.
"""

from gateway.decoders import device_time, json_payload, rfid
from gateway.decoders.decoded import Decoded, DecodeError, Measurement, Sighting

#: SmartReader's states of itself that mean it is there, or not
_STATES = {"connected": 1.0, "running": 1.0, "started": 1.0, "disconnected": 0.0}


def decode(topic: str, payload: bytes, received_at_ms: int) -> Decoded:
    """Read one message of a reader: an event, or an array of them.

    Raises:
        DecodeError: the payload is neither.
    """
    levels = topic.split("/")
    name = levels[-2] if len(levels) > 1 else levels[0]
    measurements: list[Measurement] = []
    sightings: list[Sighting] = []
    problems: list[str] = []
    for record in json_payload.parse_objects(payload):
        if "eventType" in record:
            name_told = json_payload.text(record.get("hostname")) or name
            reads, read = json_payload.objects([record.get("tagInventoryEvent")]), _r700
            if record["eventType"] != "tagInventory":
                reads = []
        elif "tag_reads" in record:
            name_told = json_payload.text(record.get("readerName")) or name
            reads, read = json_payload.objects(record["tag_reads"]), _speedway
        elif "smartreader-status" in record or "smartreader-mqtt-status" in record:
            measurements += _state(name, record, received_at_ms)
            continue
        else:
            name_told, reads, read = json_payload.text(record.get("readerName")) or name, [record], _speedway
        for event in reads:
            if event.get("isHeartBeat") is True:
                continue
            try:
                sightings.append(read(f"impinj:{name_told}", record, event, received_at_ms))
            except DecodeError as error:
                problems.append(str(error))
    return Decoded(tuple(measurements), tuple(problems), sightings=tuple(sightings))


def _speedway(reader: str, record: dict[str, object], event: dict[str, object], received_at_ms: int) -> Sighting:
    """A read of Speedway Connect or SmartReader."""
    told_at = event.get("firstSeenTimestamp", event.get("firstSeenTimeStamp"))
    when = _when(told_at, received_at_ms)
    read = rfid.tag_read(
        reader,
        event.get("epc"),
        when,
        antenna=event.get("antennaPort"),
        rssi_dbm=json_payload.number(event.get("peakRssi")),
        reads=event.get("tagSeenCount"),
        tid=event.get("tid"),
    )
    return Sighting(read)


def _r700(reader: str, record: dict[str, object], event: dict[str, object], received_at_ms: int) -> Sighting:
    hundredths = json_payload.number(event.get("peakRssiCdbm"))
    seen_at = event.get("lastSeenTime") or record.get("timestamp")
    read = rfid.tag_read(
        reader,
        _hexadecimal(event, "epcHex", "epc"),
        device_time.of_iso_8601(seen_at, received_at_ms),
        antenna=event.get("antennaPort"),
        rssi_dbm=None if hundredths is None else hundredths / 100,
        reads=None,
        tid=_hexadecimal(event, "tidHex", "tid"),
    )
    return Sighting(read)


def _state(name: str, record: dict[str, object], received_at_ms: int) -> list[Measurement]:
    """Whether the reader is there, as far as it says so."""
    told = record.get("smartreader-mqtt-status") or record.get("smartreader-status")
    if not isinstance(told, str) or told not in _STATES:
        return []
    reader = f"impinj:{json_payload.text(record.get('readerName')) or name}"
    return [Measurement(reader, "online", _STATES[told], "bool", *_when(record.get("timestamp"), received_at_ms))]


def _when(told: object, received_at_ms: int) -> device_time.When:
    """A date, or microseconds since 1970 as a number or its text."""
    if isinstance(told, str) and not told.isdecimal():
        return device_time.of_iso_8601(told, received_at_ms)
    try:
        microseconds = json_payload.number(int(told) if isinstance(told, str) else told)
    except ValueError:  # thousands of digits
        microseconds = None
    if microseconds is None:
        return device_time.of_iso_8601(told, received_at_ms)
    return device_time.of_epoch_s(int(microseconds) // 1000 / 1000, received_at_ms)


def _hexadecimal(event: dict[str, object], plain: str, encoded: str) -> object:
    if plain in event or encoded not in event:
        return event.get(plain)
    return json_payload.from_base64(event[encoded], is_url_safe=True).hex()
