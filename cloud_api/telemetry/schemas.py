"""Readings, as people get them. What gateways send stands in `gateway.contract`."""

import uuid
from datetime import datetime

from cloud_api.kernel.http import ResponseModel


class ReadingRead(ResponseModel):
    """One value, calibrated, and as the sensor said it."""

    sensor_id: uuid.UUID
    #: where the sensor was then
    location_id: uuid.UUID | None
    recorded_at: datetime
    value: float
    raw_value: float
    quality: str


class LatestRead(ResponseModel):
    """A sensor's last value, and how old it is."""

    sensor_id: uuid.UUID
    location_id: uuid.UUID | None
    code: str
    quantity: str
    unit: str
    value: float
    raw_value: float
    quality: str
    recorded_at: datetime
    age_s: float
    #: how far its readings should be apart; null: nobody knows
    expected_s: float | None
    #: whether the next one is overdue; null: nobody knows
    stale: bool | None


class WholeRead(ResponseModel):
    """All buckets of one sensor together; null where there is nothing."""

    count: int
    minimum: float | None
    mean: float | None
    maximum: float | None
    above_s: float | None
    below_s: float | None
    known_s: float | None
    mkt_c: float | None


class SeriesAggregateRead(ResponseModel):
    """One sensor over time: lists with an entry for each bucket, null where it has no reading."""

    sensor_id: uuid.UUID
    location_id: uuid.UUID | None
    code: str
    quantity: str
    unit: str
    counts: list[int]
    minima: list[float | None]
    means: list[float | None]
    maxima: list[float | None]
    #: seconds beyond the limits asked for; null where no value is known
    above_s: list[float | None] | None
    below_s: list[float | None] | None
    #: for how many seconds a value is known: a reading holds until the next one, at most `hold_s`
    known_s: list[float] | None
    #: mean kinetic temperature in degrees Celsius
    mkt_c: list[float | None] | None
    hold_s: float
    whole: WholeRead


class AggregateRead(ResponseModel):
    """Sensors over the same buckets."""

    bucket: str
    #: whose hours and days they are
    zone: str
    #: whole buckets: from the beginning of the first to the end of the last
    since: datetime
    until: datetime
    #: when each bucket begins, in milliseconds since 1970-01-01 UTC
    begins_ms: list[int]
    series: list[SeriesAggregateRead]


class PlaceComparisonRead(ResponseModel):
    """What one place, and all that lies in it, was like over a period; null where there is nothing."""

    location_id: uuid.UUID
    code: str
    name: str
    sensors: int
    count: int
    minimum: float | None
    mean: float | None
    maximum: float | None
    #: mean kinetic temperature, of temperatures
    mkt_c: float | None
    #: the place's own limits
    temperature_min_c: float | None
    temperature_max_c: float | None
    #: of the time for which values are known, 0 to 1; null without limits
    in_range_share: float | None
    #: of the period, 0 to 1: when no sensor said anything
    gap_share: float | None


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
