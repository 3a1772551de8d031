"""How long readings are kept, and what must not be deleted."""

import uuid
from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped

from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization
from cloud_api.kernel.versions import Versioned


class RetentionClass(Versioned, OrganizationOwned, Base):
    """For how many days the readings of its sensors are kept, and their hours and days; None: for ever."""

    __tablename__ = "retention_classes"
    __table_args__ = (UniqueConstraint("organization_id", "name"),)

    name: Mapped[str]
    raw_days: Mapped[int | None]
    hours_days: Mapped[int | None]
    days_days: Mapped[int | None]


class SensorRetention(OrganizationOwned, Base):
    """The class of a sensor. One without a row has the standard one."""

    __tablename__ = "sensor_retentions"
    __table_args__ = (
        UniqueConstraint("sensor_id"),
        same_organization("sensor_id", "sensors"),
        same_organization("class_id", "retention_classes"),
    )

    sensor_id: Mapped[uuid.UUID]
    class_id: Mapped[uuid.UUID]


class LegalHold(OrganizationOwned, Base):
    """What must be kept whatever its class says: of a place and all in it, of a sensor, or of the organisation."""

    __tablename__ = "legal_holds"
    __table_args__ = (
        same_organization("location_id", "locations"),
        same_organization("sensor_id", "sensors"),
    )

    location_id: Mapped[uuid.UUID | None]
    sensor_id: Mapped[uuid.UUID | None]
    reason: Mapped[str]
    #: the time of the readings; None: from ever, for ever
    from_at: Mapped[datetime | None]
    to_at: Mapped[datetime | None]
    created_by: Mapped[uuid.UUID]
    created_at: Mapped[datetime]
    released_by: Mapped[uuid.UUID | None]
    released_at: Mapped[datetime | None]
