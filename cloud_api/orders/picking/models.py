"""Pick lists, what was done about each line, the boxes, and how they left without a van."""

import uuid
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.columns import Quantity
from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization
from cloud_api.orders.picking.states import PickListStatus

#: picked: taken from a lot · missing: not found where it was promised · short: given up, the customer gets less ·
#: backordered: waited for · substituted: another product goes in its place
STEP_KINDS = ("picked", "missing", "short", "backordered", "substituted")
HAND_OVER_KINDS = ("pick_up", "carrier")


class PickList(OrganizationOwned, Base):
    """Orders that are picked together on one walk through a warehouse."""

    __tablename__ = "pick_lists"
    __table_args__ = (
        UniqueConstraint("organization_id", "number"),
        CheckConstraint(f"status IN {tuple(status.value for status in PickListStatus)}", name="status"),
        same_organization("warehouse_id", "warehouses"),
    )

    number: Mapped[str]
    warehouse_id: Mapped[uuid.UUID] = mapped_column(index=True)
    #: of its orders; None: of several days
    delivery_date: Mapped[date | None]
    status: Mapped[str] = mapped_column(default=PickListStatus.OPEN)
    #: its orders stand in the order of loading: who is served last is loaded first
    loads_last_stop_first: Mapped[bool]
    note: Mapped[str] = mapped_column(default="")
    created_by: Mapped[uuid.UUID | None]
    created_at: Mapped[datetime]
    started_by: Mapped[uuid.UUID | None]
    started_at: Mapped[datetime | None]
    #: done or cancelled
    closed_by: Mapped[uuid.UUID | None]
    closed_at: Mapped[datetime | None]


class PickListOrder(OrganizationOwned, Base):
    """An order on a list."""

    __tablename__ = "pick_list_orders"
    __table_args__ = (
        UniqueConstraint("pick_list_id", "order_id"),
        UniqueConstraint("pick_list_id", "position"),
        CheckConstraint("position > 0", name="position"),
        same_organization("pick_list_id", "pick_lists", ondelete="CASCADE"),
        same_organization("order_id", "customer_orders", ondelete="CASCADE"),
    )

    pick_list_id: Mapped[uuid.UUID]
    order_id: Mapped[uuid.UUID] = mapped_column(index=True)
    #: from 1: which box is filled, and loaded, first
    position: Mapped[int]


class PickStep(OrganizationOwned, Base):
    """What somebody did about a line; append-only."""

    __tablename__ = "order_pick_steps"
    __table_args__ = (
        CheckConstraint(f"kind IN {STEP_KINDS}", name="kind"),
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("(kind IN ('picked', 'missing')) = (lot_id IS NOT NULL)", name="lot"),
        same_organization("line_id", "order_items", ondelete="CASCADE"),
        same_organization("substitute_line_id", "order_items"),
        same_organization("lot_id", "lots"),
        same_organization("location_id", "locations"),
        same_organization("weight_id", "weights"),
    )

    line_id: Mapped[uuid.UUID] = mapped_column(index=True)
    kind: Mapped[str]
    #: in the product's unit
    quantity: Mapped[Decimal] = mapped_column(Quantity)
    #: of what was taken, or not found: the lot, where, and by which weight of a scale
    lot_id: Mapped[uuid.UUID | None]
    location_id: Mapped[uuid.UUID | None]
    weight_id: Mapped[uuid.UUID | None]
    #: another lot than was promised
    is_swap: Mapped[bool] = mapped_column(default=False)
    #: the line of what goes in its place
    substitute_line_id: Mapped[uuid.UUID | None]
    #: why less, or something else
    reason: Mapped[str] = mapped_column(default="")
    done_by: Mapped[uuid.UUID | None]
    done_at: Mapped[datetime]


class OrderPacking(OrganizationOwned, Base):
    """The boxes of an order, and who closed them."""

    __tablename__ = "order_packings"
    __table_args__ = (
        UniqueConstraint("organization_id", "order_id"),
        CheckConstraint("boxes > 0", name="boxes"),
        same_organization("order_id", "customer_orders", ondelete="CASCADE"),
    )

    order_id: Mapped[uuid.UUID]
    boxes: Mapped[int]
    packed_by: Mapped[uuid.UUID | None]
    packed_at: Mapped[datetime]


class HandOver(OrganizationOwned, Base):
    """An order that left without a van of ours: fetched at the counter, or given to a carrier."""

    __tablename__ = "order_hand_overs"
    __table_args__ = (
        UniqueConstraint("organization_id", "order_id"),
        CheckConstraint(f"kind IN {HAND_OVER_KINDS}", name="kind"),
        same_organization("order_id", "customer_orders", ondelete="CASCADE"),
    )

    order_id: Mapped[uuid.UUID]
    kind: Mapped[str]
    #: the carrier and its own number of the shipment
    carrier: Mapped[str] = mapped_column(default="")
    tracking_number: Mapped[str] = mapped_column(default="")
    #: who took it; empty: not said, or not delivered yet
    recipient_name: Mapped[str] = mapped_column(default="")
    shipped_by: Mapped[uuid.UUID | None]
    shipped_at: Mapped[datetime]
    delivered_by: Mapped[uuid.UUID | None]
    delivered_at: Mapped[datetime | None]
