"""Plans that are looked at before they are driven."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from cloud_api.kernel import columns
from cloud_api.kernel.tenancy import SYSTEM_SETTING
from cloud_api.migrations.walls import is_postgresql, owned, points_at, raise_wall

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None

_STATUSES = "status IN ('queued', 'running', 'succeeded', 'applied', 'discarded', 'failed', 'cancelled')"
_STATUSES_BEFORE = "status IN ('queued', 'running', 'applied', 'failed')"
_OBJECTIVES = "objective IN ('distance', 'time', 'fuel', 'cost', 'hybrid')"
_CHECKS = {
    "objective": _OBJECTIVES,
    "kind": "kind IN ('plan', 'replan')",
    "cause": "cause IN ('late_order', 'cancelled', 'breakdown', 'warm_van', 'delay')",
    "replan_has_a_cause": "(kind = 'replan') = (cause IS NOT NULL)",
}
#: columns that older jobs have too, with what they have in them
_FILLED: dict[str, tuple[sa.types.TypeEngine[Any], Any]] = {
    "kind": (sa.String(), "plan"),
    "objective": (sa.String(), "distance"),
    "order_ids": (sa.JSON(), "[]"),
    "route_ids": (sa.JSON(), "[]"),
    "priorities": (sa.JSON(), "{}"),
    "auto_apply": (sa.Boolean(), sa.true()),
    "why": (sa.String(), ""),
    "run": (sa.Integer(), "0"),
    "version": (sa.Integer(), "1"),
}
_EMPTY: dict[str, sa.types.TypeEngine[Any]] = {
    "cause": sa.String(),
    "started_at": columns.UtcDateTime(),
    "applied_at": columns.UtcDateTime(),
    "applied_by": sa.Uuid(),
    "progress": sa.JSON(),
}
_OPEN_PROPOSAL = sa.text("kind = 'replan' AND status IN ('queued', 'running', 'succeeded')")
_FIGURES = ("distance", "duration", "fuel", "co2", "cost")
_UNITS = {"distance": "m", "duration": "s", "fuel": "ml", "co2": "g", "cost": "minor"}


def upgrade() -> None:
    """Make the tables; what was planned before was applied at once."""
    with op.batch_alter_table("planning_jobs") as table:
        for name, (kind, content) in _FILLED.items():
            table.add_column(sa.Column(name, kind, nullable=False, server_default=content))
        for name, kind in _EMPTY.items():
            table.add_column(sa.Column(name, kind, nullable=True))
        table.alter_column("requested_by", existing_type=sa.Uuid(), nullable=True)
        table.drop_constraint(op.f("ck_planning_jobs_status"), type_="check")
        table.create_check_constraint(op.f("ck_planning_jobs_status"), _STATUSES)
        for name, check in _CHECKS.items():
            table.create_check_constraint(op.f(f"ck_planning_jobs_{name}"), check)
    with op.batch_alter_table("planning_jobs") as table:
        for name in _FILLED:
            table.alter_column(name, server_default=None)
    op.create_index(
        "uq_planning_jobs_open_proposal",
        "planning_jobs",
        ["warehouse_id", "cause"],
        unique=True,
        sqlite_where=_OPEN_PROPOSAL,
        postgresql_where=_OPEN_PROPOSAL,
    )
    _make_constraints_and_solutions()
    _make_edits()
    _make_histories()


def _make_constraints_and_solutions() -> None:
    op.create_table(
        "planning_constraints",
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", columns.UtcDateTime(), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=True),
        *owned("planning_constraints"),
        sa.UniqueConstraint("organization_id", name=op.f("uq_planning_constraints_organization_id")),
    )
    raise_wall("planning_constraints")
    op.create_table(
        "planning_solutions",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        *owned("planning_solutions"),
        points_at("planning_solutions", "job_id", "planning_jobs"),
        sa.UniqueConstraint("job_id", name=op.f("uq_planning_solutions_job_id")),
    )
    raise_wall("planning_solutions")


def _make_edits() -> None:
    op.create_table(
        "planning_edits",
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("warehouse_id", sa.Uuid(), nullable=False),
        sa.Column("delivery_date", sa.Date(), nullable=False),
        sa.Column("edited_at", columns.UtcDateTime(), nullable=False),
        sa.Column("edited_by", sa.Uuid(), nullable=True),
        sa.Column("moves", sa.JSON(), nullable=False),
        sa.Column("violations", sa.JSON(), nullable=False),
        *owned("planning_edits"),
        points_at("planning_edits", "job_id", "planning_jobs"),
        points_at("planning_edits", "warehouse_id", "warehouses", ondelete="RESTRICT"),
    )
    op.create_index(op.f("ix_planning_edits_job_id"), "planning_edits", ["job_id"])
    raise_wall("planning_edits")


def _make_histories() -> None:
    op.create_table(
        "route_optimizations",
        sa.Column("route_id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("objective", sa.String(), nullable=False),
        sa.Column("made_at", columns.UtcDateTime(), nullable=False),
        *(
            sa.Column(f"{figure}{when}_{_UNITS[figure]}", sa.Integer(), nullable=False)
            for figure in _FIGURES
            for when in ("_before", "")
        ),
        *owned("route_optimizations"),
        points_at("route_optimizations", "route_id", "delivery_routes"),
        points_at("route_optimizations", "job_id", "planning_jobs", ondelete="RESTRICT"),
        sa.CheckConstraint("kind IN ('plan', 'edit', 'replan')", name=op.f("ck_route_optimizations_kind")),
        sa.CheckConstraint(_OBJECTIVES, name=op.f("ck_route_optimizations_objective")),
    )
    op.create_index(op.f("ix_route_optimizations_route_id"), "route_optimizations", ["route_id"])
    raise_wall("route_optimizations")
    op.create_table(
        "route_performances",
        sa.Column("route_id", sa.Uuid(), nullable=False),
        sa.Column("warehouse_id", sa.Uuid(), nullable=False),
        sa.Column("driver_id", sa.Uuid(), nullable=True),
        sa.Column("delivery_date", sa.Date(), nullable=False),
        *(sa.Column(f"planned_{name}", sa.Integer(), nullable=False) for name in _PERFORMED),
        *(sa.Column(name, sa.Integer(), nullable=name != "duration_s") for name in _PERFORMED),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("stops", "delivered", "on_time")),
        *owned("route_performances"),
        points_at("route_performances", "route_id", "delivery_routes"),
        points_at("route_performances", "warehouse_id", "warehouses", ondelete="RESTRICT"),
        points_at("route_performances", "driver_id", "users", ondelete="RESTRICT"),
        sa.UniqueConstraint("route_id", name=op.f("uq_route_performances_route_id")),
    )
    op.create_index(
        op.f("ix_route_performances_organization_id_delivery_date"),
        "route_performances",
        ["organization_id", "delivery_date"],
    )
    raise_wall("route_performances")


_PERFORMED = ("distance_m", "duration_s", "fuel_ml", "co2_g")


def downgrade() -> None:
    """Drop them; jobs that wait to be applied are given up."""
    for made in (
        "route_performances",
        "route_optimizations",
        "planning_edits",
        "planning_solutions",
        "planning_constraints",
    ):
        op.drop_table(made)
    op.drop_index("uq_planning_jobs_open_proposal", table_name="planning_jobs")
    if is_postgresql():
        op.execute(f"SELECT set_config('{SYSTEM_SETTING}', 'give up what waits to be applied', true)")
    op.execute("UPDATE planning_jobs SET status = 'failed' WHERE status NOT IN ('queued', 'running', 'applied')")
    op.execute("UPDATE planning_jobs SET requested_by = organization_id WHERE requested_by IS NULL")
    with op.batch_alter_table("planning_jobs") as table:
        for name in _CHECKS:
            table.drop_constraint(op.f(f"ck_planning_jobs_{name}"), type_="check")
        table.drop_constraint(op.f("ck_planning_jobs_status"), type_="check")
        table.create_check_constraint(op.f("ck_planning_jobs_status"), _STATUSES_BEFORE)
        table.alter_column("requested_by", existing_type=sa.Uuid(), nullable=False)
        for name in (*_FILLED, *_EMPTY):
            table.drop_column(name)
