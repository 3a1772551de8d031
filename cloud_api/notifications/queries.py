"""Reads of notifications."""

import uuid
from collections.abc import Collection

from sqlalchemy import Select, or_, select

from cloud_api.notifications.models import ContactMessage, Notification, PushDelivery


def listed(user_id: uuid.UUID, *, unread: bool = False, category: str | None = None) -> Select[tuple[Notification]]:
    """A person's own, without what was superseded, taken out, or never meant for the list."""
    theirs = select(Notification).where(Notification.user_id == user_id, Notification.is_listed)
    if unread:
        theirs = theirs.where(Notification.is_read.is_(False))
    return theirs if category is None else theirs.where(Notification.category == category)


def contact_messages(
    *,
    seen: Collection[uuid.UUID] | None,
    subject: str | None = None,
    status: str | None = None,
    template: str | None = None,
) -> Select[tuple[ContactMessage]]:
    """Messages to people outside, of the warehouses `seen` and of none; None: of all."""
    theirs = select(ContactMessage)
    if seen is not None:
        theirs = theirs.where(or_(ContactMessage.warehouse_id.is_(None), ContactMessage.warehouse_id.in_(seen)))
    wanted = ((ContactMessage.subject, subject), (ContactMessage.status, status), (ContactMessage.template, template))
    return theirs.where(*(column == value for column, value in wanted if value is not None))


def last_push(phone_id: uuid.UUID) -> Select[tuple[PushDelivery]]:
    """The push to a phone that was settled last."""
    its = select(PushDelivery).where(PushDelivery.phone_id == phone_id)
    return its.order_by(PushDelivery.settled_at.desc(), PushDelivery.id.desc()).limit(1)
