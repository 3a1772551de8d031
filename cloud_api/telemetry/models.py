"""Readings, and what is kept about their streams.

`readings` is append-only and narrow: an integer series, no organisation. PostgreSQL would refuse COPY into a table
under row-level security, so only the ingest role may write it, and nobody but the view `sensor_readings` reads it,
which shows an organisation its own series.
"""

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, Column, Double, Index, SmallInteger, Table, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, Scoped, same_organization

#: how `quality` is stored
QUALITIES = ("good", "suspect", "bad")


class SensorSeries(OrganizationOwned, Base):
    """The stream of one sensor: its number in `readings`, and its last value."""

    __tablename__ = "sensor_series"
    __audited__ = False
    __table_args__ = (UniqueConstraint("sensor_id"), same_organization("sensor_id", "sensors"))

    #: the series' number in `readings`
    number: Mapped[int] = mapped_column(BigInteger, unique=True)
    sensor_id: Mapped[uuid.UUID]
    last_recorded_at_ms: Mapped[int | None] = mapped_column(BigInteger)
    last_value: Mapped[float | None]
    last_quality: Mapped[str | None]


class SeriesCounter(Base):
    """The last series number given; one row."""

    __tablename__ = "series_counter"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int] = mapped_column(BigInteger, default=0)


readings = Table(
    "readings",
    Base.metadata,
    Column("series", BigInteger, primary_key=True, autoincrement=False),
    Column("recorded_at_ms", BigInteger, primary_key=True, autoincrement=False),
    #: the lane's number x 2^40 + the wire's sequence: a fresh spool starts a lane of its own
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    #: raw; calibration is applied where a value is read
    Column("value", Double, nullable=False),
    #: index into `QUALITIES`
    Column("quality", SmallInteger, nullable=False),
)


class SensorReading(Scoped, Base):
    """The view `sensor_readings`: readings as an organisation may see them. Never written."""

    __tablename__ = "sensor_readings"
    __table_args__ = {"info": {"is_view": True}}  # noqa: RUF012 - SQLAlchemy's own form

    sensor_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    recorded_at_ms: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    value: Mapped[float]
    quality: Mapped[int]


class LaneCursor(OrganizationOwned, Base):
    """How far one lane of one gateway's spool is settled. Locked while a batch is stored."""

    __tablename__ = "lane_cursors"
    __audited__ = False
    __table_args__ = (
        UniqueConstraint("gateway_id", "epoch", "lane"),
        UniqueConstraint("gateway_id", "number"),
        same_organization("gateway_id", "gateways"),
    )

    gateway_id: Mapped[uuid.UUID]
    epoch: Mapped[str]
    lane: Mapped[str]
    #: counts the lanes of a gateway, from 1
    number: Mapped[int]
    acked_through: Mapped[int] = mapped_column(BigInteger, default=0)
    accepted: Mapped[int] = mapped_column(BigInteger, default=0)
    duplicates: Mapped[int] = mapped_column(BigInteger, default=0)
    refused: Mapped[int] = mapped_column(BigInteger, default=0)


class ReadingSummary(OrganizationOwned, Base):
    """What is left of readings that a gateway's disk had no room for; append-only. Values are raw."""

    __tablename__ = "reading_summaries"
    __audited__ = False
    __table_args__ = (
        UniqueConstraint("gateway_id", "sequence"),
        Index("ix_reading_summaries_sensor_id_to_ms", "sensor_id", "to_ms"),
        same_organization("gateway_id", "gateways"),
        same_organization("sensor_id", "sensors"),
    )

    gateway_id: Mapped[uuid.UUID]
    #: as of readings: the lane's number x 2^40 + the wire's sequence
    sequence: Mapped[int] = mapped_column(BigInteger)
    sensor_id: Mapped[uuid.UUID]
    #: the first and the last reading
    from_ms: Mapped[int] = mapped_column(BigInteger)
    to_ms: Mapped[int] = mapped_column(BigInteger)
    count: Mapped[int] = mapped_column(BigInteger)
    minimum: Mapped[float] = mapped_column(Double)
    mean: Mapped[float] = mapped_column(Double)
    maximum: Mapped[float] = mapped_column(Double)
    time_source: Mapped[str]
    quality: Mapped[str]


class ReadingGap(OrganizationOwned, Base):
    """Sequences of a lane that will never come, as the gateway reported it; append-only."""

    __tablename__ = "reading_gaps"
    __audited__ = False
    __table_args__ = (
        UniqueConstraint("gateway_id", "sequence"),
        Index("ix_reading_gaps_gateway_id_to_ms", "gateway_id", "to_ms"),
        same_organization("gateway_id", "gateways"),
    )

    gateway_id: Mapped[uuid.UUID]
    sequence: Mapped[int] = mapped_column(BigInteger)
    #: whose sequences
    epoch: Mapped[str]
    lane: Mapped[str]
    #: as the wire counts them, both included; some may have come before
    first_sequence: Mapped[int] = mapped_column(BigInteger)
    last_sequence: Mapped[int] = mapped_column(BigInteger)
    #: how many are gone
    rows_gone: Mapped[int] = mapped_column(BigInteger)
    from_ms: Mapped[int] = mapped_column(BigInteger)
    to_ms: Mapped[int] = mapped_column(BigInteger)
    #: thinned: summaries stand for them; dropped; unreadable
    reason: Mapped[str]


class DeadLetter(OrganizationOwned, Base):
    """A row nobody could use, kept with the reason."""

    __tablename__ = "ingest_dead_letters"
    __audited__ = False
    __table_args__ = (same_organization("gateway_id", "gateways"),)

    gateway_id: Mapped[uuid.UUID]
    received_at: Mapped[datetime]
    code: Mapped[str]
    field: Mapped[str]
    message: Mapped[str]
    raw: Mapped[bytes]
