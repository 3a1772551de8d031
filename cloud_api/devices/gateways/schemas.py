"""Gateways, as people see them. What gateways themselves send and get stands in `gateway.contract`."""

import uuid
from datetime import datetime
from typing import Annotated

from pydantic import Field

from cloud_api.kernel.http import ResponseModel
from cloud_api.kernel.versions import Edit

GatewayName = Annotated[str, Field(min_length=1, max_length=120)]


class GatewayUpdate(Edit):
    """What people call it."""

    name: GatewayName


class GatewayRead(ResponseModel):
    """A gateway as it was last heard of."""

    id: uuid.UUID
    name: str
    status: str
    online: bool
    software_version: str | None
    #: of its last heartbeat or batch
    last_seen_at: datetime | None
    #: rows on its disk that we have not acknowledged, as its last heartbeat said
    backlog_rows: int | None
    #: of the oldest among them
    oldest_unsent_at: datetime | None
    #: the version it should have
    config_version: int
    #: what it said of that version: offered (nothing yet), staged, confirmed, rolled_back, refused
    config_state: str
    #: the version it does have
    running_config_version: int | None
    #: counts the changes that people made; `GatewayUpdate` may say which it was made of
    version: int
