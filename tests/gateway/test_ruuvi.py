import json

import pytest

from gateway import decoders
from gateway.decoders.decoded import Decoded, DecodeError, Measurement
from tests.gateway.instants import NOW_MS

GATEWAY, TAG = "C8:25:2D:8E:9C:2C", "CB:B8:33:4C:88:4F"
#: the documentation's own vectors of data format 5
VALID = "0512FC5394C37C0004FFFC040CAC364200CDCBB8334C884F"
HIGHEST = "057FFFFFFEFFFE7FFF7FFF7FFFFFDEFEFFFECBB8334C884F"
LOWEST = "058001000000008001800180010000000000CBB8334C884F"
NOTHING = "058000FFFFFFFF800080008000FFFFFFFFFFFFFFFFFFFFFF"


def advertisement(data: str) -> str:
    return f"0201061BFF9904{data}"


def heard(data: str, *, topic: str = f"ruuvi/{GATEWAY}/{TAG}", **fields: object) -> Decoded:
    message = {"gw_mac": GATEWAY, "rssi": -60, "gwts": "1768471949", "ts": "1768471948", "data": data, **fields}
    return decoders.decode(topic, json.dumps(message).encode(), NOW_MS)


def values(decoded: Decoded) -> dict[str, float]:
    return {one.quantity: one.value for one in decoded.measurements if one.quantity != "rssi"}


@pytest.mark.parametrize(
    ("vector", "expected"),
    [
        (VALID, {"temperature": 24.3, "humidity": 53.49, "pressure": 1000.44, "battery_voltage": 2.977}),
        (HIGHEST, {"temperature": 163.835, "humidity": 163.835, "pressure": 1155.34, "battery_voltage": 3.646}),
        (LOWEST, {"temperature": -163.835, "humidity": 0.0, "pressure": 500.0, "battery_voltage": 1.6}),
        (NOTHING, {}),
    ],
)
def test_the_makers_vectors_give_the_makers_values(vector: str, expected: dict[str, float]) -> None:
    assert values(heard(advertisement(vector))) == pytest.approx(expected)


def test_a_sensor_that_cannot_measure_raises_no_false_alarm() -> None:
    decoded = heard(advertisement(NOTHING))
    assert decoded.measurements == (Measurement(f"ruuvi:{TAG}", "rssi", -60.0, "dBm", 1_768_471_948_000, "device"),)
    assert decoded.identity is None


def test_two_gateways_that_hear_one_measurement_are_known_to() -> None:
    here = heard(advertisement(VALID))
    there = heard(advertisement(VALID), topic=f"ruuvi/AA:BB:CC:DD:EE:FF/{TAG.lower()}", rssi=-80, ts="1768471949")
    assert here.identity == there.identity
    assert here.identity is not None
    next_one = VALID[:34] + "CE" + VALID[36:]
    assert heard(advertisement(next_one)).identity != here.identity
    a_day_later = heard(advertisement(VALID), ts=str(1_768_471_948 + 86_400))
    assert a_day_later.identity != here.identity


@pytest.mark.parametrize(("ts", "at_ms"), [(1768471948, 1_768_471_948_000), ("16", NOW_MS), (None, NOW_MS)])
def test_time_comes_as_text_as_number_or_not_at_all(ts: object, at_ms: int) -> None:
    measurements = heard(advertisement(VALID), ts=ts).measurements
    assert {(one.recorded_at_ms, one.quality) for one in measurements} == {(at_ms, "good")}


@pytest.mark.parametrize(
    "data",
    [
        "",
        "zz",
        None,
        17,
        "0201061BFF9904",
        advertisement(VALID)[:-2],
        "0201061BFF4C00" + VALID,
        "020106",
        "00",
        "0201061AFF9904" + VALID[:-2],
        "02010611FF990404291A1ECE1EFC18F94202CA0B53",
    ],
)
def test_what_is_no_format_5_is_refused(data: object) -> None:
    with pytest.raises(DecodeError):
        heard(data)  # type: ignore[arg-type]


def test_the_gateway_tells_how_it_is() -> None:
    (gone,) = decoders.decode(f"ruuvi/{GATEWAY}/gw_status", b'{"state":"offline"}', NOW_MS).measurements
    assert gone == Measurement(f"ruuvi:{GATEWAY}", "online", 0.0, "bool", NOW_MS)
    for topic, payload in ((f"ruuvi/{GATEWAY}/gw_status", b'{"state":1}'), (f"ruuvi/{GATEWAY}/x", b"{}")):
        with pytest.raises(DecodeError):
            decoders.decode(topic, payload, NOW_MS)


def air(data: str) -> str:
    return f"{len(data) // 2 + 3:02X}FF9904{data}"


@pytest.mark.parametrize(
    ("vector", "expected"),
    [
        # the documentation's vectors of the other formats, their reserved bytes set
        (
            "03291A1ECE1EFC18F94202CA0B53",
            {"temperature": 26.3, "humidity": 20.5, "pressure": 1027.66, "battery_voltage": 2.899},
        ),
        (
            "0301814500000000000000000000",
            {"temperature": -1.69, "humidity": 0.5, "pressure": 500.0, "battery_voltage": 0},
        ),
        (
            "C512FC5394C37CAC364200CDCBB8334C884F",
            {"temperature": 24.3, "humidity": 53.49, "pressure": 1000.44, "battery_voltage": 2.977},
        ),
        (
            "06170C5668C79E007000C90501D9FFCD004C884F",
            {"temperature": 29.5, "humidity": 55.3, "pressure": 1011.02, "pm25": 11.2, "co2": 201, "voc_index": 10}
            | {"nox_index": 2, "illuminance": 13026.67},
        ),
        (
            "E1170C5668C79E0065007004BD11CA00C90A0213E0ACFFFFFFDECDEE10FFFFFFFFFFCBB8334C884F",
            {"temperature": 29.5, "humidity": 55.3, "pressure": 1011.02, "pm1": 10.1, "pm25": 11.2, "pm4": 121.3}
            | {"pm10": 455.4, "co2": 201, "voc_index": 20, "nox_index": 4, "illuminance": 13027.0},
        ),
        ("068000FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", {}),
        ("E18000" + "FF" * 37, {}),
    ],
)
def test_the_other_formats_give_the_makers_values(vector: str, expected: dict[str, float]) -> None:
    assert values(heard(air(vector))) == pytest.approx(expected)


def test_indices_that_are_still_learned_are_suspect() -> None:
    vector = "E1170C5668C79E0065007004BD11CA00C90A0213E0ACFFFFFFDECDEE11FFFFFFFFFFCBB8334C884F"
    doubted = {one.quantity for one in heard(air(vector)).measurements if one.quality != "good"}
    assert doubted == {"voc_index", "nox_index"}


def test_a_sequence_of_eight_bits_says_little_for_long() -> None:
    vector = "06170C5668C79E007000C90501D9FFCD004C884F"
    now, soon, later = (heard(air(vector), ts=str(1_768_471_920 + after)).identity for after in (0, 10, 300))
    assert now == soon
    assert now != later


def test_a_gateway_may_decode_by_itself() -> None:
    decoded = {"temperature": 4.5, "humidity": 61.0, "pressure": 101325, "voltage": 2.9, "measurementSequenceNumber": 7}
    message = {"gw_mac": GATEWAY, "rssi": -60, "ts": 1768471948, "dataFormat": 5, **decoded}
    found = decoders.decode(f"ruuvi/{GATEWAY}/{TAG}", json.dumps(message).encode(), NOW_MS)
    assert values(found) == {"temperature": 4.5, "humidity": 61.0, "pressure": 1013.25, "battery_voltage": 2.9}
    assert found.identity is not None


def test_the_users_prefix_may_be_another_one() -> None:
    topic = f"site/7/{GATEWAY}/{TAG}"
    assert heard(advertisement(VALID), topic=topic) == heard(advertisement(VALID))
