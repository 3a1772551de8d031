"""What is known of readers of tags. A reader is the sensor of quantity `tag` that speaks for it; this is beside it."""

import uuid

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization

QUANTITY = "tag"


class Reader(OrganizationOwned, Base):
    """A reader that somebody has registered."""

    __tablename__ = "readers"
    __table_args__ = (
        UniqueConstraint("sensor_id"),
        CheckConstraint("direction IN ('in', 'out', 'both')", name="direction"),
        same_organization("sensor_id", "sensors"),
    )

    sensor_id: Mapped[uuid.UUID]
    name: Mapped[str]
    #: which way things pass it, where its antennas do not say otherwise
    direction: Mapped[str] = mapped_column(default="both")
    #: things pass through it from one place to another
    portal: Mapped[bool] = mapped_column(default=False)


class ReaderAntenna(OrganizationOwned, Base):
    """One antenna of a reader."""

    __tablename__ = "reader_antennas"
    __table_args__ = (
        UniqueConstraint("reader_id", "number"),
        CheckConstraint("direction IN ('in', 'out', 'both')", name="direction"),
        same_organization("reader_id", "readers", ondelete="CASCADE"),
        same_organization("location_id", "locations"),
    )

    reader_id: Mapped[uuid.UUID]
    #: the reader's port, as tag reads name it
    number: Mapped[int]
    direction: Mapped[str] = mapped_column(default="both")
    #: what it looks at; None: where the reader is
    location_id: Mapped[uuid.UUID | None]
