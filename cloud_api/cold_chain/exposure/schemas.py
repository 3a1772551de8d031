"""What lots have been through, as it travels over HTTP."""

import uuid
from datetime import datetime

from cloud_api.kernel.http import ResponseModel


class HoursRead(ResponseModel):
    """What a sensor measured, hour by hour, in columns of one length."""

    begins_at: list[datetime]
    minimum: list[float]
    mean: list[float]
    maximum: list[float]


class GapRead(ResponseModel):
    """Hours in which nothing was measured."""

    since: datetime
    until: datetime


class StretchRead(ResponseModel):
    """The lot lay in a place; one for each sensor that watched it, or one without."""

    location_id: uuid.UUID
    since: datetime
    until: datetime
    #: it lies there still
    present: bool
    sensor_id: uuid.UUID | None
    #: where the sensor was: the place itself, or the nearest around it
    sensor_location_id: uuid.UUID | None
    hours: HoursRead
    gaps: list[GapRead]


class LotExposureRead(ResponseModel):
    """What one excursion did to the lot in one place."""

    excursion_id: uuid.UUID
    location_id: uuid.UUID
    sensor_id: uuid.UUID
    quantity: str
    unit: str
    kind: str
    set_at: float
    from_at: datetime
    #: None: it goes on
    to_at: datetime | None
    minutes: float
    degree_minutes: float
    peak: float | None
    mean_kinetic_c: float | None


class ShelfLifeRead(ResponseModel):
    """What its temperatures have left of the lot's shelf life."""

    reference_c: float
    q10: float
    total_days: float
    used_days: float
    remaining_days: float
    unknown_hours: float


class ExposureRead(ResponseModel):
    """Everything that is known of what a lot has been through."""

    lot_id: uuid.UUID
    lot_number: str
    #: of exposures that overlap in time only the worst counts
    minutes: float
    degree_minutes: float
    exposures: list[LotExposureRead]
    shelf_life: ShelfLifeRead | None
    stretches: list[StretchRead]
