"""Things that are lent and come back: crates, trolleys, thermometers, forklifts."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.inventory.assets.states import CheckoutStatus, ItemStatus
from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization
from cloud_api.kernel.versions import Versioned

ASSIGNEE_TYPES = ("user", "team", "department", "job")
ACTIONS = (
    "create",
    "update",
    "transfer",
    "request",
    "checkout",
    "reject",
    "checkin",
    "repair",
    "mend",
    "lose",
    "find",
    "archive",
    "remind",
)
_OPEN = text("status IN ('pending_approval', 'out')")
_OUT = text("status = 'out'")


class Item(Versioned, OrganizationOwned, Base):
    """One thing that is lent."""

    __tablename__ = "items"
    __table_args__ = (
        UniqueConstraint("organization_id", "asset_code"),
        UniqueConstraint("organization_id", "barcode"),  # those without one are no two of a kind
        CheckConstraint(f"status IN {tuple(map(str, ItemStatus))}", name="status"),
        same_organization("category_id", "product_categories"),
        same_organization("location_id", "locations"),
    )

    asset_code: Mapped[str]
    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    category_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    status: Mapped[str] = mapped_column(default=ItemStatus.ACTIVE)
    #: where it is, or was when it was lent; None: nobody said
    location_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    serial_number: Mapped[str] = mapped_column(default="")
    barcode: Mapped[str | None]
    #: it is lent when somebody else than who asks has agreed
    restricted: Mapped[bool] = mapped_column(default=False)
    attributes: Mapped[dict[str, object]] = mapped_column(default=dict)
    created_at: Mapped[datetime]
    last_activity_at: Mapped[datetime] = mapped_column(info={"audited": False})


class ItemCheckout(OrganizationOwned, Base):
    """One time that an item was lent, or that somebody asked for it."""

    __tablename__ = "item_checkouts"
    __table_args__ = (
        Index("uq_item_checkouts_open", "item_id", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ix_item_checkouts_due", "due_at", sqlite_where=_OUT, postgresql_where=_OUT),
        CheckConstraint(f"assignee_type IN {ASSIGNEE_TYPES}", name="assignee_type"),
        CheckConstraint(f"status IN {tuple(map(str, CheckoutStatus))}", name="status"),
        CheckConstraint("decided_by <> requested_by", name="four_eyes"),
        same_organization("item_id", "items"),
        same_organization("user_id", "users"),
    )

    item_id: Mapped[uuid.UUID] = mapped_column(index=True)
    status: Mapped[str]
    assignee_type: Mapped[str]
    user_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    #: no key: a team may be dissolved, and what it had stays known
    team_id: Mapped[uuid.UUID | None]
    #: which team, department or job, in words; of a person nothing: their name is theirs
    assignee_name: Mapped[str]
    purpose: Mapped[str] = mapped_column(default="")
    due_at: Mapped[datetime]
    requested_by: Mapped[uuid.UUID | None]
    requested_at: Mapped[datetime]
    #: of a restricted item: who decided, when and why
    decided_by: Mapped[uuid.UUID | None]
    decided_at: Mapped[datetime | None]
    decision_note: Mapped[str] = mapped_column(default="")
    out_at: Mapped[datetime | None]
    in_at: Mapped[datetime | None]
    condition_out: Mapped[str] = mapped_column(default="")
    condition_in: Mapped[str] = mapped_column(default="")
    damage_notes: Mapped[str] = mapped_column(default="")
    #: the due time of which the borrower was reminded last
    reminded_of: Mapped[datetime | None] = mapped_column(info={"audited": False})


class ItemActivity(OrganizationOwned, Base):
    """What was done with an item; append-only."""

    __tablename__ = "item_activities"
    __audited__ = False
    __table_args__ = (
        CheckConstraint(f"action IN {ACTIONS}", name="action"),
        same_organization("item_id", "items"),
    )

    item_id: Mapped[uuid.UUID] = mapped_column(index=True)
    action: Mapped[str]
    #: who did it; None: the system, or a reader
    actor_id: Mapped[uuid.UUID | None]
    note: Mapped[str] = mapped_column(default="")
    #: what of the item changed, and to what
    changes: Mapped[dict[str, object]] = mapped_column(default=dict)
    occurred_at: Mapped[datetime]
