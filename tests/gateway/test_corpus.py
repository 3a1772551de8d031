"""Every message of `tests/payloads` gives the readings that stand beside it."""

import json
from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from gateway import decoders
from gateway.contract import TagRead, Weighing
from gateway.decoders.decoded import Measurement

PAYLOADS = Path(__file__).parents[1] / "payloads"
CORPUS = sorted(PAYLOADS.glob("*/*.json"))
MAKERS = {"chirpstack", "impinj", "ruuvi", "scale", "shelly", "zebra", "zigbee2mqtt"}


class Expected(msgspec.Struct, forbid_unknown_fields=True):
    """One expected reading; the last four belong to tag reads and weights."""

    sensor: str
    quantity: str
    value: float | bool | str | None
    unit: str
    ts: str | None
    ts_source: str
    quality: str
    rssi: float | None = None
    count: int | None = None
    stable: bool | None = None
    basis: str | None = None


class Case(msgspec.Struct):
    source: str
    topic: str
    received_at: str
    expected: list[Expected]
    payload: object = None
    payload_text: str | None = None

    @property
    def bytes(self) -> bytes:
        return self.payload_text.encode() if self.payload_text is not None else json.dumps(self.payload).encode()


def read(path: Path) -> Case:
    return msgspec.json.decode(path.read_bytes(), type=Case)


def epoch_ms(iso: str) -> int:
    return round(datetime.fromisoformat(iso).timestamp() * 1000)


def as_expected(row: Measurement | TagRead | Weighing) -> dict[str, object]:
    """A row in the words of the corpus; times in milliseconds."""
    told: dict[str, object] = {"ts": row.recorded_at_ms, "ts_source": row.time_source, "quality": row.quality}
    match row:
        case Measurement():
            told |= {"sensor": row.sensor, "quantity": row.quantity, "value": row.value, "unit": row.unit}
        case TagRead():
            sensor = row.reader if row.antenna is None else f"{row.reader}/{row.antenna}"
            told |= {"sensor": sensor, "quantity": "tag_read", "value": row.epc, "unit": "epc"}
            told |= {"rssi": row.rssi_dbm, "count": row.reads}
        case Weighing():
            told |= {"sensor": row.scale, "quantity": "mass", "value": row.weight_kg, "unit": "kg"}
            told |= {"stable": row.state == "stable", "basis": row.basis}
    return told


def test_the_corpus_is_there() -> None:
    assert {path.parent.name for path in CORPUS} == MAKERS
    assert len(CORPUS) == 32
    for path in CORPUS:
        assert read(path).source


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_message_of_the_corpus_gives_its_readings(path: Path) -> None:
    case = read(path)
    received_at_ms = epoch_ms(case.received_at)
    decoded = decoders.decode(case.topic, case.bytes, received_at_ms)
    assert decoded.problems == ()
    reads = [seen.read for seen in decoded.sightings]
    rows: list[Measurement | TagRead | Weighing] = [*decoded.measurements, *reads, *decoded.weighings]
    sources = {"device": "device", "receive": "gateway"}
    extras = ("rssi", "count", "stable", "basis")
    found = [{name: None for name in extras} | as_expected(row) for row in rows]
    assert found == [
        msgspec.structs.asdict(expected)
        | {
            "value": pytest.approx(float(expected.value))
            if isinstance(expected.value, int | float)
            else expected.value,
            "ts": epoch_ms(expected.ts) if expected.ts else received_at_ms,
            "ts_source": sources[expected.ts_source],
        }
        for expected in case.expected
    ]
