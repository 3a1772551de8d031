"""The audit trail, its seals, and security events."""

import sqlalchemy as sa
from alembic import op

from cloud_api.kernel import columns
from cloud_api.migrations.walls import APPEND_ONLY, is_postgresql, owned, points_at, raise_wall

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    _create_trail()
    _create_security_events()


def _create_trail() -> None:
    op.create_table(
        "audit_entries",
        sa.Column("occurred_at", columns.UtcDateTime(), nullable=False),
        sa.Column("actor_kind", sa.String(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("actor_name", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("entity", sa.String(), nullable=False),
        sa.Column("entity_id", sa.String(), nullable=False),
        sa.Column("old", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("new", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        *owned("audit_entries"),
    )
    op.create_index("ix_audit_entries_occurred_at", "audit_entries", ["organization_id", "occurred_at"])
    op.create_index("ix_audit_entries_entity", "audit_entries", ["organization_id", "entity", "entity_id"])
    op.create_index("ix_audit_entries_actor_id", "audit_entries", ["organization_id", "actor_id"])
    op.create_table(
        "audit_chains",
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        *owned("audit_chains"),
        sa.UniqueConstraint("organization_id", name=op.f("uq_audit_chains_organization_id")),
    )
    op.create_table(
        "audit_unsealed",
        *owned("audit_unsealed"),
        points_at("audit_unsealed", "id", "audit_entries", ondelete="RESTRICT"),
    )
    op.create_table(
        "audit_seals",
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("sealed_at", columns.UtcDateTime(), nullable=False),
        *owned("audit_seals"),
        points_at("audit_seals", "entry_id", "audit_entries", ondelete="RESTRICT"),
        sa.UniqueConstraint("entry_id", name=op.f("uq_audit_seals_entry_id")),
        sa.UniqueConstraint("organization_id", "sequence", name=op.f("uq_audit_seals_organization_id_sequence")),
    )
    raise_wall("audit_entries", rights=APPEND_ONLY)
    raise_wall("audit_chains", rights="SELECT, INSERT, UPDATE")
    raise_wall("audit_unsealed", rights="SELECT, INSERT, DELETE")
    raise_wall("audit_seals", rights=APPEND_ONLY)
    for table in ("audit_entries", "audit_seals"):
        _refuse_changes(table)


def _create_security_events() -> None:
    op.create_table(
        "security_events",
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("occurred_at", columns.UtcDateTime(), nullable=False),
        sa.Column("actor_kind", sa.String(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("actor_name", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("resolved_by", sa.Uuid(), nullable=True),
        sa.Column("resolved_at", columns.UtcDateTime(), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        *owned("security_events"),
        sa.CheckConstraint(
            "severity IN ('low', 'medium', 'high', 'critical')", name=op.f("ck_security_events_severity")
        ),
        sa.CheckConstraint(
            "status IN ('open', 'investigating', 'resolved', 'false_positive')", name=op.f("ck_security_events_status")
        ),
    )
    op.create_index("ix_security_events_occurred_at", "security_events", ["organization_id", "occurred_at"])
    raise_wall("security_events", rights="SELECT, INSERT, UPDATE")


def _refuse_changes(table: str) -> None:
    """SQLite has no rights that could be withheld: there triggers keep what was written."""
    if is_postgresql():
        return
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_refuse_{verb.lower()} BEFORE {verb} ON {table} "
            f"BEGIN SELECT raise(ABORT, '{table} is append-only'); END"
        )


def downgrade() -> None:
    """Take them away."""
    op.drop_table("audit_seals")
    op.drop_table("audit_unsealed")
    op.drop_table("security_events")
    op.drop_table("audit_chains")
    op.drop_table("audit_entries")
