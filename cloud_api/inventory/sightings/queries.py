"""Reusable reads of what readers and scales saw."""

from sqlalchemy import ColumnElement, or_

from cloud_api.devices import queries as devices
from cloud_api.inventory.sightings.models import TagSighting, Weight
from cloud_api.places.queries import Visible


def visible_sightings(row: type[TagSighting | Weight], seen: Visible) -> ColumnElement[bool]:
    """Whether a reader or scale was where somebody may look; one without a place was where its gateway is."""
    return or_(
        seen.locations(row.location_id), row.location_id.is_(None) & devices.visible_gateways(row.gateway_id, seen)
    )
