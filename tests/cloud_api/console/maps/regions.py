"""A tiny region in PMTiles, written from its specification: water everywhere, on the five tiles of zooms 0 and 1.

https://github.com/protomaps/PMTiles/blob/main/spec/v3/spec.md, https://github.com/mapbox/vector-tile-spec
"""

import gzip
import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_LINE_TO_THREE, _MOVE_TO_ONE, _CLOSE = 3 << 3 | 2, 1 << 3 | 1, 1 << 3 | 7
_DEGREE = 10_000_000
GZIP, ZSTD = 2, 4
CREDIT = "© <a href='#'>OpenStreetMap</a> &amp; friends"


def write_region(path: Path, head: Mapping[str, int] | None = None, *, attribution: str | None = CREDIT) -> Path:
    """Write one; `head` are fields of its head that are to be something else."""
    tile = gzip.compress(_tile())
    root = gzip.compress(bytes([1, 0, 5]) + _varint(len(tile)) + bytes([1]))  # one entry: tile 0, five times; at 0
    told: dict[str, Any] = {"name": "Pond", "vector_layers": [{"id": "water", "fields": {}}]}
    metadata = gzip.compress(json.dumps(told if attribution is None else {**told, "attribution": attribution}).encode())
    root_at = 127
    metadata_at = root_at + len(root)
    tiles_at = metadata_at + len(metadata)
    fields = {
        "version": 3,
        "root_at": root_at,
        "root_bytes": len(root),
        "metadata_at": metadata_at,
        "metadata_bytes": len(metadata),
        "leaves_at": tiles_at,
        "leaves_bytes": 0,
        "tiles_at": tiles_at,
        "tiles_bytes": len(tile),
        "addressed": 5,
        "entries": 1,
        "contents": 1,
        "clustered": 1,
        "packing": GZIP,
        "tile_packing": GZIP,
        "tile_kind": 1,
        "least_zoom": 0,
        "most_zoom": 1,
        "west": -180 * _DEGREE,
        "south": -85 * _DEGREE,
        "east": 180 * _DEGREE,
        "north": 85 * _DEGREE,
        "centre_zoom": 0,
        "centre_longitude": 0,
        "centre_latitude": 0,
        **(head or {}),
    }
    start = struct.pack("<7sB8Q3Q6B4iB2i", b"PMTiles", *fields.values())
    path.write_bytes(start + root + metadata + tile)
    return path


def _tile() -> bytes:
    """All of it is water."""
    size = 4096
    drawn = [_MOVE_TO_ONE, _zigzag(0), _zigzag(0), _LINE_TO_THREE]
    drawn += [_zigzag(step) for move in ((size, 0), (0, size), (-size, 0)) for step in move] + [_CLOSE]
    geometry = b"".join(map(_varint, drawn))
    value = _field(4, _field(1, b"ocean"))
    # its tag: the layer's first key has the layer's first value, kind = "ocean"; its type: a polygon
    feature = _field(2, bytes([0, 0])) + b"\x18\x03" + _field(4, geometry)
    layer = (
        _field(1, b"water") + _field(2, feature) + _field(3, b"kind") + value + b"\x28" + _varint(size) + b"\x78\x02"
    )
    return _field(3, layer)


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _zigzag(number: int) -> int:
    return number << 1 if number >= 0 else (-number << 1) - 1


def _varint(number: int) -> bytes:
    parts = bytearray()
    while number > 127:
        parts.append(number & 127 | 128)
        number >>= 7
    return bytes([*parts, number])
