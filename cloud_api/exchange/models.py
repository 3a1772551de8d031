"""Imports and exports: each run is a row, worked off beside the requests."""

import uuid
from datetime import datetime

from sqlalchemy import JSON, BigInteger, CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.exchange.states import RunStatus
from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned

_STATUSES = tuple(str(status) for status in RunStatus)


class ImportRun(OrganizationOwned, Base):
    """One file that was sent, and what became of its rows."""

    __tablename__ = "import_runs"
    __table_args__ = (
        CheckConstraint(f"status IN {_STATUSES}", name="status"),
        CheckConstraint("format IN ('csv', 'xlsx', 'json', 'zip')", name="format"),
        Index("ix_import_runs_status", "status", "leased_until"),
    )

    entity: Mapped[str]
    format: Mapped[str]
    #: how it is read: dates, numbers, mapping
    options: Mapped[dict[str, object]]
    #: nothing is written
    dry_run: Mapped[bool]
    #: rows that cannot be done are left out; otherwise one of them stops all
    skip_bad_rows: Mapped[bool]
    status: Mapped[str] = mapped_column(default=RunStatus.QUEUED)
    total: Mapped[int] = mapped_column(default=0, info={"audited": False})
    created: Mapped[int] = mapped_column(default=0, info={"audited": False})
    updated: Mapped[int] = mapped_column(default=0, info={"audited": False})
    unchanged: Mapped[int] = mapped_column(default=0, info={"audited": False})
    failed: Mapped[int] = mapped_column(default=0, info={"audited": False})
    #: rows that are done with, good or bad: where a worker that takes over goes on
    done_rows: Mapped[int] = mapped_column(default=0, info={"audited": False})
    #: the first of them: row, column, message
    problems: Mapped[list[dict[str, object]]] = mapped_column(JSON, info={"audited": False})
    #: why all of it failed
    error_code: Mapped[str | None]
    error: Mapped[str | None]
    file_name: Mapped[str]
    sha256: Mapped[str] = mapped_column(index=True)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    storage_key: Mapped[str] = mapped_column(info={"audited": False})
    #: the run that did this file before
    same_as_id: Mapped[uuid.UUID | None]
    #: a person or a machine, and how the trail names them
    requested_by: Mapped[uuid.UUID]
    requested_by_kind: Mapped[str]
    requested_by_name: Mapped[str]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    leased_until: Mapped[datetime | None] = mapped_column(info={"audited": False})
    #: counts the workers that took it up: one that was overtaken writes nothing any more
    attempt: Mapped[int] = mapped_column(default=0, info={"audited": False})


class ExportRun(OrganizationOwned, Base):
    """One file that was asked for."""

    __tablename__ = "export_runs"
    __table_args__ = (
        CheckConstraint(f"status IN {_STATUSES}", name="status"),
        CheckConstraint("format IN ('csv', 'xlsx', 'json')", name="format"),
        Index("ix_export_runs_status", "status", "leased_until"),
    )

    entity: Mapped[str]
    format: Mapped[str]
    status: Mapped[str] = mapped_column(default=RunStatus.QUEUED)
    total: Mapped[int] = mapped_column(default=0, info={"audited": False})
    size_bytes: Mapped[int | None] = mapped_column(BigInteger, info={"audited": False})
    storage_key: Mapped[str | None] = mapped_column(info={"audited": False})
    error_code: Mapped[str | None]
    error: Mapped[str | None]
    requested_by: Mapped[uuid.UUID]
    requested_by_kind: Mapped[str]
    requested_by_name: Mapped[str]
    #: the requester saw all warehouses, or nothing in it hangs on one: then others may fetch it too
    of_everywhere: Mapped[bool]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    leased_until: Mapped[datetime | None] = mapped_column(info={"audited": False})
    attempt: Mapped[int] = mapped_column(default=0, info={"audited": False})
