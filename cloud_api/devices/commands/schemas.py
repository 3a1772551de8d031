"""Commands, as people give and see them."""

import uuid
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, model_validator

from cloud_api.kernel.http import RequestModel, ResponseModel

#: long enough for a gateway that is away over a holiday
_LONGEST_S = 7 * 24 * 3600


class CommandCreate(RequestModel):
    """What a gateway is to do once."""

    kind: Literal["restart", "identify", "tare", "reset_alarm", "rotate_credential", "upload_logs"]
    #: of `tare` the scale, as its maker names it; of `reset_alarm` the rule or watch; of nothing else
    target: Annotated[str, Field(max_length=200, examples=["scale:dock-1"])] = ""
    #: not to be done any more after this
    expires_in_s: Annotated[int, Field(ge=60, le=_LONGEST_S)] = 3600

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> "CommandCreate":
        if (self.kind in {"tare", "reset_alarm"}) != bool(self.target):
            raise ValueError("tare names its scale and reset_alarm its rule as target, and no other command has one")
        return self


class CommandRead(ResponseModel):
    """A command and what became of it."""

    id: uuid.UUID
    gateway_id: uuid.UUID
    kind: str
    target: str
    status: str
    issued_by: uuid.UUID
    issued_at: datetime
    expires_at: datetime
    settled_at: datetime | None
    message: str
