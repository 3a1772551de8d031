"""Where sensors were, how they were corrected, and when either has changed."""

import sqlalchemy as sa
from alembic import op

from cloud_api.kernel import columns
from cloud_api.migrations.walls import owned, points_at, raise_wall

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_NEW = ("sensor_placements", "sensor_calibrations")


def upgrade() -> None:
    """Make the tables."""
    op.add_column("gateways", sa.Column("facts_version", sa.BigInteger(), nullable=False, server_default="1"))
    op.add_column("gateways", sa.Column("config_state", sa.String(), nullable=False, server_default="offered"))
    op.add_column("gateways", sa.Column("running_config_version", sa.Integer(), nullable=True))
    op.add_column("gateways", sa.Column("backlog_rows", sa.Integer(), nullable=True))
    op.add_column("gateways", sa.Column("oldest_unsent_at", columns.UtcDateTime(), nullable=True))
    op.add_column("sensors", sa.Column("gain", sa.Float(), nullable=False, server_default="1"))
    op.add_column("sensors", sa.Column("interval_s", sa.Integer(), nullable=True))
    op.create_table(
        "sensor_placements",
        sa.Column("sensor_id", sa.Uuid(), nullable=False),
        sa.Column("from_ms", sa.BigInteger(), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=True),
        *owned("sensor_placements"),
        points_at("sensor_placements", "sensor_id", "sensors", ondelete="RESTRICT"),
        points_at("sensor_placements", "location_id", "locations", ondelete="RESTRICT"),
        sa.UniqueConstraint("sensor_id", "from_ms", name=op.f("uq_sensor_placements_sensor_id_from_ms")),
    )
    op.create_index("ix_sensor_placements_location_id", "sensor_placements", ["location_id"])
    op.create_table(
        "sensor_calibrations",
        sa.Column("sensor_id", sa.Uuid(), nullable=False),
        sa.Column("from_ms", sa.BigInteger(), nullable=False),
        sa.Column("gain", sa.Float(), nullable=False),
        sa.Column("offset", sa.Float(), nullable=False),
        sa.Column("certificate", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("due_told_at", columns.UtcDateTime(), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("recorded_at", columns.UtcDateTime(), nullable=False),
        *owned("sensor_calibrations"),
        points_at("sensor_calibrations", "sensor_id", "sensors", ondelete="RESTRICT"),
        sa.UniqueConstraint("sensor_id", "from_ms", name=op.f("uq_sensor_calibrations_sensor_id_from_ms")),
        sa.CheckConstraint("gain > 0", name=op.f("ck_sensor_calibrations_gain")),
    )
    for table in _NEW:
        raise_wall(table)


def downgrade() -> None:
    """Take them away."""
    for table in reversed(_NEW):
        op.drop_table(table)
    op.drop_column("sensors", "interval_s")
    op.drop_column("sensors", "gain")
    for column in ("oldest_unsent_at", "backlog_rows", "running_config_version", "config_state", "facts_version"):
        op.drop_column("gateways", column)
