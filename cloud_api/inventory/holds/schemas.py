"""Holds, as they travel over HTTP."""

import uuid
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from cloud_api.kernel.http import RequestModel, ResponseModel
from cloud_api.kernel.quantity import Quantity


class HeldLevelRead(ResponseModel):
    """A lot in a place under a hold, and what somebody decided about it."""

    stock_level_id: uuid.UUID
    lot_id: uuid.UUID
    location_id: uuid.UUID
    on_hand: Quantity
    disposition: Literal["release", "quarantine", "downgrade", "waste"] | None
    reason: str
    decided_at: datetime | None
    decided_by: uuid.UUID | None


class HoldRead(ResponseModel):
    """Why stock is kept back, and which."""

    id: uuid.UUID
    #: None: of a lot, wherever it lies
    location_id: uuid.UUID | None
    #: None: of all that lies in the place
    lot_id: uuid.UUID | None
    kind: str
    reason: str
    source: str
    #: what arrives there is held as well
    covers_arrivals: bool
    held_at: datetime
    released_at: datetime | None
    levels: list[HeldLevelRead]


class HoldRelease(RequestModel):
    """Held stock may be sold again: all of it, or the levels that are named."""

    reason: Annotated[str, Field(min_length=1, max_length=2000)]
    stock_level_ids: Annotated[list[uuid.UUID], Field(min_length=1, max_length=1000)] | None = None


class HoldReject(HoldRelease):
    """Held stock may never be sold: all of it, or the levels that are named."""

    disposition: Literal["quarantine", "downgrade", "waste"]
