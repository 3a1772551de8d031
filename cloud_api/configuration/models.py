"""What organisations have set, and what the platform has: feature flags and maintenance."""

import uuid
from datetime import datetime

from sqlalchemy import JSON, CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.db import Base
from cloud_api.kernel.ids import new_id
from cloud_api.kernel.tenancy import OrganizationOwned, PlatformWide
from cloud_api.kernel.versions import Versioned

#: buckets that people fall into; a rollout opens so many of them
BUCKETS = 10_000


class SettingValue(OrganizationOwned, Base):
    """One setting that an organisation has set; `definitions` has the default of the others."""

    __tablename__ = "setting_values"
    __table_args__ = (UniqueConstraint("organization_id", "key"),)

    key: Mapped[str]
    value: Mapped[bool | int | str] = mapped_column(JSON)
    updated_at: Mapped[datetime]
    #: the person or machine
    updated_by: Mapped[uuid.UUID | None]


class FeatureFlag(Versioned, PlatformWide, Base):
    """Something that is not for everybody yet."""

    __tablename__ = "feature_flags"
    __table_args__ = (CheckConstraint(f"rollout_buckets BETWEEN 0 AND {BUCKETS}", name="rollout"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    key: Mapped[str] = mapped_column(unique=True)
    description: Mapped[str] = mapped_column(default="")
    enabled: Mapped[bool] = mapped_column(default=False)
    #: hundredths of a percent
    rollout_buckets: Mapped[int] = mapped_column(default=BUCKETS)
    #: for these organisations only, by id; empty: for all
    organization_ids: Mapped[list[str]] = mapped_column(JSON, default=list)
    #: for holders of one of these roles only; empty: for all
    roles: Mapped[list[str]] = mapped_column(JSON, default=list)
    #: for these people whatever the rest says, by id
    user_ids: Mapped[list[str]] = mapped_column(JSON, default=list)
    updated_at: Mapped[datetime]
    updated_by: Mapped[uuid.UUID | None]

    @property
    def rollout_percentage(self) -> float:
        """How much of the audience has it, with two decimals."""
        return self.rollout_buckets * 100 / BUCKETS


class Maintenance(PlatformWide, Base):
    """The one row that says whether people may write."""

    __tablename__ = "maintenance"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=1)
    enabled: Mapped[bool]
    #: for those who are sent away
    message: Mapped[str]
    #: when they may try again
    retry_after_s: Mapped[int]
    #: when it is to be over, as far as anybody knows
    until: Mapped[datetime | None]
    #: counts its changes
    version: Mapped[int] = mapped_column(default=1, info={"audited": False})
    updated_at: Mapped[datetime]
    updated_by: Mapped[uuid.UUID | None]
