"""The trail and security events, as they travel over HTTP."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from fastapi import Query
from pydantic import Field, JsonValue

from cloud_api.audit.models import Fault, SecurityEventType, Severity
from cloud_api.audit.states import SecurityStatus
from cloud_api.kernel.http import RequestModel, ResponseModel
from cloud_api.kernel.json_types import Instant

Note = Annotated[str, Field(min_length=1, max_length=2000)]
Since = Annotated[Instant | None, Query(alias="from")]
Until = Annotated[Instant | None, Query(alias="to", description="Not included.")]
Values = Annotated[dict[str, JsonValue], Field(max_length=100)]


@dataclass(frozen=True)
class EntryFilter:
    """Which entries of the trail; without any, all."""

    actor: Annotated[uuid.UUID | None, Query(description="Id of the person or machine that did it.")] = None
    action: Annotated[str | None, Query(max_length=100, description="As `users.changed` or `signed_in`.")] = None
    entity: Annotated[str | None, Query(max_length=100, description="Name of a table, as `users`.")] = None
    entity_id: Annotated[str | None, Query(max_length=100)] = None
    since: Since = None
    until: Until = None

    @property
    def only_time(self) -> bool:
        """Whether nothing but a time is asked for."""
        return (self.actor, self.action, self.entity, self.entity_id) == (None, None, None, None)


class EntryCreate(RequestModel):
    """What somebody did beside the system, or saw. It stands in the trail as `manual.<action>`, for ever."""

    action: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
    entity: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
    entity_id: Annotated[str, Field(min_length=1, max_length=100)]
    old: Values | None = None
    new: Values | None = None
    note: Note


class EntryRead(ResponseModel):
    """One entry of the trail: the changed columns before and after."""

    id: uuid.UUID
    occurred_at: datetime
    actor_kind: str
    actor_id: uuid.UUID | None
    actor_name: str
    address: str
    request_id: str
    action: str
    entity: str
    entity_id: str
    old: dict[str, JsonValue] | None
    new: dict[str, JsonValue] | None
    note: str


class ActivityFeedRead(ResponseModel):
    """Who did what, and when. What the values were before and after stands in the trail."""

    id: uuid.UUID
    occurred_at: datetime
    actor_kind: str
    actor_id: uuid.UUID | None
    actor_name: str
    #: as `items.changed`
    action: str
    entity: str
    entity_id: str
    #: names of what was set or changed
    changed: list[str]
    note: str


class VerificationRead(ResponseModel):
    """Whether the trail is what was sealed."""

    intact: bool
    #: how many entries were looked at
    count: int
    from_sequence: int
    to_sequence: int
    #: the first place where the seals do not hold
    broken_at: int | None
    #: what is wrong there: an entry is missing, or gone, or was changed (or another key sealed it); the chain's end is
    #: missing, or is another one
    fault: Fault | None


class SecurityEventRead(ResponseModel):
    """A security event."""

    id: uuid.UUID
    type: SecurityEventType
    severity: Severity
    status: SecurityStatus
    occurred_at: datetime
    actor_kind: str
    actor_id: uuid.UUID | None
    actor_name: str
    address: str
    request_id: str
    details: dict[str, JsonValue]
    resolved_by: uuid.UUID | None
    resolved_at: datetime | None
    note: str


class SecurityEventMove(RequestModel):
    """Somebody looks into it; how it ends is told to `/resolve`."""

    status: Literal["investigating"] = "investigating"


class SecurityEventResolve(RequestModel):
    """How it ended."""

    status: Literal["resolved", "false_positive"] = "resolved"
    note: Note


class ThreatRead(ResponseModel):
    """How often something happened."""

    type: SecurityEventType
    severity: Severity
    last_24_hours: int
    last_7_days: int


class ThreatsRead(ResponseModel):
    """How things stand."""

    #: 0 to 100, 100 is best
    score: Annotated[int, Field(ge=0, le=100)]
    #: of the last 7 days, open or under investigation
    unsettled: int
    threats: list[ThreatRead]
