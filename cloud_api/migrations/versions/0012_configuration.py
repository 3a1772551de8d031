"""Settings of organisations; feature flags and maintenance of the platform."""

import sqlalchemy as sa
from alembic import op

from cloud_api.kernel import columns
from cloud_api.migrations.walls import grant, owned, raise_platform_wall, raise_wall, revoke

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "setting_values",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=False),
        sa.Column("updated_by", sa.Uuid(), nullable=True),
        *owned("setting_values"),
        sa.UniqueConstraint("organization_id", "key", name=op.f("uq_setting_values_organization_id_key")),
    )
    op.create_table(
        "feature_flags",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("rollout_buckets", sa.Integer(), nullable=False),
        sa.Column("organization_ids", sa.JSON(), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("user_ids", sa.JSON(), nullable=False),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=False),
        sa.Column("updated_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint("rollout_buckets BETWEEN 0 AND 10000", name=op.f("ck_feature_flags_rollout")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feature_flags")),
        sa.UniqueConstraint("key", name=op.f("uq_feature_flags_key")),
    )
    op.create_table(
        "maintenance",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("retry_after_s", sa.Integer(), nullable=False),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=False),
        sa.Column("updated_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_maintenance_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_maintenance")),
    )
    raise_wall("setting_values")
    raise_platform_wall("feature_flags")
    raise_platform_wall("maintenance")
    grant("alembic_version", rights="SELECT")


def downgrade() -> None:
    """Take them away."""
    revoke("alembic_version", rights="SELECT")
    op.drop_table("maintenance")
    op.drop_table("feature_flags")
    op.drop_table("setting_values")
