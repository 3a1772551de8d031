"""Phones' keys, their log, and what they hear, as it travels over HTTP."""

import uuid
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator

from cloud_api.kernel.http import RequestModel, ResponseModel
from cloud_api.kernel.json_types import Instant
from cloud_api.logistics.deliveries.schemas import RouteRead, TodayStop

#: entries of one request
MOST_ENTRIES = 500
#: of a request with them
MOST_BYTES = 8_000_000

Result = Literal["waiting", "applied", "duplicate", "refused", "conflict"]
Kind = Literal[
    "start_route",
    "position_batch",
    "arrive",
    "scan",
    "send_otp",
    "enter_otp",
    "contact",
    "payment",
    "deliver",
    "fail",
    "note",
    "complete_route",
]


class KeyCreate(RequestModel):
    """A key that the phone made; its private half never leaves the phone."""

    #: the phone's own id, as it signs in with
    device_id: Annotated[str, Field(min_length=1, max_length=200)]
    #: SubjectPublicKeyInfo (RFC 5280) of an Ed25519 or P-256 key, DER in base 64
    public_key: Annotated[str, Field(min_length=1, max_length=400)]
    #: over `coldfleet-phone-key-1`, device id, own user id and public key, one a line; base 64
    proof: Annotated[str, Field(min_length=1, max_length=200)]


class KeyRead(ResponseModel):
    """A phone's key."""

    id: uuid.UUID
    user_id: uuid.UUID
    device_id: str
    algorithm: str
    public_sha256: str
    registered_at: datetime
    revoked_at: datetime | None
    revoke_reason: str
    #: how far the phone's clock was behind ours when it was heard last
    skew_ms: int | None
    heard_at: datetime | None


class KeyRegistered(KeyRead):
    """A key, and where its log stands here."""

    #: what the first entry names as the hash before it
    first_hash: str
    #: the highest number that arrived; 0: none
    last_number: int
    #: numbers up to the highest that have not arrived, the first of them
    missing: list[int]


class SealedEntry(RequestModel):
    """One entry of a phone's log. `command` is the text of a JSON object, and is sealed as it is written.

    What is wrong within an entry is that entry's result, and no reason to refuse the others.
    """

    model_config = ConfigDict(str_strip_whitespace=False)

    number: Annotated[int, Field(ge=1, le=2_000_000_000)]
    previous_hash: Annotated[str, Field(max_length=100)]
    hash: Annotated[str, Field(max_length=100)]
    signature: Annotated[str, Field(max_length=200)]
    command: Annotated[str, Field(max_length=200_000)]

    @field_validator("*")
    @classmethod
    def _storable(cls, value: object) -> object:
        return value


class SealedCommand(RequestModel):
    """What a sealed text says."""

    id: uuid.UUID
    kind: Kind
    #: when, by the phone's clock
    at: Instant
    #: the delivery or route it is about; of positions the route, if there is one
    target_id: uuid.UUID | None = None
    #: numbers of earlier entries that it builds on: it waits for their results
    after: Annotated[list[Annotated[int, Field(ge=1)]], Field(max_length=500, default_factory=list)]
    payload: Annotated[dict[str, object], Field(default_factory=dict)]


class SyncRequest(RequestModel):
    """A part of a phone's log: any part, in any order, any number of times."""

    key_id: uuid.UUID
    #: now, by the phone's clock
    sent_at: AwareDatetime
    entries: Annotated[list[SealedEntry], Field(max_length=MOST_ENTRIES, default_factory=list)]


class EntryResult(BaseModel):
    """What became of an entry. `waiting` is not final; everything else is, and stays as it is."""

    number: int
    result: Result
    #: stable; empty when it was applied
    code: str = ""
    message: str = ""
    field: str = ""


class SyncResult(BaseModel):
    """What became of the entries that were sent, and of those that had waited."""

    results: list[EntryResult]
    received_at: datetime
    #: how far the phone's clock is behind ours
    skew_ms: int
    #: pictures that commands wait for
    photos_wanted: list[str]


class CommandRead(ResponseModel):
    """An entry of a phone's log as the dispatcher sees it."""

    id: uuid.UUID
    key_id: uuid.UUID
    number: int
    hash: str
    kind: str
    target_id: uuid.UUID | None
    phone_at: datetime | None
    happened_at: datetime | None
    skew_ms: int
    received_at: datetime
    result: str
    code: str
    message: str
    field: str
    answered_at: datetime | None


class Message(ResponseModel):
    """What somebody, or the platform, has written to the driver."""

    id: uuid.UUID
    title: str
    message: str
    severity: str
    created_at: datetime


class FeedItem(BaseModel):
    """One thing that changed: as it is now, or that it is not the driver's any more (`gone`)."""

    kind: Literal["route", "stop", "message"]
    id: uuid.UUID
    #: of a stop: the route on which the driver has, or had, it
    route_id: uuid.UUID | None
    gone: bool
    route: RouteRead | None
    stop: TodayStop | None
    message: Message | None


class Changes(BaseModel):
    """What changed since a cursor, in the order in which it was committed."""

    items: list[FeedItem]
    #: to ask with next time; what it stands for has been told
    cursor: str
    #: there is more already
    more: bool
    told_at: datetime
