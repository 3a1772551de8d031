"""Organisations: the businesses that use Coldfleet."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationRoot
from cloud_api.kernel.versions import Versioned

PLANS = ("basic", "pro", "enterprise")

#: the short name of the organisation that owns the platform: its people may be given the role super_admin
PLATFORM_SLUG = "platform"


class Organization(Versioned, OrganizationRoot, Base):
    """A business that uses Coldfleet; the wall stands around it."""

    __tablename__ = "organizations"

    name: Mapped[str]
    slug: Mapped[str] = mapped_column(unique=True)
    #: ISO 4217
    currency: Mapped[str] = mapped_column(default="INR")
    #: IANA
    timezone: Mapped[str] = mapped_column(default="Asia/Kolkata")
    email: Mapped[str] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(default="")
    address: Mapped[str] = mapped_column(default="")
    #: one of `PLANS`
    plan: Mapped[str] = mapped_column(default="basic")
    #: name, colours and logo of a white label: `organizations.schemas.Branding`
    branding: Mapped[dict[str, object]] = mapped_column(default=dict)
    #: which steps of the first set-up are done: step -> what was entered
    onboarding: Mapped[dict[str, object]] = mapped_column(default=dict)
    is_active: Mapped[bool] = mapped_column(default=True)
    deactivated_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
