"""The allow-list, as it travels over HTTP."""

import uuid
from datetime import datetime
from typing import Annotated

from pydantic import Field

from cloud_api.kernel.http import RequestModel, ResponseModel


class RangeCreate(RequestModel):
    """One address or range."""

    cidr: Annotated[str, Field(min_length=2, max_length=64, description="203.0.113.7 or 10.0.0.0/8")]
    label: Annotated[str, Field(max_length=120)] = ""


class RangeRead(ResponseModel):
    """One range of the list."""

    id: uuid.UUID
    cidr: str
    label: str
    created_by: uuid.UUID | None
    created_at: datetime
