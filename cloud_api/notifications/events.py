"""What notifications tell."""

import uuid
from dataclasses import dataclass


@dataclass(frozen=True)
class NotificationWritten:
    """Somebody is to be told something."""

    notification_id: uuid.UUID
