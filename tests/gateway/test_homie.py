import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import decoders
from gateway.decoders.decoded import Decoded, DecodeError, Measurement
from tests.gateway.arbitrary import ANY_JSON, changed, objects_of, survives, told
from tests.gateway.running import NOW_MS


def said(topic: str, payload: object, known: dict[str, str] | None = None) -> Decoded:
    content = payload.encode() if isinstance(payload, str) else json.dumps(payload).encode()
    return decoders.decode(topic, content, NOW_MS, known or {})


def described(**attributes: object) -> dict[str, str]:
    nodes = {"air": {"properties": {"t": attributes, "note": {"datatype": "string"}}}}
    return dict(said("homie/5/room/$description", {"homie": "5.0", "version": 1, "nodes": nodes}).learned)


def test_version_5_describes_all_at_once() -> None:
    known = described(datatype="float", unit="°F")
    assert known == {"homie:room/air/t": "float °F", "homie:room/air/note": "string "}
    assert told(said("homie/5/room/air/t", "-0.4", known)) == [("homie:room/air/t", "temperature", -18.0, "Cel")]
    assert said("homie/5/room/air/note", "7", known) == Decoded()


@pytest.mark.parametrize("order", [("$unit", "$datatype"), ("$datatype", "$unit")])
def test_version_4_describes_attribute_by_attribute(order: tuple[str, str]) -> None:
    known: dict[str, str] = {}
    for attribute in order:
        payload = {"$unit": "%", "$datatype": "float"}[attribute]
        known |= said(f"homie/room/air/humidity/{attribute}", payload, known).learned
    (one,) = said("homie/room/air/humidity", "61.5", known).measurements
    assert one == Measurement("homie:room/air/humidity", "humidity", 61.5, "%", NOW_MS)
    assert said("homie/room/air/humidity/$unit", "%", {"homie:room/air/humidity": "float %"}) == Decoded()


def test_what_was_never_described_is_read_by_its_name_and_marked() -> None:
    (named,) = said("homie/room/air/temperature", "4").measurements
    assert (named.quantity, named.unit, named.quality) == ("temperature", "Cel", "suspect")
    (unnamed,) = said("homie/room/air/x", "4").measurements
    assert (unnamed.quantity, unnamed.unit, unnamed.quality) == ("x", "1", "suspect")
    assert said("homie/room/air/mode", "auto") == Decoded()


def test_a_number_that_is_described_without_a_unit_has_none() -> None:
    (one,) = said("homie/room/air/t", "7", described(datatype="integer")).measurements
    assert (one.quantity, one.unit, one.quality) == ("t", "1", "good")
    assert told(said("homie/room/air/t", "7", described(datatype="percent")))[0][2:] == (7.0, "%")


@pytest.mark.parametrize("payload", ["nan", "inf", "1e999", "twenty"])
def test_what_is_no_number_is_never_one(payload: str) -> None:
    with pytest.raises(DecodeError, match="no float"):
        said("homie/5/room/air/t", payload, described(datatype="float", unit="°C"))


def test_yes_and_no_are_read_as_described() -> None:
    known = {"homie:room/dock/door": "boolean ", "homie:room/dock/fan": "boolean "}
    assert told(said("homie/room/dock/door", "true", known)) == [("homie:room/dock/door", "contact", 0.0, "bool")]
    assert told(said("homie/room/dock/fan", "true", known)) == [("homie:room/dock/fan", "fan", 1.0, "bool")]
    assert told(said("homie/room/dock/leak", "false")) == [("homie:room/dock/leak", "water_leak", 0.0, "bool")]
    with pytest.raises(DecodeError, match="true or false"):
        said("homie/room/dock/fan", "on", known)


@pytest.mark.parametrize(
    ("state", "online"), [("ready", 1.0), ("alert", 1.0), ("disconnected", 0.0), ("lost", 0.0), ("sleeping", None)]
)
def test_the_state_tells_whether_the_device_is_there(state: str, online: float | None) -> None:
    for topic in ("homie/room/$state", "homie/5/room/$state"):
        expected = [] if online is None else [("homie:room", "online", online, "bool")]
        assert told(said(topic, state)) == expected
    with pytest.raises(DecodeError, match=r"\$state"):
        said("homie/room/$state", "angry")


def test_the_devices_own_battery_is_among_its_statistics() -> None:
    assert told(said("homie/room/$stats/battery", "80")) == [("homie:room", "battery", 80.0, "%")]
    assert said("homie/room/$stats/uptime", "120") == Decoded()
    with pytest.raises(DecodeError, match="battery"):
        said("homie/room/$stats/battery", "full")


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("homie/room/air/temperature/set", "4"),
        ("homie/5/room/air/temperature/$target", "4"),
        ("homie/5/room/$log/info", "4"),
        ("homie/5/$broadcast/alert", "4"),
        ("homie/room/$name", "Room"),
        ("homie/room/air/$properties", "temperature,humidity"),
        ("homie/room/air/temperature", ""),
        ("homie/room", "x"),
    ],
)
def test_what_is_no_measurement_says_nothing(topic: str, payload: str) -> None:
    assert said(topic, payload) == Decoded()


def test_what_is_remembered_is_bounded() -> None:
    many = {f"p{number}": {"datatype": "float", "unit": "°C"} for number in range(2000)}
    assert len(said("homie/5/room/$description", {"nodes": {"n": {"properties": many}}}).learned) == 512
    assert described(datatype="float", unit="x" * 100) == {"homie:room/air/note": "string "}


REAL = [b'{"homie":"5.0","nodes":{"air":{"properties":{"t":{"datatype":"float","unit":"C"}}}}}', b"21.5", b"ready"]
KEYS = ["nodes", "air", "properties", "t", "datatype", "unit"]
TOPICS = ["homie/5/room/$description", "homie/room/air/t", "homie/room/air/t/$unit", "homie/room/$state", "homie/5/a"]


@given(
    st.sampled_from(TOPICS),
    st.binary(max_size=60) | changed(REAL) | objects_of(KEYS) | ANY_JSON.map(lambda it: json.dumps(it).encode()),
    st.sampled_from([{}, {"homie:room/air/t": "float °C"}, {"homie:room/air/t": "boolean"}, {"homie:room/air/t": ""}]),
)
def test_any_payload_is_decoded_or_refused(topic: str, payload: bytes, known: dict[str, str]) -> None:
    survives(decoders.decode, topic, payload, known)
