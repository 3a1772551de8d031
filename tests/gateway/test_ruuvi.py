import json

import pytest

from gateway import decoders
from gateway.decoders.decoded import Decoded, DecodeError, Measurement
from tests.gateway.running import NOW_MS

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
        "02010611FF990403291A1ECE1EFC18F94202CA0B53",
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
