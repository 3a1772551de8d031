"""Gateways and the sensors they speak for."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization


class Gateway(OrganizationOwned, Base):
    """A box in a cold store. Only hashes of its claim code and its secret are kept."""

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
    software_version: Mapped[str | None]
    last_seen_at: Mapped[datetime | None] = mapped_column(info={"audited": False})
    #: counted in `gateway_configs`, which keeps every version
    config_version: Mapped[int] = mapped_column(default=1, info={"audited": False})
    created_at: Mapped[datetime]


class GatewayConfigVersion(OrganizationOwned, Base):
    """What a gateway is to do, version by version; none is ever changed."""

    __tablename__ = "gateway_configs"
    __audited__ = False
    __table_args__ = (UniqueConstraint("gateway_id", "version"), same_organization("gateway_id", "gateways"))

    gateway_id: Mapped[uuid.UUID]
    version: Mapped[int]
    #: `gateway.contract.GatewayConfig`, as JSON
    config: Mapped[dict[str, object]]
    created_at: Mapped[datetime]


class GatewayHeartbeat(OrganizationOwned, Base):
    """How a gateway was at one time."""

    __tablename__ = "gateway_heartbeats"
    __audited__ = False
    __table_args__ = (
        UniqueConstraint("gateway_id", "recorded_at"),
        same_organization("gateway_id", "gateways"),
    )

    gateway_id: Mapped[uuid.UUID]
    recorded_at: Mapped[datetime]
    received_at: Mapped[datetime]
    epoch: Mapped[str]
    uptime_s: Mapped[int]
    backlog_rows: Mapped[int]
    oldest_unsent_at: Mapped[datetime | None]
    dead_letters: Mapped[int]
    disk_free_mb: Mapped[int]


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
    status: Mapped[str] = mapped_column(default="active")
    created_at: Mapped[datetime]
