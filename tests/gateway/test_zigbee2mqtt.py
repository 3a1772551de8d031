import json
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import decoders
from gateway.decoders.decoded import Decoded, DecodeError, Measurement
from tests.gateway.instants import NOW_MS

DAY_MS = 24 * 3600 * 1000


def state(payload: object, name: str = "room") -> Decoded:
    return decoders.decode(f"zigbee2mqtt/{name}", json.dumps(payload).encode(), NOW_MS)


@pytest.mark.parametrize(
    ("last_seen", "recorded_at_ms"),
    [
        (NOW_MS - 1500, NOW_MS - 1500),
        ("2026-01-15T12:12:29+02:00", NOW_MS - 1000),
        ("2026-01-15T10:12:28.500Z", NOW_MS - 1500),
        (NOW_MS - 400 * DAY_MS, NOW_MS - 400 * DAY_MS),
    ],
)
def test_the_devices_own_time_is_told(last_seen: object, recorded_at_ms: int) -> None:
    (measurement,) = state({"temperature": 4, "last_seen": last_seen}).measurements
    assert (measurement.recorded_at_ms, measurement.time_source) == (recorded_at_ms, "device")
    assert measurement.quality == "good"


@pytest.mark.parametrize("last_seen", ["2026-01-15T10:12:29", "yesterday", True, 1.5, []])
def test_a_time_that_cannot_be_read_makes_the_reading_suspect(last_seen: object) -> None:
    (measurement,) = state({"temperature": 4, "last_seen": last_seen}).measurements
    assert (measurement.recorded_at_ms, measurement.time_source) == (NOW_MS, "gateway")
    assert measurement.quality == "suspect"


def test_zero_is_a_temperature_and_null_is_none() -> None:
    assert state({"temperature": 0, "humidity": None}).measurements == (
        Measurement("z2m:room", "temperature", 0.0, "Cel", NOW_MS),
    )


def test_a_broken_value_is_a_problem_and_spares_its_neighbours() -> None:
    decoded = state({"temperature": "-18.4", "humidity": 61, "battery": True, "pressure": 10**400})
    assert [measurement.quantity for measurement in decoded.measurements] == ["humidity"]
    assert [problem.partition(":")[0] for problem in decoded.problems] == ["temperature", "pressure", "battery"]


def test_a_battery_speaks_millivolts_and_a_plug_volts() -> None:
    battery, plug = state({"voltage": 2985}), state({"voltage": 229.4})
    assert [(one.quantity, one.value, one.unit) for one in battery.measurements] == [("battery_voltage", 2.985, "V")]
    assert [(one.quantity, one.value, one.unit) for one in plug.measurements] == [("voltage", 229.4, "V")]


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({"contact": False, "tamper": False}, [("", "contact", 0.0, "bool")]),
        ({"occupancy": True, "presence": True}, [("", "occupancy", 1.0, "bool")]),
        ({"illuminance": 21000, "illuminance_lux": 126}, [("", "illuminance", 126.0, "lx")]),
        (
            {"device_temperature": 31, "power": 12.5},
            [("", "device_temperature", 31.0, "Cel"), ("", "power", 12.5, "W")],
        ),
        (
            {"temperature": 4, "temperature_probe": -18.5},
            [("", "temperature", 4, "Cel"), ("/probe", "temperature", -18.5, "Cel")],
        ),
        (
            {"co2": 640, "pm25": 3, "soil_moisture": 41},
            [("", "co2", 640, "ppm"), ("", "pm25", 3, "ug/m3"), ("", "soil_moisture", 41, "%")],
        ),
    ],
)
def test_what_a_device_measures_has_one_name_and_one_unit(payload: object, expected: list[object]) -> None:
    found = [
        (one.sensor.removeprefix("z2m:room"), one.quantity, one.value, one.unit) for one in state(payload).measurements
    ]
    assert found == expected


def test_a_friendly_name_may_hold_slashes() -> None:
    assert state({"temperature": 4}, "hall 2/freezer").measurements[0].sensor == "z2m:hall 2/freezer"
    assert state({"state": "online"}, "hall 2/freezer/availability").measurements == (
        Measurement("z2m:hall 2/freezer", "online", 1.0, "bool", NOW_MS),
    )


@pytest.mark.parametrize(("payload", "value"), [(b"online", 1.0), (b"offline", 0.0)])
def test_the_older_availability_is_a_bare_word(payload: bytes, value: float) -> None:
    (measurement,) = decoders.decode("zigbee2mqtt/room/availability", payload, NOW_MS).measurements
    assert (measurement.quantity, measurement.value) == ("online", value)


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("zigbee2mqtt/bridge/devices", b"[1"),
        ("zigbee2mqtt/bridge/logging", b'{"temperature": 4}'),
        ("zigbee2mqtt/room/set", b'{"temperature": 4}'),
        ("zigbee2mqtt/room/get", b""),
        ("zigbee2mqtt/room", b""),
        ("zigbee2mqtt/lamp", b'{"state": "ON", "color": {"x": 0.3}, "update": {"installed_version": 3}}'),
    ],
)
def test_what_is_no_measurement_says_nothing(topic: str, payload: bytes) -> None:
    assert decoders.decode(topic, payload, NOW_MS) == Decoded()


@pytest.mark.parametrize(
    "payload",
    [
        b'{"temperature": 4',
        b"\xff\xfe",
        b'{"\x80temperature": 4}',
        b"21.5",
        b"[]",
        b'{"temperature": NaN}',
        b'{"temperature": 1e999}',
        b"[" * 9999,
    ],
)
def test_what_is_no_json_object_is_refused_with_a_reason(payload: bytes) -> None:
    with pytest.raises(DecodeError, match="JSON"):
        decoders.decode("zigbee2mqtt/room", payload, NOW_MS)


@pytest.mark.parametrize("topic", ["zigbee2mqtt", "zigbee2mqtt/"])
def test_a_topic_without_a_device_is_refused(topic: str) -> None:
    with pytest.raises(DecodeError, match="names no device"):
        decoders.decode(topic, b"{}", NOW_MS)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_keys = st.sampled_from(["temperature", "humidity", "voltage", "contact", "last_seen", "state", "color"])
_times = st.datetimes(timezones=st.timezones() | st.none()).map(datetime.isoformat)
_payloads = st.one_of(
    st.binary(max_size=60),
    st.dictionaries(_keys, _json | _times, max_size=5).map(lambda message: json.dumps(message).encode()),
)


@given(st.sampled_from(["zigbee2mqtt/a", "zigbee2mqtt/a/availability", "other"]), _payloads)
def test_any_payload_is_decoded_or_refused(topic: str, payload: bytes) -> None:
    try:
        decoded = decoders.decode(topic, payload, NOW_MS)
    except DecodeError:
        return
    for measurement in decoded.measurements:
        assert type(measurement.value) is float
