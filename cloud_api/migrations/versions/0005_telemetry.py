"""Readings, their series, cursors and dead letters."""

import sqlalchemy as sa
from alembic import op

from cloud_api.kernel import columns
from cloud_api.kernel.tenancy import ORGANIZATION_SETTING, SYSTEM_SETTING
from cloud_api.migrations.walls import INGEST_ROLE, grant, is_postgresql, raise_wall

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

#: the view looks at the scope itself, so that it holds whoever owns it
WALL = (
    f"(s.organization_id = nullif(current_setting('{ORGANIZATION_SETTING}', true), '')::uuid"
    f" OR nullif(current_setting('{SYSTEM_SETTING}', true), '') IS NOT NULL)"
)
VIEW = """
CREATE VIEW sensor_readings AS
SELECT s.organization_id, s.sensor_id, r.recorded_at_ms, r.sequence, r.value, r.quality
FROM readings r JOIN sensor_series s ON s.number = r.series
WHERE {wall}
"""


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "readings",
        sa.Column("series", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("recorded_at_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("quality", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("series", "recorded_at_ms", "sequence", name=op.f("pk_readings")),
    )
    op.create_table(
        "series_counter",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_series_counter")),
    )
    op.create_table(
        "ingest_dead_letters",
        sa.Column("gateway_id", sa.Uuid(), nullable=False),
        sa.Column("received_at", columns.UtcDateTime(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "gateway_id"],
            ["gateways.organization_id", "gateways.id"],
            name=op.f("fk_ingest_dead_letters_organization_id_gateway_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_ingest_dead_letters_organization_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ingest_dead_letters")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_ingest_dead_letters_organization_id_id")),
    )
    op.create_table(
        "lane_cursors",
        sa.Column("gateway_id", sa.Uuid(), nullable=False),
        sa.Column("epoch", sa.String(), nullable=False),
        sa.Column("lane", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("acked_through", sa.BigInteger(), nullable=False),
        sa.Column("accepted", sa.BigInteger(), nullable=False),
        sa.Column("duplicates", sa.BigInteger(), nullable=False),
        sa.Column("refused", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "gateway_id"],
            ["gateways.organization_id", "gateways.id"],
            name=op.f("fk_lane_cursors_organization_id_gateway_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_lane_cursors_organization_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lane_cursors")),
        sa.UniqueConstraint("gateway_id", "epoch", "lane", name=op.f("uq_lane_cursors_gateway_id_epoch_lane")),
        sa.UniqueConstraint("gateway_id", "number", name=op.f("uq_lane_cursors_gateway_id_number")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_lane_cursors_organization_id_id")),
    )
    op.create_table(
        "sensor_series",
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("sensor_id", sa.Uuid(), nullable=False),
        sa.Column("last_recorded_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("last_value", sa.Float(), nullable=True),
        sa.Column("last_quality", sa.String(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "sensor_id"],
            ["sensors.organization_id", "sensors.id"],
            name=op.f("fk_sensor_series_organization_id_sensor_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_sensor_series_organization_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sensor_series")),
        sa.UniqueConstraint("number", name=op.f("uq_sensor_series_number")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_sensor_series_organization_id_id")),
        sa.UniqueConstraint("sensor_id", name=op.f("uq_sensor_series_sensor_id")),
    )
    grant("series_counter")
    raise_wall("ingest_dead_letters")
    raise_wall("lane_cursors")
    raise_wall("sensor_series")

    op.execute(VIEW.format(wall=WALL if is_postgresql() else "true"))
    grant("sensor_readings", rights="SELECT")
    grant("readings", rights="INSERT", role=INGEST_ROLE)


def downgrade() -> None:
    """Drop them."""
    op.execute("DROP VIEW sensor_readings")
    op.drop_table("sensor_series")
    op.drop_table("lane_cursors")
    op.drop_table("ingest_dead_letters")
    op.drop_table("series_counter")
    op.drop_table("readings")
