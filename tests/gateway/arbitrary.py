"""What nobody would send, for decoders that must never break: any JSON, real messages with something changed."""

import json
import math
from collections.abc import Mapping, Sequence

from hypothesis import strategies as st

from gateway.decoders.decoded import Decoded, DecodeError, LearningDecode
from tests.gateway.running import NOW_MS

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def changed(draw: st.DrawFn, payloads: Sequence[bytes]) -> bytes:
    """One of the payloads, cut, or with bytes replaced, or taken out, or put in."""
    payload = bytearray(draw(st.sampled_from(payloads)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(payload) - 1)))
        match draw(st.sampled_from(["replace", "remove", "insert", "cut"])):
            case "replace" if payload:
                payload[at] = draw(st.integers(0, 255))
            case "remove":
                del payload[at : at + draw(st.integers(1, 4))]
            case "insert":
                payload[at:at] = draw(st.binary(min_size=1, max_size=4))
            case _:
                del payload[at:]
    return bytes(payload)


def objects_of(keys: Sequence[str]) -> st.SearchStrategy[bytes]:
    """JSON objects with keys that mean something and values that may be anything, one level deep or two."""
    told = ANY_JSON | st.sampled_from(["nan", "1e400", "-3.5", "ON", "2026-01-15T10:12:29Z", 1e308, 10**400, -127])
    flat = st.dictionaries(st.sampled_from(keys), told, max_size=5)
    nested = st.dictionaries(st.sampled_from(keys), told | flat | st.lists(flat, max_size=3), max_size=5)
    return (flat | nested | st.lists(flat, max_size=3)).map(lambda message: json.dumps(message).encode())


def survives(decode: LearningDecode, topic: str, payload: bytes, known: Mapping[str, str]) -> Decoded | None:
    """Decode; None when it was refused. What comes out keeps the promises that every decoder makes."""
    try:
        decoded = decode(topic, payload, NOW_MS, known)
    except DecodeError:
        return None
    for measurement in decoded.measurements:
        assert type(measurement.value) is float
        assert math.isfinite(measurement.value)
        assert measurement.sensor.partition(":")[2]
        assert measurement.quantity
        assert 0 < len(measurement.unit) <= 20
        assert measurement.unit != "bool" or measurement.value in (0, 1)
    for seen in decoded.sightings:
        assert bytes.fromhex(seen.read.epc)
    for key, entry in decoded.learned.items():
        assert known.get(key) != entry
        assert len(key) + len(entry) < 1500
    return decoded


def told(decoded: Decoded) -> list[tuple[str, str, float, str]]:
    """(sensor, quantity, value, unit) of each measurement."""
    return [(one.sensor, one.quantity, one.value, one.unit) for one in decoded.measurements]
