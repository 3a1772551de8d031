"""Sensors, where they were and how they are corrected, as people see them."""

import uuid
from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import Query
from pydantic import AwareDatetime, BaseModel, Field, model_validator

from cloud_api.kernel.http import RequestModel, ResponseModel
from cloud_api.kernel.versions import Edit

DeviceCode = Annotated[str, Field(min_length=1, max_length=200, examples=["z2m:cold-room-1"])]
Offset = Annotated[float, Field(ge=-1000, le=1000, allow_inf_nan=False)]
Gain = Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)]
NO_NUL = r"^[^\x00]*$"
IntervalS = Annotated[int, Field(ge=1, le=7 * 24 * 3600, examples=[60])]


class SensorCreate(RequestModel):
    """A sensor to come, or one already heard that is to be given its place."""

    gateway_id: uuid.UUID
    location_id: uuid.UUID | None = None
    code: DeviceCode
    quantity: Annotated[str, Field(min_length=1, max_length=64, examples=["temperature"])]
    unit: Annotated[str, Field(min_length=1, max_length=16, examples=["Cel"])]
    offset: Offset = 0.0
    #: how often it should be heard, in seconds; none: as often as it has been
    interval_s: IntervalS | None = None


class SensorUpdate(Edit):
    """What is not sent stays."""

    #: where it is; null: nowhere
    location_id: uuid.UUID | None = None
    #: since when it is there, not in the future; none: from now on. What was said of the time since is replaced
    moved_at: AwareDatetime | None = None
    #: recorded as a calibration without a certificate, from now on
    offset: Offset = 0.0
    interval_s: IntervalS | None = None
    #: `active` brings a retired one back
    status: Literal["active", "retired"] = "active"

    @model_validator(mode="after")
    def _says_where(self) -> "SensorUpdate":
        if self.moved_at is not None and "location_id" not in self.model_fields_set:
            raise ValueError("moved_at: say with location_id where the sensor is since then")
        return self


class SensorFilter(BaseModel):
    """Query parameters of the list of sensors: all that are given hold."""

    gateway_id: uuid.UUID | None = None
    #: in this place or anywhere inside it
    location_id: uuid.UUID | None = None
    #: heard, and not given a place yet
    unplaced: bool | None = None
    quantity: Annotated[str | None, Query(max_length=64, pattern=NO_NUL)] = None
    status: Literal["active", "retired"] | None = None
    #: a part of it, in whatever case
    code: Annotated[str | None, Query(max_length=200, pattern=NO_NUL)] = None


class SensorRead(ResponseModel):
    """A sensor."""

    id: uuid.UUID
    gateway_id: uuid.UUID
    location_id: uuid.UUID | None
    code: str
    quantity: str
    unit: str
    #: a raw value is shown and judged as value x gain + offset
    gain: float
    offset: float
    interval_s: int | None
    status: str
    version: int
    created_at: datetime


class PlacementRead(ResponseModel):
    """Where a sensor was from a moment on."""

    id: uuid.UUID | None
    sensor_id: uuid.UUID
    #: null: always before the next one
    since: datetime | None
    location_id: uuid.UUID | None


class CalibrationValues(RequestModel):
    """How a sensor's raw values are corrected, and by whose word."""

    gain: Gain = 1.0
    offset: Offset = 0.0
    #: its number
    certificate: Annotated[str, Field(max_length=200, examples=["NABL-2026-0117"])] = ""
    #: what the sensor was compared with
    reference: Annotated[str, Field(max_length=200, examples=["Fluke 1524, 0 and 5 °C"])] = ""
    #: when it must be done again
    due_on: date | None = None
    note: Annotated[str, Field(max_length=1000)] = ""


class CalibrationCreate(CalibrationValues):
    """A calibration. The same moment again is written anew: the trail keeps what stood there."""

    #: from when on it holds, not in the future; none: from now on
    in_force_from: AwareDatetime | None = None


class CalibrationRead(ResponseModel):
    """A calibration. It holds until the next one does."""

    id: uuid.UUID | None
    sensor_id: uuid.UUID
    #: null: always before the next one
    in_force_from: datetime | None
    gain: float
    offset: float
    certificate: str
    reference: str
    due_on: date | None
    note: str
    recorded_by: uuid.UUID | None
    recorded_at: datetime | None


class CalibrationDueRead(ResponseModel):
    """A sensor that has to be calibrated again."""

    sensor: SensorRead
    calibration: CalibrationRead
    due_on: date
    #: how many days ago that was; negative: in how many days it is
    overdue_days: int
