"""The timeline of an alert, and the word to those who watch alerts."""

import uuid
from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.cold_chain.alerts.models import Alert, AlertEvent
from cloud_api.kernel import clock
from cloud_api.kernel.db import announce
from cloud_api.realtime.hub import topic_of


def note(
    db: AsyncSession,
    alert: Alert,
    kind: str,
    *,
    user_id: uuid.UUID | None = None,
    text: str = "",
    detail: Mapping[str, object] | None = None,
) -> None:
    """Write down what has happened to an alert, and let its watchers look."""
    db.add(
        AlertEvent(alert_id=alert.id, at=clock.now(), kind=kind, user_id=user_id, note=text, detail=dict(detail or {}))
    )
    announce(db, topic_of("alerts", alert.organization_id, alert.organization_id))
