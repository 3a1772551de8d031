"""Delivery windows, as they travel over HTTP."""

import uuid
from datetime import date
from typing import Annotated

from pydantic import Field

from cloud_api.kernel.http import RequestModel, ResponseModel
from cloud_api.kernel.json_types import LocalTime
from cloud_api.kernel.versions import Edit

#: as ISO 8601 has it: 1 Monday, 7 Sunday
Weekday = Annotated[int, Field(ge=1, le=7)]
Capacity = Annotated[int, Field(ge=0, le=100_000)]


class SlotCreate(RequestModel):
    """A window, in local times of the organisation: on some days of each week, or on one day."""

    warehouse_id: uuid.UUID
    #: every week on these days; empty: only on `day`
    weekdays: Annotated[list[Weekday], Field(default_factory=list, max_length=7)]
    #: a day with windows of its own has no others: a holiday
    day: date | None = None
    window_from: LocalTime
    window_until: LocalTime
    #: orders that it takes on one day
    capacity: Capacity


class SlotUpdate(Edit):
    """What is not sent stays. Another window is another slot: orders were promised this one."""

    weekdays: Annotated[list[Weekday], Field(min_length=1, max_length=7)] | None = None
    capacity: Capacity | None = None
    is_active: bool | None = None


class SlotRead(ResponseModel):
    """A window, and when a day was named, what is left of it on that day."""

    id: uuid.UUID
    warehouse_id: uuid.UUID
    weekdays: list[int]
    day: date | None
    window_from: LocalTime
    window_until: LocalTime
    capacity: int
    is_active: bool
    #: orders that took it on the day that was asked about
    taken: int | None
    #: orders that it takes yet
    left: int | None
    #: counts its changes: PUT may say which one it was made of
    version: int


class BookedDayRead(ResponseModel):
    """How many orders took a window on one day."""

    day: date
    taken: int


class SlotBookedRead(SlotRead):
    """A window, and the days from today on for which orders took it, the next first."""

    booked: list[BookedDayRead]
