"""Where an organisation's administrators may come from."""

import uuid
from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned


class AllowedRange(OrganizationOwned, Base):
    """Addresses that operations of administrators are open to, once the setting `ip_allowlist_enforced` is on."""

    __tablename__ = "ip_allowlist"
    __table_args__ = (UniqueConstraint("organization_id", "cidr"),)

    #: as `kernel.addresses` writes it: 10.0.0.0/8, 203.0.113.7/32, 2001:db8::/32
    cidr: Mapped[str]
    label: Mapped[str] = mapped_column(default="")
    #: the person or machine
    created_by: Mapped[uuid.UUID | None]
    created_at: Mapped[datetime]
