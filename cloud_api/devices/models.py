"""Gateways and the sensors they speak for."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization

#: what a gateway does until somebody says otherwise
HEARTBEAT_INTERVAL_S = 60


class Gateway(OrganizationOwned, Base):
    """A box in a cold store. Only hashes of its claim code and its secrets are kept."""

    __tablename__ = "gateways"
    __table_args__ = (
        UniqueConstraint("organization_id", "name"),
        CheckConstraint("status IN ('pending', 'active', 'decommissioned')", name="status"),
    )

    name: Mapped[str]
    status: Mapped[str] = mapped_column(default="pending")
    claim_code_sha256: Mapped[str] = mapped_column(unique=True)
    claim_expires_at: Mapped[datetime]
    secret_sha256: Mapped[str | None]
    #: what the gateway has drawn to replace its secret; it does so at the first use
    next_secret_sha256: Mapped[str | None]
    software_version: Mapped[str | None]
    last_seen_at: Mapped[datetime | None] = mapped_column(info={"audited": False})
    #: counted in `gateway_configs`, which keeps every version
    config_version: Mapped[int] = mapped_column(default=1, info={"audited": False})
    #: of that version
    heartbeat_interval_s: Mapped[int] = mapped_column(default=HEARTBEAT_INTERVAL_S, info={"audited": False})
    created_at: Mapped[datetime]


class Sensor(OrganizationOwned, Base):
    """One quantity that one device measures. It belongs to a place; until it is given one, it is only listened to."""

    __tablename__ = "sensors"
    __table_args__ = (
        UniqueConstraint("organization_id", "gateway_id", "code", "quantity"),
        CheckConstraint("status IN ('active', 'retired')", name="status"),
        same_organization("gateway_id", "gateways"),
        same_organization("location_id", "locations"),
    )

    gateway_id: Mapped[uuid.UUID]
    location_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    #: the device as its maker names it: `z2m:cold-room-1`
    code: Mapped[str]
    quantity: Mapped[str]
    unit: Mapped[str]
    #: calibration, added to the raw value where it is judged or read
    offset: Mapped[float] = mapped_column(default=0.0)
    #: what a retired one says is kept, and judged by nobody
    status: Mapped[str] = mapped_column(default="active")
    created_at: Mapped[datetime]
