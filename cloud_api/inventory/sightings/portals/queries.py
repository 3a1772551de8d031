"""Reusable reads of passages and rules."""

from sqlalchemy import ColumnElement, or_, select, true

from cloud_api.devices.models import Sensor
from cloud_api.devices.queries import visible_sensors
from cloud_api.inventory.sightings.portals.models import Passage, PortalRule
from cloud_api.places.queries import Visible


def visible_passages(seen: Visible) -> ColumnElement[bool]:
    """Whether a passage was where somebody may look, and the goods are to go nowhere else."""
    if seen.warehouse_ids is None:
        return true()
    here = or_(
        seen.locations(Passage.location_id),
        Passage.location_id.is_(None) & Passage.reader_id.in_(select(Sensor.id).where(visible_sensors(seen))),
    )
    to = or_(Passage.to_location_id.is_(None), seen.locations(Passage.to_location_id))
    return here & to & or_(Passage.from_location_id.is_(None), seen.locations(Passage.from_location_id))


def visible_rules(seen: Visible) -> ColumnElement[bool]:
    """Whether a rule's reader or place, and where it moves things, are where somebody may look."""
    if seen.warehouse_ids is None:
        return true()
    here = or_(
        seen.locations(PortalRule.location_id),
        PortalRule.reader_id.in_(select(Sensor.id).where(visible_sensors(seen))),
    )
    return here & or_(PortalRule.to_location_id.is_(None), seen.locations(PortalRule.to_location_id))
