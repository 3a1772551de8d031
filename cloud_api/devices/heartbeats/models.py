"""How gateways were."""

import uuid
from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization


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
    #: what `gateway.contract.Heartbeat` has since version 2, as JSON; empty from before
    details: Mapped[dict[str, object]] = mapped_column(default=dict)
