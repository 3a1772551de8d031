"""What people are told, and the phones they are told on."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization

CATEGORIES = ("system", "order", "inventory", "payment", "delivery", "quality")


class Phone(OrganizationOwned, Base):
    """A phone that takes pushes for somebody."""

    __tablename__ = "phones"
    __table_args__ = (
        CheckConstraint("platform IN ('fcm', 'apns', 'webpush')", name="platform"),
        same_organization("user_id", "users", ondelete="CASCADE"),
    )

    user_id: Mapped[uuid.UUID] = mapped_column(index=True)
    platform: Mapped[str]
    #: FCM's registration of this app on this phone; whoever signed in there last owns it
    registration: Mapped[str] = mapped_column(unique=True, info={"audited": False})
    is_active: Mapped[bool] = mapped_column(default=True)
    registered_at: Mapped[datetime]


class Notification(OrganizationOwned, Base):
    """One message to one person."""

    __tablename__ = "notifications"
    __audited__ = False
    __table_args__ = (
        CheckConstraint("severity IN ('info', 'success', 'warning', 'error')", name="severity"),
        CheckConstraint(f"category IN {CATEGORIES}", name="category"),
        same_organization("user_id", "users", ondelete="CASCADE"),
    )

    user_id: Mapped[uuid.UUID] = mapped_column(index=True)
    title: Mapped[str]
    message: Mapped[str]
    severity: Mapped[str]
    category: Mapped[str]
    #: what it is about, as `excursion:<id>`; the app opens it
    subject: Mapped[str]
    is_read: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]


class PushDelivery(OrganizationOwned, Base):
    """One notification on its way to one phone."""

    __tablename__ = "push_deliveries"
    __audited__ = False
    __table_args__ = (
        UniqueConstraint("notification_id", "phone_id"),
        CheckConstraint("status IN ('sent', 'refused')", name="status"),
        same_organization("notification_id", "notifications", ondelete="CASCADE"),
        same_organization("phone_id", "phones", ondelete="CASCADE"),
    )

    notification_id: Mapped[uuid.UUID]
    phone_id: Mapped[uuid.UUID]
    status: Mapped[str]
    #: what FCM called the message, or why it refused
    detail: Mapped[str]
    settled_at: Mapped[datetime]
