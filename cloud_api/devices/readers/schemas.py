"""Readers, as people see them. A reader's id is that of the sensor that speaks for it."""

import uuid
from collections import Counter
from typing import Annotated, Literal

from pydantic import Field, field_validator

from cloud_api.devices.sensors.schemas import DeviceCode
from cloud_api.kernel.http import RequestModel, ResponseModel
from cloud_api.kernel.versions import Edit

ReaderName = Annotated[str, Field(min_length=1, max_length=120, examples=["Dock 1"])]
Passage = Literal["in", "out", "both"]


class AntennaWrite(RequestModel):
    """One antenna."""

    #: the reader's port
    number: Annotated[int, Field(ge=1, le=64)]
    direction: Passage = "both"
    #: what it looks at; none: where the reader is
    location_id: uuid.UUID | None = None


class _Facts(RequestModel):
    name: ReaderName
    #: which way things pass it, where its antennas do not say otherwise
    direction: Passage = "both"
    #: things pass through it from one place to another
    portal: bool = False
    antennas: Annotated[list[AntennaWrite], Field(max_length=64)] = Field(default_factory=list)

    @field_validator("antennas")
    @classmethod
    def _each_once(cls, antennas: list[AntennaWrite]) -> list[AntennaWrite]:
        twice = [number for number, count in Counter(one.number for one in antennas).items() if count > 1]
        if twice:
            raise ValueError(f"antenna {twice[0]} is there twice")
        return antennas


class ReaderCreate(_Facts):
    """A reader to come, or one that was heard already."""

    gateway_id: uuid.UUID
    code: DeviceCode
    #: where it is; none: where it was heard already, or nowhere yet
    location_id: uuid.UUID | None = None


class ReaderUpdate(_Facts, Edit):
    """All of it, but that a place that is not sent stays; of a reader that was only heard this registers it."""

    #: null: nowhere
    location_id: uuid.UUID | None = None
    #: `active` brings a retired one back
    status: Literal["active", "retired"] = "active"


class AntennaRead(ResponseModel):
    """One antenna."""

    number: int
    direction: Passage
    location_id: uuid.UUID | None


class ReaderRead(ResponseModel):
    """A reader; one that was only heard so far has no name: register it, or retire it."""

    id: uuid.UUID
    gateway_id: uuid.UUID
    code: str
    location_id: uuid.UUID | None
    status: str
    registered: bool
    name: str | None
    direction: Passage
    portal: bool
    antennas: list[AntennaRead]
    #: of the sensor that speaks for it
    version: int
