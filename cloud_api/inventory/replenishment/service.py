"""The verbs of buying again: rules, and saying once what is low and what expires.

Whether a product is low is looked at anew and not added up: whoever looks, however often, comes to what stands in the
database. What has been said stands in a row that is locked before it is believed, so each fall is said once.
"""

import uuid
from collections.abc import Collection, Sequence
from datetime import date, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.products import service as catalog
from cloud_api.configuration import service as configuration
from cloud_api.configuration.definitions import EXPIRING_SOON_DAYS
from cloud_api.inventory.events import LotsExpiring, LotsGone, LowStock, StockRecovered
from cloud_api.inventory.ledger.models import Lot, StockLevel
from cloud_api.inventory.replenishment.models import ExpiryNotice, ReorderRule, StockWatch
from cloud_api.inventory.replenishment.queries import (
    Days,
    Standing,
    days_in_warehouses,
    sellable,
    standing_of,
    standings,
)
from cloud_api.inventory.replenishment.schemas import ReorderRuleCreate, ReorderRuleUpdate
from cloud_api.inventory.reservations.queries import last_day
from cloud_api.kernel import clock, outbox, versions
from cloud_api.kernel.db import insert_missing
from cloud_api.kernel.errors import Invalid, NotFound
from cloud_api.kernel.registers import flush_unique
from cloud_api.places import service as places
from cloud_api.places.models import Location, Warehouse
from cloud_api.places.queries import EVERYWHERE, Visible

#: lots of one event
_MOST = 200
_Key = tuple[uuid.UUID, uuid.UUID]


async def create_rule(db: AsyncSession, *, new: ReorderRuleCreate, seen: Visible = EVERYWHERE) -> ReorderRule:
    """Say when a product is to be bought again in one warehouse.

    Raises:
        NotFound: when the product or the warehouse is not there.
        Invalid: when both a quantity and a level are given, or the level is not above the point.
        WrongQuantity: when the product is counted in whole units and a quantity is not.
        AlreadyExists: when there is a rule for the two.
    """
    await places.get_warehouse(db, new.warehouse_id, seen=seen)
    rule = ReorderRule(**dict(new), created_at=clock.now())
    await _check(db, rule)
    db.add(rule)
    await flush_unique(db, "there is a rule for this product and warehouse: change that one", field="product_id")
    await look(db, {rule.product_id})
    return rule


async def update_rule(
    db: AsyncSession, rule_id: uuid.UUID, *, changes: ReorderRuleUpdate, seen: Visible = EVERYWHERE
) -> ReorderRule:
    """Change a rule. A quantity takes the place of a level, and the other way round.

    Raises:
        NotFound: when there is none to be seen.
        StaleVersion: when `changes` was made of another version than there is now.
        Invalid: when both a quantity and a level are given, or the level is not above the point.
        WrongQuantity: when the product is counted in whole units and a quantity is not.
    """
    rule = await get_rule(db, rule_id, seen=seen)
    await versions.count(db, rule, seen=changes.version, what="this reorder rule")
    sent = {field: getattr(changes, field) for field in changes.model_fields_set - {"version"}}
    if sent.get("reorder_quantity") is not None:
        sent.setdefault("up_to_level", None)
    if sent.get("up_to_level") is not None:
        sent.setdefault("reorder_quantity", None)
    for field, value in sent.items():
        setattr(rule, field, value)
    await _check(db, rule)
    await db.flush()
    await look(db, {rule.product_id})
    return rule


async def delete_rule(db: AsyncSession, rule_id: uuid.UUID, *, seen: Visible = EVERYWHERE) -> None:
    """From now on the product's own reorder point counts there.

    Raises:
        NotFound: when there is none to be seen.
    """
    rule = await get_rule(db, rule_id, seen=seen)
    await db.delete(rule)
    await db.flush()
    await look(db, {rule.product_id})


async def get_rule(db: AsyncSession, rule_id: uuid.UUID, *, seen: Visible = EVERYWHERE) -> ReorderRule:
    """One rule.

    Raises:
        NotFound: when there is none to be seen.
    """
    its = select(ReorderRule).where(ReorderRule.id == rule_id, seen.warehouses(ReorderRule.warehouse_id))
    rule = (await db.scalars(its)).one_or_none()
    if rule is None:
        raise NotFound(f"no reorder rule with id {rule_id}", field="id")
    return rule


async def look(db: AsyncSession, product_ids: Collection[uuid.UUID] | None = None) -> int:
    """Look how products stand, all or these, and say what has fallen to its reorder point or recovered above it.

    Returns:
        How many have.
    """
    days = await days_in_warehouses(db)
    said = {key: watch.is_low for key, watch in (await _watches(db, product_ids)).items()}
    now = await _standings(db, days, product_ids)
    changed = {key for key, standing in now.items() if standing.is_low != said.get(key, False)}
    changed |= {key for key, is_low in said.items() if is_low and key not in now}
    if not changed:
        return 0
    for product_id, warehouse_id in sorted(changed):
        new = {"product_id": product_id, "warehouse_id": warehouse_id, "is_low": False, "since": clock.now()}
        await insert_missing(db, StockWatch, new)
    # another may say the same at this moment: whoever holds the rows looks again
    watches = await _watches(db, {product_id for product_id, _ in changed}, locked=True)
    now = await _standings(db, days, {product_id for product_id, _ in changed})
    return sum(_say(db, watches[key], now.get(key)) for key in sorted(changed))


async def tell_expiring(db: AsyncSession) -> int:
    """Say of lots that can be sold for a few days more only, once of each in each warehouse, and when they are gone.

    Returns:
        Of how many something was said.
    """
    days = await days_in_warehouses(db)
    soon = timedelta(days=await configuration.value(db, EXPIRING_SOON_DAYS))
    # one at a time says what is new; whoever came second reads what the first has said
    await db.execute(select(Warehouse.id).order_by(Warehouse.id).with_for_update(key_share=True))
    notices = {(row.lot_id, row.warehouse_id): row for row in await db.scalars(select(ExpiryNotice))}
    lying = await _lying(db, days)
    expiring = {key for key, day in lying.items() if day <= days.of(key[1]) + soon}
    new = sorted(expiring - notices.keys())
    for lot_id, warehouse_id in new:
        db.add(ExpiryNotice(lot_id=lot_id, warehouse_id=warehouse_id, told_at=clock.now()))
    gone = sorted(key for key, row in notices.items() if row.over_at is None and key not in lying)
    for key in gone:
        notices[key].over_at = clock.now()
    await db.flush()
    for event, keys in ((LotsExpiring, new), (LotsGone, gone)):
        for warehouse_id in sorted({key[1] for key in keys}):
            lots = [lot_id for lot_id, where in keys if where == warehouse_id]
            for begin in range(0, len(lots), _MOST):
                outbox.emit(db, event(warehouse_id, tuple(lots[begin : begin + _MOST])))
    return len(new) + len(gone)


def _say(db: AsyncSession, watch: StockWatch, standing: Standing | None) -> bool:
    """Say how a product stands now, unless that was said before; whether it was not."""
    is_low = standing is not None and standing.is_low
    if watch.is_low == is_low:
        return False
    watch.is_low, watch.since = is_low, clock.now()
    if standing is None or not is_low:
        outbox.emit(db, StockRecovered(watch.product_id, watch.warehouse_id))
    else:
        outbox.emit(
            db,
            LowStock(
                watch.product_id,
                watch.warehouse_id,
                available=f"{standing.available:.3f}",
                reorder_point=f"{standing.reorder_point:.3f}",
                suggested_quantity=f"{standing.suggested_quantity:.3f}",
            ),
        )
    return True


async def _watches(
    db: AsyncSession, product_ids: Collection[uuid.UUID] | None, *, locked: bool = False
) -> dict[_Key, StockWatch]:
    its = select(StockWatch).order_by(StockWatch.id).execution_options(populate_existing=True)
    if product_ids is not None:
        its = its.where(StockWatch.product_id.in_(product_ids))
    rows: Sequence[StockWatch] = (await db.scalars(its.with_for_update() if locked else its)).all()
    return {(row.product_id, row.warehouse_id): row for row in rows}


async def _standings(db: AsyncSession, days: Days, product_ids: Collection[uuid.UUID] | None) -> dict[_Key, Standing]:
    rows = await db.execute(standings(days, product_ids=product_ids))
    every = [standing_of(*row) for row in rows.tuples()]
    return {(one.product.id, one.warehouse_id): one for one in every if one.warehouse_id is not None}


async def _lying(db: AsyncSession, days: Days) -> dict[_Key, date]:
    """The last day of what may be sold, by lot and warehouse; the earliest where it lies in several places."""
    rows = await db.execute(
        select(StockLevel.lot_id, Location.warehouse_id, func.min(last_day()))
        .join(Lot, Lot.id == StockLevel.lot_id)
        .join(Location, Location.id == StockLevel.location_id)
        .where(
            StockLevel.on_hand > 0,
            Location.warehouse_id.is_not(None),
            last_day().is_not(None),
            sellable(days),
        )
        .group_by(StockLevel.lot_id, Location.warehouse_id)
    )
    return {(lot_id, warehouse_id): day for lot_id, warehouse_id, day in rows}


async def _check(db: AsyncSession, rule: ReorderRule) -> None:
    product = await catalog.get_product(db, rule.product_id)
    if rule.reorder_quantity is not None and rule.up_to_level is not None:
        raise Invalid("give a quantity to buy at a time or a level to fill up to, not both", field="up_to_level")
    if rule.up_to_level is not None and rule.up_to_level <= rule.reorder_point:
        raise Invalid("up_to_level must be above reorder_point", field="up_to_level")
    for field in ("reorder_point", "reorder_quantity", "up_to_level"):
        quantity = getattr(rule, field)
        if quantity:
            catalog.check_quantity(product, quantity, field=field)
