"""Metres and seconds between places that somebody asks about."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cloud_api.kernel.settings import Settings
from cloud_api.logistics.dispatch.problems import Roads, matrix_of
from cloud_api.logistics.dispatch.roads import RoadMap
from cloud_api.logistics.dispatch.schemas import (
    Constraints,
)
from cloud_api.logistics.dispatch.view_schemas import (
    MatrixRead,
    PointWrite,
)
from route_optimizer.matrices import Point


async def matrix(points: Sequence[PointWrite], said: Constraints, settings: Settings) -> MatrixRead:
    """As a plan would take them: by the server that knows the roads, or by great circles. Outside any transaction."""
    places = [Point(each.latitude, each.longitude) for each in points]
    roads = Roads(said.speed_kmh, said.detour_factor)
    server = RoadMap.of(settings)
    if server is not None:
        roads = await server.roads(places, otherwise=roads)
    ways = matrix_of(places, roads)
    return MatrixRead(
        source=roads.source or "great circles", distance_m=_told(ways.distance_m), duration_s=_told(ways.duration_s)
    )


def _told(array: NDArray[np.int64]) -> list[list[int | None]]:
    return [[None if value < 0 else value for value in row] for row in array.tolist()]
