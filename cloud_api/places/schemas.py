"""Warehouses and places, as they travel over HTTP."""

import uuid
from typing import Annotated, Literal

from pydantic import Field

from cloud_api.kernel.http import RequestModel, ResponseModel

Code = Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[A-Za-z0-9._-]+$", examples=["COLD-1"])]
Name = Annotated[str, Field(min_length=1, max_length=120)]
TemperatureC = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]


class WarehouseCreate(RequestModel):
    """A new site."""

    code: Code
    name: Name
    address: Annotated[str, Field(max_length=500)] = ""
    latitude: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)] | None = None
    longitude: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)] | None = None


class WarehouseRead(ResponseModel):
    """A site."""

    id: uuid.UUID
    code: str
    name: str
    address: str
    latitude: float | None
    longitude: float | None


class LocationCreate(RequestModel):
    """A new place; a vehicle belongs to no warehouse, everything else to one."""

    warehouse_id: uuid.UUID | None = None
    parent_id: uuid.UUID | None = None
    code: Code
    name: Name
    location_type: Literal["building", "room", "zone", "rack", "bin", "vehicle"]
    storage_type: Literal["cold_storage", "freezer", "ambient", "dry_storage"]
    temperature_min_c: TemperatureC | None = None
    temperature_max_c: TemperatureC | None = None


class LocationRead(ResponseModel):
    """A place."""

    id: uuid.UUID
    warehouse_id: uuid.UUID | None
    parent_id: uuid.UUID | None
    code: str
    name: str
    location_type: str
    storage_type: str
    temperature_min_c: float | None
    temperature_max_c: float | None


class WarehouseScope(RequestModel):
    """The warehouses that a person is confined to; none: all are open to them."""

    warehouse_ids: Annotated[list[uuid.UUID], Field(max_length=1000)]


class WarehouseScopeRead(ResponseModel):
    """The warehouses that a person is confined to; none: all are open to them."""

    warehouse_ids: list[uuid.UUID]
