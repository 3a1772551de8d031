"""How long readings are kept, as people say and see it."""

import uuid
from datetime import datetime
from itertools import pairwise
from typing import Annotated

from pydantic import AwareDatetime, Field, model_validator

from cloud_api.kernel.http import RequestModel, ResponseModel
from cloud_api.kernel.versions import Edit

#: days of ten years ten times: longer is for ever
_Days = Annotated[int, Field(ge=1, le=36_500)]


class RetentionClassWrite(RequestModel):
    """For how many days readings are kept, and their hours and days; without a number for ever."""

    name: Annotated[str, Field(min_length=1, max_length=100, examples=["vaccines"])]
    raw_days: _Days | None = None
    hours_days: _Days | None = None
    days_days: _Days | None = None

    @model_validator(mode="after")
    def _keeps_what_is_coarser_longer(self) -> "RetentionClassWrite":
        finest_first = [days or 1 << 30 for days in (self.raw_days, self.hours_days, self.days_days)]
        if any(finer > coarser for finer, coarser in pairwise(finest_first)):
            raise ValueError("keep hours at least as long as raw readings, and days at least as long as hours")
        return self


class RetentionClassUpdate(RetentionClassWrite, Edit):
    """All of it: without a number for ever."""


class RetentionClassRead(ResponseModel):
    """A class of sensors whose readings are kept equally long."""

    id: uuid.UUID
    name: str
    raw_days: int | None
    hours_days: int | None
    days_days: int | None
    version: int


class SensorRetentionListed(ResponseModel):
    """A sensor that has a class of its own."""

    id: uuid.UUID
    sensor_id: uuid.UUID
    class_id: uuid.UUID


class SensorRetentionWrite(RequestModel):
    """The class that a sensor is to have; none: the standard one."""

    class_id: uuid.UUID | None


class SensorRetentionRead(ResponseModel):
    """How long the readings of a sensor are kept. Without `class_id` it is the standard class."""

    sensor_id: uuid.UUID
    class_id: uuid.UUID | None
    name: str
    raw_days: int | None
    hours_days: int | None
    days_days: int | None


class LegalHoldCreate(RequestModel):
    """What must be kept: readings of a place and all in it, of a sensor, or with neither of the whole organisation."""

    location_id: uuid.UUID | None = None
    sensor_id: uuid.UUID | None = None
    reason: Annotated[str, Field(min_length=1, max_length=2000, examples=["claim 2026-17: lots 4 to 9"])]
    #: the time of the readings; without it from ever, for ever
    from_at: AwareDatetime | None = None
    to_at: AwareDatetime | None = None

    @model_validator(mode="after")
    def _says_one_thing(self) -> "LegalHoldCreate":
        if self.location_id is not None and self.sensor_id is not None:
            raise ValueError("name a place or a sensor, not both: make two holds")
        if self.from_at is not None and self.to_at is not None and self.from_at >= self.to_at:
            raise ValueError("from_at must lie before to_at")
        return self


class LegalHoldRead(ResponseModel):
    """A hold, and who released it."""

    id: uuid.UUID
    location_id: uuid.UUID | None
    sensor_id: uuid.UUID | None
    reason: str
    from_at: datetime | None
    to_at: datetime | None
    created_by: uuid.UUID
    created_at: datetime
    released_by: uuid.UUID | None
    released_at: datetime | None
