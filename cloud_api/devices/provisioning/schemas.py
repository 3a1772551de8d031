"""How people announce a gateway."""

import uuid
from datetime import datetime

from cloud_api.devices.gateways.schemas import GatewayName
from cloud_api.kernel.http import RequestModel, ResponseModel


class GatewayCreate(RequestModel):
    """A gateway to come."""

    name: GatewayName


class ClaimCodeRead(ResponseModel):
    """The code that a gateway trades for its credential: shown once, good for a day and for one gateway."""

    gateway_id: uuid.UUID
    claim_code: str
    expires_at: datetime
