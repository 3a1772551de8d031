"""Lots that were called back."""

import sqlalchemy as sa
from alembic import op

from cloud_api.kernel import columns
from cloud_api.migrations.walls import owned, points_at, raise_wall

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "recalls",
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("opened_at", columns.UtcDateTime(), nullable=False),
        sa.Column("opened_by", sa.Uuid(), nullable=True),
        sa.Column("closed_at", columns.UtcDateTime(), nullable=True),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.Column("close_reason", sa.String(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        *owned("recalls"),
        points_at("recalls", "lot_id", "lots", ondelete="RESTRICT"),
        sa.UniqueConstraint("organization_id", "number", name=op.f("uq_recalls_organization_id_number")),
        sa.CheckConstraint("status IN ('open', 'closed')", name=op.f("ck_recalls_status")),
        sa.CheckConstraint(
            "outcome IN ('release', 'quarantine', 'downgrade', 'waste')", name=op.f("ck_recalls_outcome")
        ),
    )
    op.create_index(op.f("ix_recalls_lot_id"), "recalls", ["lot_id"])
    op.create_index(
        "uq_recalls_open",
        "recalls",
        ["lot_id"],
        unique=True,
        sqlite_where=sa.text("status = 'open'"),
        postgresql_where=sa.text("status = 'open'"),
    )
    raise_wall("recalls")


def downgrade() -> None:
    """Drop it."""
    op.drop_table("recalls")
