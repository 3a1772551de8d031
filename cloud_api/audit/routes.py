"""`/api/v1/admin/security/...`: the trail and security events."""

import uuid
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse

from cloud_api.audit import checking, export, queries, service
from cloud_api.audit.models import AuditEntry, SecurityEvent, SecurityEventType, Severity
from cloud_api.audit.schemas import (
    EntryCreate,
    EntryFilter,
    EntryRead,
    SecurityEventMove,
    SecurityEventRead,
    SecurityEventResolve,
    Since,
    ThreatsRead,
    Until,
    VerificationRead,
)
from cloud_api.audit.states import SecurityStatus
from cloud_api.kernel.db import Database
from cloud_api.kernel.errors import Invalid
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import CurrentPrincipal, Principal, require
from cloud_api.kernel.settings import Settings
from cloud_api.kernel.unit_of_work import Db

router = APIRouter(prefix="/admin/security", tags=["security"], route_class=ApiRoute)

Filter = Annotated[EntryFilter, Depends()]
_FILES: dict[int | str, dict[str, object]] = {
    200: {
        "description": "A page; with `format` a file, streamed",
        "content": {"application/x-ndjson": {"schema": {"type": "string"}}, "text/csv": {"schema": {"type": "string"}}},
    }
}


@router.get("/events", response_model=list[SecurityEventRead], dependencies=[require("security:read")])
async def list_security_events(
    db: Db,
    query: Annotated[PageQuery, Depends()],
    type: SecurityEventType | None = None,
    severity: Severity | None = None,
    status: SecurityStatus | None = None,
) -> Page[SecurityEvent]:
    """Newest first."""
    return await page(db, queries.security_events(type=type, severity=severity, status=status), SecurityEvent.id, query)


@router.get("/events/{id}", response_model=SecurityEventRead, dependencies=[require("security:read")])
async def get_security_event(db: Db, id: uuid.UUID) -> SecurityEvent:
    """One event."""
    return await service.get_security_event(db, id)


@router.put("/events/{id}/status", response_model=SecurityEventRead, dependencies=[require("security:write")])
async def move_security_event(db: Db, id: uuid.UUID, body: SecurityEventMove) -> SecurityEvent:
    """Somebody looks into it: there is no other state to move to."""
    return await service.investigate(db, id)


@router.put("/events/{id}/resolve", response_model=SecurityEventRead, dependencies=[require("security:write")])
async def resolve_security_event(
    db: Db, principal: CurrentPrincipal, id: uuid.UUID, body: SecurityEventResolve
) -> SecurityEvent:
    """It is dealt with, or it was nothing."""
    return await service.settle(
        db, id, false_positive=body.status == "false_positive", note=body.note, user_id=principal.id
    )


@router.get("/threats", response_model=ThreatsRead, dependencies=[require("security:read")])
async def get_threats(db: Db) -> ThreatsRead:
    """What happened in 24 hours and 7 days by type and severity, and a score: 100 less what is not settled."""
    return await service.threats(db)


@router.get(
    "/audit-logs",
    response_model=list[EntryRead],
    dependencies=[require("audit:read")],
    responses=_FILES,
)
async def list_audit_logs(
    request: Request,
    principal: CurrentPrincipal,
    db: Db,
    query: Annotated[PageQuery, Depends()],
    filter: Filter,
    format: Literal["json", "jsonl", "csv"] = "json",
) -> Page[AuditEntry] | Response:
    """The trail, newest first.

    With `format=jsonl` the sealed chain, oldest first, for `coldfleet cloud verify-audit`: whole, or the stretch that
    covers `from` and `to`. With `format=csv` the entries of the filter for a spreadsheet. Both are streamed.
    """
    entries = queries.entries(
        actor=filter.actor,
        action=filter.action,
        entity=filter.entity,
        entity_id=filter.entity_id,
        since=filter.since,
        until=filter.until,
    )
    if format == "json":
        return await page(db, entries, AuditEntry.id, query)
    database: Database = request.app.state.database
    if format == "csv":
        return _file(export.table(database, principal.scope, entries), "text/csv", "csv")
    if not filter.only_time:
        raise Invalid("a chain with entries left out cannot be checked: filter by from and to only", field="format")
    lines = _chain(request, principal, filter.since, filter.until)
    return _file(lines, "application/x-ndjson", "jsonl")


def _chain(
    request: Request, principal: Principal, since: datetime | None, until: datetime | None
) -> AsyncIterator[str]:
    key = _key(request)
    return export.json_lines(request.app.state.database, principal.scope, key, since=since, until=until)


def _key(request: Request) -> bytes:
    settings: Settings = request.app.state.settings
    return settings.audit_key.get_secret_value().encode()


def _file(lines: AsyncIterator[str], media_type: str, ending: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="audit.{ending}"'}
    return StreamingResponse(lines, media_type=media_type, headers=headers)


@router.get("/audit-logs/verification", response_model=VerificationRead, dependencies=[require("audit:read")])
async def verify_audit_logs(
    request: Request, principal: CurrentPrincipal, since: Since = None, until: Until = None
) -> checking.Checked:
    """Compute the seals again, of all of the trail or of a time, and name the first place where they do not hold."""
    key = _key(request)
    return await checking.check(request.app.state.database, principal.scope, key, since=since, until=until)


@router.post("/audit-logs", response_model=EntryRead, status_code=201, dependencies=[require("audit:write")])
async def create_audit_log(db: Db, body: EntryCreate) -> AuditEntry:
    """Write down what was done or seen beside the system. It cannot be changed or taken back."""
    return service.record_by_hand(db, new=body)
