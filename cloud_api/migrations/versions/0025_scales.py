"""What is known of readers and scales beside what they say."""

import sqlalchemy as sa
from alembic import op

from cloud_api.migrations.walls import owned, points_at, raise_wall

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_DIRECTIONS = "direction IN ('in', 'out', 'both')"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "readers",
        sa.Column("sensor_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("direction", sa.String(), nullable=False),
        sa.Column("portal", sa.Boolean(), nullable=False),
        *owned("readers"),
        points_at("readers", "sensor_id", "sensors", ondelete="RESTRICT"),
        sa.UniqueConstraint("sensor_id", name=op.f("uq_readers_sensor_id")),
        sa.CheckConstraint(_DIRECTIONS, name=op.f("ck_readers_direction")),
    )
    op.create_table(
        "reader_antennas",
        sa.Column("reader_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("direction", sa.String(), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=True),
        *owned("reader_antennas"),
        points_at("reader_antennas", "reader_id", "readers"),
        points_at("reader_antennas", "location_id", "locations", ondelete="RESTRICT"),
        sa.UniqueConstraint("reader_id", "number", name=op.f("uq_reader_antennas_reader_id_number")),
        sa.CheckConstraint(_DIRECTIONS, name=op.f("ck_reader_antennas_direction")),
    )
    op.create_table(
        "scales",
        sa.Column("sensor_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("capacity_kg", sa.Float(), nullable=False),
        sa.Column("division_kg", sa.Float(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("tare_kg", sa.Float(), nullable=False),
        *owned("scales"),
        points_at("scales", "sensor_id", "sensors", ondelete="RESTRICT"),
        sa.UniqueConstraint("sensor_id", name=op.f("uq_scales_sensor_id")),
        sa.CheckConstraint(
            "capacity_kg > 0 AND division_kg > 0 AND division_kg <= capacity_kg", name=op.f("ck_scales_range")
        ),
        sa.CheckConstraint("tare_kg >= 0 AND tare_kg <= capacity_kg", name=op.f("ck_scales_tare")),
    )
    for table in ("readers", "reader_antennas", "scales"):
        raise_wall(table)


def downgrade() -> None:
    """Take them away."""
    for table in ("scales", "reader_antennas", "readers"):
        op.drop_table(table)
