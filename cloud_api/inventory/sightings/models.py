"""What readers saw and what scales showed."""

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization


class TagSighting(OrganizationOwned, Base):
    """A tag that a reader saw in a place; append-only. Not yet that something moved."""

    __tablename__ = "rfid_reads"
    __audited__ = False
    __table_args__ = (
        UniqueConstraint("gateway_id", "sequence"),
        Index("ix_rfid_reads_reader_id_seen_at", "reader_id", "seen_at"),
        same_organization("gateway_id", "gateways"),
        same_organization("reader_id", "sensors"),
        same_organization("location_id", "locations"),
    )

    gateway_id: Mapped[uuid.UUID]
    #: of the gateway's lane, as readings are stored
    sequence: Mapped[int] = mapped_column(BigInteger)
    reader_id: Mapped[uuid.UUID]
    #: where the reader was then; None when it had no place
    location_id: Mapped[uuid.UUID | None]
    epc: Mapped[str] = mapped_column(index=True)
    antenna: Mapped[int | None]
    rssi_dbm: Mapped[float | None]
    direction: Mapped[str]
    seen_at: Mapped[datetime]


class Weight(OrganizationOwned, Base):
    """What a scale showed when it stood still; append-only."""

    __tablename__ = "weights"
    __audited__ = False
    __table_args__ = (
        UniqueConstraint("gateway_id", "sequence"),
        Index("ix_weights_scale_id_weighed_at", "scale_id", "weighed_at"),
        same_organization("gateway_id", "gateways"),
        same_organization("scale_id", "sensors"),
        same_organization("location_id", "locations"),
    )

    gateway_id: Mapped[uuid.UUID]
    sequence: Mapped[int] = mapped_column(BigInteger)
    scale_id: Mapped[uuid.UUID]
    location_id: Mapped[uuid.UUID | None]
    weight_g: Mapped[int] = mapped_column(BigInteger)
    #: gross, net or unknown
    basis: Mapped[str]
    weighed_at: Mapped[datetime]
