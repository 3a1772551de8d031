"""What people read off thermometers."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization


class ManualReading(OrganizationOwned, Base):
    """What somebody read off a thermometer or hygrometer in a place; append-only. In °C or per cent."""

    __tablename__ = "manual_readings"
    __table_args__ = (
        CheckConstraint("quantity IN ('temperature', 'humidity')", name="quantity"),
        Index("ix_manual_readings_location_id_measured_at", "location_id", "measured_at"),
        same_organization("location_id", "locations"),
    )

    location_id: Mapped[uuid.UUID]
    quantity: Mapped[str]
    value: Mapped[float]
    measured_at: Mapped[datetime]
    note: Mapped[str] = mapped_column(default="")
    #: what it was judged to be when it was written down; None: within the limits
    alert_type: Mapped[str | None]
    recorded_by: Mapped[uuid.UUID]
    recorded_at: Mapped[datetime]
