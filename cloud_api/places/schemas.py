"""Warehouses and places, as they travel over HTTP."""

import uuid
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from cloud_api.identity.organizations.schemas import TimeZone
from cloud_api.kernel.http import RequestModel, ResponseModel
from cloud_api.kernel.versions import Edit

Code = Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[A-Za-z0-9._-]+$", examples=["COLD-1"])]
Name = Annotated[str, Field(min_length=1, max_length=120)]
TemperatureC = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]


HumidityPct = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
CapacityKg = Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)]
LatitudeDeg = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
LongitudeDeg = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
Address = Annotated[str, Field(max_length=500)]
#: what people make; places on the way make themselves
LocationType = Literal[
    "warehouse", "building", "room", "zone", "rack", "bin", "office", "job_site", "storage_unit", "vehicle"
]
StorageType = Literal["cold_storage", "freezer", "ambient", "dry_storage"]
Metres = Annotated[float, Field(ge=0, le=10_000, allow_inf_nan=False)]
Extent = Annotated[float, Field(gt=0, le=10_000, allow_inf_nan=False)]


class WarehouseCreate(RequestModel):
    """A new site."""

    code: Code
    name: Name
    address: Address = ""
    latitude: LatitudeDeg | None = None
    longitude: LongitudeDeg | None = None
    timezone: TimeZone | None = None
    capacity_limit_kg: CapacityKg | None = None
    manager_id: uuid.UUID | None = None


class WarehouseUpdate(Edit):
    """What changes of a site; what is not sent stays."""

    code: Code | None = None
    name: Name | None = None
    address: Address | None = None
    latitude: LatitudeDeg | None = None
    longitude: LongitudeDeg | None = None
    timezone: TimeZone | None = None
    capacity_limit_kg: CapacityKg | None = None
    manager_id: uuid.UUID | None = None
    is_active: bool | None = None


class WarehouseRead(ResponseModel):
    """A site."""

    id: uuid.UUID
    code: str
    name: str
    address: str
    latitude: float | None
    longitude: float | None
    #: IANA; null: the organisation's
    timezone: str | None
    capacity_limit_kg: float | None
    manager_id: uuid.UUID | None
    is_active: bool
    #: counts its changes: PUT may say which one it was made of
    version: int


class FloorArea(RequestModel):
    """Where a place is on the floor plan, in metres from the plan's upper left corner."""

    x_m: Metres
    y_m: Metres
    width_m: Extent
    height_m: Extent


class LocationCreate(RequestModel):
    """A new place; a vehicle belongs to no warehouse, everything else to one."""

    warehouse_id: uuid.UUID | None = None
    parent_id: uuid.UUID | None = None
    code: Code
    name: Name
    location_type: LocationType
    storage_type: StorageType
    temperature_min_c: TemperatureC | None = None
    temperature_max_c: TemperatureC | None = None
    humidity_min_pct: HumidityPct | None = None
    humidity_max_pct: HumidityPct | None = None
    capacity_kg: CapacityKg | None = None
    map: FloorArea | None = None


class LocationUpdate(Edit):
    """What changes of a place; what is not sent stays. Its warehouse and its type stay as they are."""

    parent_id: uuid.UUID | None = None
    code: Code | None = None
    name: Name | None = None
    storage_type: StorageType | None = None
    temperature_min_c: TemperatureC | None = None
    temperature_max_c: TemperatureC | None = None
    humidity_min_pct: HumidityPct | None = None
    humidity_max_pct: HumidityPct | None = None
    capacity_kg: CapacityKg | None = None
    map: FloorArea | None = None
    status: Literal["active", "maintenance", "inactive"] | None = None


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
    humidity_min_pct: float | None
    humidity_max_pct: float | None
    capacity_kg: float | None
    map: dict[str, float] | None
    status: str
    created_at: datetime
    #: counts its changes: PUT may say which one it was made of
    version: int


class WarehouseScope(Edit):
    """The warehouses that a person is confined to; none: all are open to them."""

    warehouse_ids: Annotated[list[uuid.UUID], Field(max_length=1000)]


class WarehouseScopeRead(ResponseModel):
    """The warehouses that a person is confined to; none: all are open to them."""

    warehouse_ids: list[uuid.UUID]
    #: the person's: `WarehouseScope` may say which it was made of
    version: int
