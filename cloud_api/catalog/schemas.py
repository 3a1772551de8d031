"""Categories and products, as they travel over HTTP."""

import uuid
from typing import Annotated, Literal

from pydantic import Field

from cloud_api.kernel.http import RequestModel, ResponseModel

Name = Annotated[str, Field(min_length=1, max_length=120)]
Slug = Annotated[
    str, Field(min_length=1, max_length=120, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", examples=["leafy-greens"])
]
SortOrder = Annotated[int, Field(ge=0, le=100_000)]
#: how much faster goods age when it is 10 °C warmer
Q10 = Annotated[float, Field(ge=1, le=50, allow_inf_nan=False)]
TemperatureC = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]


class CategoryCreate(RequestModel):
    """A new category."""

    name: Name
    slug: Slug
    description: Annotated[str, Field(max_length=2000)] = ""
    parent_id: uuid.UUID | None = None
    sort_order: SortOrder = 0
    reference_temperature_c: TemperatureC | None = None
    q10: Q10 | None = None


class CategoryUpdate(RequestModel):
    """What is not sent stays."""

    name: Name = ""
    slug: Slug = ""
    description: Annotated[str, Field(max_length=2000)] = ""
    parent_id: uuid.UUID | None = None
    sort_order: SortOrder = 0
    reference_temperature_c: TemperatureC | None = None
    q10: Q10 | None = None


class CategoryRead(ResponseModel):
    """A category."""

    id: uuid.UUID
    name: str
    slug: str
    description: str
    parent_id: uuid.UUID | None
    sort_order: int
    reference_temperature_c: float | None
    q10: float | None


class ProductCreate(RequestModel):
    """A new product."""

    sku: Annotated[str, Field(min_length=1, max_length=64)]
    name: Name
    category_id: uuid.UUID | None = None
    unit: Literal["kg", "g", "piece", "bunch", "liter", "ml", "box", "crate", "pallet"]
    #: what one unit weighs, packed
    unit_weight_g: Annotated[int, Field(ge=1, le=2_000_000)] = 1000
    perishable: bool = True
    shelf_life_days: Annotated[int, Field(ge=1, le=3650)] | None = None
    storage_temperature_min_c: TemperatureC | None = None
    storage_temperature_max_c: TemperatureC | None = None
    #: what its shelf life is said for, and how it ages when it is warmer; None: as its category
    reference_temperature_c: TemperatureC | None = None
    q10: Q10 | None = None


class ProductRead(ResponseModel):
    """A product."""

    id: uuid.UUID
    sku: str
    name: str
    category_id: uuid.UUID | None
    unit: str
    unit_weight_g: int
    perishable: bool
    shelf_life_days: int | None
    storage_temperature_min_c: float | None
    storage_temperature_max_c: float | None
    reference_temperature_c: float | None
    q10: float | None
