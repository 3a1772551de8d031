"""What people have told gateways to do."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.devices.commands.states import CommandStatus
from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization

KINDS = ("restart", "identify", "tare", "reset_alarm", "rotate_credential", "upload_logs")


class GatewayCommand(OrganizationOwned, Base):
    """One thing to be done once, and what became of it."""

    __tablename__ = "gateway_commands"
    __table_args__ = (
        Index("ix_gateway_commands_gateway_id_status", "gateway_id", "status"),
        CheckConstraint(f"kind IN {KINDS}", name="kind"),
        CheckConstraint("status IN ('waiting', 'done', 'failed', 'expired')", name="status"),
        same_organization("gateway_id", "gateways"),
    )

    gateway_id: Mapped[uuid.UUID]
    kind: Mapped[str]
    #: the scale to be tared, the rule whose alarm is to be reset; otherwise empty
    target: Mapped[str]
    status: Mapped[str] = mapped_column(default=CommandStatus.WAITING)
    #: the person or program
    issued_by: Mapped[uuid.UUID]
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    #: by the gateway's clock
    settled_at: Mapped[datetime | None]
    #: what the gateway says of it
    message: Mapped[str] = mapped_column(default="")
