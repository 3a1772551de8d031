"""Variants, packs, prices, bundles and tags, as they travel over HTTP."""

import uuid
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, Field

from cloud_api.catalog.products.schemas import Attributes, Barcode, Color, Gtin, Name, Sku, Weight
from cloud_api.kernel.http import RequestModel, ResponseModel
from cloud_api.kernel.money import UnitPrice
from cloud_api.kernel.quantity import PositiveQuantity, Quantity
from cloud_api.kernel.versions import Edit

UnitName = Annotated[str, Field(min_length=1, max_length=32, pattern="^[a-z][a-z0-9_]*$", examples=["crate"])]


class VariantFacts(RequestModel):
    """What may be said of a variant."""

    gtin: Gtin | None = None
    barcode: Barcode | None = None
    #: null: the product's own
    price: UnitPrice | None = None
    cost_price: UnitPrice | None = None
    unit_weight_g: Weight | None = None
    attributes: Attributes = Field(default_factory=dict)
    is_active: bool = True


class VariantCreate(VariantFacts):
    """A new variant."""

    sku: Sku
    name: Name


class VariantUpdate(VariantFacts, Edit):
    """What is not sent stays."""

    sku: Sku = ""
    name: Name = ""


class VariantRead(ResponseModel):
    """A variant."""

    id: uuid.UUID
    product_id: uuid.UUID
    sku: str
    name: str
    gtin: str | None
    barcode: str | None
    price: UnitPrice | None
    cost_price: UnitPrice | None
    unit_weight_g: int | None
    attributes: Mapping[str, object]
    is_active: bool
    version: int
    created_at: datetime


class PackSay(RequestModel):
    """`per` of `unit` hold `quantity` of the unit `of`: 1 crate holds 12 kg; 8 bunches hold 1 kg."""

    unit: UnitName
    quantity: Annotated[Decimal, Field(gt=0, max_digits=15, decimal_places=6, allow_inf_nan=False, examples=["12"])]
    of: UnitName
    per: Annotated[int, Field(ge=1, le=1_000_000_000)] = 1


class PackReplace(Edit):
    """All of a product's own units; `version` is the product's."""

    packs: Annotated[list[PackSay], Field(max_length=50)]


class UnitRead(ResponseModel):
    """A unit that quantities can be said in: one is numerator/denominator of the unit that stock is counted in."""

    unit: str
    numerator: int
    denominator: int
    #: said for this product alone
    of_this_product: bool


class Conversion(BaseModel):
    """Query parameters of a conversion."""

    quantity: Annotated[Decimal, Query(max_digits=15, decimal_places=6, allow_inf_nan=False)] = Decimal(1)
    #: none: what the product is counted in
    unit: Annotated[str | None, Query(min_length=1, max_length=32, pattern="^[a-z][a-z0-9_]*$")] = None


class ConversionRead(ResponseModel):
    """A quantity in the unit that stock is counted in."""

    quantity: Quantity
    unit: str


class PriceLine(RequestModel):
    """From so many on, a unit costs so much."""

    min_quantity: Annotated[Quantity, Field(ge=0)] = Decimal(0)
    price: UnitPrice


class PriceList(RequestModel):
    """The list that is in force from a day on, until a later one is; without lines it is taken back."""

    valid_from: date
    #: null: of the product itself
    variant_id: uuid.UUID | None = None
    lines: Annotated[list[PriceLine], Field(max_length=50)]


class PriceRead(ResponseModel):
    """A line of a list."""

    id: uuid.UUID
    product_id: uuid.UUID
    variant_id: uuid.UUID | None
    valid_from: date
    min_quantity: Quantity
    price: UnitPrice


class PriceQuery(BaseModel):
    """Query parameters of a price."""

    quantity: Annotated[Decimal, Query(gt=0, max_digits=15, decimal_places=3, allow_inf_nan=False)] = Decimal(1)
    #: none: today, where the organisation is
    on: date | None = None
    #: what it weighs together; of catch weight only; none: about what its pieces weigh
    weight_g: Annotated[int | None, Query(ge=1, le=10**12)] = None


class QuoteRead(ResponseModel):
    """What something costs on a day."""

    on: date
    quantity: Quantity
    unit_price: UnitPrice
    #: what the unit price is for
    per: str
    #: what was priced, in grams, of catch weight
    weight_g: int | None
    #: whether that is what the scale said, or about what pieces weigh
    weighed: bool
    #: in minor units of the organisation's currency, rounded half to even once
    amount_minor: int
    #: which list said it: its first day; null: the price of the product or the variant
    valid_from: date | None


class BundleLine(RequestModel):
    """So much of a component."""

    component_id: uuid.UUID
    #: of the unit that the component is counted in
    quantity: PositiveQuantity


class BundleReplace(RequestModel):
    """All components of a bundle."""

    items: Annotated[list[BundleLine], Field(max_length=100)]


class BundleItemRead(ResponseModel):
    """A component of a bundle."""

    component_id: uuid.UUID
    sku: str
    name: str
    unit: str
    quantity: Quantity


class ProductTagCreate(RequestModel):
    """A new tag."""

    name: Annotated[str, Field(min_length=1, max_length=60)]
    color: Color | None = None


class ProductTagRead(ResponseModel):
    """A tag."""

    id: uuid.UUID
    name: str
    color: str | None
