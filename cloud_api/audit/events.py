"""What the audit room lets the rooms above know."""

import uuid
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class SecurityEventRaised:
    """Something happened that somebody responsible should look at."""

    security_event_id: uuid.UUID
    type: str
    #: low, medium, high or critical
    severity: str
    occurred_at: datetime
