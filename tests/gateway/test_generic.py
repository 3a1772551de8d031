import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import decoders
from gateway.decoders import quantities
from gateway.decoders.decoded import Decoded, DecodeError
from tests.gateway.arbitrary import ANY_JSON, changed, objects_of, survives, told
from tests.gateway.running import NOW_MS


def said(payload: object, topic: str = "hall/2/room") -> Decoded:
    return decoders.decode(topic, json.dumps(payload).encode(), NOW_MS)


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("temperature", -18.4, ("temperature", -18.4, "Cel")),
        ("temp_c", "-18.4", ("temperature", -18.4, "Cel")),
        ("tempF", -0.4, ("temperature", -18.0, "Cel")),
        ("temperatureCelsius", 4, ("temperature", 4.0, "Cel")),
        ("Temperature (°F)", 32, ("temperature", 0.0, "Cel")),
        ("temperature_k", 273.15, ("temperature", 0.0, "Cel")),
        ("rh", 61, ("humidity", 61.0, "%")),
        ("humidity_pct", 61, ("humidity", 61.0, "%")),
        ("relativeHumidity", 61, ("humidity", 61.0, "%")),
        ("pressure_pa", 101_325, ("pressure", 1013.25, "hPa")),
        ("battery", 80, ("battery", 80.0, "%")),
        ("battery_mv", 2985, ("battery_voltage", 2.985, "V")),
        ("batteryVoltage", 2.985, ("battery_voltage", 2.985, "V")),
        ("battery", 2985, ("battery_voltage", 2.985, "V")),
        ("bat", 2.985, ("battery_voltage", 2.985, "V")),
        ("batt", 3, ("battery", 3.0, "%")),
        ("vbat", 2.985, ("battery_voltage", 2.985, "V")),
        ("RSSI", -71, ("rssi", -71.0, "dBm")),
        ("co2_ppm", 640, ("co2", 640.0, "ppm")),
        ("light_lux", 12, ("illuminance", 12.0, "lx")),
        ("door_open", True, ("contact", 0.0, "bool")),
        ("door", "closed", ("contact", 1.0, "bool")),
        ("leak", "wet", ("water_leak", 1.0, "bool")),
        ("weight_kg", 12.5, ("mass", 12.5, "kg")),
    ],
)
def test_a_key_says_what_it_is(key: str, value: object, expected: tuple[str, float, str]) -> None:
    assert told(said({"id": "a", key: value})) == [("generic:a", *expected)]


@pytest.mark.parametrize(
    ("key", "part"),
    [("temp1", "1"), ("temp_c_2", "2"), ("freezer_temp_c", "freezer"), ("probe2Temperature", "probe_2")],
)
def test_what_else_a_key_says_tells_parts_of_a_sensor_apart(key: str, part: str) -> None:
    assert told(said({"id": "a", key: 4})) == [(f"generic:a/{part}", "temperature", 4.0, "Cel")]


@pytest.mark.parametrize("key", ["timeout", "version", "a", "contemporary", "interval_s", "c", "rpm", "temp_rate_pa"])
def test_a_key_that_says_nothing_is_left_alone(key: str) -> None:
    assert quantities.named(key) is None


@pytest.mark.parametrize("key", ["sensor_id", "deviceId", "dev_id", "id", "SN", "mac", "serialNumber", "node"])
def test_a_sensor_is_known_by_its_own_name(key: str) -> None:
    assert told(said({key: "F-7", "temperature": 4}))[0][0] == "generic:F-7"
    assert told(said({key: 7, "temperature": 4}))[0][0] == "generic:7"


def test_a_sensor_without_a_name_is_known_by_its_topic() -> None:
    assert told(said({"temperature": 4}))[0][0] == "generic:hall/2/room"


@pytest.mark.parametrize("key", ["ts", "timestamp", "time", "datetime", "measuredAt", "time_ms", "epoch"])
@pytest.mark.parametrize(
    "value",
    [
        "2026-01-15T10:12:20Z",
        "2026-01-15T12:12:20.000+0200",
        NOW_MS // 1000 - 10,
        NOW_MS - 10_000,
        str(NOW_MS - 10_000),
        (NOW_MS - 10_000) * 1000,
        (NOW_MS - 10_000) * 1_000_000,
    ],
)
def test_a_time_is_read_in_all_its_forms(key: str, value: object) -> None:
    (one,) = said({key: value, "temperature": 4}).measurements
    assert (one.recorded_at_ms, one.time_source, one.quality) == (NOW_MS - 10_000, "device", "good")


@pytest.mark.parametrize(
    ("value", "quality"),
    [
        ("2026-01-15 10:12:20", "good"),
        (12, "good"),
        (None, "good"),
        ("soon", "suspect"),
        (1e300, "suspect"),
        ([], "suspect"),
    ],
)
def test_a_time_that_cannot_be_trusted_is_none(value: object, quality: str) -> None:
    (one,) = said({"ts": value, "temperature": 4}).measurements
    assert (one.recorded_at_ms, one.time_source, one.quality) == (NOW_MS, "gateway", quality)


def test_values_may_stand_in_an_object_of_their_own() -> None:
    assert told(said({"device_id": "a", "data": {"temperature": 4, "rh": 61}, "config": {"temperature": 7}})) == [
        ("generic:a", "temperature", 4.0, "Cel"),
        ("generic:a", "humidity", 61.0, "%"),
    ]


def test_a_value_may_stand_beside_its_unit() -> None:
    message = {"id": "a", "temperature": {"value": -0.4, "unit": "F"}, "humidity": {"value": 61}, "fan": {"value": 1}}
    assert told(said(message)) == [
        ("generic:a", "temperature", -18.0, "Cel"),
        ("generic:a", "humidity", 61.0, "%"),
    ]


def test_a_bare_number_is_what_the_end_of_its_topic_says() -> None:
    assert told(said(-18.2, "site/freezer7/temperature")) == [("generic:site/freezer7", "temperature", -18.2, "Cel")]
    assert told(said(61, "freezer7/probe_2_rh")) == [("generic:freezer7/probe_2", "humidity", 61.0, "%")]
    for topic in ("site/freezer7/value", "temperature"):
        with pytest.raises(DecodeError, match="bare number"):
            said(4, topic)


def test_records_may_stand_in_an_array() -> None:
    assert told(said([{"id": "a", "temperature": 4}, {"id": "b", "temperature": 5}])) == [
        ("generic:a", "temperature", 4.0, "Cel"),
        ("generic:b", "temperature", 5.0, "Cel"),
    ]
    with pytest.raises(DecodeError, match="at most"):
        said([{"temperature": 4}] * 1001)


def test_a_record_may_name_its_quantity_and_its_unit() -> None:
    assert told(said({"id": "a", "type": "temperature", "value": -0.4, "unit": "°F"})) == [
        ("generic:a", "temperature", -18.0, "Cel")
    ]
    assert told(said({"id": "a", "temp": -0.4, "rh": 61, "unit": "F"})) == [
        ("generic:a", "temperature", -18.0, "Cel"),
        ("generic:a", "humidity", 61.0, "%"),
    ]


@pytest.mark.parametrize("value", [None, "", "unavailable", "unknown"])
def test_a_value_that_is_not_there_is_no_problem(value: object) -> None:
    assert said({"id": "a", "temperature": value}) == Decoded()


def test_a_broken_value_spares_its_neighbours() -> None:
    decoded = said({"temperature": "nan", "humidity": 61, "battery": {}, "door": 7, "pressure_kpa": 1.7e308})
    assert told(decoded) == [("generic:hall/2/room", "humidity", 61.0, "%")]
    assert len(decoded.problems) == 3


@pytest.mark.parametrize("payload", [{}, {"id": "a", "state": "ON"}, {"uptime": 7, "fw": "1.2"}, []])
def test_a_message_of_which_nothing_is_recognised_is_refused(payload: object) -> None:
    with pytest.raises(DecodeError, match="no key names a quantity"):
        said(payload)


def king_pigeon(*data: dict[str, object], **more: object) -> Decoded:
    return said({"sensorDatas": list(data), **more}, "D4AD20B7A3")


def test_king_pigeons_nodes_count_in_tenths() -> None:
    decoded = king_pigeon(
        {"flag": "TEMP8", "value": -184},
        {"flag": "HUMI8", "value": 450},
        {"flag": "ILLU8", "value": 230},
        {"flag": "CO28", "value": 400},
        time="10:12:20 01/15/2026 UTC",
    )
    assert told(decoded) == [
        ("kingpigeon:D4AD20B7A3/TEMP8", "temperature", -18.4, "Cel"),
        ("kingpigeon:D4AD20B7A3/HUMI8", "humidity", 45.0, "%"),
        ("kingpigeon:D4AD20B7A3/ILLU8", "illuminance", 230.0, "lx"),
        ("kingpigeon:D4AD20B7A3/CO28", "co2", 400.0, "ppm"),
    ]
    assert {(one.recorded_at_ms, one.time_source) for one in decoded.measurements} == {(NOW_MS - 10_000, "device")}


def test_king_pigeons_inputs_say_not_what_they_measure() -> None:
    decoded = king_pigeon(
        {"addTime": "2026-01-15 10:12:20", "value": "10.0", "flag": "AIN1"},
        {"addTime": "2026-01-15 10:12:20", "switcher": "1", "flag": "DI1"},
        {"addTime": "2026-01-15 10:12:20", "lat": 39.9, "lng": 116.3, "flag": ""},
        {"addTime": "2026-01-15 10:12:20", "str": "1", "flag": "REG20014"},
        {"addTime": "2026-01-15 10:12:20", "value": "21.5", "flag": "TEMP"},
    )
    assert told(decoded) == [
        ("kingpigeon:D4AD20B7A3/AIN1", "ain", 10.0, "1"),
        ("kingpigeon:D4AD20B7A3/DI1", "contact", 1.0, "bool"),
        ("kingpigeon:D4AD20B7A3/TEMP", "temperature", 21.5, "Cel"),
    ]
    assert [one.quality for one in decoded.measurements] == ["suspect", "good", "good"]
    assert {one.time_source for one in decoded.measurements} == {"gateway"}


def test_what_king_pigeons_platform_tells_a_device_is_no_measurement() -> None:
    assert king_pigeon({"sensorsId": 211267, "switcher": 1, "flag": "DO1"}, down="down") == Decoded()


REAL = [
    b'{"sensor_id":"freezer7","ts":"2026-01-15T10:12:28Z","temperature_c":-19.2,"humidity":55}',
    b'{"sensorDatas":[{"flag":"TEMP8","value":288},{"flag":"DI1","switcher":"0"}],"time":"07:16:17 06/16/2021 UTC"}',
]
KEYS = [
    "sensor_id",
    "ts",
    "temperature_c",
    "temp1",
    "battery_mv",
    "data",
    "value",
    "type",
    "unit",
    "door",
    "sensorDatas",
]
KEYS += ["flag", "switcher", "time", "addTime", "down"]


@given(st.binary(max_size=60) | changed(REAL) | objects_of(KEYS) | ANY_JSON.map(lambda it: json.dumps(it).encode()))
def test_any_payload_is_decoded_or_refused(payload: bytes) -> None:
    survives(decoders.decode, "a/b", payload, {})


@given(st.text(max_size=40), st.text(max_size=30))
def test_any_name_and_unit_mean_something(name: str, unit: str) -> None:
    quantities.named(name)
    meaning = quantities.meaning(name, unit)
    assert meaning.quantity
    assert quantities.slug(name)
