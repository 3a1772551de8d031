"""Roles: what a bundle of permissions is called."""

from datetime import datetime

from sqlalchemy import JSON, CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.identity.roles.catalogue import built_in_roles
from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned
from cloud_api.kernel.versions import Versioned


class Role(Versioned, OrganizationOwned, Base):
    """A role of an organisation. Built-in ones are founded with it; what they grant stands in `permissions.csv`."""

    __tablename__ = "roles"
    __table_args__ = (
        UniqueConstraint("organization_id", "name"),
        CheckConstraint("reach IN ('organization', 'own')", name="reach"),
    )

    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    built_in: Mapped[bool] = mapped_column(default=False)
    #: of a custom role; empty for a built-in one
    permissions: Mapped[list[str]] = mapped_column(JSON, default=list)
    #: `own`: only what is one's own, as a customer's orders
    reach: Mapped[str] = mapped_column(default="organization")
    created_at: Mapped[datetime]

    @property
    def granted(self) -> frozenset[str]:
        """What it grants, wildcards as they are."""
        return built_in_roles().get(self.name, frozenset()) if self.built_in else frozenset(self.permissions)
