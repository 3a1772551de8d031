"""Excursions, as they travel over HTTP."""

import uuid
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from cloud_api.kernel.http import RequestModel, ResponseModel

Status = Literal["open", "acknowledged", "recovered", "closed"]


class ExcursionAcknowledge(RequestModel):
    """Somebody is on it."""

    note: Annotated[str, Field(max_length=2000)] = ""


class ExcursionClose(RequestModel):
    """What becomes of the goods: `release` frees them, everything else leaves them on hold."""

    disposition: Literal["release", "quarantine", "downgrade", "waste"]
    note: Annotated[str, Field(min_length=1, max_length=2000)]


class ActionCreate(RequestModel):
    """What was done about it."""

    description: Annotated[str, Field(min_length=1, max_length=2000)]


class ActionRead(ResponseModel):
    """What somebody did about it."""

    id: uuid.UUID
    excursion_id: uuid.UUID
    description: str
    taken_at: datetime
    taken_by: uuid.UUID


class ExcursionRead(ResponseModel):
    """An excursion."""

    id: uuid.UUID
    number: str
    incident: str
    status: str
    severity: str
    location_id: uuid.UUID
    sensor_id: uuid.UUID
    rule_id: uuid.UUID
    quantity: str
    unit: str
    kind: str
    set_at: float
    clear_at: float
    duration_s: int
    latched: bool
    started_at: datetime
    raised_at: datetime
    ended_at: datetime | None
    peak_value: float
    raised_by: str
    acknowledged_at: datetime | None
    acknowledged_by: uuid.UUID | None
    acknowledgement: str
    reset_at: datetime | None
    #: readings that came late prove that it never was
    retracted_at: datetime | None
    closed_at: datetime | None
    disposition: str | None
    note: str


class BriefExcursionRead(ResponseModel):
    """An excursion, as far as its place is told by it."""

    id: uuid.UUID
    number: str
    status: str
    severity: str
    quantity: str
    kind: str
    started_at: datetime


class PlaceExcursionsRead(ResponseModel):
    """What waits for a decision in one place."""

    location_id: uuid.UUID
    count: int
    #: a few of them: those that go on first, and of these the newest
    first: list[BriefExcursionRead]


class AffectedLotRead(ResponseModel):
    """What it did to a lot."""

    lot_id: uuid.UUID
    location_id: uuid.UUID
    from_at: datetime
    to_at: datetime | None
    minutes: float
    degree_minutes: float
    peak: float | None


class MomentRead(ResponseModel):
    """Something that happened to it."""

    at: datetime
    what: str
    by: uuid.UUID | None
    said: str


class ExcursionDetail(ExcursionRead):
    """An excursion with all that hangs on it."""

    lots: list[AffectedLotRead]
    actions: list[ActionRead]
    timeline: list[MomentRead]
