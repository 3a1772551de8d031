"""Products, as they travel over HTTP."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

from fastapi import Query
from pydantic import BaseModel, Field, model_validator

from cloud_api.kernel.http import RequestModel, ResponseModel
from cloud_api.kernel.money import UnitPrice
from cloud_api.kernel.quantity import Quantity

NO_NUL = r"^[^\x00]*$"
Sku = Annotated[str, Field(min_length=1, max_length=64, examples=["SPINACH-BABY"])]
Name = Annotated[str, Field(min_length=1, max_length=120)]
#: how much faster goods age when it is 10 °C warmer
Q10 = Annotated[float, Field(ge=1, le=50, allow_inf_nan=False)]
TemperatureC = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
Gtin = Annotated[str, Field(max_length=14, pattern="^[0-9]{8}([0-9]{4,6})?$", examples=["04006381333931"])]
Barcode = Annotated[str, Field(min_length=1, max_length=128)]
Weight = Annotated[int, Field(ge=1, le=2_000_000)]
LengthMm = Annotated[int, Field(ge=1, le=20_000)]
Level = Annotated[Quantity, Field(ge=0)]
Color = Annotated[str, Field(pattern="^#[0-9a-fA-F]{6}$", examples=["#2e7d32"])]
ProductType = Literal["finished_good", "raw_material", "packaging", "bundle"]
StorageType = Literal["cold_storage", "freezer", "ambient", "dry_storage"]
Grade = Literal["excellent", "very-good", "good", "fair", "poor"]
#: name -> text, number or truth value; at most 50
Attributes = dict[str, object]


class ProductFacts(RequestModel):
    """What may be said of a product, and changed later."""

    description: Annotated[str, Field(max_length=5000)] = ""
    brand: Annotated[str, Field(max_length=120)] = ""
    product_type: ProductType = "finished_good"
    category_id: uuid.UUID | None = None
    #: what one unit weighs, packed; of catch weight: about
    unit_weight_g: Weight = 1000
    gtin: Gtin | None = None
    barcode: Barcode | None = None
    #: a unit, of catch weight a kilogram, in the organisation's currency
    price: UnitPrice | None = None
    cost_price: UnitPrice | None = None
    min_stock_level: Level | None = None
    max_stock_level: Level | None = None
    reorder_point: Level | None = None
    reorder_quantity: Level | None = None
    quality_grade: Grade | None = None
    #: true needs a shelf life and both storage temperatures; none: as these say
    perishable: bool | None = None
    shelf_life_days: Annotated[int, Field(ge=1, le=3650)] | None = None
    storage_type: StorageType | None = None
    storage_temperature_min_c: TemperatureC | None = None
    storage_temperature_max_c: TemperatureC | None = None
    #: what its shelf life is said for, and how it ages when it is warmer; None: as its category
    reference_temperature_c: TemperatureC | None = None
    q10: Q10 | None = None
    length_mm: LengthMm | None = None
    width_mm: LengthMm | None = None
    height_mm: LengthMm | None = None
    is_b2c_available: bool = False
    attributes: Attributes = Field(default_factory=dict, examples=[{"origin": "Nashik", "organic": True}])
    tag_ids: Annotated[list[uuid.UUID], Field(max_length=20)] = Field(default_factory=list)


class ProductCreate(ProductFacts):
    """A new product."""

    sku: Sku
    name: Name
    #: what it is counted in, for good
    unit: Literal["kg", "g", "piece", "bunch", "liter", "ml", "box", "crate", "pallet"]
    #: pieces are counted and each is weighed; prices are for a kilogram; for good
    catch_weight: bool = False
    status: Literal["active", "inactive"] = "active"


class ProductUpdate(ProductFacts):
    """What is not sent stays."""

    sku: Sku = ""
    name: Name = ""
    unit: Literal["kg", "g", "piece", "bunch", "liter", "ml", "box", "crate", "pallet"] = "kg"
    catch_weight: bool = False
    status: Literal["active", "inactive", "discontinued"] = "active"
    #: the version that was seen: when it is another now, nothing is changed; none: whatever it is
    version: Annotated[int, Field(ge=1)] | None = None


class ProductRead(ResponseModel):
    """A product."""

    id: uuid.UUID
    product_code: str
    sku: str
    name: str
    description: str
    brand: str
    product_type: str
    status: str
    category_id: uuid.UUID | None
    unit: str
    unit_weight_g: int
    catch_weight: bool
    gtin: str | None
    barcode: str | None
    price: UnitPrice | None
    cost_price: UnitPrice | None
    min_stock_level: Quantity | None
    max_stock_level: Quantity | None
    reorder_point: Quantity | None
    reorder_quantity: Quantity | None
    quality_grade: str | None
    perishable: bool
    shelf_life_days: int | None
    storage_type: str | None
    storage_temperature_min_c: float | None
    storage_temperature_max_c: float | None
    reference_temperature_c: float | None
    q10: float | None
    length_mm: int | None
    width_mm: int | None
    height_mm: int | None
    image_id: uuid.UUID | None
    is_b2c_available: bool
    attributes: Mapping[str, object]
    tag_ids: list[uuid.UUID]
    version: int
    created_at: datetime
    updated_at: datetime


Sort = Literal["-created_at", "created_at", "name", "-name", "sku", "-sku", "price", "-price"]


class ProductFilter(BaseModel):
    """Query parameters of the list of products: all that are given hold."""

    #: how its number, its code or its name begins, in whatever case
    search: Annotated[str | None, Query(max_length=120, pattern=NO_NUL)] = None
    #: in this category or anywhere below it
    category_id: uuid.UUID | None = None
    tag_id: uuid.UUID | None = None
    status: Literal["active", "inactive", "discontinued"] | None = None
    is_active: bool | None = None
    product_type: ProductType | None = None
    sort: Sort = "-created_at"


class BulkRow(RequestModel):
    """One row of many: a product to add, to change or to discontinue."""

    action: Literal["create", "update", "archive"]
    #: of one that is there; none: to create
    id: uuid.UUID | None = None
    #: to create
    product: ProductCreate | None = None
    #: to update
    changes: ProductUpdate | None = None

    @model_validator(mode="after")
    def _says_what(self) -> "BulkRow":
        needed = {"create": {"product"}, "update": {"id", "changes"}, "archive": {"id"}}[self.action]
        for field in ("id", "product", "changes"):
            if (getattr(self, field) is not None) != (field in needed):
                raise ValueError(f"{self.action} needs {' and '.join(sorted(needed))}, and nothing else")
        return self


class ProductBulk(RequestModel):
    """Many at once."""

    rows: Annotated[list[BulkRow], Field(min_length=1, max_length=1000)]
    #: false: do those that can be done, and tell which cannot
    all_or_nothing: bool = True


class RowProblem(ResponseModel):
    """Why a row was not done."""

    field: str
    message: str


class BulkRowRead(ResponseModel):
    """What became of one row."""

    #: counted from 0, as they were sent
    row: int
    #: the product; null: the row was not done
    id: uuid.UUID | None
    #: what kind of problem it was
    code: str | None
    problems: list[RowProblem]


class BulkRead(ResponseModel):
    """What became of all rows."""

    done: int
    failed: int
    rows: list[BulkRowRead]
