"""Gateways' alarms, as people see them."""

import uuid
from datetime import datetime

from cloud_api.kernel.http import ResponseModel


class GatewayAlarmRead(ResponseModel):
    """What a gateway's own judge has raised. One of a rule of the cold chain is an excursion of the same incident."""

    id: uuid.UUID
    gateway_id: uuid.UUID
    sensor_id: uuid.UUID
    rule: str
    kind: str
    incident: str
    value: float
    started_at: datetime
    raised_at: datetime
    cleared_at: datetime | None
