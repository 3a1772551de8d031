"""Reusable reads of stock."""

from sqlalchemy import ColumnElement, or_, select, true

from cloud_api.devices import queries as devices
from cloud_api.inventory.models import Lot, StockLevel, TagSighting, Weight
from cloud_api.places.queries import Visible


def visible_lots(seen: Visible) -> ColumnElement[bool]:
    """Whether a lot lies, or has lain, where somebody may look."""
    if seen.warehouse_ids is None:
        return true()
    return Lot.id.in_(select(StockLevel.lot_id).where(seen.locations(StockLevel.location_id)))


def visible_sightings(row: type[TagSighting | Weight], seen: Visible) -> ColumnElement[bool]:
    """Whether a reader or scale was where somebody may look; one without a place was where its gateway is."""
    return or_(
        seen.locations(row.location_id), row.location_id.is_(None) & devices.visible_gateways(row.gateway_id, seen)
    )
