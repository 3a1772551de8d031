import json

import pytest

from gateway import decoders
from gateway.decoders.decoded import Decoded, DecodeError
from tests.gateway.instants import NOW_MS

EPC, TID = "33140B5E401F400000000001", "E280116020007A3B"
STAMP = "2026-01-15T10:12:29.500+0000"


def zebra(*data: dict[str, object], stamp: object = STAMP, topic: str = "zebra/gate-1/d-evt") -> Decoded:
    records = [{"data": one, "timestamp": stamp, "type": "INVENTORY"} for one in data]
    return decoders.decode(topic, json.dumps(records).encode(), NOW_MS)


def tag(**fields: object) -> dict[str, object]:
    return {"idHex": EPC, "antenna": 2, "peakRssi": -51, "reads": 4, "eventNum": 17, "PC": "3000", **fields}


def impinj(record: object, topic: str = "impinj/door/tags") -> Decoded:
    return decoders.decode(topic, json.dumps(record).encode(), NOW_MS)


def test_an_array_holds_one_read_each() -> None:
    decoded = zebra(tag(), tag(idHex=EPC.lower(), antenna=1, eventNum=18))
    assert [(seen.read.epc, seen.read.antenna) for seen in decoded.sightings] == [(EPC, 2), (EPC, 1)]
    (read, _) = [seen.read for seen in decoded.sightings]
    assert (read.reader, read.rssi_dbm, read.reads, read.direction) == ("zebra:gate-1", -51.0, 4, "unknown")
    assert (read.recorded_at_ms, read.time_source, read.sequence) == (NOW_MS - 500, "device", 0)


def test_an_event_is_known_by_number_time_and_tag() -> None:
    def identities(decoded: Decoded) -> set[str | None]:
        return {seen.identity for seen in decoded.sightings}

    first = identities(zebra(tag()))
    assert first == identities(zebra(tag()))
    assert None not in first
    restarted = identities(zebra(tag(), stamp="2026-01-15T10:13:00.000+0000"))
    others = identities(zebra(tag(eventNum=18), tag(idHex="AA" * 12), tag(eventNum=18, idHex="AA" * 12)))
    assert len(first | restarted | others) == 5
    assert identities(zebra(tag(eventNum=None))) == identities(zebra(tag(), stamp=None)) == {None}


def test_fast_identification_writes_the_chips_number_behind_the_code() -> None:
    (seen,) = zebra(tag(idHex=EPC + TID)).sightings
    assert (seen.read.epc, seen.read.tid) == (EPC, TID)
    (long,) = zebra(tag(idHex=EPC + TID, PC="5000")).sightings
    assert (long.read.epc, long.read.tid) == (EPC + TID, None)
    (unknown,) = zebra(tag(idHex=EPC + TID, PC="?", TID="e2")).sightings
    assert (unknown.read.epc, unknown.read.tid) == (EPC + TID, "E2")


def test_a_broken_record_spares_its_neighbours() -> None:
    decoded = zebra(tag(idHex="no code"), {"antenna": 1}, tag(antenna="left", peakRssi=None, reads=-3))
    assert [seen.read.epc for seen in decoded.sightings] == [EPC]
    read = decoded.sightings[0].read
    assert (read.antenna, read.rssi_dbm, read.reads) == (None, None, None)
    assert len(decoded.problems) == 2
    with pytest.raises(DecodeError, match="not 3"):
        decoders.decode("zebra/gate-1/d-evt", b'[{"data": {}}, 3]', NOW_MS)


def test_a_readers_management_is_no_tag() -> None:
    assert zebra({"GPIO": 3}, topic="zebra/gate-1/m-evt") == Decoded()


def test_a_hand_held_reader_is_known_by_its_serial_number() -> None:
    tags = [{"EPCid": EPC, "eventNum": 1, "peakRssi": -26, "seenCount": 2, "TID": TID}, {"eventNum": 2}, 3]
    message = {"type": "INVENTORY", "timestamp": STAMP, "data": {"tagData": tags}}
    decoded = decoders.decode("acme/DATA/clients/data1event/2419", json.dumps(message).encode(), NOW_MS)
    (seen,) = decoded.sightings
    assert (seen.read.reader, seen.read.antenna, seen.read.reads, seen.read.tid) == ("zebra:2419", None, 2, TID)
    assert seen.identity == f"zebra:2419#1@{STAMP}/{EPC}"
    assert len(decoded.problems) == 1
    barcode = {"timestamp": STAMP, "data": {"barcodeData": [{"decodedBarcode": "x"}]}}
    assert decoders.decode("acme/DATA/clients/data1event/2419", json.dumps(barcode).encode(), NOW_MS) == Decoded()


def r700(**event: object) -> dict[str, object]:
    return {"timestamp": "2026-01-15T10:12:29Z", "eventType": "tagInventory", "tagInventoryEvent": event}


def test_a_code_in_base64_is_the_same_code() -> None:
    (seen,) = impinj(r700(epc="4oARYGAAAgpmgfI_", tid="4oARYA", antennaPort=1)).sightings
    assert (seen.read.reader, seen.read.epc) == ("impinj:door", "E28011606000020A6681F23F")
    assert seen.read.tid == "E2801160"
    assert seen.identity is None
    assert impinj(r700(epc="*")).problems
    assert impinj(r700(epc=5)).problems


def test_a_signal_in_hundredths_becomes_decibels() -> None:
    (seen,) = impinj(r700(epcHex=EPC, peakRssiCdbm=-6050)).sightings
    assert seen.read.rssi_dbm == -60.5


def test_what_is_no_tag_says_nothing() -> None:
    assert (
        impinj([{"eventType": "inventoryStatus", "inventoryStatusEvent": {}}, {"eventType": "tagInventory"}])
        == Decoded()
    )
    heartbeat = {"isHeartBeat": True, "epc": EPC, "antennaPort": 1}
    assert impinj(heartbeat, "speedway/tags") == Decoded()
    assert impinj({}).problems


def test_two_numbers_of_96_bits_behind_one_another_are_code_and_chip() -> None:
    code, chip = "30340B5E401F400000000001", "E28011606000020A6681F23F"
    (seen,) = zebra(tag(idHex=code + chip, PC=None)).sightings
    assert (seen.read.epc, seen.read.tid) == (code, chip)


def smartreader(**fields: object) -> Decoded:
    read = {"epc": EPC, "firstSeenTimestamp": 1768471948123456, "antennaPort": 1, "peakRssi": -51.25, **fields}
    return impinj({"readerName": "dock", "mac": "00:16:25:13:F9:0B", "tag_reads": [read]}, "warehouse/tags")


@pytest.mark.parametrize("stamp", [1768471948123456, "1768471948123456"])
def test_smartreader_counts_microseconds(stamp: object) -> None:
    (seen,) = smartreader(firstSeenTimestamp=stamp).sightings
    assert (seen.read.reader, seen.read.rssi_dbm, seen.read.antenna) == ("impinj:dock", -51.25, 1)
    assert (seen.read.recorded_at_ms, seen.read.time_source) == (1768471948123, "device")


def test_smartreaders_heartbeat_is_no_tag_and_its_last_will_is_news() -> None:
    assert smartreader(isHeartBeat=True, epc="*****") == Decoded()
    (gone,) = impinj({"smartreader-mqtt-status": "disconnected", "readerName": "dock"}, "warehouse/m").measurements
    assert (gone.sensor, gone.quantity, gone.value) == ("impinj:dock", "online", 0.0)
    assert smartreader(firstSeenTimestamp="9" * 5000).sightings[0].read.quality == "suspect"


def test_readers_are_known_by_their_messages_on_topics_of_nobodys() -> None:
    by_zebra = decoders.decode("hall/fx-1/tags", json.dumps([{"data": tag(), "timestamp": STAMP}]).encode(), NOW_MS)
    assert by_zebra.sightings[0].read.reader == "zebra:fx-1"
    by_impinj = decoders.decode("hall/r700-1/events", json.dumps(r700(epcHex=EPC)).encode(), NOW_MS)
    assert by_impinj.sightings[0].read.reader == "impinj:r700-1"
