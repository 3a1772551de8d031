"""`/api/v1/alerts`: what somebody has to look at, and who is told of it."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from sqlalchemy import select

from cloud_api.cold_chain.alerts import policies, queries, reading, service
from cloud_api.cold_chain.alerts.models import Alert, EscalationPolicy
from cloud_api.cold_chain.alerts.schemas import (
    AlertAcknowledge,
    AlertEscalate,
    AlertNote,
    AlertRead,
    AlertResolve,
    AlertSnooze,
    AlertWhole,
    PolicyCreate,
    PolicyRead,
    PolicyUpdate,
)
from cloud_api.cold_chain.alerts.states import AlertStatus
from cloud_api.cold_chain.alerts.tellings import Severity
from cloud_api.identity.sessions.dependencies import Person
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.json_types import Instant
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.places.visibility import VisiblePlaces

router = APIRouter(prefix="/alerts", tags=["cold chain"], route_class=ApiRoute)
READING = [require("alerts:read")]
WRITING = [require("alerts:write")]
ANSWERING = [require("alerts:ack")]


@router.get("/escalation-policies", response_model=list[PolicyRead], dependencies=READING)
async def list_escalation_policies(db: Db, query: Annotated[PageQuery, Depends()]) -> Page[PolicyRead]:
    """Newest first."""
    found = await page(db, select(EscalationPolicy), EscalationPolicy.id, query)
    return Page([reading.read_policy(policy) for policy in found.items], found.limit, found.next_cursor)


@router.post("/escalation-policies", response_model=PolicyRead, status_code=201, dependencies=WRITING)
async def create_escalation_policy(db: Db, body: PolicyCreate) -> PolicyRead:
    """Who is told of an alert, in which order, until somebody answers."""
    return reading.read_policy(await policies.create_policy(db, new=body))


@router.get("/escalation-policies/{id}", response_model=PolicyRead, dependencies=READING)
async def get_escalation_policy(db: Db, id: uuid.UUID) -> PolicyRead:
    """One policy."""
    return reading.read_policy(await policies.get_policy(db, id))


@router.put("/escalation-policies/{id}", response_model=PolicyRead, dependencies=WRITING)
async def update_escalation_policy(db: Db, id: uuid.UUID, body: PolicyUpdate) -> PolicyRead:
    """Change what is sent. Alerts that were raised before keep what it said then."""
    return reading.read_policy(await policies.update_policy(db, id, changes=body))


@router.delete("/escalation-policies/{id}", status_code=204, dependencies=WRITING)
async def delete_escalation_policy(db: Db, id: uuid.UUID) -> None:
    """Take it away; rules that name it follow the organisation's default."""
    await policies.delete_policy(db, id)


@router.get("", response_model=list[AlertRead], dependencies=READING)
async def list_alerts(
    db: Db,
    principal: CurrentPrincipal,
    seen: VisiblePlaces,
    query: Annotated[PageQuery, Depends()],
    status: Annotated[list[AlertStatus] | None, Query()] = None,
    alert_type: str | None = None,
    severity: Severity | None = None,
    location_id: uuid.UUID | None = None,
    subject: str | None = None,
    since: Instant | None = None,
) -> Page[AlertRead]:
    """Newest first; without `status` those that are not resolved. `since` is when it was raised last."""
    wanted = queries.alerts(
        seen,
        statuses=status or (),
        alert_type=alert_type,
        severity=severity,
        location_id=location_id,
        subject=subject,
        since=since,
    )
    found = await page(db, wanted, Alert.id, query)
    return Page(await reading.read_alerts(db, found.items, by=principal.id), found.limit, found.next_cursor)


@router.get("/{id}", response_model=AlertWhole, dependencies=READING)
async def get_alert(db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID) -> AlertWhole:
    """One alert with what raised it, its timeline, and who is told next."""
    return await reading.read_alert(db, await service.get_alert(db, id, seen=seen), by=principal.id)


@router.post("/{id}/ack", response_model=AlertWhole, dependencies=ANSWERING)
async def acknowledge_alert(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID, body: AlertAcknowledge
) -> AlertWhole:
    """Somebody is on it: nobody else is told. A critical alert needs a comment."""
    alert = await service.acknowledge(db, id, user_id=principal.id, comment=body.comment, seen=seen)
    return await reading.read_alert(db, alert, by=principal.id)


@router.post("/{id}/snooze", response_model=AlertWhole, dependencies=ANSWERING)
async def snooze_alert(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID, body: AlertSnooze
) -> AlertWhole:
    """Tell nobody until then; then go on."""
    alert = await service.snooze(db, id, user_id=principal.id, until=body.until, comment=body.comment, seen=seen)
    return await reading.read_alert(db, alert, by=principal.id)


@router.post("/{id}/escalate", response_model=AlertWhole, dependencies=ANSWERING)
async def escalate_alert(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID, body: AlertEscalate
) -> AlertWhole:
    """Tell the next step of its policy at once, not when its time has come; what was answered or put off is open."""
    alert = await service.escalate_by_hand(db, id, user_id=principal.id, text=body.note, seen=seen)
    return await reading.read_alert(db, alert, by=principal.id)


@router.post("/{id}/resolve", response_model=AlertWhole, dependencies=ANSWERING)
async def resolve_alert(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID, body: AlertResolve
) -> AlertWhole:
    """It is over because somebody says so, and why."""
    alert = await service.resolve(db, id, user_id=principal.id, text=body.note, seen=seen)
    return await reading.read_alert(db, alert, by=principal.id)


@router.post("/{id}/notes", response_model=AlertWhole, status_code=201, dependencies=ANSWERING)
async def add_alert_note(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID, body: AlertNote
) -> AlertWhole:
    """A line for its timeline."""
    alert = await service.add_note(db, id, user_id=principal.id, text=body.note, seen=seen)
    return await reading.read_alert(db, alert, by=principal.id)


@router.put("/{id}/read", response_model=AlertWhole, dependencies=READING)
async def mark_alert_read(db: Db, principal: Person, seen: VisiblePlaces, id: uuid.UUID) -> AlertWhole:
    """One has read it; others have not."""
    alert = await service.mark_read(db, id, user_id=principal.id, seen=seen)
    return await reading.read_alert(db, alert, by=principal.id)
