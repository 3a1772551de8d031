"""Readings, and what is kept about their streams.

`readings` is append-only and narrow: an integer series, no organisation. PostgreSQL would refuse COPY into a table
under row-level security, so only the ingest role may write it, and nobody but the view `sensor_readings` reads it,
which shows an organisation its own series.
"""

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, Column, Double, Index, Integer, SmallInteger, Table, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, Scoped, same_organization

#: how `quality` is stored
QUALITIES = ("good", "suspect", "bad")


class SensorSeries(OrganizationOwned, Base):
    """The stream of one sensor: its number in `readings`, and what is kept of it at ingest (`rollups`).

    Written under the lock of its gateway's row only, by a transaction that counts `Gateway.batches` up: processes keep
    it in memory as long as that is the same.
    """

    __tablename__ = "sensor_series"
    __audited__ = False
    __table_args__ = (UniqueConstraint("sensor_id"), same_organization("sensor_id", "sensors"))

    #: the series' number in `readings`
    number: Mapped[int] = mapped_column(BigInteger, unique=True)
    sensor_id: Mapped[uuid.UUID]
    #: IANA name of the time zone whose hours and days are counted; the organisation's, when the series began
    zone: Mapped[str] = mapped_column(default="UTC")
    #: the newest reading; raw
    last_recorded_at_ms: Mapped[int | None] = mapped_column(BigInteger)
    last_value: Mapped[float | None]
    last_quality: Mapped[str | None]
    #: when we last took in a reading of it, by our own clock
    heard_at_ms: Mapped[int | None] = mapped_column(BigInteger)
    #: how far its readings are apart as a rule; None: too few to tell
    cadence_ms: Mapped[int | None] = mapped_column(BigInteger)
    #: what the open hour, the newest that has a reading, has so far: raw, without readings of quality bad
    hour_begins_ms: Mapped[int | None] = mapped_column(BigInteger)
    hour_count: Mapped[int] = mapped_column(BigInteger, default=0)
    hour_total: Mapped[float] = mapped_column(Double, default=0.0)
    hour_minimum: Mapped[float] = mapped_column(Double, default=0.0)
    hour_maximum: Mapped[float] = mapped_column(Double, default=0.0)
    #: ... and the open day
    day_begins_ms: Mapped[int | None] = mapped_column(BigInteger)
    day_count: Mapped[int] = mapped_column(BigInteger, default=0)
    day_total: Mapped[float] = mapped_column(Double, default=0.0)
    day_minimum: Mapped[float] = mapped_column(Double, default=0.0)
    day_maximum: Mapped[float] = mapped_column(Double, default=0.0)


class SeriesCounter(Base):
    """The last series number given; one row."""

    __tablename__ = "series_counter"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int] = mapped_column(BigInteger, default=0)


#: on PostgreSQL without the key, and divided into months: see migration 0020
readings = Table(
    "readings",
    Base.metadata,
    Column("series", BigInteger().with_variant(Integer, "postgresql"), primary_key=True, autoincrement=False),
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
    #: by it the database finds a series' first and last readings at once
    series: Mapped[int] = mapped_column(BigInteger)


class ReadingChunk(Scoped, Base):
    """A day (UTC) of one series, sealed as `stores.packing` says. What arrives late stands in `readings` beside it."""

    __tablename__ = "reading_chunks"

    series: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False, sort_order=-1)
    begins_ms: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    #: the first and the last reading
    from_ms: Mapped[int] = mapped_column(BigInteger)
    to_ms: Mapped[int] = mapped_column(BigInteger)
    count: Mapped[int]
    #: of the raw values that are not bad; None: there is none
    minimum: Mapped[float | None] = mapped_column(Double)
    maximum: Mapped[float | None] = mapped_column(Double)
    payload: Mapped[bytes]


class _Bucket(Scoped):
    """What a stretch of time has of one series: raw values, without those of quality bad."""

    begins_ms: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    count: Mapped[int] = mapped_column(BigInteger)
    total: Mapped[float] = mapped_column(Double)
    minimum: Mapped[float] = mapped_column(Double)
    maximum: Mapped[float] = mapped_column(Double)


class ReadingHour(_Bucket, Base):
    """An hour before a series' open one. Read it through `SensorHour`."""

    __tablename__ = "reading_hours"

    series: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False, sort_order=-1)


class ReadingDay(_Bucket, Base):
    """A day before a series' open one. Read it through `SensorDay`."""

    __tablename__ = "reading_days"

    series: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False, sort_order=-1)


class SensorHour(_Bucket, Base):
    """The view `sensor_hours`: every hour that has a reading, the open one too. Never written."""

    __tablename__ = "sensor_hours"
    __table_args__ = {"info": {"is_view": True}}  # noqa: RUF012 - SQLAlchemy's own form

    sensor_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)


class SensorDay(_Bucket, Base):
    """The view `sensor_days`: every day that has a reading, the open one too. Never written."""

    __tablename__ = "sensor_days"
    __table_args__ = {"info": {"is_view": True}}  # noqa: RUF012 - SQLAlchemy's own form

    sensor_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)


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
    __table_args__ = (
        Index("ix_ingest_dead_letters_gateway_id_sequence", "gateway_id", "sequence"),
        same_organization("gateway_id", "gateways"),
    )

    gateway_id: Mapped[uuid.UUID]
    #: the lane's number x 2^40 + the wire's sequence; None: it had none
    sequence: Mapped[int | None] = mapped_column(BigInteger)
    received_at: Mapped[datetime]
    code: Mapped[str]
    field: Mapped[str]
    message: Mapped[str]
    raw: Mapped[bytes]
