"""What holds for all decoders."""

import json
import math
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import decoders
from gateway.decoders.decoded import Decoded, DecodeError
from tests.gateway.running import NOW_MS
from tests.gateway.test_corpus import CORPUS, read

CASES = [read(path) for path in CORPUS]
TOPICS = [
    *sorted({case.topic for case in CASES}),
    "shellies/a/ext_temperature/0",
    "x/y/events/rpc",
    "x/online",
    "unknown",
]

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def _mutated(draw: st.DrawFn) -> bytes:
    """A message of the corpus with something in it replaced, or cut, or with bytes changed."""
    payload = draw(st.sampled_from(CASES)).bytes
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


@given(st.sampled_from(TOPICS), _mutated() | st.binary(max_size=60) | _json.map(lambda it: json.dumps(it).encode()))
def test_any_payload_is_decoded_or_refused(topic: str, payload: bytes) -> None:
    try:
        decoded = decoders.decode(topic, payload, NOW_MS)
    except DecodeError:
        return
    for measurement in decoded.measurements:
        assert type(measurement.value) is float
    for seen in decoded.sightings:
        assert bytes.fromhex(seen.read.epc)
        assert type(seen.read.rssi_dbm) in (float, type(None))
    for weighing in decoded.weighings:
        assert (weighing.weight_kg is None) == (weighing.quality == "bad")
        assert weighing.weight_kg is None or math.isfinite(weighing.weight_kg)


@given(st.text(max_size=40))
def test_any_topic_is_decoded_or_refused(topic: str) -> None:
    with suppress(DecodeError):
        assert isinstance(decoders.decode(topic, b"{}", NOW_MS), Decoded)


def test_an_unknown_topic_is_told_what_is_known() -> None:
    with pytest.raises(DecodeError, match=r"topics begin with zigbee2mqtt/.*scale/, or are <prefix>/events/rpc"):
        decoders.decode("tele/room/SENSOR", b"{}", NOW_MS)


def test_every_maker_has_messages_in_the_corpus() -> None:
    sources = {path.stem for path in Path(decoders.__file__).parent.glob("*.py")}
    shared = {"__init__", "decoded", "device_time", "json_payload", "rfid", "milesight"}
    assert sources - shared == {path.parent.name for path in CORPUS}
