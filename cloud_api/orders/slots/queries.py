"""Reusable reads of delivery windows."""

import uuid
from datetime import date

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import aliased

from cloud_api.orders.slots.models import DeliverySlot, SlotBooking


def offered_on(day: date) -> ColumnElement[bool]:
    """Whether a window is offered on a day: a day that has windows of its own has no others."""
    dated = aliased(DeliverySlot)
    has_its_own = exists().where(dated.warehouse_id == DeliverySlot.warehouse_id, dated.day == day, dated.is_active)
    each_week = and_(DeliverySlot.weekdays.bitwise_and(1 << day.weekday()) != 0, ~has_its_own)
    return and_(DeliverySlot.is_active, or_(DeliverySlot.day == day, each_week))


def taken_since(day: date, slot_ids: list[uuid.UUID]) -> Select[tuple[uuid.UUID, date, int]]:
    """(window, day, orders) of what is taken of these windows, from a day on."""
    return (
        select(SlotBooking.slot_id, SlotBooking.day, func.count())
        .where(SlotBooking.slot_id.in_(slot_ids), SlotBooking.day >= day)
        .group_by(SlotBooking.slot_id, SlotBooking.day)
    )
