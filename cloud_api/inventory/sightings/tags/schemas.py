"""Tags, as they travel over HTTP."""

import uuid
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, model_validator

from cloud_api.kernel.http import RequestModel, ResponseModel
from cloud_api.kernel.quantity import PositiveQuantity, Quantity

EntityType = Literal["lot", "pallet", "item", "location", "person"]
Grams = Annotated[int, Field(gt=0, le=10**12)]


class ContentWrite(RequestModel):
    """So much of a lot."""

    lot_id: uuid.UUID
    quantity: PositiveQuantity
    #: of goods that are counted and weighed (catch weight)
    weight_g: Grams | None = None


class Subject(RequestModel):
    """What a tag is on. Of a lot it says how much of it: seeing the tag move moves so much in the books."""

    entity_type: EntityType
    #: of a pallet none: it is the tag's own
    entity_id: uuid.UUID | None = None
    #: of a lot: how much of it
    quantity: PositiveQuantity | None = None
    #: of a lot that is counted and weighed (catch weight)
    weight_g: Grams | None = None
    #: of a pallet: what is on it
    contents: Annotated[list[ContentWrite], Field(max_length=50)] = Field(default_factory=list)
    #: of goods: where the books have them; none: they are still to be received
    goods_location_id: uuid.UUID | None = None

    @model_validator(mode="after")
    def _belongs_together(self) -> "Subject":
        of_lot, of_pallet = self.entity_type == "lot", self.entity_type == "pallet"
        if (self.entity_id is None) != of_pallet:
            raise ValueError("entity_id is needed, but of a pallet there is none")
        if (self.quantity is not None) != of_lot or (self.weight_g is not None and not of_lot):
            raise ValueError("a tag on a lot needs its quantity; on anything else there is none")
        if bool(self.contents) != of_pallet:
            raise ValueError("a pallet needs contents; anything else has none")
        if self.goods_location_id is not None and not (of_lot or of_pallet):
            raise ValueError("goods_location_id is of goods only: of a lot, or of a pallet")
        twice = [lot for lot, count in Counter(one.lot_id for one in self.contents).items() if count > 1]
        if twice:
            raise ValueError(f"lot {twice[0]} is in contents twice")
        return self

    def named(self) -> uuid.UUID:
        """What it is on, of anything but a pallet."""
        assert self.entity_id is not None  # noqa: S101 - validated
        return self.entity_id

    def carried(self) -> Sequence[tuple[uuid.UUID, Decimal, int | None]]:
        """(lot, quantity, grams) of what is to be booked when it moves, in the order of lots."""
        if self.quantity is not None:
            return [(self.named(), self.quantity, self.weight_g)]
        return sorted((one.lot_id, one.quantity, one.weight_g) for one in self.contents)

    def said(self) -> object:
        """All that makes it another binding."""
        return self.entity_type, self.entity_id, set(self.carried())


class Binding(Subject):
    """A tag and what it is on."""

    epc: Annotated[str, Field(min_length=2, max_length=124, examples=["3034257BF7194E4000001A85"])]


class Bindings(RequestModel):
    """Many tags at once."""

    tags: Annotated[list[Binding], Field(min_length=1, max_length=500)]


class ContentRead(ResponseModel):
    """So much of a lot."""

    lot_id: uuid.UUID
    quantity: Quantity
    weight_g: int | None


class BoundTagRead(ResponseModel):
    """A tag and what it is, or was, on."""

    id: uuid.UUID
    epc: str
    #: as `sgtin-96`; empty: a scheme that is not known here
    scheme: str
    #: pure identity
    uri: str
    #: GTIN-14, SSCC, GLN, GRAI or GIAI
    gs1_key: str
    entity_type: EntityType
    entity_id: uuid.UUID
    contents: list[ContentRead]
    goods_location_id: uuid.UUID | None
    bound_at: datetime
    bound_by: uuid.UUID | None
    unbound_at: datetime | None
    last_seen_at: datetime | None
    last_location_id: uuid.UUID | None
