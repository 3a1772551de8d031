"""Vans."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization


class Vehicle(OrganizationOwned, Base):
    """A place with wheels: what is in it lies in its location."""

    __tablename__ = "vehicles"
    __table_args__ = (
        UniqueConstraint("organization_id", "number"),
        CheckConstraint("status IN ('active', 'maintenance', 'inactive')", name="status"),
        CheckConstraint("capacity_g > 0", name="capacity"),
        same_organization("location_id", "locations"),
        same_organization("driver_id", "users"),
    )

    #: the number plate
    number: Mapped[str]
    location_id: Mapped[uuid.UUID]
    capacity_g: Mapped[int]
    is_refrigerated: Mapped[bool] = mapped_column(default=True)
    driver_id: Mapped[uuid.UUID | None]
    status: Mapped[str] = mapped_column(default="active")
    created_at: Mapped[datetime]
