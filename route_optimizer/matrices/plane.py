"""Distances in a plane, computed where they are asked for: ten thousand places would fill 800 MB otherwise."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from route_optimizer.problem import Matrix


@dataclass(frozen=True, eq=False, slots=True)
class Plane:
    """Places in a plane of which travel takes as long as the way is; see `problem.Ways`."""

    #: plain units, shape (places, 2)
    points: NDArray[np.float64]
    #: whole numbers in one unit
    scale: int
    #: to the nearest, halves up; else truncated
    nearest: bool = False

    @property
    def places(self) -> int:
        """How many places it knows."""
        return len(self.points)

    def metres(self, origin: int, destination: int) -> int:
        """The distance."""
        x, y = self.points[origin] - self.points[destination]
        return int(self._whole(np.hypot(x, y)))

    def seconds(self, origin: int, destination: int) -> int:
        """The travel time: the same."""
        return self.metres(origin, destination)

    def among(self, places: Sequence[int]) -> Matrix:
        """The ways among some places only; its row n is `places[n]`."""
        chosen = self.points[np.asarray(places, dtype=np.intp)]
        x, y = (chosen[:, None, axis] - chosen[None, :, axis] for axis in (0, 1))
        whole = self._whole(np.hypot(x, y)).astype(np.int64)
        return Matrix(whole, whole)

    def _whole(self, units: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.floor(units * self.scale + (0.5 if self.nearest else 0.0))
