"""Sensors, as people see them."""

import uuid
from typing import Annotated, Literal

from pydantic import Field

from cloud_api.kernel.http import RequestModel, ResponseModel

DeviceCode = Annotated[str, Field(min_length=1, max_length=200, examples=["z2m:cold-room-1"])]
OffsetC = Annotated[float, Field(ge=-50, le=50, allow_inf_nan=False)]


class SensorCreate(RequestModel):
    """A sensor to come, or one already heard that is to be given its place."""

    gateway_id: uuid.UUID
    location_id: uuid.UUID | None = None
    code: DeviceCode
    quantity: Annotated[str, Field(min_length=1, max_length=64, examples=["temperature"])]
    unit: Annotated[str, Field(min_length=1, max_length=16, examples=["Cel"])]
    offset: OffsetC = 0.0


class SensorUpdate(RequestModel):
    """What is not sent stays."""

    location_id: uuid.UUID | None = None
    offset: OffsetC = 0.0
    #: `active` brings a retired one back
    status: Literal["active", "retired"] = "active"


class SensorRead(ResponseModel):
    """A sensor."""

    id: uuid.UUID
    gateway_id: uuid.UUID
    location_id: uuid.UUID | None
    code: str
    quantity: str
    unit: str
    offset: float
    status: str
