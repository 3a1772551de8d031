"""What the devices room tells the rooms above it."""

import uuid
from dataclasses import dataclass


@dataclass(frozen=True)
class SensorPlaced:
    """A sensor was given a place, another place, or another calibration: its gateway's limits may be others now."""

    sensor_id: uuid.UUID
    gateway_id: uuid.UUID
