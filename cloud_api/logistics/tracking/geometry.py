"""Distances on the ground, and how deep inside a fence a point lies.

Latitude and longitude in degrees (WGS 84), distances in metres. A fence's `depth` is signed: negative inside, zero on
its line, positive outside. Near a point the ground is taken as flat: over the few kilometres that matter for a fence
this is off by less than a phone is.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

#: the mean radius (IUGG)
EARTH_M = 6_371_008.8
METRES_PER_DEGREE = math.pi * EARTH_M / 180
Corner = tuple[float, float]


def distance_m(a_latitude: float, a_longitude: float, b_latitude: float, b_longitude: float) -> float:
    """Along the great circle (haversine)."""
    phi_a, phi_b = math.radians(a_latitude), math.radians(b_latitude)
    half_phi, half_lambda = (phi_b - phi_a) / 2, math.radians(b_longitude - a_longitude) / 2
    chord = math.sin(half_phi) ** 2 + math.cos(phi_a) * math.cos(phi_b) * math.sin(half_lambda) ** 2
    return 2 * EARTH_M * math.asin(min(1.0, math.sqrt(chord)))


@dataclass(frozen=True, slots=True)
class Box:
    """What lies between two parallels and two meridians."""

    south: float
    west: float
    north: float
    east: float

    def holds(self, latitude: float, longitude: float, *, margin_m: float = 0.0) -> bool:
        """Whether a point lies in it, or no farther off than the margin."""
        up = margin_m / METRES_PER_DEGREE
        if not self.south - up <= latitude <= self.north + up:
            return False
        along = up / max(0.01, math.cos(math.radians(latitude)))
        return self.west - along <= longitude <= self.east + along


@dataclass(frozen=True, slots=True)
class Circle:
    """Everything within a radius."""

    latitude: float
    longitude: float
    radius_m: float

    def depth_m(self, latitude: float, longitude: float) -> float:
        """How far outside a point lies; negative: how deep inside."""
        return distance_m(self.latitude, self.longitude, latitude, longitude) - self.radius_m

    @property
    def box(self) -> Box:
        """What it lies within."""
        up = self.radius_m / METRES_PER_DEGREE
        along = up / max(0.01, math.cos(math.radians(self.latitude)))
        return Box(self.latitude - up, self.longitude - along, self.latitude + up, self.longitude + along)


@dataclass(frozen=True, slots=True)
class Polygon:
    """What lies between corners, the last of them joined to the first; its edges do not cross."""

    corners: Sequence[Corner]

    def depth_m(self, latitude: float, longitude: float) -> float:
        """How far outside a point lies; negative: how deep inside."""
        along_m = METRES_PER_DEGREE * math.cos(math.radians(latitude))
        around = [((lon - longitude) * along_m, (lat - latitude) * METRES_PER_DEGREE) for lat, lon in self.corners]
        inside, nearest = False, math.inf
        for (ax, ay), (bx, by) in zip(around, [*around[1:], around[0]], strict=True):
            # a ray from the point to the east crosses the edge: each crossing is a change of sides
            if (ay > 0) != (by > 0) and ax + (bx - ax) * ay / (ay - by) > 0:
                inside = not inside
            nearest = min(nearest, _to_edge(ax, ay, bx, by))
        return -nearest if inside else nearest

    @property
    def box(self) -> Box:
        """What it lies within."""
        latitudes, longitudes = zip(*self.corners, strict=True)
        return Box(min(latitudes), min(longitudes), max(latitudes), max(longitudes))

    def crosses_itself(self) -> bool:
        """Whether two edges that are no neighbours meet."""
        edges = [*zip(self.corners, [*self.corners[1:], self.corners[0]], strict=True)]
        last = len(edges) - 1
        return any(
            _meet(*edges[one], *edges[other])
            for one in range(len(edges))
            for other in range(one + 2, len(edges))
            if (one, other) != (0, last)
        )

    def area_m2(self) -> float:
        """By the shoelace formula, on a plane at its middle latitude."""
        middle = sum(latitude for latitude, _ in self.corners) / len(self.corners)
        along_m = METRES_PER_DEGREE * math.cos(math.radians(middle))
        (lat_0, lon_0), *_ = self.corners
        plane = [((lon - lon_0) * along_m, (lat - lat_0) * METRES_PER_DEGREE) for lat, lon in self.corners]
        pairs = zip(plane, [*plane[1:], plane[0]], strict=True)
        return abs(sum(ax * by - bx * ay for (ax, ay), (bx, by) in pairs)) / 2


Shape = Circle | Polygon


def _to_edge(ax: float, ay: float, bx: float, by: float) -> float:
    """From the origin to the nearest point of the edge from a to b."""
    dx, dy = bx - ax, by - ay
    length_2 = dx * dx + dy * dy
    share = 0.0 if length_2 == 0 else min(1.0, max(0.0, -(ax * dx + ay * dy) / length_2))
    return math.hypot(ax + share * dx, ay + share * dy)


def _turn(a: Corner, b: Corner, c: Corner) -> float:
    """Positive: left; negative: right; zero: straight on."""
    return (b[1] - a[1]) * (c[0] - a[0]) - (b[0] - a[0]) * (c[1] - a[1])


def _meet(a: Corner, b: Corner, c: Corner, d: Corner) -> bool:
    """Whether the edge from a to b and the edge from c to d have a point in common."""
    one, other = (_turn(a, b, c), _turn(a, b, d)), (_turn(c, d, a), _turn(c, d, b))
    if one[0] * one[1] < 0 and other[0] * other[1] < 0:
        return True
    touching = ((one[0], a, b, c), (one[1], a, b, d), (other[0], c, d, a), (other[1], c, d, b))
    return any(turn == 0 and _between(start, end, point) for turn, start, end, point in touching)


def _between(a: Corner, b: Corner, point: Corner) -> bool:
    return all(min(p, q) <= r <= max(p, q) for p, q, r in zip(a, b, point, strict=True))
