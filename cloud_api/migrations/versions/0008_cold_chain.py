"""Rules and excursions."""

import sqlalchemy as sa
from alembic import op

from cloud_api.kernel import columns
from cloud_api.migrations.walls import raise_wall

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "alert_rules",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=False),
        sa.Column("quantity", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("set_at", sa.Float(), nullable=False),
        sa.Column("clear_at", sa.Float(), nullable=False),
        sa.Column("duration_s", sa.Integer(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("kind IN ('high', 'low')", name=op.f("ck_alert_rules_kind")),
        sa.CheckConstraint("severity IN ('info', 'warning', 'critical')", name=op.f("ck_alert_rules_severity")),
        sa.CheckConstraint("duration_s >= 0", name=op.f("ck_alert_rules_duration")),
        sa.ForeignKeyConstraint(
            ["organization_id", "location_id"],
            ["locations.organization_id", "locations.id"],
            name=op.f("fk_alert_rules_organization_id_location_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_alert_rules_organization_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_rules")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_alert_rules_organization_id_id")),
        sa.UniqueConstraint("organization_id", "name", name=op.f("uq_alert_rules_organization_id_name")),
    )
    op.create_index(op.f("ix_alert_rules_location_id"), "alert_rules", ["location_id"], unique=False)
    op.create_table(
        "alert_rule_states",
        sa.Column("sensor_id", sa.Uuid(), nullable=False),
        sa.Column("rule_id", sa.Uuid(), nullable=False),
        sa.Column("phase", sa.String(), nullable=False),
        sa.Column("started_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("peak", sa.Float(), nullable=True),
        sa.Column("last_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "rule_id"],
            ["alert_rules.organization_id", "alert_rules.id"],
            name=op.f("fk_alert_rule_states_organization_id_rule_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "sensor_id"],
            ["sensors.organization_id", "sensors.id"],
            name=op.f("fk_alert_rule_states_organization_id_sensor_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_alert_rule_states_organization_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_rule_states")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_alert_rule_states_organization_id_id")),
        sa.UniqueConstraint("sensor_id", "rule_id", name=op.f("uq_alert_rule_states_sensor_id_rule_id")),
    )
    op.create_table(
        "excursions",
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("incident", sa.String(), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=False),
        sa.Column("sensor_id", sa.Uuid(), nullable=False),
        sa.Column("rule_id", sa.Uuid(), nullable=False),
        sa.Column("quantity", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("set_at", sa.Float(), nullable=False),
        sa.Column("clear_at", sa.Float(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("started_at", columns.UtcDateTime(), nullable=False),
        sa.Column("raised_at", columns.UtcDateTime(), nullable=False),
        sa.Column("ended_at", columns.UtcDateTime(), nullable=True),
        sa.Column("peak_value", sa.Float(), nullable=False),
        sa.Column("raised_by", sa.String(), nullable=False),
        sa.Column("acknowledged_at", columns.UtcDateTime(), nullable=True),
        sa.Column("acknowledged_by", sa.Uuid(), nullable=True),
        sa.Column("closed_at", columns.UtcDateTime(), nullable=True),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.Column("disposition", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "status <> 'closed' OR disposition IS NOT NULL", name=op.f("ck_excursions_closed_with_disposition")
        ),
        sa.CheckConstraint(
            "status IN ('open', 'acknowledged', 'recovered', 'closed')", name=op.f("ck_excursions_status")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "location_id"],
            ["locations.organization_id", "locations.id"],
            name=op.f("fk_excursions_organization_id_location_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "rule_id"],
            ["alert_rules.organization_id", "alert_rules.id"],
            name=op.f("fk_excursions_organization_id_rule_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "sensor_id"],
            ["sensors.organization_id", "sensors.id"],
            name=op.f("fk_excursions_organization_id_sensor_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_excursions_organization_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_excursions")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_excursions_organization_id_id")),
        sa.UniqueConstraint("organization_id", "number", name=op.f("uq_excursions_organization_id_number")),
        sa.UniqueConstraint("sensor_id", "incident", name=op.f("uq_excursions_sensor_id_incident")),
    )
    op.create_index(op.f("ix_excursions_location_id"), "excursions", ["location_id"], unique=False)
    op.create_index(
        "uq_excursions_going_on",
        "excursions",
        ["sensor_id", "kind"],
        unique=True,
        sqlite_where=sa.text("status IN ('open', 'acknowledged')"),
        postgresql_where=sa.text("status IN ('open', 'acknowledged')"),
    )
    raise_wall("alert_rules")
    raise_wall("alert_rule_states")
    raise_wall("excursions")


def downgrade() -> None:
    """Drop them."""
    op.drop_table("excursions")
    op.drop_table("alert_rule_states")
    op.drop_table("alert_rules")
