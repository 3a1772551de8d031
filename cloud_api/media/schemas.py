"""Files, as they travel over HTTP."""

import uuid
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from cloud_api.kernel.http import RequestModel, ResponseModel

FileName = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^/\\\x00-\x1f\x7f]+$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Fit = Literal["inside", "cover", "contain", "fill"]
PictureFormat = Literal["webp", "jpeg", "png", "avif"]


class AvatarRead(ResponseModel):
    """A person's picture that was kept."""

    id: uuid.UUID
    mime: str
    size_bytes: int
    sha256: str


class MediaRead(ResponseModel):
    """A file."""

    id: uuid.UUID
    name: str
    mime: str
    size_bytes: int
    sha256: str
    #: pixels; of pictures only
    width: int | None
    height: int | None
    uploaded_by: uuid.UUID | None
    received_at: datetime


class AttachmentRead(ResponseModel):
    """Something that shows a file."""

    entity_type: str
    entity_id: uuid.UUID
    attached_at: datetime


class MediaDetailRead(MediaRead):
    """A file, and what shows it."""

    attachments: list[AttachmentRead]


class UploadBegin(RequestModel):
    """A file that will come in parts."""

    name: FileName
    mime: Annotated[str, Field(min_length=3, max_length=100)]
    size_bytes: Annotated[int, Field(ge=1, le=2**40)]


class PartRead(ResponseModel):
    """A part that has arrived."""

    number: int
    size_bytes: int
    sha256: str


class UploadRead(ResponseModel):
    """An upload, and which of its parts are there."""

    id: uuid.UUID
    name: str
    mime: str
    size_bytes: int
    #: each part has this many, the last one what is left
    part_size_bytes: int
    #: they are numbered from 1
    parts_expected: int
    expires_at: datetime
    #: the file, once it is complete
    media_id: uuid.UUID | None
    parts: list[PartRead]


class UploadComplete(RequestModel):
    """All parts have been sent."""

    #: of the whole file
    sha256: Sha256


class SignedUrlRead(ResponseModel):
    """An address that shows one file to whoever has it, for a time."""

    url: str
    expires_at: datetime


class PurgedRead(ResponseModel):
    """How many sizes and formats were thrown away."""

    removed: int
