"""Readings, as people get them. What gateways send stands in `gateway.contract`."""

import uuid
from datetime import datetime

from cloud_api.kernel.http import ResponseModel


class ReadingRead(ResponseModel):
    """One calibrated value."""

    sensor_id: uuid.UUID
    recorded_at: datetime
    value: float
    quality: str


class LatestRead(ResponseModel):
    """A sensor's last value, and how old it is."""

    sensor_id: uuid.UUID
    location_id: uuid.UUID | None
    code: str
    quantity: str
    unit: str
    value: float
    quality: str
    recorded_at: datetime
    age_s: float


class DeadLetterRead(ResponseModel):
    """A row nobody could use."""

    id: uuid.UUID
    gateway_id: uuid.UUID
    received_at: datetime
    code: str
    field: str
    message: str
    raw: str


class LaneRead(ResponseModel):
    """How far one lane of a gateway is settled, and what became of its rows."""

    gateway_id: uuid.UUID
    epoch: str
    lane: str
    acked_through: int
    accepted: int
    duplicates: int
    refused: int


class SummaryRead(ResponseModel):
    """What is left of readings that had to be thinned out, calibrated."""

    id: uuid.UUID
    gateway_id: uuid.UUID
    sensor_id: uuid.UUID
    #: of the first and of the last reading
    since: datetime
    until: datetime
    count: int
    minimum: float
    mean: float
    maximum: float
    time_source: str
    quality: str


class GapRead(ResponseModel):
    """Rows of a lane that will never come, and why."""

    id: uuid.UUID
    gateway_id: uuid.UUID
    epoch: str
    lane: str
    first_sequence: int
    last_sequence: int
    rows_gone: int
    since: datetime
    until: datetime
    reason: str
