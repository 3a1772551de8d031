"""What logistics tells: to its own rooms, to the live views, to the rooms above."""

import uuid
from dataclasses import dataclass


@dataclass(frozen=True)
class PlanningRequested:
    """A day is to be planned, or planned again."""

    job_id: uuid.UUID


@dataclass(frozen=True)
class PlanningMoved:
    """A planning job started, found something better, or ended: what the live view shows of it may be old."""

    job_id: uuid.UUID


@dataclass(frozen=True)
class RouteMoved:
    """A route has other stops, other times, or was given up: what its driver's phone shows of it may be old."""

    route_id: uuid.UUID


@dataclass(frozen=True)
class RoutePublished:
    """A driver has a new route."""

    route_id: uuid.UUID


@dataclass(frozen=True)
class RouteChanged:
    """A route that its driver knows has other stops, or another order of them."""

    route_id: uuid.UUID
    why: str


@dataclass(frozen=True)
class RouteStarted:
    """A loaded van has left."""

    route_id: uuid.UUID


@dataclass(frozen=True)
class RouteCompleted:
    """A van is back, and unloaded."""

    route_id: uuid.UUID


@dataclass(frozen=True)
class StopIsNext:
    """A van is on its way to this door, and to none before it."""

    delivery_id: uuid.UUID


@dataclass(frozen=True)
class StopArrived:
    """A van stands before a door."""

    delivery_id: uuid.UUID


@dataclass(frozen=True)
class StopDelivered:
    """Goods were handed over, and that is proved."""

    delivery_id: uuid.UUID


@dataclass(frozen=True)
class StopFailed:
    """An attempt came to nothing."""

    delivery_id: uuid.UUID
    reason: str


@dataclass(frozen=True)
class EtaMoved:
    """A customer who was told a time should be told another."""

    delivery_id: uuid.UUID


@dataclass(frozen=True)
class PhoneFellSilent:
    """A van is under way, and its phone says nothing."""

    route_id: uuid.UUID


@dataclass(frozen=True)
class FenceCrossed:
    """A van came into a geofence, or left it."""

    #: of the geofence event
    event_id: uuid.UUID
    geofence_id: uuid.UUID
    #: "depot", "customer" or "restricted"
    kind: str
    vehicle_id: uuid.UUID
    #: "enter" or "exit"
    crossing: str


@dataclass(frozen=True)
class ReplanProposed:
    """Something happened on the road, and there is a proposal what to do about it."""

    job_id: uuid.UUID


@dataclass(frozen=True)
class ProofUnverified:
    """Goods were handed over where there was no signal, and the customer's code could not be checked, or was wrong."""

    delivery_id: uuid.UUID


@dataclass(frozen=True)
class PhotoArrived:
    """A picture is here that a phone's command has waited for."""

    sha256: str


@dataclass(frozen=True)
class VehicleWithdrawn:
    """A vehicle went into the workshop, or was given up."""

    vehicle_id: uuid.UUID
    #: maintenance or inactive
    why: str
