"""Vans, as they travel over HTTP."""

import uuid
from typing import Annotated

from pydantic import Field

from cloud_api.kernel.http import RequestModel, ResponseModel


class VehicleCreate(RequestModel):
    """A van; its load space becomes a place of its own."""

    number: Annotated[str, Field(min_length=1, max_length=24, pattern=r"^[A-Za-z0-9-]+$", examples=["KA-01-AB-1234"])]
    capacity_g: Annotated[int, Field(ge=1, le=50_000_000)]
    is_refrigerated: bool = True
    driver_id: uuid.UUID | None = None


class VehicleRead(ResponseModel):
    """A van."""

    id: uuid.UUID
    number: str
    location_id: uuid.UUID
    capacity_g: int
    is_refrigerated: bool
    driver_id: uuid.UUID | None
    status: str
