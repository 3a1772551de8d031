"""Runs of the optimizer."""

import uuid
from datetime import date, datetime

from sqlalchemy import JSON, CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization
from cloud_api.logistics.dispatch.states import JobStatus


class PlanningJob(OrganizationOwned, Base):
    """One run of the optimizer over a day's packed orders."""

    __tablename__ = "planning_jobs"
    __table_args__ = (
        CheckConstraint(f"status IN {tuple(str(status) for status in JobStatus)}", name="status"),
        same_organization("warehouse_id", "warehouses"),
    )

    warehouse_id: Mapped[uuid.UUID]
    delivery_date: Mapped[date]
    #: vehicles leave no earlier
    departs_at: Mapped[datetime]
    vehicle_ids: Mapped[list[str]] = mapped_column(JSON)
    time_limit_s: Mapped[int]
    seed: Mapped[int]
    status: Mapped[str] = mapped_column(default=JobStatus.QUEUED)
    requested_at: Mapped[datetime]
    requested_by: Mapped[uuid.UUID]
    finished_at: Mapped[datetime | None]
    #: the machine that runs it is believed alive until then, by the machines' own clocks
    leased_until: Mapped[datetime | None] = mapped_column(info={"audited": False})
    distance_m: Mapped[int | None]
    #: [{"order_id", "reason"}]
    unserved: Mapped[list[dict[str, str]]] = mapped_column(JSON, default=list)
    error: Mapped[str | None]
