"""Places on Earth."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from route_optimizer.validation import ProblemError


class Point(NamedTuple):
    """A place on Earth, WGS 84 degrees."""

    latitude: float
    longitude: float


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


def check_factor(name: str, value: float, most: float) -> None:
    """That a detour factor or a speed is a number from 1 to `most`.

    Raises:
        ProblemError: naming it, when it is not.
    """
    if not (math.isfinite(value) and 1 <= value <= most):
        raise ProblemError(name, f"is {value}", f"give a number from 1 to {most:,.0f}")
