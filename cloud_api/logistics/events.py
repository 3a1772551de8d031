"""What logistics tells: to its own optimizer, to the live view, to the rooms above."""

import uuid
from dataclasses import dataclass


@dataclass(frozen=True)
class PlanningRequested:
    """A day is to be planned."""

    job_id: uuid.UUID


@dataclass(frozen=True)
class RouteMoved:
    """A route started, moved on, or ended: what the live view shows of it may be old."""

    route_id: uuid.UUID
