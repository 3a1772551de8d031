"""What holds for all decoders."""

import json
import math
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import case_files, decoders
from gateway.decoders.decoded import Decoded, DecodeError, Known
from gateway.decoders.mapping import MappingSettings, ValueSettings, compiled
from tests.gateway.instants import NOW_MS
from tests.gateway.test_corpus import CORPUS, known_before, told

CASES = [case_files.read(path) for path in CORPUS]
PAYLOADS = [case.bytes() for case in CASES]
MAPPINGS = decoders.with_mappings(
    compiled(
        [
            MappingSettings(
                "mapped/{name}/#",
                "{name}-{$.id}",
                [ValueSettings("$.t[*]", "temperature", "[degF]", scale=1e300), ValueSettings("$$.h", "humidity", "%")],
                timestamp="$.ts",
                timestamp_format="ms",
                quality="$.q",
            )
        ]
    )
)
TOPICS = [
    *sorted({case.topic for case in CASES}),
    "shellies/a/ext_temperature/0",
    "shellies/a/info",
    "x/y/events/rpc",
    "x/online",
    "x/status/temperature:0",
    "homie/a/b/c",
    "te/device/a///m/b/meta",
    "mapped/a/b",
    "unknown",
]
#: what all messages of the corpus have taught, and nothing
LEARNED: list[Known] = [
    {},
    {key: entry for path in CORPUS for key, entry in known_before(path).items()},
]

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def _keys_of(document: object) -> set[str]:
    if isinstance(document, list):
        return set().union(*map(_keys_of, document))
    return set(document).union(*map(_keys_of, document.values())) if isinstance(document, dict) else set()


#: keys that decoders look for, with anything behind them
_keys = st.sampled_from(sorted(_keys_of([told(path).get("payload") for path in CORPUS])))
_known_keys = st.dictionaries(_keys, _json, max_size=5).map(lambda message: json.dumps(message).encode())


@st.composite
def _mutated(draw: st.DrawFn) -> bytes:
    """A message of the corpus with something in it replaced, or cut, or with bytes changed."""
    payload = draw(st.sampled_from(PAYLOADS))
    kind = draw(st.sampled_from(["value", "cut", "bytes"]))
    if kind == "value":
        try:
            return json.dumps(_replaced(json.loads(payload), draw)).encode()
        except ValueError:
            kind = "cut"
    if kind == "cut":
        return payload[: draw(st.integers(0, len(payload)))]
    changed = bytearray(payload)
    for _ in range(draw(st.integers(1, 3))):
        changed[draw(st.integers(0, len(changed) - 1))] = draw(st.integers(0, 255))
    return bytes(changed)


def _replaced(document: object, draw: st.DrawFn) -> object:
    if isinstance(document, dict) and document and draw(st.integers(0, 3)):
        key = draw(st.sampled_from(sorted(document)))
        return {**document, key: _replaced(document[key], draw)}
    if isinstance(document, list) and document and draw(st.booleans()):
        return [_replaced(document[0], draw), *document[1:]]
    return draw(_json)


def check(decoded: Decoded) -> None:
    """What the pipeline relies on."""
    for measurement in decoded.measurements:
        assert type(measurement.value) is float
        assert math.isfinite(measurement.value) or measurement.quality != "good"
        assert measurement.sensor
        assert measurement.quantity
        assert measurement.unit
    for seen in decoded.sightings:
        assert bytes.fromhex(seen.read.epc)
        assert type(seen.read.rssi_dbm) in (float, type(None))
    for weighing in decoded.weighings:
        assert (weighing.weight_kg is None) == (weighing.quality == "bad")
        assert weighing.weight_kg is None or math.isfinite(weighing.weight_kg)
    for problem in decoded.problems:
        assert problem
    for key, entry in decoded.learned.items():
        assert ":" in key
        assert isinstance(entry, str)


@settings(max_examples=400)
@given(
    st.sampled_from(TOPICS),
    _mutated() | _known_keys | st.binary(max_size=60) | _json.map(lambda it: json.dumps(it).encode()),
    st.sampled_from(LEARNED),
)
def test_any_payload_is_decoded_or_refused(topic: str, payload: bytes, known: Known) -> None:
    try:
        decoded = MAPPINGS(topic, payload, NOW_MS, known)
    except DecodeError:
        return
    check(decoded)
    assert case_files.readings(decoded) is not None


@given(st.text(max_size=40), st.sampled_from([b"{}", b"21.5", b"online", b'{"temperature": 4}', b""]))
def test_any_topic_is_decoded_or_refused(topic: str, payload: bytes) -> None:
    with suppress(DecodeError):
        check(decoders.decode(topic, payload, NOW_MS))


def test_an_unknown_topic_is_told_what_is_known() -> None:
    with pytest.raises(DecodeError, match=r"topics begin with zigbee2mqtt/.*scale/, or are <prefix>/events/rpc"):
        decoders.decode("room/3", b"warm", NOW_MS)


@pytest.mark.parametrize("payload", [b'{"temperature": 4', b"[" * 9999, b'{"temperature": NaN}', b"{\xff}"])
def test_broken_json_on_a_topic_of_nobodys_is_told_to_be_that(payload: bytes) -> None:
    with pytest.raises(DecodeError, match="not JSON"):
        decoders.decode("room/3", payload, NOW_MS)


def test_a_topic_that_nobody_chose_is_refused() -> None:
    (one,) = decoders.decode("zigbee2mqtt/" + "a" * 500, b'{"temperature": 4}', NOW_MS).measurements
    assert one.sensor == "z2m:" + "a" * 500
    with pytest.raises(DecodeError, match="60012 letters"):
        decoders.decode("zigbee2mqtt/" + "a" * 60_000, b'{"temperature": 4}', NOW_MS)


@pytest.mark.parametrize(
    "topic", ["homie/5/super-car/$description", "shellies/shellyht-1/info", "spBv1.0/a/DBIRTH/b/c"]
)
def test_what_teaches_is_read_although_a_broker_has_kept_it(topic: str) -> None:
    assert decoders.teaches(topic)
    assert not decoders.teaches("zigbee2mqtt/room")
