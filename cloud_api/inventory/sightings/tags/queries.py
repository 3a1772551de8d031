"""Reusable reads of tags."""

import uuid

from sqlalchemy import ColumnElement, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute

from cloud_api.inventory.assets.models import Item
from cloud_api.inventory.ledger.models import Lot
from cloud_api.inventory.ledger.queries import visible_lots
from cloud_api.inventory.sightings.tags.models import Tag
from cloud_api.places.queries import Visible


def visible_tags(seen: Visible) -> ColumnElement[bool]:
    """Whether a tag's goods or thing are where somebody may look, and what it is on was last seen there."""
    if seen.warehouse_ids is None:
        return true()

    def here(column: InstrumentedAttribute[uuid.UUID | None]) -> ColumnElement[bool]:
        return or_(column.is_(None), seen.locations(column))

    lots = or_(Tag.lot_id.is_(None), Tag.lot_id.in_(select(Lot.id).where(visible_lots(seen))))
    things = or_(Tag.item_id.is_(None), Tag.item_id.in_(select(Item.id).where(here(Item.location_id))))
    return here(Tag.goods_location_id) & here(Tag.location_id) & here(Tag.last_location_id) & lots & things
