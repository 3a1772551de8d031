"""Tags and what they are bound to. A row is one binding: rebinding ends it and begins another, so that what a tag
meant at any time stays known.
"""

import uuid
from datetime import datetime
from decimal import Decimal

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.columns import Quantity
from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization

#: what a tag may be on: goods of one lot, a pallet of several, a thing that is lent, a place or vehicle, a badge
ENTITY_TYPES = ("lot", "pallet", "item", "location", "person")
#: those that carry goods
OF_GOODS = ("lot", "pallet")
_BOUND = text("unbound_at IS NULL")


class Tag(OrganizationOwned, Base):
    """An RFID tag and what it is bound to, from `bound_at` until `unbound_at`."""

    __tablename__ = "rfid_tags"
    __table_args__ = (
        Index(
            "uq_rfid_tags_bound", "organization_id", "epc", unique=True, sqlite_where=_BOUND, postgresql_where=_BOUND
        ),
        Index("ix_rfid_tags_epc", "organization_id", "epc"),
        CheckConstraint(f"entity_type IN {ENTITY_TYPES}", name="entity_type"),
        same_organization("lot_id", "lots"),
        same_organization("item_id", "items"),
        same_organization("location_id", "locations"),
        same_organization("user_id", "users"),
        same_organization("goods_location_id", "locations"),
        same_organization("last_location_id", "locations"),
    )

    #: hexadecimal, in capitals
    epc: Mapped[str]
    #: as `sgtin-96`; empty: not known here
    scheme: Mapped[str] = mapped_column(default="")
    #: pure identity URI
    uri: Mapped[str] = mapped_column(default="")
    #: GTIN-14, SSCC, GLN, GRAI or GIAI
    gs1_key: Mapped[str] = mapped_column(default="", index=True)
    entity_type: Mapped[str]
    #: of these the one that `entity_type` names; of a pallet none
    lot_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    item_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    location_id: Mapped[uuid.UUID | None]
    user_id: Mapped[uuid.UUID | None]
    #: where the books have the goods that it is on; None: not received yet, or shipped
    goods_location_id: Mapped[uuid.UUID | None]
    #: when a passage last moved the goods in the books: one from before is late
    goods_moved_at: Mapped[datetime | None]
    #: when they were shipped: what has left does not come in again by itself
    goods_gone_at: Mapped[datetime | None]
    bound_at: Mapped[datetime]
    bound_by: Mapped[uuid.UUID | None]
    unbound_at: Mapped[datetime | None]
    unbound_by: Mapped[uuid.UUID | None]
    last_seen_at: Mapped[datetime | None] = mapped_column(info={"audited": False})
    last_location_id: Mapped[uuid.UUID | None] = mapped_column(info={"audited": False})

    @property
    def entity_id(self) -> uuid.UUID:
        """What it is bound to; a pallet is its own."""
        return self.lot_id or self.item_id or self.location_id or self.user_id or self.id


class TagContent(OrganizationOwned, Base):
    """How much of a lot is where a tag is: what is booked when it passes."""

    __tablename__ = "rfid_tag_contents"
    __table_args__ = (
        UniqueConstraint("tag_id", "lot_id"),
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("weight_g > 0", name="weight"),
        same_organization("tag_id", "rfid_tags"),
        same_organization("lot_id", "lots"),
    )

    tag_id: Mapped[uuid.UUID]
    lot_id: Mapped[uuid.UUID] = mapped_column(index=True)
    #: in the product's unit
    quantity: Mapped[Decimal] = mapped_column(Quantity)
    #: of goods that are counted and weighed (catch weight); None for all others
    weight_g: Mapped[int | None] = mapped_column(BigInteger)
