"""Distances, and photos of doors."""

import math
import random
import struct
import zlib

#: mean radius of the earth, metres (IUGG)
EARTH_RADIUS_M = 6_371_009


def distance_m(start: tuple[float, float], end: tuple[float, float]) -> float:
    """Great-circle distance of two (latitude, longitude) in degrees, by the haversine formula."""
    lat1, lon1, lat2, lon2 = (math.radians(angle) for angle in (*start, *end))
    half = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(half))


def photograph(dice: random.Random, side_px: int = 48) -> bytes:
    """A small PNG in which no two pixels need be alike: a photo nobody took before."""
    rows = b"".join(b"\x00" + dice.randbytes(3 * side_px) for _ in range(side_px))
    header = struct.pack(">IIBBBBB", side_px, side_px, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
