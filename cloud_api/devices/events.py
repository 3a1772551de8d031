"""What the devices room tells the rooms above it."""

import uuid
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class SensorPlaced:
    """A sensor was given a place, another place, or another calibration: its gateway's limits may be others now."""

    sensor_id: uuid.UUID
    gateway_id: uuid.UUID


@dataclass(frozen=True)
class CalibrationDue:
    """A sensor has to be calibrated again. Said once for each sensor and due date."""

    sensor_id: uuid.UUID
    gateway_id: uuid.UUID
    #: the one in force, whose time is over
    calibration_id: uuid.UUID
    due_on: date


@dataclass(frozen=True)
class GatewayConfigRefused:
    """A gateway has refused a version of its configuration, or gone back to the one before."""

    gateway_id: uuid.UUID
    version: int
    #: refused or rolled_back
    state: str
    #: in the gateway's words
    reason: str
