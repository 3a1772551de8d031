"""Delivery windows of a warehouse, and which orders have a place in them."""

import uuid
from datetime import date, datetime, time

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization
from cloud_api.kernel.versions import Versioned


class DeliverySlot(Versioned, OrganizationOwned, Base):
    """A window in which a warehouse delivers, on some days of the week or on one day, to so many orders."""

    __tablename__ = "delivery_slots"
    __table_args__ = (
        CheckConstraint("window_from < window_until", name="window"),
        CheckConstraint("capacity >= 0", name="capacity"),
        CheckConstraint("weekdays BETWEEN 0 AND 127 AND (weekdays = 0) = (day IS NOT NULL)", name="days"),
        Index("ix_delivery_slots_warehouse_id", "organization_id", "warehouse_id"),
        same_organization("warehouse_id", "warehouses"),
    )

    warehouse_id: Mapped[uuid.UUID]
    #: 1 Monday, 2 Tuesday, 4 Wednesday ... 64 Sunday, added up; 0: only on `day`
    weekdays: Mapped[int] = mapped_column(default=0)
    #: a day of its own; a day that has such slots has no others
    day: Mapped[date | None]
    #: local times of the organisation
    window_from: Mapped[time]
    window_until: Mapped[time]
    #: orders that it takes on one day; 0: none
    capacity: Mapped[int]
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]


class SlotBooking(OrganizationOwned, Base):
    """An order's place in a slot on one day."""

    __tablename__ = "slot_bookings"
    __table_args__ = (
        UniqueConstraint("organization_id", "order_id"),
        Index("ix_slot_bookings_slot_id_day", "slot_id", "day"),
        same_organization("slot_id", "delivery_slots"),
    )

    slot_id: Mapped[uuid.UUID]
    day: Mapped[date]
    #: an order stands above slots: no key leads there
    order_id: Mapped[uuid.UUID]
