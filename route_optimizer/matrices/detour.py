"""How much longer roads are than the crow flies in one region, measured on a sample of its own places."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from route_optimizer.matrices.points import Point, check_points
from route_optimizer.matrices.sources import Source
from route_optimizer.matrices.sphere import GreatCircles
from route_optimizer.problem import UNREACHABLE, Matrix
from route_optimizer.validation import ProblemError

#: destinations of one sampled origin: most sources search once for all of them
FROM_ONE_ORIGIN = 5
#: metres as the crow flies: nearer pairs tell about one-way streets, not about the region
NEAREST_M = 250
#: a region has been sampled when so many pairs were found
FEWEST = 10


@dataclass(frozen=True)
class Detour:
    """A region's roads, in two numbers for `haversine`, and how far single ways stray from them."""

    #: metres of road per metre of great circle: half of the pairs have less
    factor: float
    #: on the road, half of the pairs are slower
    speed_kmh: float
    #: a tenth of the pairs have a smaller factor, a tenth a larger one
    factor_range: tuple[float, float]
    #: a tenth of the pairs are slower, a tenth faster
    speed_range_kmh: tuple[float, float]
    #: that were measured
    pairs: int

    def great_circles(self, points: Sequence[Point]) -> GreatCircles:
        """The ways among places of the region by these two numbers, worked out when asked for."""
        return GreatCircles(points, detour_factor=self.factor, speed_kmh=self.speed_kmh)

    def haversine(self, points: Sequence[Point]) -> Matrix:
        """The same as a matrix."""
        return self.great_circles(points).among(range(len(points)))


def fit(points: Sequence[Point], source: Source, *, pairs: int = 50, seed: int = 0) -> Detour:
    """Measure a region's detour factor and speed on a sample of ordered pairs.

    Medians, so that neither a ferry nor a river without a bridge bends them: `Detour.factor_range` shows those. A pair
    that no road connects, or that lies closer together than `NEAREST_M`, does not count.

    Args:
        points: places of the region; the more like the real stops, the better.
        source: who knows its roads.
        pairs: how many to ask for.
        seed: of the sample.

    Raises:
        ProblemError: when a coordinate is not on Earth, or fewer than `FEWEST` pairs can be measured.
        SourceError: when the source cannot answer.
    """
    check_points(points)
    crow = GreatCircles(points, detour_factor=1.0)
    chance = random.Random(seed)  # noqa: S311 - a sample, not a secret
    measured: list[tuple[float, float]] = []
    for _ in range(-(-pairs // FROM_ONE_ORIGIN) if points else 0):
        origin = chance.randrange(len(points))
        far = [row for row in range(len(points)) if crow.metres(origin, row) >= NEAREST_M]
        some = chance.sample(far, min(FROM_ONE_ORIGIN, len(far)))
        if not some:
            continue
        table = source.table([points[origin]], [points[row] for row in some])
        for row, metres, seconds in zip(some, table.distance_m[0], table.duration_s[0], strict=True):
            if metres != UNREACHABLE and metres > 0 and seconds > 0:
                measured.append((metres / crow.metres(origin, row), 3.6 * metres / seconds))
    if len(measured) < FEWEST:
        raise ProblemError(
            "points",
            f"have only {len(measured)} pairs that a road connects, of {pairs} sampled",
            f"give places at least {NEAREST_M} m apart, on the source's map; {FEWEST} pairs are the least",
        )
    factors, speeds = np.array(measured).T
    return Detour(
        # a road is no shorter than the crow flies: less is a place that was moved to its road
        factor=max(1.0, float(np.median(factors))),
        speed_kmh=max(1.0, float(np.median(speeds))),
        factor_range=_tenths(factors),
        speed_range_kmh=_tenths(speeds),
        pairs=len(measured),
    )


def _tenths(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> tuple[float, float]:
    low, high = np.quantile(values, (0.1, 0.9))
    return float(low), float(high)
