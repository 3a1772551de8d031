"""Reusable reads of promises, and in which order stock is promised."""

import uuid
from collections.abc import Collection
from datetime import date
from typing import Any

from sqlalchemy import ARRAY, BindParameter, ColumnElement, SQLColumnExpression, Uuid, func, literal, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from cloud_api.inventory.ledger.models import Lot, StockLevel, StockReservation
from cloud_api.places.queries import Visible


def visible_reservations(seen: Visible) -> ColumnElement[bool]:
    """Whether what is promised lies where somebody may look."""
    if seen.warehouse_ids is None:
        return true()
    return StockReservation.stock_level_id.in_(select(StockLevel.id).where(seen.locations(StockLevel.location_id)))


def is_postgresql(db: AsyncSession) -> bool:
    """Whether a session works on PostgreSQL."""
    return db.get_bind().dialect.name == "postgresql"


def among(db: AsyncSession, key: InstrumentedAttribute[uuid.UUID], ids: Collection[uuid.UUID]) -> ColumnElement[bool]:
    """Whether a key is one of these: on PostgreSQL an array, so that the statement is the same however many."""
    return key == func.any(literal([*ids], ARRAY(Uuid()))) if is_postgresql(db) else key.in_(ids)


def last_day(level: type[StockLevel] = StockLevel) -> ColumnElement[date | None]:
    """The last day on which a level that is joined with its lot may be sold; NULL: it never expires."""
    return func.coalesce(level.keeps_until, Lot.expires_on)


def keeps_through(level: type[StockLevel], day: date | BindParameter[date]) -> ColumnElement[bool]:
    """Whether a level that is joined with its lot may still be sold on that day."""
    return or_(last_day(level).is_(None), last_day(level) >= day)


def first_to_expire(level: type[StockLevel]) -> tuple[SQLColumnExpression[Any], ...]:
    """The order in which levels that are joined with their lots are promised."""
    was_warm: InstrumentedAttribute[date | None] = level.keeps_until
    return (last_day(level).nulls_last(), was_warm.is_(None), Lot.received_at, Lot.id, level.id)
