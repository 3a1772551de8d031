"""Teams: people who work together."""

import uuid
from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization
from cloud_api.kernel.versions import Versioned


class Team(Versioned, OrganizationOwned, Base):
    """Some people of an organisation, by a name."""

    __tablename__ = "teams"
    __table_args__ = (UniqueConstraint("organization_id", "name"),)

    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]


class TeamMember(OrganizationOwned, Base):
    """Somebody in a team."""

    __tablename__ = "team_members"
    __table_args__ = (
        UniqueConstraint("team_id", "user_id"),
        same_organization("team_id", "teams", ondelete="CASCADE"),
        same_organization("user_id", "users", ondelete="CASCADE"),
    )

    team_id: Mapped[uuid.UUID]
    user_id: Mapped[uuid.UUID] = mapped_column(index=True)
    is_lead: Mapped[bool] = mapped_column(default=False)
