"""Where the vans were."""

import uuid
from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization


class VehiclePosition(OrganizationOwned, Base):
    """Where a van was; append-only."""

    __tablename__ = "vehicle_positions"
    __audited__ = False
    __table_args__ = (
        UniqueConstraint("vehicle_id", "recorded_at"),
        same_organization("vehicle_id", "vehicles"),
        same_organization("route_id", "delivery_routes"),
    )

    vehicle_id: Mapped[uuid.UUID]
    route_id: Mapped[uuid.UUID] = mapped_column(index=True)
    recorded_at: Mapped[datetime]
    latitude: Mapped[float]
    longitude: Mapped[float]
    speed_kmh: Mapped[float | None]
