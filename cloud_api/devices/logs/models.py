"""What gateways wrote into their logs."""

import uuid
from datetime import datetime

from sqlalchemy import JSON, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization


class GatewayLog(OrganizationOwned, Base):
    """The newest lines of a gateway's log at one time."""

    __tablename__ = "gateway_logs"
    __audited__ = False
    __table_args__ = (
        UniqueConstraint("gateway_id", "recorded_at"),
        same_organization("gateway_id", "gateways"),
    )

    gateway_id: Mapped[uuid.UUID]
    recorded_at: Mapped[datetime]
    received_at: Mapped[datetime]
    #: oldest first
    lines: Mapped[list[str]] = mapped_column(JSON)
    #: how many older ones of the upload were too many
    left_out: Mapped[int] = mapped_column(default=0)
