"""What gateways' own judges have raised."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization


class GatewayAlarm(OrganizationOwned, Base):
    """One incident as its gateway told it, raised and then cleared, whatever the cloud makes of it."""

    __tablename__ = "gateway_alarms"
    __audited__ = False
    __table_args__ = (
        UniqueConstraint("sensor_id", "incident"),
        CheckConstraint("kind IN ('high', 'low', 'silent', 'rising', 'falling')", name="kind"),
        same_organization("gateway_id", "gateways"),
        same_organization("sensor_id", "sensors"),
    )

    gateway_id: Mapped[uuid.UUID] = mapped_column(index=True)
    sensor_id: Mapped[uuid.UUID]
    #: the limit or watch, as configuration gave it
    rule: Mapped[str]
    kind: Mapped[str]
    incident: Mapped[str]
    #: that raised it
    value: Mapped[float]
    started_at: Mapped[datetime]
    raised_at: Mapped[datetime]
    cleared_at: Mapped[datetime | None]
