"""Great circles: distances and travel times from coordinates alone, where no roads are known."""

import math
from collections.abc import Sequence

import numpy as np

from route_optimizer.matrices.points import Point, check_factor, check_points
from route_optimizer.problem import Matrix

#: mean radius of the Earth (IUGG), metres
EARTH_M = 6_371_008.8
#: rows computed at once: keeps what is held beside the result small at 10,000 places
BLOCK = 512


class GreatCircles:
    """The `Ways` of any number of places, worked out when asked for: it holds coordinates, never a matrix.

    The chord of two unit vectors gives the angle between them without the cancellation that the cosine suffers from
    at short distances. One pair and a whole matrix round alike: `metres` is what `among` has in its cell.
    """

    def __init__(self, points: Sequence[Point], *, detour_factor: float = 1.3, speed_kmh: float = 50.0) -> None:
        """Of places in the order of their rows; see `haversine` for the arguments and what they may be."""
        check_points(points)
        check_factor("detour_factor", detour_factor, 10)
        check_factor("speed_kmh", speed_kmh, 1_000)
        latitude, longitude = np.radians(np.array(points, dtype=float).reshape(-1, 2)).T
        self._unit = np.stack(
            [np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)], axis=1
        )
        self._vectors: list[list[float]] = self._unit.tolist()
        self._radius_m = EARTH_M * detour_factor
        self._seconds_per_m = 3.6 / speed_kmh

    @property
    def places(self) -> int:
        """How many places it knows."""
        return len(self._vectors)

    def metres(self, origin: int, destination: int) -> int:
        """The distance; every place can be reached."""
        (x, y, z), (to_x, to_y, to_z) = self._vectors[origin], self._vectors[destination]
        east, north, up = x - to_x, y - to_y, z - to_z
        half_chord = min(math.sqrt(east * east + north * north + up * up) / 2, 1.0)
        # numpy's arcsine, not that of `math`: they may differ in the last bit, and then a pair by a metre
        return round(2 * float(np.arcsin(half_chord)) * self._radius_m)

    def seconds(self, origin: int, destination: int) -> int:
        """The travel time."""
        return round(self.metres(origin, destination) * self._seconds_per_m)

    def among(self, places: Sequence[int]) -> Matrix:
        """The ways among some places only; its row n is `places[n]`."""
        unit = self._unit[np.asarray(places, dtype=np.intp)]
        distance_m = np.empty((len(unit), len(unit)), dtype=np.int64)
        for first in range(0, len(unit), BLOCK):
            rows = slice(first, first + BLOCK)
            square = sum((unit[rows, axis, None] - unit[None, :, axis]) ** 2 for axis in range(3))
            angle = 2 * np.arcsin(np.minimum(np.sqrt(square) / 2, 1))
            distance_m[rows] = np.rint(angle * self._radius_m)
        return Matrix(distance_m, np.rint(distance_m * self._seconds_per_m).astype(np.int64))


def haversine(points: Sequence[Point], *, detour_factor: float = 1.3, speed_kmh: float = 50.0) -> Matrix:
    """Great-circle distances times a detour factor, and the time they take at one speed.

    Roads are longer than the crow flies by a factor that differs by region, mostly 1.2 to 1.6: see `detour` to measure
    it. The matrix takes 16 bytes a pair; for many thousands of places there is `GreatCircles`.

    Args:
        points: all places, in the order of the matrix's rows.
        detour_factor: metres of road per metre of great circle.
        speed_kmh: average speed on the road.

    Raises:
        ProblemError: when a coordinate is not on Earth, the factor is not 1 to 10, or the speed not 1 to 1,000.
    """
    return GreatCircles(points, detour_factor=detour_factor, speed_kmh=speed_kmh).among(range(len(points)))
