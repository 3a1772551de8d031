"""Copies of personal data and requests for erasure, as they travel over HTTP."""

import uuid
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, JsonValue

from cloud_api.kernel.http import RequestModel, ResponseModel


class ExportCreate(RequestModel):
    """Whose data; one's own when nobody is named."""

    user_id: uuid.UUID | None = None


class ExportRead(ResponseModel):
    """A copy that is put together, or can be fetched."""

    id: uuid.UUID
    subject_id: uuid.UUID
    requested_by: uuid.UUID
    status: Literal["pending", "ready", "expired"]
    created_at: datetime
    ready_at: datetime | None
    expires_at: datetime
    #: while it is ready
    download_url: str | None


class DocumentRead(ResponseModel):
    """All that is kept about somebody, by the rooms that keep it."""

    subject_id: uuid.UUID
    generated_at: datetime
    data: dict[str, JsonValue]


class ErasureCreate(RequestModel):
    """Whose data; one's own when nobody is named."""

    user_id: uuid.UUID | None = None
    reason: Annotated[str, Field(max_length=1000)] = ""


class ErasureRead(ResponseModel):
    """A request for erasure."""

    id: uuid.UUID
    subject_id: uuid.UUID
    requested_by: uuid.UUID
    reason: str
    status: Literal["requested", "executed", "cancelled"]
    created_at: datetime
    settled_by: uuid.UUID | None
    settled_at: datetime | None
