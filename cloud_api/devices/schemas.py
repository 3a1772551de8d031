"""Gateways and sensors, as people see them. What gateways themselves send and get stands in `gateway.contract`."""

import uuid
from datetime import datetime
from typing import Annotated

from pydantic import Field

from cloud_api.kernel.http import RequestModel, ResponseModel

DeviceCode = Annotated[str, Field(min_length=1, max_length=200, examples=["z2m:cold-room-1"])]
OffsetC = Annotated[float, Field(ge=-50, le=50, allow_inf_nan=False)]


class GatewayCreate(RequestModel):
    """A gateway to come."""

    name: Annotated[str, Field(min_length=1, max_length=120)]


class GatewayRead(ResponseModel):
    """A gateway as it was last heard of."""

    id: uuid.UUID
    name: str
    status: str
    online: bool
    software_version: str | None
    last_seen_at: datetime | None
    config_version: int


class ClaimCodeRead(ResponseModel):
    """The code that a gateway trades for its credential: shown once, good for a day and for one gateway."""

    gateway_id: uuid.UUID
    claim_code: str
    expires_at: datetime


class HeartbeatRead(ResponseModel):
    """How a gateway was."""

    recorded_at: datetime
    received_at: datetime
    uptime_s: int
    backlog_rows: int
    oldest_unsent_at: datetime | None
    dead_letters: int
    disk_free_mb: int


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
