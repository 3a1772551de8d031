"""What is known of scales. A scale is the sensor of quantity `weight` that speaks for it; this stands beside it."""

import uuid

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization

QUANTITY = "weight"


class Scale(OrganizationOwned, Base):
    """A scale that somebody has registered."""

    __tablename__ = "scales"
    __table_args__ = (
        UniqueConstraint("sensor_id"),
        CheckConstraint("capacity_kg > 0 AND division_kg > 0 AND division_kg <= capacity_kg", name="range"),
        CheckConstraint("tare_kg >= 0 AND tare_kg <= capacity_kg", name="tare"),
        same_organization("sensor_id", "sensors"),
    )

    sensor_id: Mapped[uuid.UUID]
    name: Mapped[str]
    #: the most that it weighs
    capacity_kg: Mapped[float]
    #: the step in which it weighs
    division_kg: Mapped[float]
    #: what its display shows
    unit: Mapped[str]
    #: what always stands on it: a pallet, a crate
    tare_kg: Mapped[float] = mapped_column(default=0.0)
