"""What readers saw, as it travels over HTTP."""

import uuid
from datetime import datetime

from cloud_api.kernel.http import ResponseModel


class TagSightingRead(ResponseModel):
    """A tag that a reader saw."""

    id: uuid.UUID
    epc: str
    reader_id: uuid.UUID
    location_id: uuid.UUID | None
    antenna: int | None
    rssi_dbm: float | None
    direction: str
    seen_at: datetime
