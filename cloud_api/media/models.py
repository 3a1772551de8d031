"""Files that people sent: the bytes lie in a store under their hash, what is known of them here."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization


class Media(OrganizationOwned, Base):
    """One file. The same bytes are kept once for each organisation."""

    __tablename__ = "media"
    __table_args__ = (
        UniqueConstraint("organization_id", "sha256"),
        Index("ix_media_received_at", "organization_id", "received_at", "size_bytes"),
        CheckConstraint("size_bytes >= 0", name="size"),
    )

    sha256: Mapped[str]
    mime: Mapped[str]
    size_bytes: Mapped[int]
    #: as its sender called it; empty for photos of phones
    name: Mapped[str] = mapped_column(default="")
    #: pixels; of pictures only
    width: Mapped[int | None]
    height: Mapped[int | None]
    #: where the bytes lie; None: under their hash, as they were laid in the beginning
    storage_key: Mapped[str | None] = mapped_column(info={"audited": False})
    #: somebody put it among the organisation's files; people's pictures and proofs of delivery are not
    listed: Mapped[bool] = mapped_column(default=False)
    uploaded_by: Mapped[uuid.UUID | None]
    received_at: Mapped[datetime]

    @property
    def key(self) -> str:
        """Where the bytes lie in the store."""
        return self.storage_key or f"{self.organization_id.hex}/{self.sha256[:2]}/{self.sha256}"

    @property
    def derived_prefix(self) -> str:
        """Where its other sizes and formats lie, once somebody asked for them."""
        return f"{self.organization_id.hex}/derived/{self.id.hex}"


class MediaAttachment(OrganizationOwned, Base):
    """What shows a file: as long as anything does, it stays."""

    __tablename__ = "media_attachments"
    __table_args__ = (
        UniqueConstraint("organization_id", "media_id", "entity_type", "entity_id"),
        Index("ix_media_attachments_entity", "organization_id", "entity_type", "entity_id"),
        same_organization("media_id", "media"),
    )

    media_id: Mapped[uuid.UUID]
    entity_type: Mapped[str]
    entity_id: Mapped[uuid.UUID]
    attached_at: Mapped[datetime]


class MediaUpload(OrganizationOwned, Base):
    """A file that arrives in parts."""

    __tablename__ = "media_uploads"
    __audited__ = False
    __table_args__ = (
        CheckConstraint("size_bytes > 0", name="size"),
        same_organization("media_id", "media", ondelete="CASCADE"),
    )

    name: Mapped[str]
    mime: Mapped[str]
    size_bytes: Mapped[int]
    #: each part has this many, the last one what is left
    part_size_bytes: Mapped[int]
    begun_by: Mapped[uuid.UUID]
    begun_at: Mapped[datetime]
    #: swept away when nothing came until then
    expires_at: Mapped[datetime] = mapped_column(index=True)
    #: what became of it; None: not complete
    media_id: Mapped[uuid.UUID | None]

    @property
    def parts_expected(self) -> int:
        """How many parts make it whole; they are numbered from 1."""
        return -(-self.size_bytes // self.part_size_bytes)

    @property
    def prefix(self) -> str:
        """Where its parts lie in the store."""
        return f"{self.organization_id.hex}/parts/{self.id.hex}"

    def size_of_part(self, number: int) -> int:
        """The bytes that part `number` must have."""
        last = self.size_bytes - (self.parts_expected - 1) * self.part_size_bytes
        return last if number == self.parts_expected else self.part_size_bytes


class MediaPart(OrganizationOwned, Base):
    """One part of an upload."""

    __tablename__ = "media_parts"
    __audited__ = False
    __table_args__ = (
        UniqueConstraint("upload_id", "number"),
        CheckConstraint("number >= 1", name="number"),
        same_organization("upload_id", "media_uploads", ondelete="CASCADE"),
    )

    upload_id: Mapped[uuid.UUID]
    number: Mapped[int]
    sha256: Mapped[str]
    size_bytes: Mapped[int]
    storage_key: Mapped[str]
