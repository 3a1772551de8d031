"""Reads of notifications."""

import uuid

from sqlalchemy import Select, select

from cloud_api.notifications.models import Notification


def listed(user_id: uuid.UUID, *, unread: bool = False, category: str | None = None) -> Select[tuple[Notification]]:
    """A person's own, without what was superseded, taken out, or never meant for the list."""
    theirs = select(Notification).where(Notification.user_id == user_id, Notification.is_listed)
    if unread:
        theirs = theirs.where(Notification.is_read.is_(False))
    return theirs if category is None else theirs.where(Notification.category == category)
