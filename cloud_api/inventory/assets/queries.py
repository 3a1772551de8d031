"""Reusable reads of items."""

from datetime import datetime

from sqlalchemy import ColumnElement, Select, or_, select, true

from cloud_api.inventory.assets.models import Item, ItemCheckout
from cloud_api.inventory.assets.states import CheckoutStatus
from cloud_api.places.queries import Visible


def visible_items(seen: Visible) -> ColumnElement[bool]:
    """Whether an item is where somebody may look; one without a place is everybody's."""
    if seen.warehouse_ids is None:
        return true()
    return or_(Item.location_id.is_(None), seen.locations(Item.location_id))


def checkouts(seen: Visible, *status: CheckoutStatus) -> Select[tuple[ItemCheckout]]:
    """Check-outs in these states, of items that may be seen."""
    theirs = select(ItemCheckout).join(Item, Item.id == ItemCheckout.item_id)
    return theirs.where(visible_items(seen), ItemCheckout.status.in_(status))


def overdue(seen: Visible, now: datetime) -> Select[tuple[ItemCheckout]]:
    """What should be back."""
    return checkouts(seen, CheckoutStatus.OUT).where(ItemCheckout.due_at < now)
