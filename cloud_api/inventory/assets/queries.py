"""Reusable reads of items."""

import uuid
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, or_, select, true

from cloud_api.inventory.assets.models import Item, ItemCheckout
from cloud_api.inventory.assets.schemas import ItemFilter
from cloud_api.inventory.assets.states import CheckoutStatus
from cloud_api.places.queries import Visible


def visible_items(seen: Visible) -> ColumnElement[bool]:
    """Whether an item is where somebody may look; one without a place is everybody's."""
    if seen.warehouse_ids is None:
        return true()
    return or_(Item.location_id.is_(None), seen.locations(Item.location_id))


def matching(seen: Visible, wanted: ItemFilter) -> Select[tuple[Item]]:
    """Items that may be seen and are as the filter says."""
    mine = select(Item).where(visible_items(seen))
    for column in (Item.status, Item.category_id, Item.location_id):
        value = getattr(wanted, column.key)
        if value is not None:
            mine = mine.where(column == value)
    if wanted.user_id is not None:
        theirs = select(ItemCheckout.item_id).where(ItemCheckout.status == CheckoutStatus.OUT)
        mine = mine.where(Item.id.in_(theirs.where(ItemCheckout.user_id == wanted.user_id)))
    if wanted.search:
        columns = (Item.name, Item.asset_code, Item.serial_number, func.coalesce(Item.barcode, ""))
        mine = mine.where(or_(*(column.icontains(wanted.search, autoescape=True) for column in columns)))
    return mine


def open_checkouts(item_ids: Collection[uuid.UUID]) -> Select[tuple[ItemCheckout]]:
    """Who has these, or has asked for them: one of each at most."""
    held = (CheckoutStatus.PENDING_APPROVAL, CheckoutStatus.OUT)
    return select(ItemCheckout).where(ItemCheckout.item_id.in_(item_ids), ItemCheckout.status.in_(held))


def checkouts(seen: Visible, *status: CheckoutStatus) -> Select[tuple[ItemCheckout]]:
    """Check-outs in these states, of items that may be seen."""
    theirs = select(ItemCheckout).join(Item, Item.id == ItemCheckout.item_id)
    return theirs.where(visible_items(seen), ItemCheckout.status.in_(status))


def overdue(seen: Visible, now: datetime) -> Select[tuple[ItemCheckout]]:
    """What should be back."""
    return checkouts(seen, CheckoutStatus.OUT).where(ItemCheckout.due_at < now)
