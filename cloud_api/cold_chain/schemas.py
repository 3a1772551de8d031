"""Rules and excursions, as they travel over HTTP."""

import uuid
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from cloud_api.kernel.http import RequestModel, ResponseModel

Value = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]
DurationS = Annotated[int, Field(ge=0, le=86_400)]
Name = Annotated[str, Field(min_length=1, max_length=120)]
Severity = Literal["info", "warning", "critical"]


class RuleCreate(RequestModel):
    """A limit for a place and everything inside it."""

    name: Name
    location_id: uuid.UUID
    quantity: Annotated[str, Field(min_length=1, max_length=64)] = "temperature"
    kind: Literal["high", "low"]
    set_at: Value
    clear_at: Value
    duration_s: DurationS = 600
    severity: Severity = "critical"


class RuleUpdate(RequestModel):
    """What is not sent stays. Excursions that go on keep the limit they were opened with."""

    name: Name = ""
    set_at: Value = 0.0
    clear_at: Value = 0.0
    duration_s: DurationS = 0
    severity: Severity = "critical"
    enabled: bool = True


class RuleRead(ResponseModel):
    """A rule."""

    id: uuid.UUID
    name: str
    location_id: uuid.UUID
    quantity: str
    kind: str
    set_at: float
    clear_at: float
    duration_s: int
    severity: str
    enabled: bool


class ExcursionAcknowledge(RequestModel):
    """Somebody is on it."""

    note: Annotated[str, Field(max_length=2000)] = ""


class ExcursionClose(RequestModel):
    """What becomes of the goods: `release` frees them, everything else leaves them on hold."""

    disposition: Literal["release", "quarantine", "downgrade", "waste"]
    note: Annotated[str, Field(min_length=1, max_length=2000)]


class ExcursionRead(ResponseModel):
    """An excursion."""

    id: uuid.UUID
    number: str
    incident: str
    status: str
    severity: str
    location_id: uuid.UUID
    sensor_id: uuid.UUID
    quantity: str
    unit: str
    kind: str
    set_at: float
    clear_at: float
    started_at: datetime
    raised_at: datetime
    ended_at: datetime | None
    peak_value: float
    raised_by: str
    acknowledged_at: datetime | None
    closed_at: datetime | None
    disposition: str | None
    note: str
