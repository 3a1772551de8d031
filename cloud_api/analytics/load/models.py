"""How requests went, and when there was anybody to ask: kept for ninety days."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, PlatformWide

#: upper bounds of the classes that answers' times are counted in, ms; what is above the last is one more
BOUNDS_MS = (1, 2, 4, 7, 10, 15, 20, 30, 40, 50, 70, 100, 150, 200, 300, 500, 1_000, 2_000, 5_000, 10_000, 30_000)
#: console: a person's pages ask; driver: the driver's phone; key: a program; gateway: a cold store's; api: a person's
#: own programs
SURFACES = ("console", "driver", "key", "gateway", "api")


class RequestHour(PlatformWide, Base):
    """How many requests of an hour took about as long, of all organisations."""

    __tablename__ = "request_hours"
    __audited__ = False

    #: when the hour began, UTC
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    #: a group of routes, as `recording.area_of` has it
    area: Mapped[str] = mapped_column(primary_key=True)
    #: the place of the upper bound in `BOUNDS_MS`; its length: more than the last
    bound: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    requests: Mapped[int] = mapped_column(BigInteger)


class ErrorHour(PlatformWide, Base):
    """How many requests of an hour were answered with an error's code."""

    __tablename__ = "request_error_hours"
    __audited__ = False

    hour: Mapped[datetime] = mapped_column(primary_key=True)
    area: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    code: Mapped[str] = mapped_column(primary_key=True)
    requests: Mapped[int] = mapped_column(BigInteger)


class SurfaceQuarter(OrganizationOwned, Base):
    """How many requests of an organisation came which way in a quarter of an hour: every zone's midnight begins one."""

    __tablename__ = "organization_requests"
    __audited__ = False
    __table_args__ = (
        UniqueConstraint("organization_id", "begins_at", "surface"),
        CheckConstraint(f"surface IN {SURFACES}", name="surface"),
    )

    #: UTC
    begins_at: Mapped[datetime] = mapped_column(index=True)
    surface: Mapped[str]
    requests: Mapped[int] = mapped_column(BigInteger)


class MinuteUp(PlatformWide, Base):
    """A minute in which a process that answers requests ran, and the database took what it wrote."""

    __tablename__ = "minutes_up"
    __audited__ = False

    #: when it began, UTC
    minute: Mapped[datetime] = mapped_column(primary_key=True)
