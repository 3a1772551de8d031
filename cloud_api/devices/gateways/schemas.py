"""Gateways, as people see them. What gateways themselves send and get stands in `gateway.contract`."""

import uuid
from datetime import datetime
from typing import Annotated

from pydantic import Field

from cloud_api.kernel.http import RequestModel, ResponseModel

GatewayName = Annotated[str, Field(min_length=1, max_length=120)]


class GatewayUpdate(RequestModel):
    """What people call it."""

    name: GatewayName


class GatewayRead(ResponseModel):
    """A gateway as it was last heard of."""

    id: uuid.UUID
    name: str
    status: str
    online: bool
    software_version: str | None
    last_seen_at: datetime | None
    config_version: int
