"""Distances and travel times from coordinates alone, where no roads are known."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from route_optimizer.problem import Matrix
from route_optimizer.validation import ProblemError

#: mean radius of the Earth (IUGG), metres
EARTH_M = 6_371_008.8
#: rows computed at once: keeps what is held beside the result small at 10,000 places
BLOCK = 512


class Point(NamedTuple):
    """A place on Earth, WGS 84 degrees."""

    latitude: float
    longitude: float


def haversine(points: Sequence[Point], *, detour_factor: float = 1.3, speed_kmh: float = 50.0) -> Matrix:
    """Great-circle distances times a detour factor, and the time they take at one speed.

    The chord of two unit vectors gives the angle between them without the cancellation that the cosine suffers from
    at short distances. Roads are longer than the crow flies by a factor that differs by region, mostly 1.2 to 1.6.

    Args:
        points: all places, in the order of the matrix's rows.
        detour_factor: metres of road per metre of great circle.
        speed_kmh: average speed on the road.

    Raises:
        ProblemError: when a coordinate is not on Earth, the factor is below 1, or the speed not above 0.
    """
    check_points(points)
    if not (math.isfinite(detour_factor) and 1 <= detour_factor <= 10):
        raise ProblemError("detour_factor", f"is {detour_factor}", "give a number from 1 to 10")
    if not (math.isfinite(speed_kmh) and 1 <= speed_kmh <= 1_000):
        raise ProblemError("speed_kmh", f"is {speed_kmh}", "give a number from 1 to 1,000")
    latitude, longitude = np.radians(np.array(points, dtype=float).reshape(-1, 2)).T
    unit = np.stack(
        [np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)], axis=1
    )
    distance_m = np.empty((len(points), len(points)), dtype=np.int64)
    for first in range(0, len(points), BLOCK):
        rows = slice(first, first + BLOCK)
        square = sum((unit[rows, axis, None] - unit[None, :, axis]) ** 2 for axis in range(3))
        angle = 2 * np.arcsin(np.minimum(np.sqrt(square) / 2, 1))
        distance_m[rows] = np.rint(angle * (EARTH_M * detour_factor))
    duration_s = np.rint(distance_m * (3.6 / speed_kmh)).astype(np.int64)
    return Matrix(distance_m, duration_s)


def check_points(points: Sequence[Point]) -> None:
    """That each point is on Earth.

    Raises:
        ProblemError: naming the first that is not.
    """
    for row, (latitude, longitude) in enumerate(points):
        for name, value, bound in (("latitude", latitude, 90), ("longitude", longitude, 180)):
            if not (math.isfinite(value) and -bound <= value <= bound):
                raise ProblemError(
                    f"points[{row}].{name}",
                    f"is {value}",
                    f"give degrees from -{bound} to {bound}: look up the address",
                )
