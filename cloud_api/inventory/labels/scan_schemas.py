"""Scans, as they travel over HTTP."""

import uuid
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from cloud_api.kernel.http import RequestModel, ResponseModel

Code = Annotated[str, Field(min_length=1, max_length=1_000)]
Kind = Literal["product", "variant", "lot", "item", "location", "pallet", "person", "unknown"]


class Scan(RequestModel):
    """What a scanner read."""

    #: as it came, separators (GS, 29) and AIM prefix included
    code: Code
    #: the scanner is known to send FNC1
    fnc1: bool = False


class ElementRead(ResponseModel):
    """An application identifier, what GS1 calls it, and its value."""

    ai: str
    title: str
    value: str


class DecodedRead(ResponseModel):
    """What the bar code itself says."""

    gtin: str | None
    #: of a logistic unit
    sscc: str | None
    lot_number: str | None
    serial_number: str | None
    expires_on: date | None
    best_before_on: date | None
    produced_on: date | None
    packed_on: date | None
    count: int | None
    net_weight_g: Decimal | None
    elements: list[ElementRead]


class ScannedProduct(ResponseModel):
    """A product that was scanned."""

    id: uuid.UUID
    sku: str
    name: str
    unit: str
    catch_weight: bool


class ScannedVariant(ResponseModel):
    """One variant of it."""

    id: uuid.UUID
    sku: str
    name: str


class ScannedLot(ResponseModel):
    """A lot that is in the books."""

    id: uuid.UUID
    product_id: uuid.UUID
    lot_number: str
    expires_on: date | None


class ScannedItem(ResponseModel):
    """Something that is lent."""

    id: uuid.UUID
    asset_code: str
    name: str
    status: str


class ScannedLocation(ResponseModel):
    """A place."""

    id: uuid.UUID
    code: str
    name: str
    location_type: str


class Difference(ResponseModel):
    """The bar code says one thing and the books another."""

    field: str
    scanned: str
    recorded: str


class ScanRead(ResponseModel):
    """What was scanned: what the code says, and what in the books it is of."""

    code: str
    #: AIM identifier, as `]d2`; empty: the scanner sent none
    symbology: str
    kind: Kind
    decoded: DecodedRead | None = None
    product: ScannedProduct | None = None
    variant: ScannedVariant | None = None
    #: None beside a `decoded.lot_number`: no such lot has been received
    lot: ScannedLot | None = None
    item: ScannedItem | None = None
    location: ScannedLocation | None = None
    #: the RFID tag that carries the code, and whom it is on when that is a pallet or a person
    tag_id: uuid.UUID | None = None
    differences: list[Difference] = Field(default_factory=list)
