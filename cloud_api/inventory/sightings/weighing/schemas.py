"""Weights and what they are used for, as they travel over HTTP."""

import uuid
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from cloud_api.inventory.stock.schemas import LotNumber
from cloud_api.kernel.http import RequestModel, ResponseModel
from cloud_api.kernel.money import UnitPrice
from cloud_api.kernel.quantity import PositiveQuantity, Quantity

Kind = Literal["receipt", "pick", "count", "adjustment"]
Words = Annotated[str, Field(max_length=120)]


class _Use(RequestModel):
    #: of the box or crate that the goods are in
    container_g: Annotated[int, Field(ge=0, le=10**9)] = 0
    #: of goods that are counted and weighed (catch weight): how many were on the scale
    pieces: PositiveQuantity | None = None


class _OfLot(_Use):
    lot_id: uuid.UUID
    #: none: where the scale was
    location_id: uuid.UUID | None = None


class AsReceipt(_Use):
    """So much came in."""

    kind: Literal["receipt"]
    product_id: uuid.UUID
    lot_number: LotNumber
    expires_on: date | None = None
    #: none: where the scale was
    location_id: uuid.UUID | None = None
    #: in the organisation's currency, a unit
    unit_cost: UnitPrice | None = None
    reference: Words = ""


class AsPick(_Use):
    """So much was picked of what is promised."""

    kind: Literal["pick"]
    reservation_id: uuid.UUID


class AsCount(_OfLot):
    """So much was counted in a stock take."""

    kind: Literal["count"]
    take_id: uuid.UUID
    #: it goes on top of what was weighed before, instead of taking its place
    additive: bool = False


class AsAdjustment(_OfLot):
    """So much lies there."""

    kind: Literal["adjustment"]
    reason: Annotated[str, Field(min_length=1, max_length=120)]


WeightApply = Annotated[AsReceipt | AsPick | AsCount | AsAdjustment, Field(discriminator="kind")]


class WeightUseRead(ResponseModel):
    """What a weight was used for."""

    id: uuid.UUID
    weight_id: uuid.UUID
    kind: Kind
    #: without the scale's tare and the container's
    net_g: int
    container_g: int
    #: in the product's unit
    quantity: Quantity
    lot_id: uuid.UUID | None
    location_id: uuid.UUID | None
    #: null: what was weighed is what the books had, or it is booked later
    movement_id: uuid.UUID | None
    reference: str
    applied_at: datetime


class WeightRead(ResponseModel):
    """What a scale showed when it stood still."""

    id: uuid.UUID
    scale_id: uuid.UUID
    location_id: uuid.UUID | None
    weight_g: int
    basis: str
    weighed_at: datetime
    #: what it was used for; null: nothing yet
    applied_as: Kind | None = None


class StabilityWrite(RequestModel):
    """When a weight of a scale is believed beyond what the scale itself says."""

    #: so many stable weights one after the other, the used one included, lie within one division of it
    readings: Annotated[int, Field(ge=1, le=20)]
    #: ... and all of them in so much time before it
    within_s: Annotated[int, Field(ge=1, le=3600)] = 60


class StabilityRead(ResponseModel):
    """When a weight of a scale is believed."""

    scale_id: uuid.UUID
    readings: int
    within_s: int
