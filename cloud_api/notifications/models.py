"""What people are told, and the phones they are told on."""

import uuid
from datetime import datetime, time

from sqlalchemy import JSON, CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization
from cloud_api.kernel.vault import Sealed
from cloud_api.kernel.versions import Versioned

CATEGORIES = ("system", "order", "inventory", "payment", "delivery", "quality")
CHANNELS = ("in_app", "push", "mail", "sms")
TEMPLATE_CHANNELS = ("sms", "mail", "push")
_HELD = text("held_until IS NOT NULL")
_KEPT = text("recipient <> ''")


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
    #: of the app, as it calls it itself; empty: it has not said
    app_version: Mapped[str] = mapped_column(default="")
    #: BCP 47, as the phone is set; empty: it has not said
    locale: Mapped[str] = mapped_column(default="")
    #: when the app last registered or refreshed itself
    last_seen_at: Mapped[datetime | None] = mapped_column(info={"audited": False})


class Notification(OrganizationOwned, Base):
    """One message to one person."""

    __tablename__ = "notifications"
    __audited__ = False
    __table_args__ = (
        CheckConstraint("severity IN ('info', 'success', 'warning', 'error')", name="severity"),
        CheckConstraint(f"category IN {CATEGORIES}", name="category"),
        Index("ix_notifications_held", "held_until", sqlite_where=_HELD, postgresql_where=_HELD),
        Index("ix_notifications_collapse", "organization_id", "collapse_key", "user_id"),
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
    #: those of `CHANNELS` that it goes out on: what was asked for, without what its person has muted
    channels: Mapped[list[str]] = mapped_column(JSON, default=list)
    #: does not wait for the end of quiet hours, and wakes the phone
    urgent: Mapped[bool] = mapped_column(default=False)
    #: makes no sound, and so need not wait for it either
    silent: Mapped[bool] = mapped_column(default=False)
    #: what it replaces on the phone and in the list: the same of one person is one matter; empty: a matter of its own
    collapse_key: Mapped[str] = mapped_column(default="")
    #: a newer one about the same matter has taken its place
    is_superseded: Mapped[bool] = mapped_column(default=False)
    #: in its person's list: not any more when they took it out or when it was superseded; who was told stays known
    is_listed: Mapped[bool] = mapped_column(default=True)
    #: what the app gets beside the text
    data: Mapped[dict[str, object]] = mapped_column(default=dict)
    #: the end of its person's quiet hours, while it waits for that
    held_until: Mapped[datetime | None]


class NotificationDelivery(OrganizationOwned, Base):
    """One notification on its way by mail or SMS."""

    __tablename__ = "notification_deliveries"
    __audited__ = False
    __table_args__ = (
        UniqueConstraint("notification_id", "channel"),
        CheckConstraint("channel IN ('mail', 'sms')", name="channel"),
        CheckConstraint("status IN ('waiting', 'trying', 'sent', 'refused')", name="status"),
        same_organization("notification_id", "notifications", ondelete="CASCADE"),
    )

    notification_id: Mapped[uuid.UUID]
    channel: Mapped[str]
    #: waiting for its next try; trying, or broken off while it was tried; sent; refused for good
    status: Mapped[str] = mapped_column(default="waiting")
    attempts: Mapped[int] = mapped_column(default=0)
    #: the machine's own time of the first try
    tried_at: Mapped[datetime | None]
    #: what the service called the message, or why it was not taken
    detail: Mapped[str] = mapped_column(default="")
    settled_at: Mapped[datetime | None]


class NotificationSettings(OrganizationOwned, Base):
    """What somebody wants to be told, and when not."""

    __tablename__ = "notification_settings"
    __audited__ = False
    __table_args__ = (
        UniqueConstraint("user_id"),
        CheckConstraint("(quiet_from IS NULL) = (quiet_until IS NULL)", name="quiet_hours"),
        same_organization("user_id", "users", ondelete="CASCADE"),
    )

    user_id: Mapped[uuid.UUID]
    #: `quality:sms`; what is not here is told
    muted: Mapped[list[str]] = mapped_column(JSON, default=list)
    #: local time, as 22:00; over midnight when it ends before it begins
    quiet_from: Mapped[time | None]
    quiet_until: Mapped[time | None]
    #: IANA; empty: the organisation's
    timezone: Mapped[str] = mapped_column(default="")
    updated_at: Mapped[datetime]


class OnCallList(Versioned, OrganizationOwned, Base):
    """Who answers when something happens, and in which order."""

    __tablename__ = "on_call_lists"
    __table_args__ = (UniqueConstraint("organization_id", "name"),)

    name: Mapped[str]
    #: IANA, of the shifts; empty: the organisation's
    timezone: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]


class OnCallMember(OrganizationOwned, Base):
    """Somebody on such a list, and when they are on call."""

    __tablename__ = "on_call_members"
    __table_args__ = (
        UniqueConstraint("list_id", "user_id"),
        same_organization("list_id", "on_call_lists", ondelete="CASCADE"),
        same_organization("user_id", "users", ondelete="CASCADE"),
    )

    list_id: Mapped[uuid.UUID]
    user_id: Mapped[uuid.UUID] = mapped_column(index=True)
    #: from 0
    position: Mapped[int]
    #: every week: `rota.Shift`
    shifts: Mapped[list[dict[str, object]]] = mapped_column(JSON, default=list)
    #: once, before the shifts: `rota.Duty`
    rota: Mapped[list[dict[str, object]]] = mapped_column(JSON, default=list)


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


class NotificationTemplate(OrganizationOwned, Base):
    """An organisation's own words for one kind of message; where it has none, the built-in ones are used."""

    __tablename__ = "notification_templates"
    __table_args__ = (
        UniqueConstraint("organization_id", "key", "channel", "locale"),
        CheckConstraint(f"channel IN {TEMPLATE_CHANNELS}", name="channel"),
    )

    key: Mapped[str]
    channel: Mapped[str]
    #: BCP 47
    locale: Mapped[str]
    #: of a mail and of a push; an SMS has none
    subject: Mapped[str]
    body: Mapped[str]
    updated_at: Mapped[datetime]
    #: counts its changes
    version: Mapped[int] = mapped_column(default=1, info={"audited": False})


class ContactMessage(OrganizationOwned, Base):
    """One message to somebody outside, on its way by one channel. What names the person is erased in time."""

    __tablename__ = "contact_messages"
    __audited__ = False
    __table_args__ = (
        CheckConstraint("channel IN ('sms', 'mail')", name="channel"),
        CheckConstraint("status IN ('waiting', 'sent', 'refused', 'expired')", name="status"),
        Index("ix_contact_messages_subject", "organization_id", "subject"),
        Index("ix_contact_messages_recipient", "organization_id", "recipient"),
        Index("ix_contact_messages_kept", "created_at", sqlite_where=_KEPT, postgresql_where=_KEPT),
    )

    channel: Mapped[str]
    #: E.164, or an address of mail; empty: erased
    recipient: Mapped[str]
    #: empty: nobody knew it, or it was erased
    name: Mapped[str]
    template: Mapped[str]
    #: of the words that were used
    locale: Mapped[str]
    #: what it is about, as `order:<id>`
    subject: Mapped[str]
    #: the warehouse it is about, of which others need not know; nobody's key: places stand above
    warehouse_id: Mapped[uuid.UUID | None]
    #: of a mail
    title: Mapped[str]
    #: what it says; empty when it is a secret, or erased
    body: Mapped[str]
    #: what it says when that is a secret, until it was sent
    sealed_body: Mapped[str | None] = mapped_column(Sealed)
    collapse_key: Mapped[str]
    status: Mapped[str] = mapped_column(default="waiting")
    attempts: Mapped[int] = mapped_column(default=0)
    #: the machine's own time of the first try
    tried_at: Mapped[datetime | None]
    #: what the service called the message, or why it was not taken
    detail: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    #: what it says is worth nothing from then on
    expires_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]


class Pacing(OrganizationOwned, Base):
    """When something was last told of a matter: a row to lock, so that nobody tells it twice."""

    __tablename__ = "notification_pacings"
    __audited__ = False
    __table_args__ = (UniqueConstraint("organization_id", "key"), Index("ix_notification_pacings_told", "told_at"))

    key: Mapped[str]
    #: None: never; somebody is about to
    told_at: Mapped[datetime | None]
