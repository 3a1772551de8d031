"""What is sealed comes out bit by bit as it went in, and is small."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.telemetry.stores.packing import Spoilt, pack, unpack
from cloud_api.telemetry.stores.port import Readings
from tests.factories.streams import readings_of, rows_of

_INTEGERS = st.integers(-(1 << 63), (1 << 63) - 1)
_DECIMALS = st.integers(-(10**9), 10**9).map(lambda number: number / 100)
_VALUES = st.one_of(st.floats(), _DECIMALS, st.sampled_from([0.0, -0.0, 1e300, 5e-324, 0.1 + 0.2]))


@st.composite
def arbitrary_readings(draw: st.DrawFn) -> Readings:
    count = draw(st.integers(1, 60))

    def some(kind: st.SearchStrategy[int]) -> list[int]:
        return draw(st.lists(kind, min_size=count, max_size=count))

    of_one_kind = draw(st.sampled_from([_DECIMALS, _VALUES]))
    values = draw(st.lists(of_one_kind, min_size=count, max_size=count))
    return Readings(
        np.array(some(_INTEGERS), np.int64),
        np.array(some(_INTEGERS), np.int64),
        np.array(values, np.float64),
        np.array(some(st.integers(0, 2)), np.int8),
    )


@given(readings=arbitrary_readings())
def test_whatever_is_packed_comes_out_bit_by_bit_the_same(readings: Readings) -> None:
    assert rows_of(unpack(pack(readings))) == rows_of(readings)


@given(readings=arbitrary_readings(), data=st.data())
def test_a_spoilt_day_is_refused_and_never_read_wrong(readings: Readings, data: st.DataObject) -> None:
    packed = bytearray(pack(readings))
    packed = packed[: data.draw(st.integers(0, len(packed) - 1))]
    with pytest.raises(Spoilt):
        unpack(bytes(packed))


@pytest.mark.parametrize(("every_s", "goal"), [(60, 3.0), (300, 4.0)])
def test_a_days_temperatures_take_a_few_bytes_each(every_s: int, goal: float) -> None:
    random = np.random.default_rng(1)
    count = 86_400 // every_s
    times_ms = 1_769_846_400_000 + np.arange(count) * every_s * 1000 + random.integers(0, 200, count)
    values = np.round(4 + np.cumsum(random.normal(0, 0.02, count)), 2)
    readings = readings_of(times_ms.tolist(), values.tolist())
    assert len(pack(readings)) / count <= goal
