"""Scales, as people see them. A scale's id is that of the sensor that tells its weight."""

import uuid
from typing import Annotated, Literal

from pydantic import Field, model_validator

from cloud_api.devices.sensors.schemas import DeviceCode
from cloud_api.kernel.http import RequestModel, ResponseModel
from cloud_api.kernel.versions import Edit

ScaleName = Annotated[str, Field(min_length=1, max_length=120, examples=["Platform at dock 1"])]
Kilograms = Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]


class _Facts(RequestModel):
    name: ScaleName
    #: the most that it weighs
    capacity_kg: Kilograms
    #: the step in which it weighs
    division_kg: Kilograms
    #: what its display shows
    unit: Literal["kg", "g", "t", "lb", "oz"] = "kg"
    #: what always stands on it: a pallet, a crate
    tare_kg: Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)] = 0.0

    @model_validator(mode="after")
    def _fits(self) -> "_Facts":
        for field in ("division_kg", "tare_kg"):
            if getattr(self, field) > self.capacity_kg:
                raise ValueError(f"{field} must not be more than capacity_kg")
        return self


class ScaleCreate(_Facts):
    """A scale to come, or one that was heard already."""

    gateway_id: uuid.UUID
    code: DeviceCode
    #: where it is; none: where it was heard already, or nowhere yet
    location_id: uuid.UUID | None = None


class ScaleUpdate(_Facts, Edit):
    """All of it, but that a place that is not sent stays; of a scale that was only heard this registers it."""

    #: null: nowhere
    location_id: uuid.UUID | None = None
    #: `active` brings a retired one back
    status: Literal["active", "retired"] = "active"


class ScaleRead(ResponseModel):
    """A scale; one that was only heard so far has no name and no capacity: register it, or retire it."""

    id: uuid.UUID
    gateway_id: uuid.UUID
    code: str
    location_id: uuid.UUID | None
    status: str
    registered: bool
    name: str | None
    capacity_kg: float | None
    division_kg: float | None
    unit: str | None
    tare_kg: float | None
    #: of the sensor that speaks for it
    version: int
