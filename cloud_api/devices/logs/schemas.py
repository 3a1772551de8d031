"""Gateways' logs, as people see them."""

import uuid
from datetime import datetime

from cloud_api.kernel.http import ResponseModel


class GatewayLogRead(ResponseModel):
    """The newest lines of a gateway's log at one time, oldest first."""

    id: uuid.UUID
    recorded_at: datetime
    received_at: datetime
    lines: list[str]
    left_out: int
