"""Gateways and sensors."""

import sqlalchemy as sa
from alembic import op

from cloud_api.kernel import columns
from cloud_api.migrations.walls import raise_wall

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "gateways",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("claim_code_sha256", sa.String(), nullable=False),
        sa.Column("claim_expires_at", columns.UtcDateTime(), nullable=False),
        sa.Column("secret_sha256", sa.String(), nullable=True),
        sa.Column("software_version", sa.String(), nullable=True),
        sa.Column("last_seen_at", columns.UtcDateTime(), nullable=True),
        sa.Column("config_version", sa.Integer(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("status IN ('pending', 'active', 'decommissioned')", name=op.f("ck_gateways_status")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_gateways_organization_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gateways")),
        sa.UniqueConstraint("claim_code_sha256", name=op.f("uq_gateways_claim_code_sha256")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_gateways_organization_id_id")),
        sa.UniqueConstraint("organization_id", "name", name=op.f("uq_gateways_organization_id_name")),
    )
    op.create_table(
        "gateway_configs",
        sa.Column("gateway_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("config", sa.JSON(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "gateway_id"],
            ["gateways.organization_id", "gateways.id"],
            name=op.f("fk_gateway_configs_organization_id_gateway_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_gateway_configs_organization_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gateway_configs")),
        sa.UniqueConstraint("gateway_id", "version", name=op.f("uq_gateway_configs_gateway_id_version")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_gateway_configs_organization_id_id")),
    )
    op.create_table(
        "gateway_heartbeats",
        sa.Column("gateway_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", columns.UtcDateTime(), nullable=False),
        sa.Column("received_at", columns.UtcDateTime(), nullable=False),
        sa.Column("epoch", sa.String(), nullable=False),
        sa.Column("uptime_s", sa.Integer(), nullable=False),
        sa.Column("backlog_rows", sa.Integer(), nullable=False),
        sa.Column("oldest_unsent_at", columns.UtcDateTime(), nullable=True),
        sa.Column("dead_letters", sa.Integer(), nullable=False),
        sa.Column("disk_free_mb", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "gateway_id"],
            ["gateways.organization_id", "gateways.id"],
            name=op.f("fk_gateway_heartbeats_organization_id_gateway_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_gateway_heartbeats_organization_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gateway_heartbeats")),
        sa.UniqueConstraint("gateway_id", "recorded_at", name=op.f("uq_gateway_heartbeats_gateway_id_recorded_at")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_gateway_heartbeats_organization_id_id")),
    )
    op.create_table(
        "sensors",
        sa.Column("gateway_id", sa.Uuid(), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=True),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("quantity", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("offset", sa.Float(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("status IN ('active', 'retired')", name=op.f("ck_sensors_status")),
        sa.ForeignKeyConstraint(
            ["organization_id", "gateway_id"],
            ["gateways.organization_id", "gateways.id"],
            name=op.f("fk_sensors_organization_id_gateway_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "location_id"],
            ["locations.organization_id", "locations.id"],
            name=op.f("fk_sensors_organization_id_location_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_sensors_organization_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sensors")),
        sa.UniqueConstraint(
            "organization_id",
            "gateway_id",
            "code",
            "quantity",
            name=op.f("uq_sensors_organization_id_gateway_id_code_quantity"),
        ),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_sensors_organization_id_id")),
    )
    op.create_index(op.f("ix_sensors_location_id"), "sensors", ["location_id"], unique=False)
    raise_wall("gateways")
    raise_wall("gateway_configs")
    raise_wall("gateway_heartbeats")
    raise_wall("sensors")


def downgrade() -> None:
    """Drop them."""
    op.drop_table("sensors")
    op.drop_table("gateway_heartbeats")
    op.drop_table("gateway_configs")
    op.drop_table("gateways")
