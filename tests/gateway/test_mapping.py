import json
import re
import tomllib
from pathlib import Path

import msgspec
import pytest

from gateway import decoders
from gateway.decoders import mapping
from gateway.decoders.decoded import Decoded, DecodeError, Measurement
from gateway.errors import ConfigError
from tests.gateway.instants import NOW_MS

ROOT = Path(__file__).parents[2]


def compiled(text: str) -> list[mapping.Mapping]:
    told = tomllib.loads(text)["mappings"]
    return mapping.compiled(msgspec.convert(told, list[mapping.MappingSettings]))


def read(text: str, payload: object, topic: str = "plant/north/7/data") -> Decoded:
    content = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return decoders.with_mappings(compiled(text))(topic, content, NOW_MS, {})


SIMPLE = """
[[mappings]]
topic = "plant/{hall}/+/data"
sensor = "generic:{hall}-{$.id}"
timestamp = "$.ts"
timestamp_format = "ms"
quality = "$.state"
good = ["ok", 0]
suspect = ["old"]
[[mappings.values]]
path = "$.values.t"
quantity = "temperature"
unit = "[degF]"
scale = 0.1
offset = 2
[[mappings.values]]
path = "$.door"
quantity = "contact"
unit = "bool"
words = { open = 0, closed = 1 }
"""


def test_a_mapping_says_where_what_stands() -> None:
    message = {"id": 7, "ts": NOW_MS - 1500, "state": "ok", "values": {"t": 30}, "door": "open"}
    assert read(SIMPLE, message).measurements == (
        Measurement("generic:north-7", "temperature", -15.0, "Cel", NOW_MS - 1500, "device"),
        Measurement("generic:north-7", "contact", 0.0, "bool", NOW_MS - 1500, "device"),
    )


@pytest.mark.parametrize(
    ("change", "quality", "is_device_time"),
    [
        ({"state": 0}, "good", True),
        ({"state": "old"}, "suspect", True),
        ({"state": "broken"}, "bad", True),
        ({"state": None}, "bad", True),
        ({"state": "ok", "ts": None}, "good", False),
        ({"state": "ok", "ts": "yesterday"}, "suspect", False),
        ({"state": "ok", "ts": 1768471950}, "suspect", False),
    ],
)
def test_quality_and_time_are_the_devices(change: dict[str, object], quality: str, is_device_time: bool) -> None:
    message = {"id": 7, "ts": NOW_MS, "values": {"t": 30}, **change}
    (one,) = read(SIMPLE, message).measurements
    assert (one.quality, one.time_source) == (quality, "device" if is_device_time else "gateway")


def test_a_mapping_is_asked_before_the_decoders_that_are_built_in() -> None:
    text = """
        [[mappings]]
        topic = "zigbee2mqtt/#"
        sensor = "z2m:mine"
        [[mappings.values]]
        path = "$.temperature"
        quantity = "air_temperature"
        unit = "Cel"
    """
    (one,) = read(text, {"temperature": 4, "humidity": 60}, "zigbee2mqtt/room").measurements
    assert (one.sensor, one.quantity) == ("z2m:mine", "air_temperature")
    assert read(text, {"temperature": 4}, "other/room").measurements[0].quantity == "temperature"


ITEMS = """
[[mappings]]
topic = "all"
sensor = "generic:{$.name}"
records = "$.items[*]"
timestamp = "$$.time"
[[mappings.values]]
path = "$.v[*]"
quantity = "temperature"
unit = "Cel"
part = "probe"
[[mappings.values]]
path = "$['rel. humidity'][-1]"
quantity = "humidity"
unit = "/"
"""


def test_each_record_of_an_array_is_read_as_a_message_of_its_own() -> None:
    items = [{"name": "a", "v": [4, None, "4,5"]}, {"name": "b", "rel. humidity": [0.1, 0.55]}, {"v": [1]}, 3]
    decoded = read(ITEMS, {"time": "2026-01-15T10:12:29Z", "items": items}, "all")
    assert [(one.sensor, one.value) for one in decoded.measurements] == [
        ("generic:a/probe/0", 4.0),
        ("generic:a/probe/2", 4.5),
        ("generic:b", 55.0),
    ]
    assert {one.recorded_at_ms for one in decoded.measurements} == {NOW_MS - 1000}
    assert len(decoded.problems) == 2


@pytest.mark.parametrize(
    ("form", "told", "at_ms"),
    [
        ("s", 1768471948.5, NOW_MS - 1500),
        ("s", "1768471948.5", NOW_MS - 1500),
        ("us", 1768471948500000, NOW_MS - 1500),
        ("ns", 1768471948500000000, NOW_MS - 1500),
        ("%d.%m.%Y %H:%M:%S", "15.01.2026 11:12:28", NOW_MS - 2000),
        ("%d.%m.%Y %H:%M:%S %z", "15.01.2026 11:12:28 +0100", NOW_MS - 2000),
        ("iso8601", "2026-01-15T11:12:28+01:00", NOW_MS - 2000),
        ("iso8601", "2026-01-15T11:12:28", NOW_MS - 2000),
    ],
)
def test_time_is_read_in_the_form_that_was_told(form: str, told: object, at_ms: int) -> None:
    text = SIMPLE.replace('"ms"', f'"{form}"\nutc_offset = "+01:00"')
    (one,) = read(text, {"id": 7, "ts": told, "state": "ok", "values": {"t": 30}}).measurements
    assert (one.recorded_at_ms, one.time_source) == (at_ms, "device")


def test_a_bare_value_is_a_message_too() -> None:
    text = """
        [[mappings]]
        topic = "plant/{name}/temperature"
        sensor = "generic:{name}"
        payload = "text"
        [[mappings.values]]
        path = "$"
        quantity = "temperature"
        unit = "°C"
    """
    (one,) = read(text, b" -18,5\n", "plant/f1/temperature").measurements
    assert (one.sensor, one.value, one.unit) == ("generic:f1", -18.5, "Cel")
    assert read(text, b"nan", "plant/f1/temperature").problems
    assert read(text, b"\xff", "plant/f1/temperature").problems


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        ({"id": 7, "state": "ok"}, "none of the values"),
        ([], "none of the values|does not name"),
        ({"values": {"t": 30}}, "does not name its sensor"),
        ({"id": 7, "values": {"t": True}}, r"\$.values.t: True is no value in \[degF\]"),
        ({"id": 7, "values": {"t": 10**400}}, "is no value"),
        ({"id": 7, "door": "ajar"}, "'ajar' is no value in bool"),
    ],
)
def test_a_message_that_is_not_as_told_is_kept_with_the_reason(message: object, sentence: str) -> None:
    try:
        reason = "; ".join(read(SIMPLE, message).problems)
    except DecodeError as error:
        reason = str(error)
    assert re.search(sentence, reason)


def test_what_is_not_json_is_refused() -> None:
    with pytest.raises(DecodeError, match="not JSON"):
        read(SIMPLE, b"{")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (('"plant/{hall}/+/data"', '"plant/x{hall}/data"'), r"mappings\[0\].topic: the level 'x\{hall\}' mixes"),
        (('"plant/{hall}/+/data"', '"a/#/b"'), r"mappings\[0\].topic: the level '#'"),
        (('"plant/{hall}/+/data"', '"{hall}/{hall}"'), "stands there twice"),
        (("{hall}-{", "{shelf}-{"), r"mappings\[0\].sensor: \{shelf\} is neither"),
        (('"$.values.t"', '"values.t"'), r"mappings\[0\].values\[0\].path: 'values.t' is no path"),
        (('"$.values.t"', '"$.values[x]"'), "is no path"),
        (('"[degF]"', '"furlong"'), r"mappings\[0\].values\[0\].unit: 'furlong' is no unit"),
        (("scale = 0.1", "scale = inf"), r"mappings\[0\].values\[0\].scale"),
        (('"ms"', '"century"'), r"mappings\[0\].timestamp_format: 'century' is unknown"),
        (('"ms"', '"iso8601"\nutc_offset = "CET"'), r"mappings\[0\].utc_offset: 'CET'"),
        (('"ms"', '"ms"\npayload = "xml"'), r"mappings\[0\].payload: 'xml'"),
    ],
)
def test_an_error_names_the_key_and_what_to_do(change: tuple[str, str], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        compiled(SIMPLE.replace(*change, 1))


def test_the_example_of_the_configuration_is_right() -> None:
    example = (ROOT / "deploy" / "gateway.example.toml").read_text()
    text = "\n".join(line.removeprefix("## ") for line in example.splitlines() if line.startswith("## "))
    message = {"items": [{"id": 3, "ts": NOW_MS, "status": "ok", "t": 140, "door": "closed"}]}
    assert [(one.sensor, one.quantity, one.value) for one in read(text, message).measurements] == [
        ("generic:north-3", "temperature", -10.0),
        ("generic:north-3", "contact", 1.0),
    ]
