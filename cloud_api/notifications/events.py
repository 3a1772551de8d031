"""What notifications tell."""

import uuid
from dataclasses import dataclass


@dataclass(frozen=True)
class NotificationWritten:
    """Somebody is to be told something on their phone."""

    notification_id: uuid.UUID
    #: on this one alone; None: on all of them
    phone_id: uuid.UUID | None = None


@dataclass(frozen=True)
class NotificationMailDue:
    """Somebody is to be told something by mail."""

    notification_id: uuid.UUID


@dataclass(frozen=True)
class NotificationSmsDue:
    """Somebody is to be told something by SMS."""

    notification_id: uuid.UUID


@dataclass(frozen=True)
class ContactMessageDue:
    """Somebody outside is to be told something, by SMS or by mail."""

    message_id: uuid.UUID
