"""Rules of portals and passages, as they travel over HTTP."""

import uuid
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, model_validator

from cloud_api.inventory.sightings.portals.states import PassageStatus
from cloud_api.kernel.http import RequestModel, ResponseModel
from cloud_api.kernel.quantity import Quantity
from cloud_api.kernel.versions import Edit

Direction = Literal["in", "out", "both"]
Action = Literal["transfer", "receive", "ship", "ignore"]
Mode = Literal["propose", "automatic"]
Reason = Annotated[str, Field(max_length=500)]


class RuleFacts(RequestModel):
    """What is booked, and how."""

    action: Action
    #: of `transfer` and `receive`: where the goods are then
    to_location_id: uuid.UUID | None = None
    #: `automatic`: at once; what cannot be booked becomes a proposal
    mode: Mode = "propose"
    #: reads of a tag that are no further apart are one passage
    window_s: Annotated[int, Field(ge=1, le=86_400)] = 30
    #: what was seen longer ago than this when it was told of is only proposed
    max_age_s: Annotated[int, Field(ge=1, le=31 * 86_400)] = 900

    @model_validator(mode="after")
    def _goes_somewhere(self) -> "RuleFacts":
        if (self.to_location_id is not None) != (self.action in ("transfer", "receive")):
            raise ValueError("transfer and receive need to_location_id, ship and ignore have none")
        return self


class PortalRuleUpdate(RuleFacts, Edit):
    """What is booked from now on."""


class PortalRuleCreate(RuleFacts):
    """What is booked when a tag passes a reader, or any reader of a place; a reader's own rules go first."""

    reader_id: uuid.UUID | None = None
    location_id: uuid.UUID | None = None
    #: `both`: whichever way, also when nobody knows
    direction: Direction = "both"

    @model_validator(mode="after")
    def _of_one(self) -> "PortalRuleCreate":
        if (self.reader_id is None) == (self.location_id is None):
            raise ValueError("a rule is of reader_id or of location_id: one of them")
        return self


class PortalRuleRead(ResponseModel):
    """A rule."""

    id: uuid.UUID
    reader_id: uuid.UUID | None
    location_id: uuid.UUID | None
    direction: Direction
    action: Action
    to_location_id: uuid.UUID | None
    mode: Mode
    window_s: int
    max_age_s: int
    version: int
    created_at: datetime


class PassageAccept(RequestModel):
    """Book it."""

    #: where the goods were, when that is not where the books have them
    from_location_id: uuid.UUID | None = None


class PassageReject(RequestModel):
    """Book nothing of it."""

    reason: Reason = ""


class PassageRead(ResponseModel):
    """A tag that passed a reader."""

    id: uuid.UUID
    reader_id: uuid.UUID
    location_id: uuid.UUID | None
    epc: str
    began_at: datetime
    ended_at: datetime
    reads: int
    direction: Literal["in", "out", "unknown"]
    status: PassageStatus
    #: why it is a proposal, or nothing is booked of it
    reason: str
    message: str
    tag_id: uuid.UUID | None
    action: Action
    from_location_id: uuid.UUID | None
    to_location_id: uuid.UUID | None
    #: what was booked of it in the ledger
    group_id: uuid.UUID | None
    decided_by: uuid.UUID | None
    decided_at: datetime | None


ScannedEpc = Annotated[str, Field(min_length=2, max_length=124)]


class Sweep(RequestModel):
    """What a reader saw between two times, or what a scanner of one's own has read, as a count of one place."""

    location_id: uuid.UUID
    #: with `since` and `until`; not with `epcs`
    reader_id: uuid.UUID | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    #: hexadecimal; one that stands there twice counts once
    epcs: Annotated[list[ScannedEpc], Field(min_length=1, max_length=10_000)] | None = None

    @model_validator(mode="after")
    def _is_of_one_kind(self) -> "Sweep":
        seen = (self.reader_id, self.since, self.until)
        if (self.epcs is None) != (None not in seen) or (self.epcs is not None and seen != (None, None, None)):
            raise ValueError("send reader_id with since and until, or epcs")
        return self


class SweptLot(ResponseModel):
    """How much of a lot the tags say that were seen."""

    lot_id: uuid.UUID
    quantity: Quantity
    weight_g: int | None
    tags: int


class SweepRead(ResponseModel):
    """What a sweep counted, and the tags of which nobody has said what they are on."""

    tags_seen: int
    counts: list[SweptLot]
    unbound_epcs: list[str]
