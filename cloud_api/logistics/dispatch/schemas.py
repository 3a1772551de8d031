"""Plans, as they travel over HTTP."""

import uuid
from datetime import date, datetime, time
from typing import Annotated

from pydantic import Field

from cloud_api.kernel.http import RequestModel, ResponseModel
from cloud_api.kernel.json_types import LocalTime


class OptimizeRequest(RequestModel):
    """Plan a day's packed orders of a warehouse."""

    warehouse_id: uuid.UUID
    delivery_date: date
    #: local time at which vans may leave
    departs_at: LocalTime = time(7)
    #: every active van, when there are none
    vehicle_ids: Annotated[list[uuid.UUID], Field(max_length=200, default_factory=list)]
    time_limit_s: Annotated[int, Field(ge=1, le=300)] = 10
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0


class UnservedRead(ResponseModel):
    """An order that no route takes, and why."""

    order_id: uuid.UUID
    reason: str


class PlanningJobRead(ResponseModel):
    """A run of the optimizer."""

    id: uuid.UUID
    warehouse_id: uuid.UUID
    delivery_date: date
    status: str
    requested_at: datetime
    finished_at: datetime | None
    distance_m: int | None
    unserved: list[UnservedRead]
    error: str | None
