"""Reads of alerts."""

import uuid
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Select, or_, select

from cloud_api.cold_chain.alerts.models import Alert, AlertMember
from cloud_api.cold_chain.alerts.states import AlertStatus
from cloud_api.places.queries import Visible

#: of a statement that locks: what this session knew of the rows is read anew
FRESH = {"populate_existing": True}


def to_be_seen(seen: Visible) -> ColumnElement[bool]:
    """An alert of a place is for those who may see the place; one of none, for everybody."""
    return or_(Alert.location_id.is_(None), seen.locations(Alert.location_id))


def alerts(
    seen: Visible,
    *,
    statuses: Collection[AlertStatus] = (),
    alert_type: str | None = None,
    severity: str | None = None,
    location_id: uuid.UUID | None = None,
    subject: str | None = None,
    since: datetime | None = None,
) -> Select[tuple[Alert]]:
    """Alerts that fit; without a status those that are not resolved."""
    found = select(Alert).where(to_be_seen(seen))
    found = found.where(Alert.status.in_(statuses) if statuses else Alert.status != AlertStatus.RESOLVED)
    if alert_type is not None:
        found = found.where(Alert.alert_type == alert_type)
    if severity is not None:
        found = found.where(Alert.severity == severity)
    if location_id is not None:
        found = found.where(Alert.location_id == location_id)
    if subject is not None:
        found = found.where(Alert.id.in_(select(AlertMember.alert_id).where(AlertMember.subject == subject)))
    if since is not None:
        found = found.where(Alert.last_at >= since)
    return found


def due(now: datetime) -> Select[tuple[uuid.UUID, uuid.UUID]]:
    """(organisation, alert) of those that are due, the longest due first. For a system session."""
    return select(Alert.organization_id, Alert.id).where(Alert.due_at <= now).order_by(Alert.due_at)
