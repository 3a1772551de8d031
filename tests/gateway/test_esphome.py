import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import decoders
from gateway.decoders.decoded import Decoded, DecodeError, Measurement
from tests.gateway.arbitrary import ANY_JSON, changed, objects_of, survives, told
from tests.gateway.running import NOW_MS

CONFIG = {
    "dev_cla": "temperature",
    "unit_of_meas": "°F",
    "stat_t": "cold/sensor/probe/state",
    "avty_t": "cold/status",
    "dev": {"ids": "a4cf12c0ffee"},
}


def said(topic: str, payload: object, known: dict[str, str] | None = None) -> Decoded:
    content = payload.encode() if isinstance(payload, str) else json.dumps(payload).encode()
    return decoders.decode(topic, content, NOW_MS, known or {})


def learned(**config: object) -> dict[str, str]:
    return dict(said("homeassistant/sensor/cold/probe/config", CONFIG | config).learned)


def test_discovery_teaches_what_a_state_is() -> None:
    known = learned()
    assert known == {"esphome:cold/sensor/probe/state": "temperature °F"}
    assert told(said("cold/sensor/probe/state", "-0.4", known)) == [("esphome:cold/probe", "temperature", -18.0, "Cel")]
    assert said("homeassistant/sensor/cold/probe/config", CONFIG, known) == Decoded()


def test_discovery_may_write_its_keys_in_full_and_share_a_base() -> None:
    full = {"device_class": "humidity", "unit_of_measurement": "%", "state_topic": "~/sensor/h/state", "~": "hall/cold"}
    known = dict(said("homeassistant/sensor/cold/h/config", full).learned)
    assert known == {"esphome:hall/cold/sensor/h/state": "humidity %"}
    assert told(said("hall/cold/sensor/h/state", "61", known)) == [("esphome:hall/cold/h", "humidity", 61.0, "%")]


def test_discovery_may_describe_a_whole_device() -> None:
    components = {
        "a": {"p": "sensor", "dev_cla": "voltage", "unit_of_meas": "mV", "stat_t": "~/sensor/battery_voltage/state"},
        "b": {"p": "binary_sensor", "dev_cla": "door", "stat_t": "~/binary_sensor/gate/state"},
        "c": {"p": "switch", "stat_t": "~/switch/lamp/state"},
    }
    known = said("homeassistant/device/cold/config", {"~": "cold", "cmps": components}).learned
    assert known == {
        "esphome:cold/sensor/battery_voltage/state": "battery_voltage mV",
        "esphome:cold/binary_sensor/gate/state": "door_open",
    }


def test_a_device_class_without_a_unit_has_its_usual_one() -> None:
    assert learned(unit_of_meas=None) == {"esphome:cold/sensor/probe/state": "temperature Cel"}
    assert learned(dev_cla=None) == {"esphome:cold/sensor/probe/state": "temperature °F"}
    assert learned(dev_cla="atmospheric_pressure", unit_of_meas="hPa") == {
        "esphome:cold/sensor/probe/state": "pressure hPa"
    }


@pytest.mark.parametrize(
    ("topic", "config"),
    [
        ("homeassistant/sensor/z/config", {**CONFIG, "value_template": "{{ value_json.temperature }}"}),
        ("homeassistant/sensor/z/config", {**CONFIG, "stat_t": "zigbee2mqtt/room"}),
        ("homeassistant/sensor/z/config", {**CONFIG, "stat_t": "x" * 300 + "/sensor/a/state"}),
        ("homeassistant/sensor/z/config", {**CONFIG, "unit_of_meas": "x" * 300}),
        ("homeassistant/sensor/z/config", ""),
        ("homeassistant/status", "online"),
    ],
)
def test_discovery_of_others_teaches_nothing(topic: str, config: object) -> None:
    assert said(topic, config) == Decoded()


def test_without_discovery_the_name_must_do() -> None:
    assert told(said("cold/sensor/freezer_temperature/state", "-18.4")) == [
        ("esphome:cold/freezer_temperature", "temperature", -18.4, "Cel")
    ]
    (unnamed,) = said("cold/sensor/probe_1/state", "-18.4").measurements
    assert (unnamed.quantity, unnamed.unit, unnamed.quality) == ("probe_1", "1", "suspect")


@pytest.mark.parametrize("payload", ["nan", "NaN", "inf", "-inf", "1e999", "21,5", "open", "0x10", "1_000"])
def test_what_is_no_number_is_never_one(payload: str) -> None:
    with pytest.raises(DecodeError, match="no number"):
        said("cold/sensor/probe/state", payload, learned())


@pytest.mark.parametrize("payload", ["", "unavailable", "unknown", "None", " "])
def test_a_value_that_is_not_there_is_no_problem(payload: str) -> None:
    assert said("cold/sensor/probe/state", payload, learned()) == Decoded()


def test_a_time_of_start_is_no_reading() -> None:
    known = learned(dev_cla="timestamp", unit_of_meas=None)
    assert said("cold/sensor/probe/state", "2026-01-15T10:12:20+00:00", known) == Decoded()


@pytest.mark.parametrize(
    ("name", "device_class", "payload", "expected"),
    [
        ("gate", "door", "ON", ("contact", 0.0)),
        ("gate", "door", "OFF", ("contact", 1.0)),
        ("floor", "moisture", "ON", ("water_leak", 1.0)),
        ("hall", "motion", "OFF", ("occupancy", 0.0)),
        ("door", None, "ON", ("contact", 0.0)),
        ("water_leak", None, "ON", ("water_leak", 1.0)),
        ("compressor", None, "OFF", ("compressor", 0.0)),
    ],
)
def test_a_binary_sensor_is_yes_or_no(
    name: str, device_class: str | None, payload: str, expected: tuple[str, float]
) -> None:
    topic = f"cold/binary_sensor/{name}/state"
    config = {"dev_cla": device_class, "stat_t": topic}
    known = dict(said("homeassistant/binary_sensor/cold/x/config", config).learned)
    assert told(said(topic, payload, known)) == [(f"esphome:cold/{name}", *expected, "bool")]
    with pytest.raises(DecodeError, match="ON or OFF"):
        said(topic, "maybe", known)


def test_the_status_tells_whether_the_node_is_there() -> None:
    assert said("hall/cold/status", "online").measurements == (
        Measurement("esphome:hall/cold", "online", 1.0, "bool", NOW_MS),
    )
    assert said("cold/status", "offline").measurements[0].value == 0
    with pytest.raises(DecodeError, match="online or offline"):
        said("cold/status", "asleep")


@pytest.mark.parametrize("topic", ["cold/switch/lamp/state", "cold/sensor/x/command", "cold/text_sensor/ip/state"])
def test_what_is_no_sensor_says_nothing(topic: str) -> None:
    assert said(topic, "ON") == Decoded()


REAL = [json.dumps(CONFIG).encode(), b"-18.4", b"online", b"ON"]
KEYS = [*CONFIG, "~", "device_class", "unit_of_measurement", "state_topic", "cmps", "value_template"]
TOPICS = ["homeassistant/sensor/a/config", "cold/sensor/probe/state", "cold/binary_sensor/door/state", "cold/status"]


@given(
    st.sampled_from(TOPICS),
    st.binary(max_size=60) | changed(REAL) | objects_of(KEYS) | ANY_JSON.map(lambda it: json.dumps(it).encode()),
    st.sampled_from([{}, learned(), {"esphome:cold/sensor/probe/state": ""}, {"esphome:cold/sensor/probe/state": " "}]),
)
def test_any_payload_is_decoded_or_refused(topic: str, payload: bytes, known: dict[str, str]) -> None:
    survives(decoders.decode, topic, payload, known)
