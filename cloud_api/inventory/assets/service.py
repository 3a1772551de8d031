"""The verbs of items: register, change, move, archive. Lending is in `lending`."""

import uuid
from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.categories.models import Category
from cloud_api.inventory.assets.models import Item, ItemActivity, ItemCheckout
from cloud_api.inventory.assets.queries import visible_items
from cloud_api.inventory.assets.schemas import ItemCreate, ItemUpdate
from cloud_api.inventory.assets.searchable import put_item
from cloud_api.inventory.assets.states import ITEM, CheckoutStatus, ItemAction, ItemStatus
from cloud_api.kernel import clock, versions
from cloud_api.kernel.errors import Conflict, Invalid, NotFound
from cloud_api.kernel.numbers import next_number
from cloud_api.kernel.registers import flush_unique
from cloud_api.places import service as places
from cloud_api.places.queries import EVERYWHERE, Visible

#: what a change of status that somebody asks for is called; from the state it is in
_MOVES = {
    (ItemStatus.DAMAGED, ItemStatus.IN_REPAIR): ItemAction.REPAIR,
    (ItemStatus.IN_REPAIR, ItemStatus.ACTIVE): ItemAction.MEND,
    (ItemStatus.LOST, ItemStatus.ACTIVE): ItemAction.FIND,
}
#: what it is called where the table has no line, so that the table says why not
_OTHERWISE = {
    ItemStatus.IN_REPAIR: ItemAction.REPAIR,
    ItemStatus.ACTIVE: ItemAction.MEND,
    ItemStatus.LOST: ItemAction.LOSE,
}


class ItemArchived(Conflict):
    """It is out of service for good."""

    code = "ITEM_ARCHIVED"


class ItemLent(Conflict):
    """Somebody has it."""

    code = "ITEM_LENT"


async def create_item(db: AsyncSession, *, new: ItemCreate, by: uuid.UUID | None, seen: Visible = EVERYWHERE) -> Item:
    """Register a thing that is lent.

    Raises:
        NotFound: when its place is not there.
        Invalid: when its category is not there.
        AlreadyExists: when its bar code is taken.
    """
    if new.location_id is not None:
        await places.get_location(db, new.location_id, seen=seen)
    await _check_category(db, new.category_id)
    now = clock.now()
    code = await next_number(db, "AST")
    item = Item(**new.model_dump(), asset_code=code, status=ITEM.initial, created_at=now, last_activity_at=now)
    db.add(item)
    await _flush(db, item)
    await note(db, item, "create", by=by, changes={"asset_code": code})
    return item


async def get_item(db: AsyncSession, item_id: uuid.UUID, *, seen: Visible = EVERYWHERE, locked: bool = False) -> Item:
    """One item; locked until the unit of work ends when it is to change.

    Raises:
        NotFound: when there is none to be seen.
    """
    its = select(Item).where(Item.id == item_id, visible_items(seen)).execution_options(populate_existing=locked)
    item = (await db.scalars(its.with_for_update() if locked else its)).one_or_none()
    if item is None:
        raise NotFound(f"no item with id {item_id}")
    return item


async def update_item(
    db: AsyncSession, item_id: uuid.UUID, *, changes: ItemUpdate, by: uuid.UUID | None, seen: Visible = EVERYWHERE
) -> Item:
    """Change what is sent.

    Raises:
        NotFound: when there is no such item.
        StaleVersion: when `changes` was made of another version than there is now.
        Invalid: when its category is not there, or its name is taken away.
        AlreadyExists: when its bar code is taken.
        InvalidTransition: when its status cannot become that.
        ItemArchived: when it is archived.
        ItemLent: when it was lost while it was lent.
    """
    item = await _get_to_change(db, item_id, seen)
    await versions.count(db, item, seen=changes.version, what=item.asset_code)
    sent = changes.model_dump(exclude_unset=True, exclude={"status", "note"})
    if sent.get("name", item.name) is None:
        raise Invalid("an item has a name", field="name")
    await _check_category(db, changes.category_id)
    before = {field: getattr(item, field) for field in sent}
    for field, value in sent.items():
        setattr(item, field, value)
    await _flush(db, item)
    changed = {field: _said(value) for field, value in sent.items() if before[field] != value}
    if changed:
        await note(db, item, "update", by=by, changes=changed)
    if changes.status is not None and changes.status != item.status:
        wanted = ItemStatus(changes.status)
        action = _MOVES.get((ItemStatus(item.status), wanted), _OTHERWISE[wanted])
        if action == ItemAction.FIND and await open_checkout(db, item, CheckoutStatus.OUT) is not None:
            raise ItemLent(f"{item.asset_code} was lost while it was lent: check it in", field="status")
        await move_on(db, item, action, by=by, text=changes.note)
    return item


async def move_item(
    db: AsyncSession,
    item_id: uuid.UUID,
    *,
    location_id: uuid.UUID,
    by: uuid.UUID | None,
    text: str = "",
    seen: Visible = EVERYWHERE,
) -> Item:
    """Put it in another place: a person did, or a reader saw its tag there. Where it is already, nothing changes.

    Raises:
        NotFound: when the item or the place is not there.
        ItemArchived: when it is archived.
    """
    item = await _get_to_change(db, item_id, seen)
    await places.get_location(db, location_id, seen=seen)
    await move(db, item, location_id, by=by, text=text)
    return item


async def archive_item(db: AsyncSession, item_id: uuid.UUID, *, by: uuid.UUID | None, seen: Visible) -> None:
    """Take it out of service, for good. Doing it again changes nothing.

    Raises:
        NotFound: when there is no such item.
        InvalidTransition: when it is lent, in repair or lost.
    """
    item = await get_item(db, item_id, seen=seen, locked=True)
    if item.status != ItemStatus.ARCHIVED:
        await move_on(db, item, ItemAction.ARCHIVE, by=by)


async def move(db: AsyncSession, item: Item, location_id: uuid.UUID, *, by: uuid.UUID | None, text: str = "") -> None:
    """Put a locked item in a place, unless it is there."""
    if item.location_id == location_id:
        return
    changes = {"from": _said(item.location_id), "to": _said(location_id)}
    item.location_id = location_id
    await note(db, item, "transfer", by=by, text=text, changes=changes)


async def move_on(
    db: AsyncSession,
    item: Item,
    action: ItemAction,
    *,
    by: uuid.UUID | None,
    text: str = "",
    checkout: ItemCheckout | None = None,
) -> None:
    """Take a locked item through its life.

    Args:
        checkout: the one that this is part of.

    Raises:
        InvalidTransition: when it cannot.
    """
    before, item.status = item.status, ITEM.apply(ItemStatus(item.status), action)
    name = {ItemAction.CHECK_OUT: "checkout", ItemAction.CHECK_IN: "checkin", ItemAction.CHECK_IN_DAMAGED: "checkin"}
    changes = {"status": str(item.status), "was": str(before), **_part_of(checkout)}
    await note(db, item, name.get(action, str(action)), by=by, text=text, changes=changes)


async def note(
    db: AsyncSession,
    item: Item,
    action: str,
    *,
    by: uuid.UUID | None,
    text: str = "",
    changes: Mapping[str, object] | None = None,
    checkout: ItemCheckout | None = None,
) -> None:
    """Write down what was done with it, and let it be found as it is now."""
    item.last_activity_at = clock.now()
    db.add(
        ItemActivity(
            item_id=item.id,
            action=action,
            actor_id=by,
            note=text,
            changes={**(changes or {}), **_part_of(checkout)},
            occurred_at=item.last_activity_at,
        )
    )
    await db.flush()
    await put_item(db, item, moved=action == "transfer")


async def open_checkout(db: AsyncSession, item: Item, status: CheckoutStatus) -> ItemCheckout | None:
    """The check-out of an item that is in this state, `pending_approval` or `out`; there is one at most."""
    its = select(ItemCheckout).where(ItemCheckout.item_id == item.id, ItemCheckout.status == status)
    return (await db.scalars(its)).one_or_none()


async def _get_to_change(db: AsyncSession, item_id: uuid.UUID, seen: Visible) -> Item:
    item = await get_item(db, item_id, seen=seen, locked=True)
    if item.status == ItemStatus.ARCHIVED:
        raise ItemArchived(f"{item.asset_code} is archived: register it anew", field="status")
    return item


async def _check_category(db: AsyncSession, category_id: uuid.UUID | None) -> None:
    there = select(Category.id).where(Category.id == category_id, Category.archived_at.is_(None))
    if category_id is not None and await db.scalar(there) is None:
        raise Invalid(f"no category with id {category_id}", field="category_id")


async def _flush(db: AsyncSession, item: Item) -> None:
    await flush_unique(db, f"another item has the bar code {item.barcode!r}", field="barcode")


def _part_of(checkout: ItemCheckout | None) -> dict[str, object]:
    return {} if checkout is None else {"checkout_id": str(checkout.id), "due_at": checkout.due_at.isoformat()}


def _said(value: object) -> object:
    return str(value) if isinstance(value, uuid.UUID) else value
