"""Filters of a page that somebody gave a name."""

import uuid
from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped

from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization


class SavedView(OrganizationOwned, Base):
    """One of them; each person has their own."""

    __tablename__ = "saved_views"
    __table_args__ = (
        UniqueConstraint("organization_id", "user_id", "page", "name"),
        same_organization("user_id", "users", ondelete="CASCADE"),
    )

    user_id: Mapped[uuid.UUID]
    #: its path, as `/console/stock`
    page: Mapped[str]
    name: Mapped[str]
    #: what stands behind the `?` of its address
    query: Mapped[str]
    saved_at: Mapped[datetime]
