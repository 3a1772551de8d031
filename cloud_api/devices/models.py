"""Gateways and the sensors they speak for."""

import uuid
from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization
from cloud_api.kernel.versions import Versioned

#: what a gateway does until somebody says otherwise
HEARTBEAT_INTERVAL_S = 60


class Gateway(Versioned, OrganizationOwned, Base):
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
    #: what became of that version, as `gateway_configs` has it
    config_state: Mapped[str] = mapped_column(default="offered", info={"audited": False})
    #: of that version
    heartbeat_interval_s: Mapped[int] = mapped_column(default=HEARTBEAT_INTERVAL_S, info={"audited": False})
    # the next three as its last heartbeat said
    running_config_version: Mapped[int | None] = mapped_column(info={"audited": False})
    #: rows on its disk that we have not acknowledged
    backlog_rows: Mapped[int | None] = mapped_column(info={"audited": False})
    oldest_unsent_at: Mapped[datetime | None] = mapped_column(info={"audited": False})
    #: counts the changes of what is known of its sensors, and of the rules that they are judged by
    facts_version: Mapped[int] = mapped_column(BigInteger, default=1, info={"audited": False})
    #: counts the transactions that stored readings of it: what is kept in memory of its series holds as long as this is
    #: the same
    batches: Mapped[int] = mapped_column(BigInteger, default=0, info={"audited": False})
    created_at: Mapped[datetime]


class Sensor(Versioned, OrganizationOwned, Base):
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
    #: the present calibration: a raw value is judged and read as value x gain + offset
    gain: Mapped[float] = mapped_column(default=1.0)
    offset: Mapped[float] = mapped_column(default=0.0)
    #: how often it should be heard; None: as often as it has been
    interval_s: Mapped[int | None]
    #: what a retired one says is kept, and judged by nobody
    status: Mapped[str] = mapped_column(default="active")
    created_at: Mapped[datetime]


class SensorPlacement(OrganizationOwned, Base):
    """Where a sensor is from a moment on: a reading belongs to the place where the sensor was then.

    The first of a sensor begins before all time; a sensor without any has always been where it is.
    """

    __tablename__ = "sensor_placements"
    __table_args__ = (
        UniqueConstraint("sensor_id", "from_ms"),
        same_organization("sensor_id", "sensors"),
        same_organization("location_id", "locations"),
    )

    sensor_id: Mapped[uuid.UUID]
    from_ms: Mapped[int] = mapped_column(BigInteger)
    location_id: Mapped[uuid.UUID | None] = mapped_column(index=True)


class SensorCalibration(OrganizationOwned, Base):
    """How a sensor's raw values are corrected from a moment on. Raw values stay as they came.

    The first of a sensor begins before all time; a sensor without any has always been corrected as it is.
    """

    __tablename__ = "sensor_calibrations"
    __table_args__ = (
        UniqueConstraint("sensor_id", "from_ms"),
        CheckConstraint("gain > 0", name="gain"),
        same_organization("sensor_id", "sensors"),
    )

    sensor_id: Mapped[uuid.UUID]
    from_ms: Mapped[int] = mapped_column(BigInteger)
    gain: Mapped[float] = mapped_column(default=1.0)
    offset: Mapped[float] = mapped_column(default=0.0)
    #: number of the certificate; empty when there is none
    certificate: Mapped[str] = mapped_column(default="")
    #: what it was compared with
    reference: Mapped[str] = mapped_column(default="")
    #: when it must be done again
    due_on: Mapped[date | None]
    #: when people were told that it is
    due_told_at: Mapped[datetime | None] = mapped_column(info={"audited": False})
    note: Mapped[str] = mapped_column(default="")
    recorded_by: Mapped[uuid.UUID | None]
    recorded_at: Mapped[datetime]
