"""The temperature log, as it travels over HTTP."""

import uuid
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from cloud_api.kernel.http import RequestModel, ResponseModel


class LogRead(ResponseModel):
    """An hour of a sensor, or what somebody read off a thermometer; in °C or per cent."""

    location_id: uuid.UUID
    sensor_id: uuid.UUID | None
    #: of an hour its beginning
    recorded_at: datetime
    source: Literal["gateway", "manual"]
    #: of an hour the mean; the other quantity is None
    temperature: float | None
    humidity: float | None
    minimum: float
    maximum: float
    alert_triggered: bool
    alert_type: str | None


class ManualReadingCreate(RequestModel):
    """What a thermometer or hygrometer shows, in °C or per cent."""

    location_id: uuid.UUID
    quantity: Literal["temperature", "humidity"] = "temperature"
    value: Annotated[float, Field(ge=-100, le=150, allow_inf_nan=False)]
    #: None: now
    measured_at: datetime | None = None
    note: Annotated[str, Field(max_length=2000)] = ""


class BrokenRead(ResponseModel):
    """A limit that it breaks; without a rule where the place itself says what it is kept at."""

    rule_id: uuid.UUID | None
    name: str
    kind: str
    set_at: float
    severity: str


class ManualReadingRead(ResponseModel):
    """What was written down, and which limits it breaks."""

    id: uuid.UUID
    location_id: uuid.UUID
    quantity: str
    value: float
    measured_at: datetime
    note: str
    alert_type: str | None
    broken: list[BrokenRead]


class TemperatureAlertRead(ResponseModel):
    """An alert that readings, or their absence, have raised."""

    id: uuid.UUID
    alert_type: str
    severity: str
    status: str
    title: str
    message: str
    subject: str
    location_id: uuid.UUID | None
    count: int
    first_at: datetime
    last_at: datetime
    resolved_at: datetime | None
