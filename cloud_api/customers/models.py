"""Who buys, and where they are."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, validates

from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization

#: what a map matched, from the most exact on, as `route_optimizer.geocoding` has it
PRECISIONS = ("building", "street", "area", "town", "region")
FOUND_BY_A_VAN = ("building", "street")
#: compared byte by byte, whatever the database's own order of letters is
Digits = String().with_variant(String(collation="C"), "postgresql")


def backwards(phone: str) -> str:
    """The digits of a number from the last one on: how it ends is how they begin."""
    return "".join(character for character in reversed(phone) if character in "0123456789")


class Customer(OrganizationOwned, Base):
    """Somebody who orders."""

    __tablename__ = "customers"
    __table_args__ = (
        UniqueConstraint("organization_id", "number"),
        CheckConstraint("min_remaining_shelf_life_days >= 0", name="min_remaining_shelf_life_days"),
        Index("ix_customers_organization_id_name", "organization_id", "name", "id"),
        Index("ix_customers_organization_id_phone_backwards", "organization_id", "phone_backwards"),
    )

    number: Mapped[str]
    name: Mapped[str]
    phone: Mapped[str] = mapped_column(default="")
    #: the digits of `phone` from the last one on: it is found by its end, with a country before it or without
    phone_backwards: Mapped[str] = mapped_column(Digits, default="", info={"audited": False})
    email: Mapped[str] = mapped_column(default="")
    #: of what they are told, as in BCP 47; empty: the organisation's
    locale: Mapped[str] = mapped_column(default="")
    is_active: Mapped[bool] = mapped_column(default=True)
    #: for how many days after its delivery what is sold to them must still keep
    min_remaining_shelf_life_days: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    #: counts the changes of the customer and of its doors; who changes them may say which one they have seen
    version: Mapped[int] = mapped_column(default=1, info={"audited": False})

    @validates("phone")
    def _turn_round(self, _name: str, phone: str) -> str:
        self.phone_backwards = backwards(phone)
        return phone


class CustomerAccount(OrganizationOwned, Base):
    """A person who signs in as a customer: sees that customer's orders, and orders for it."""

    __tablename__ = "customer_accounts"
    __table_args__ = (
        UniqueConstraint("organization_id", "user_id"),
        same_organization("user_id", "users", ondelete="CASCADE"),
        same_organization("customer_id", "customers", ondelete="CASCADE"),
    )

    user_id: Mapped[uuid.UUID]
    customer_id: Mapped[uuid.UUID] = mapped_column(index=True)


class CustomerAddress(OrganizationOwned, Base):
    """A door of a customer, with its coordinates: without them no van finds it."""

    __tablename__ = "customer_addresses"
    __table_args__ = (
        CheckConstraint("latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180", name="coordinates"),
        CheckConstraint(f"precision IN {PRECISIONS}", name="precision"),
        same_organization("customer_id", "customers", ondelete="CASCADE"),
    )

    customer_id: Mapped[uuid.UUID] = mapped_column(index=True)
    label: Mapped[str]
    address: Mapped[str]
    city: Mapped[str] = mapped_column(default="")
    postal_code: Mapped[str] = mapped_column(default="")
    #: degrees, WGS 84
    latitude: Mapped[float]
    longitude: Mapped[float]
    #: how exact the map was when it was asked; None: the coordinates were given
    precision: Mapped[str | None]
    #: when somebody gave the coordinates, or put the pin there; None: nobody did
    confirmed_at: Mapped[datetime | None]

    @property
    def is_sure(self) -> bool:
        """Whether a van finds it: confirmed, or matched to a building or a street."""
        return self.confirmed_at is not None or self.precision in FOUND_BY_A_VAN
