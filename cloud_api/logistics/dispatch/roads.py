"""Ways on real roads, as a server knows them; where there is none, or it does not answer, great circles do."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from cloud_api.kernel.settings import Settings
from cloud_api.logistics.dispatch.problems import Roads
from cloud_api.logistics.dispatch.solver import Task
from route_optimizer.matrices import Point
from route_optimizer.matrices.calls import Patience
from route_optimizer.matrices.servers import Google, Osrm, Valhalla
from route_optimizer.matrices.sources import Source, SourceError, survey

log = structlog.get_logger(__name__)

#: nobody waits for a server longer than for the plan itself
_PATIENCE = Patience(timeout_s=20.0, tries=2, longest_pause_s=5.0)


@dataclass(frozen=True)
class RoadMap:
    """A server that knows roads."""

    source: Source

    @classmethod
    def of(cls, settings: Settings) -> "RoadMap | None":
        """The server of this installation; None: it has none."""
        if settings.road_service == "osrm":
            return cls(Osrm(settings.road_url, patience=_PATIENCE))
        if settings.road_service == "valhalla":
            return cls(Valhalla(settings.road_url, patience=_PATIENCE))
        if settings.road_service == "google":
            return cls(Google(settings.road_key.get_secret_value(), patience=_PATIENCE))
        return None

    async def surveyed(self, task: Task) -> Task:
        """The task with the roads between its places; unchanged, when the server does not answer."""
        found = await self.roads(task.recipe.points, otherwise=task.recipe.roads)
        return replace(task, recipe=replace(task.recipe, roads=found))

    async def roads(self, points: Sequence[Point], *, otherwise: Roads) -> Roads:
        """The ways between places, asked for in a thread; `otherwise`, when the server does not answer."""
        try:
            found = await asyncio.to_thread(survey, points, self.source)
        except SourceError as error:
            log.warning("roads_not_known", source=self.source.name, error=str(error))
            return otherwise
        return replace(
            otherwise,
            source=self.source.name,
            distance_m=tuple(map(tuple, found.matrix.distance_m.tolist())),
            duration_s=tuple(map(tuple, found.matrix.duration_s.tolist())),
        )
