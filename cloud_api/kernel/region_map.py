"""The map of a region that an operator has put beside the platform: one file in PMTiles, version 3, with vector tiles.

Only its head is read here, so that a file which no browser could draw is named at the start; browsers fetch the rest
in ranges. Layout: https://github.com/protomaps/PMTiles/blob/main/spec/v3/spec.md
"""

import gzip
import json
import re
import struct
import zlib
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import BinaryIO, NamedTuple

_HEAD = struct.Struct("<7sB8Q3Q6B4iB2i")
_MAGIC, _VERSION = b"PMTiles", 3
_VECTORS = 1
_PLAIN, _GZIP = 1, 2
_TAG = re.compile(r"<[^>]*>")
#: whom to name when the file does not say: extracts of Protomaps are made of their work
_OPENSTREETMAP = "© OpenStreetMap contributors"
_DEGREE = 10_000_000
_MOST_TOLD = 300


class Unreadable(ValueError):
    """The file is no map that a browser could draw; the sentence says why."""


@dataclass(frozen=True)
class RegionMap:
    """A region's map.

    Args:
        attribution: whom to name beside it, as plain text.
        bounds: south, west, north and east of what it covers, in degrees.
        most_zoom: of its finest tiles; nearer than that they are drawn larger.
        stamp: another one when the file is another.
    """

    path: Path
    attribution: str
    bounds: tuple[float, float, float, float]
    most_zoom: int
    stamp: str


class _Head(NamedTuple):
    """The first 127 bytes."""

    magic: bytes
    version: int
    root_offset: int
    root_length: int
    metadata_offset: int
    metadata_length: int
    leaves_offset: int
    leaves_length: int
    tiles_offset: int
    tiles_length: int
    addressed_tiles: int
    entries: int
    contents: int
    is_clustered: int
    packing: int
    tile_packing: int
    tile_kind: int
    least_zoom: int
    most_zoom: int
    west: int
    south: int
    east: int
    north: int
    centre_zoom: int
    centre_longitude: int
    centre_latitude: int


def read(path: Path) -> RegionMap:
    """What the head of a file says.

    Raises:
        Unreadable: when it is no PMTiles file, is cut short, or holds what browsers do not draw.
        OSError: when it cannot be opened.
    """
    stat = path.stat()
    with path.open("rb") as file:
        head = _head(file, stat.st_size)
        _unpacked(file, head.root_offset, head.root_length, head.packing)
        told = _unpacked(file, head.metadata_offset, head.metadata_length, head.packing)
    south, west, north, east = (one / _DEGREE for one in (head.south, head.west, head.north, head.east))
    if not (-90 <= south < north <= 90 and -180 <= west < east <= 180):
        raise Unreadable("it does not say where on Earth its region is")
    return RegionMap(
        path,
        attribution=_attribution(told),
        bounds=(south, west, north, east),
        most_zoom=head.most_zoom,
        stamp=f"{stat.st_mtime_ns:x}-{stat.st_size:x}",
    )


def _head(file: BinaryIO, size: int) -> _Head:
    start = file.read(_HEAD.size)
    if len(start) < _HEAD.size or not start.startswith(_MAGIC):
        raise Unreadable("this is no PMTiles file")
    head = _Head._make(_HEAD.unpack(start))
    if head.version != _VERSION:
        raise Unreadable(f"it is in version {head.version} of PMTiles, and browsers draw version {_VERSION}")
    if head.tile_kind != _VECTORS:
        raise Unreadable("its tiles are pictures: vector tiles are needed")
    if {head.packing, head.tile_packing} - {_PLAIN, _GZIP}:
        raise Unreadable("it is packed in a way that browsers do not unpack: gzip is needed")
    ends = (
        head.root_offset + head.root_length,
        head.metadata_offset + head.metadata_length,
        head.leaves_offset + head.leaves_length,
        head.tiles_offset + head.tiles_length,
    )
    if max(ends) > size:
        raise Unreadable(f"it is cut short: {max(ends)} bytes are announced, {size} are there")
    return head


def _unpacked(file: BinaryIO, offset: int, length: int, packing: int) -> bytes:
    file.seek(offset)
    part = file.read(length)
    try:
        return gzip.decompress(part) if packing == _GZIP and part else part
    except (OSError, EOFError, zlib.error):
        raise Unreadable("its directory cannot be unpacked: the file is spoilt") from None


def _attribution(told: bytes) -> str:
    try:
        said = json.loads(told or b"{}")
    except ValueError:
        raise Unreadable("what it says of itself is no JSON: the file is spoilt") from None
    written = said.get("attribution") if isinstance(said, dict) else None
    if not isinstance(written, str):
        return _OPENSTREETMAP
    return " ".join(unescape(_TAG.sub(" ", written)).split())[:_MOST_TOLD] or _OPENSTREETMAP
