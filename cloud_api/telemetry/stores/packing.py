"""A stretch of one sensor's readings in few bytes, and back, bit by bit the same.

Every column is turned into integers of 64 bits whose differences are small; these are written byte by byte of their
rank (all lowest bytes, then all second ones) and compressed by zstandard. Differences wrap around, so that nothing is
out of range. Of the forms a column can take the one with the fewest bytes is written:

- times and sequences: differences, or differences of differences (a sensor that keeps its pace costs next to nothing);
- values: differences of the decimal number, when every value is one of at most six places; otherwise each value's bits
  XOR those of the value before;
- qualities: as runs.
"""

import struct
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import zstandard

from cloud_api.telemetry.stores.port import Readings

Integers = npt.NDArray[np.int64]

_VERSION = 1
_HEAD = struct.Struct("<BI")
#: form of the column, bytes a number, bytes that follow
_COLUMN = struct.Struct("<BBI")
#: first and second number
_STARTS = struct.Struct("<qq")

_ONCE, _TWICE, _XOR = 1, 2, 3
#: forms 16 to 22: decimal numbers of 0 to 6 places, by their differences
_DECIMAL = 16
_MOST_PLACES = 6
_LEVEL = 9
#: the integers that a double has without gaps
_EXACT = 1 << 53


class Spoilt(Exception):
    """Not what `pack` has written."""


def pack(readings: Readings) -> bytes:
    """Readings of one sensor, at least one, by (time, sequence)."""
    values = [_packed(form, _differences(numbers, form)) for form, numbers in _forms_of(readings.values)]
    return b"".join(
        (
            _HEAD.pack(_VERSION, len(readings)),
            _smallest_of(readings.times_ms),
            _smallest_of(readings.sequences),
            min(values, key=len),
            _runs(readings.qualities),
        )
    )


def unpack(packed: bytes) -> Readings:
    """What was packed.

    Raises:
        Spoilt: when something else comes out than was put in, or nothing.
    """
    try:
        version, count = _HEAD.unpack_from(packed)
        if version != _VERSION:
            raise Spoilt(f"version {version} of packed readings is not known here")
        reader = _Reader(packed, _HEAD.size)
        times_ms, sequences = reader.integers(count), reader.integers(count)
        return Readings(times_ms, sequences, reader.values(count), reader.runs(count))
    except (struct.error, ValueError, zstandard.ZstdError) as error:
        raise Spoilt(f"packed readings cannot be read: {error}") from error


class _Reader:
    """Columns, one after the other."""

    def __init__(self, packed: bytes, offset: int) -> None:
        self._packed, self._offset = packed, offset
        self._decompress: Callable[[bytes], bytes] = zstandard.ZstdDecompressor().decompress

    def integers(self, count: int) -> Integers:
        """A column as integers."""
        return self._column(count)[1]

    def values(self, count: int) -> npt.NDArray[np.float64]:
        """A column of values."""
        form, numbers = self._column(count)
        if form == _XOR:
            return numbers.view(np.float64)
        return numbers / 10.0 ** (form - _DECIMAL)

    def runs(self, count: int) -> npt.NDArray[np.int8]:
        """A column of runs."""
        (size,) = struct.unpack_from("<I", self._packed, self._offset)
        begin = self._offset + 4
        table = np.frombuffer(self._packed, "<u4", 2 * size, begin).reshape(size, 2)
        self._offset = begin + 8 * size
        qualities: npt.NDArray[np.int8] = np.repeat(table[:, 0].astype(np.int8), table[:, 1])
        if len(qualities) != count:
            raise Spoilt(f"{len(qualities)} qualities of {count} readings")
        return qualities

    def _column(self, count: int) -> tuple[int, Integers]:
        form, width, size = _COLUMN.unpack_from(self._packed, self._offset)
        begin = self._offset + _COLUMN.size + _STARTS.size
        first, second = _STARTS.unpack_from(self._packed, self._offset + _COLUMN.size)
        self._offset = begin + size
        planes = np.frombuffer(self._decompress(self._packed[begin : self._offset]), np.uint8)
        small = np.ascontiguousarray(planes.reshape(width, -1).T).view(f"<u{width}").ravel().astype(np.uint64)
        numbers = small if form == _XOR else (small >> np.uint64(1)) ^ (np.uint64(0) - (small & np.uint64(1)))
        made = _summed(numbers.view(np.int64), form, first, second)
        if len(made) < count:
            raise Spoilt(f"{len(made)} numbers of {count} readings")
        return form, made[:count]


def _smallest_of(numbers: Integers) -> bytes:
    return min((_packed(form, _differences(numbers, form)) for form in (_ONCE, _TWICE)), key=len)


def _forms_of(values: npt.NDArray[np.float64]) -> list[tuple[int, Integers]]:
    """Each form that brings back every bit of the values, with its integers."""
    forms = [(_XOR, values.view(np.int64))]
    for places in range(_MOST_PLACES + 1):
        with np.errstate(over="ignore", invalid="ignore"):
            scaled = np.rint(values * 10.0**places)
            if not np.all(np.abs(scaled) < _EXACT):
                break
            numbers = scaled.astype(np.int64)
        if np.array_equal((numbers / 10.0**places).view(np.int64), values.view(np.int64)):
            forms.append((_DECIMAL + places, numbers))
            break
    return forms


def _differences(numbers: Integers, form: int) -> tuple[int, int, npt.NDArray[np.uint64]]:
    """The first number, the second, and what leads from each to the next, as small unsigned numbers."""
    first, second = int(numbers[0]), int(numbers[1]) if len(numbers) > 1 else 0
    if form == _XOR:
        return first, 0, (numbers[1:] ^ numbers[:-1]).view(np.uint64)
    steps = np.diff(numbers)
    if form == _TWICE:
        steps = np.diff(steps)
    else:
        second = 0
    return first, second, ((steps << 1) ^ (steps >> 63)).view(np.uint64)


def _summed(steps: Integers, form: int, first: int, second: int) -> Integers:
    """`_differences` backwards."""
    if form == _XOR:
        return np.bitwise_xor.accumulate(np.concatenate(([np.int64(first)], steps)))
    start = np.array([first], np.int64)
    if form == _TWICE:
        slope = np.cumsum(np.concatenate((np.array([second], np.int64) - start, steps)))
        return np.cumsum(np.concatenate((start, slope)))
    return np.cumsum(np.concatenate((start, steps)))


def _packed(form: int, column: tuple[int, int, npt.NDArray[np.uint64]]) -> bytes:
    first, second, small = column
    largest = int(small.max()) if len(small) else 0
    width = next(width for width in (1, 2, 4, 8) if largest < 1 << 8 * width)
    planes = np.ascontiguousarray(small.astype(f"<u{width}").view(np.uint8).reshape(-1, width).T)
    body = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True).compress(planes.tobytes())
    return _COLUMN.pack(form, width, len(body)) + _STARTS.pack(first, second) + body


def _runs(qualities: npt.NDArray[np.int8]) -> bytes:
    begins = np.flatnonzero(np.concatenate(([True], qualities[1:] != qualities[:-1])))
    lengths = np.diff(np.concatenate((begins, [len(qualities)])))
    table = np.column_stack((qualities[begins].astype("<u4"), lengths.astype("<u4")))
    return struct.pack("<I", len(begins)) + np.ascontiguousarray(table, "<u4").tobytes()
