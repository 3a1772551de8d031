"""How full places are, and what it is like in them, as it travels over HTTP."""

import uuid
from datetime import datetime
from typing import Literal

from cloud_api.kernel.http import ResponseModel
from cloud_api.places.schemas import LocationRead, WarehouseRead


class StorageUseRead(ResponseModel):
    """What lies in the places of one storage class."""

    storage_type: str
    used_kg: float
    #: of the outermost places that have one; null: none has
    capacity_kg: float | None
    #: 0 to 100, and above; null without a capacity
    utilisation_pct: float | None


class WarehouseUseRead(WarehouseRead):
    """A site, and how full it is."""

    used_kg: float
    utilisation_pct: float | None
    by_storage_type: list[StorageUseRead]


class PlaceRead(LocationRead):
    """A place, what its own sensors said last, and how full it is."""

    temperature_c: float | None
    temperature_at: datetime | None
    humidity_pct: float | None
    humidity_at: datetime | None
    #: in it and in everything inside it; null unless `fill` was asked for
    used_kg: float | None
    #: 0 to 100, and above; null without a capacity
    utilisation_pct: float | None
    #: how many places lie within it, at any depth
    places_within: int | None


class SensorOnMapRead(ResponseModel):
    """A sensor in a place, and what it said last."""

    sensor_id: uuid.UUID
    code: str
    quantity: str
    unit: str
    value: float
    recorded_at: datetime
    #: null: nobody knows when it should be heard
    stale: bool | None


class AreaRead(LocationRead):
    """A place on the floor plan."""

    #: in it and in everything inside it
    used_kg: float
    utilisation_pct: float | None
    sensors: list[SensorOnMapRead]
    #: what its own sensors said last, against the place's own limits
    climate: Literal["in_range", "out_of_range", "unknown"]
    #: whether something that lies in it may not be sold now
    on_hold: bool


class FloorMapRead(ResponseModel):
    """A warehouse as its floor plan shows it."""

    warehouse_id: uuid.UUID
    areas: list[AreaRead]
