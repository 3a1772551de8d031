import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import decoders
from gateway.decoders.decoded import Decoded, DecodeError
from tests.gateway.arbitrary import ANY_JSON, changed, objects_of, survives, told
from tests.gateway.running import NOW_MS

TOPIC = "te/device/room///m/environment"


def said(payload: object, topic: str = TOPIC, known: dict[str, str] | None = None) -> Decoded:
    return decoders.decode(topic, json.dumps(payload).encode(), NOW_MS, known or {})


@pytest.mark.parametrize(
    ("topic", "sensor"),
    [
        (TOPIC, "tedge:room"),
        ("te/device/main///m/", "tedge:main"),
        ("te/device/room/service/collectd/m/x", "tedge:room/service/collectd"),
        ("te/factory/hall/packaging/belt-1/m/x", "tedge:factory/hall/packaging/belt-1"),
    ],
)
def test_a_device_is_known_by_its_name(topic: str, sensor: str) -> None:
    assert told(said({"temperature": 4}, topic)) == [(sensor, "temperature", 4.0, "Cel")]


def test_measurements_that_belong_together_are_told_apart() -> None:
    decoded = said({"freezer": {"temperature": -18, "humidity": 61}, "current": {"L1": 9.5, "L2": 1.3}})
    assert told(decoded) == [
        ("tedge:room/freezer", "temperature", -18.0, "Cel"),
        ("tedge:room/freezer", "humidity", 61.0, "%"),
        ("tedge:room/L1", "current", 9.5, "A"),
        ("tedge:room/L2", "current", 1.3, "A"),
    ]


@pytest.mark.parametrize("meta", [{"temperature": {"unit": "°F"}}, {"units": {"temperature": "°F"}}])
def test_units_are_learned_from_the_metadata(meta: object) -> None:
    known = dict(said(meta, f"{TOPIC}/meta").learned)
    assert told(said({"temperature": -0.4}, known=known)) == [("tedge:room", "temperature", -18.0, "Cel")]
    assert said(meta, f"{TOPIC}/meta", known) == Decoded()


@pytest.mark.parametrize("time", ["2026-01-15T10:12:20+00:00", NOW_MS / 1000 - 10])
def test_the_devices_own_time_is_told(time: object) -> None:
    (one,) = said({"time": time, "temperature": 4}).measurements
    assert (one.recorded_at_ms, one.time_source) == (NOW_MS - 10_000, "device")


def test_a_number_that_nothing_explains_is_kept_and_marked() -> None:
    (one,) = said({"three_phase": 7, "ttl": 1}).measurements
    assert (one.quantity, one.value, one.unit, one.quality) == ("three_phase", 7.0, "1", "suspect")


def test_a_broken_value_spares_its_neighbours() -> None:
    decoded = said({"temperature": "cold", "humidity": 61, "pressure": {"a": {"b": 1}}})
    assert told(decoded) == [("tedge:room", "humidity", 61.0, "%")]
    assert len(decoded.problems) == 2


def test_health_tells_whether_a_service_is_there() -> None:
    topic = "te/device/room/service/collectd/status/health"
    assert told(said({"pid": 7, "status": "up"}, topic)) == [("tedge:room/service/collectd", "online", 1.0, "bool")]
    assert told(said({"status": "down"}, topic))[0][2] == 0
    with pytest.raises(DecodeError, match="up or down"):
        said({}, topic)


@pytest.mark.parametrize(
    "topic",
    ["te/device/room//", "te/device/room///e/login", "te/device/room///a/hot", "te/device/room///cmd/restart/1"],
)
def test_what_is_no_measurement_says_nothing(topic: str) -> None:
    assert said({"temperature": 4}, topic) == Decoded()


def test_a_topic_without_a_device_is_refused() -> None:
    with pytest.raises(DecodeError, match="names no device"):
        said({"temperature": 4}, "te/device////m/x")


REAL = [b'{"time":"2026-01-15T10:12:28+00:00","temperature":-20.5,"current":{"L1":9.5}}']
KEYS = ["time", "temperature", "current", "L1", "units", "unit", "status"]
TOPICS = [TOPIC, f"{TOPIC}/meta", "te/device/room///status/health"]


@given(
    st.sampled_from(TOPICS),
    st.binary(max_size=60) | changed(REAL) | objects_of(KEYS) | ANY_JSON.map(lambda it: json.dumps(it).encode()),
)
def test_any_payload_is_decoded_or_refused(topic: str, payload: bytes) -> None:
    survives(decoders.decode, topic, payload, {f"tedge:{TOPIC}#temperature": "°F"})
