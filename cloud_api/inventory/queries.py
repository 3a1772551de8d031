"""Reusable reads of stock."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import ColumnElement, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.devices import queries as devices
from cloud_api.inventory.models import HeldLevel, Lot, StockLevel, StockReservation, TagSighting, Weight
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


def visible_reservations(seen: Visible) -> ColumnElement[bool]:
    """Whether what is promised lies where somebody may look."""
    if seen.warehouse_ids is None:
        return true()
    return StockReservation.stock_level_id.in_(select(StockLevel.id).where(seen.locations(StockLevel.location_id)))


async def levels_of(db: AsyncSession, level_ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, StockLevel]:
    """These levels, by id."""
    return {level.id: level for level in await db.scalars(select(StockLevel).where(StockLevel.id.in_(level_ids)))}


async def held_levels(
    db: AsyncSession, hold_ids: Collection[uuid.UUID], seen: Visible
) -> Mapping[uuid.UUID, Sequence[tuple[HeldLevel, StockLevel]]]:
    """What each hold covers or has covered, by the hold's id."""
    found: dict[uuid.UUID, list[tuple[HeldLevel, StockLevel]]] = defaultdict(list)
    rows = await db.execute(
        select(HeldLevel, StockLevel)
        .join(StockLevel, StockLevel.id == HeldLevel.stock_level_id)
        .where(HeldLevel.hold_id.in_(hold_ids), seen.locations(StockLevel.location_id))
        .order_by(HeldLevel.id)
    )
    for held, level in rows:
        found[held.hold_id].append((held, level))
    return found
