"""Reusable reads of gateways and sensors: which of them somebody may see.

A gateway has no place of its own. It is seen by whoever sees one of its sensors' places, and by everybody as long as
no sensor of it has one. A sensor without a place is seen with its gateway.
"""

import uuid

from sqlalchemy import ColumnElement, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute

from cloud_api.devices.models import Gateway, Sensor
from cloud_api.places.queries import Visible


def visible_gateways(gateway_id: InstrumentedAttribute[uuid.UUID], seen: Visible) -> ColumnElement[bool]:
    """Whether the gateway that a column names is to be seen."""
    if seen.warehouse_ids is None:
        return true()
    placed = select(Sensor.id).where(Sensor.gateway_id == Gateway.id, Sensor.location_id.is_not(None))
    its = placed.correlate(Gateway)
    here = its.where(seen.locations(Sensor.location_id))
    return gateway_id.in_(select(Gateway.id).where(or_(~its.exists(), here.exists())))


def visible_sensors(seen: Visible) -> ColumnElement[bool]:
    """Whether a sensor is to be seen."""
    unplaced = Sensor.location_id.is_(None) & visible_gateways(Sensor.gateway_id, seen)
    return or_(seen.locations(Sensor.location_id), unplaced)
