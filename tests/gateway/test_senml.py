import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import decoders
from gateway.decoders.decoded import Decoded, DecodeError
from tests.gateway.arbitrary import ANY_JSON, changed, objects_of, survives, told
from tests.gateway.running import NOW_MS

NOW_S = NOW_MS // 1000


def pack(*records: object, topic: str = "senml/room") -> Decoded:
    return decoders.decode(topic, json.dumps(records).encode(), NOW_MS)


def test_base_fields_hold_from_their_record_on() -> None:
    decoded = pack(
        {"bn": "urn:dev:a:", "bt": NOW_S - 20, "bu": "Cel", "bv": -20, "n": "t", "v": 1.5},
        {"n": "t", "t": 10, "v": 2},
        {"bn": "urn:dev:b:", "n": "h", "u": "%RH", "v": 81},
    )
    assert told(decoded) == [
        ("senml:urn:dev:a:t", "temperature", -18.5, "Cel"),
        ("senml:urn:dev:a:t", "temperature", -18.0, "Cel"),
        ("senml:urn:dev:b:h", "humidity", 61.0, "%"),
    ]
    assert [NOW_MS - one.recorded_at_ms for one in decoded.measurements] == [20_000, 10_000, 20_000]
    assert {one.time_source for one in decoded.measurements} == {"device"}


@pytest.mark.parametrize(
    ("time", "late_ms"), [({}, 0), ({"t": 0}, 0), ({"t": -5}, 5000), ({"bt": -60, "t": 58.5}, 1500)]
)
def test_small_times_count_from_now(time: dict[str, float], late_ms: int) -> None:
    (one,) = pack({"n": "probe", "u": "Cel", "v": 4, **time}).measurements
    assert (one.recorded_at_ms, one.time_source, one.quality) == (NOW_MS - late_ms, "gateway", "good")


@pytest.mark.parametrize("time", [{"bt": "now"}, {"t": True}, {"t": 1e300}, {"t": 1e13}])
def test_a_time_that_cannot_be_read_makes_the_reading_suspect(time: dict[str, object]) -> None:
    (one,) = pack({"n": "probe", "u": "Cel", "v": 4, **time}).measurements
    assert (one.recorded_at_ms, one.time_source, one.quality) == (NOW_MS, "gateway", "suspect")


@pytest.mark.parametrize(
    ("name", "unit", "value", "expected"),
    [
        ("a", "K", 255.15, ("temperature", -18.0, "Cel")),
        ("a", "Pa", 101_325, ("pressure", 1013.25, "hPa")),
        ("a", "%EL", 80, ("battery", 80.0, "%")),
        ("battery", "V", 2.9, ("battery_voltage", 2.9, "V")),
        ("a", "mV", 2900, ("voltage", 2.9, "V")),
        ("humidity", "/", 0.61, ("humidity", 61.0, "%")),
        ("humidity", "%", 61, ("humidity", 61.0, "%")),
        ("a", "lx", 350, ("illuminance", 350.0, "lx")),
        ("a", "dBm", -71, ("rssi", -71.0, "dBm")),
        ("flow", "m3/s", 2, ("flow", 2.0, "m3/s")),
    ],
)
def test_the_unit_tells_what_is_measured(name: str, unit: str, value: float, expected: tuple[str, float, str]) -> None:
    assert told(pack({"n": name, "u": unit, "v": value})) == [(f"senml:{name}", *expected)]


def test_a_value_without_a_unit_is_read_by_its_name_or_marked() -> None:
    (named, unnamed) = pack({"n": "temperature", "v": 4}, {"n": "x1", "v": 4}).measurements
    assert (named.quantity, named.unit, named.quality) == ("temperature", "Cel", "good")
    assert (unnamed.unit, unnamed.quality) == ("1", "suspect")


def test_yes_and_no_are_read_and_texts_are_not() -> None:
    decoded = pack({"n": "door", "vb": True}, {"n": "fan", "vb": False}, {"n": "label", "vs": "A"}, {"bn": "x"})
    assert told(decoded) == [("senml:door", "contact", 0.0, "bool"), ("senml:fan", "fan", 0.0, "bool")]
    assert decoded.problems == ()


def test_a_broken_record_spares_its_neighbours() -> None:
    decoded = pack(
        {"n": "a", "v": "4"},
        {"v": 4},
        {"n": "b", "v": 4, "must_": 1},
        {"n": "c", "vb": 1},
        {"n": "t", "u": "Cel", "v": 4},
    )
    assert told(decoded) == [("senml:t", "temperature", 4.0, "Cel")]
    assert len(decoded.problems) == 4


def test_a_long_name_is_not_repeated_in_every_record() -> None:
    decoded = pack({"bn": "x" * 60_000, "n": "a", "v": 1}, *[{"n": "b", "v": 1}] * 2000)
    assert decoded.measurements == ()
    assert len(decoded.problems) == 10


def test_a_later_version_is_refused() -> None:
    assert told(pack({"bver": 10, "n": "t", "u": "Cel", "v": 4}))
    with pytest.raises(DecodeError, match="version 11"):
        pack({"bver": 11, "n": "t", "u": "Cel", "v": 4})


def test_a_pack_is_recognised_on_any_topic() -> None:
    record = {"bn": "dev:", "n": "t", "u": "Cel", "v": 4}
    assert told(pack(record, topic="hall/2/list")) == [("senml:dev:t", "temperature", 4.0, "Cel")]


REAL = [b'[{"bn":"urn:dev:ow:10e2:","bt":1768471948,"bu":"Cel","n":"temp","v":-18.9},{"n":"hum","u":"%RH","v":52}]']
KEYS = ["bn", "bt", "bu", "bv", "bver", "n", "u", "v", "vb", "vs", "t", "s"]


@given(st.binary(max_size=60) | changed(REAL) | objects_of(KEYS) | ANY_JSON.map(lambda it: json.dumps(it).encode()))
def test_any_payload_is_decoded_or_refused(payload: bytes) -> None:
    survives(decoders.decode, "senml/a", payload, {})
