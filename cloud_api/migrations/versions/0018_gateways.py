"""Version 2 of the wire: summaries and gaps; commands, alarms, logs, signed configuration, rotated secrets."""

import sqlalchemy as sa
from alembic import op

from cloud_api.kernel import columns
from cloud_api.migrations.walls import APPEND_ONLY, owned, points_at, raise_platform_wall, raise_wall

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_OF_A_GATEWAY = ("gateway_alarms", "gateway_commands", "gateway_logs")
_ACCOUNTS = ("reading_gaps", "reading_summaries")


def upgrade() -> None:
    """Add columns, make the tables."""
    op.add_column("gateways", sa.Column("next_secret_sha256", sa.String(), nullable=True))
    op.add_column("gateways", sa.Column("heartbeat_interval_s", sa.Integer(), nullable=False, server_default="60"))
    op.add_column("gateway_heartbeats", sa.Column("details", sa.JSON(), nullable=False, server_default="{}"))
    _extend_configs()
    _make_gateways_tables()
    _make_accounts()
    op.create_table(
        "config_keys",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("private_key", sa.String(), nullable=False),
        sa.Column("public_key", sa.String(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_config_keys_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_config_keys")),
    )
    for table in _OF_A_GATEWAY:
        raise_wall(table)
    for table in _ACCOUNTS:
        raise_wall(table, rights=APPEND_ONLY)
    raise_platform_wall("config_keys")


def _extend_configs() -> None:
    op.add_column("gateway_configs", sa.Column("created_by", sa.Uuid(), nullable=True))
    op.add_column("gateway_configs", sa.Column("state", sa.String(), nullable=False, server_default="offered"))
    op.add_column("gateway_configs", sa.Column("acknowledged_at", columns.UtcDateTime(), nullable=True))
    op.add_column("gateway_configs", sa.Column("reason", sa.String(), nullable=False, server_default=""))


def _make_gateways_tables() -> None:
    op.create_table(
        "gateway_alarms",
        sa.Column("gateway_id", sa.Uuid(), nullable=False),
        sa.Column("sensor_id", sa.Uuid(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("incident", sa.String(), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("started_at", columns.UtcDateTime(), nullable=False),
        sa.Column("raised_at", columns.UtcDateTime(), nullable=False),
        sa.Column("cleared_at", columns.UtcDateTime(), nullable=True),
        *owned("gateway_alarms"),
        points_at("gateway_alarms", "gateway_id", "gateways", ondelete="RESTRICT"),
        points_at("gateway_alarms", "sensor_id", "sensors", ondelete="RESTRICT"),
        sa.UniqueConstraint("sensor_id", "incident", name=op.f("uq_gateway_alarms_sensor_id_incident")),
        sa.CheckConstraint(
            "kind IN ('high', 'low', 'silent', 'rising', 'falling')", name=op.f("ck_gateway_alarms_kind")
        ),
    )
    op.create_index(op.f("ix_gateway_alarms_gateway_id"), "gateway_alarms", ["gateway_id"], unique=False)
    op.create_table(
        "gateway_commands",
        sa.Column("gateway_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("issued_by", sa.Uuid(), nullable=False),
        sa.Column("issued_at", columns.UtcDateTime(), nullable=False),
        sa.Column("expires_at", columns.UtcDateTime(), nullable=False),
        sa.Column("settled_at", columns.UtcDateTime(), nullable=True),
        sa.Column("message", sa.String(), nullable=False),
        *owned("gateway_commands"),
        points_at("gateway_commands", "gateway_id", "gateways", ondelete="RESTRICT"),
        sa.CheckConstraint(
            "kind IN ('restart', 'identify', 'tare', 'reset_alarm', 'rotate_credential', 'upload_logs')",
            name=op.f("ck_gateway_commands_kind"),
        ),
        sa.CheckConstraint(
            "status IN ('waiting', 'done', 'failed', 'expired')", name=op.f("ck_gateway_commands_status")
        ),
    )
    op.create_index("ix_gateway_commands_gateway_id_status", "gateway_commands", ["gateway_id", "status"])
    op.create_table(
        "gateway_logs",
        sa.Column("gateway_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", columns.UtcDateTime(), nullable=False),
        sa.Column("received_at", columns.UtcDateTime(), nullable=False),
        sa.Column("lines", sa.JSON(), nullable=False),
        sa.Column("left_out", sa.Integer(), nullable=False),
        *owned("gateway_logs"),
        points_at("gateway_logs", "gateway_id", "gateways", ondelete="RESTRICT"),
        sa.UniqueConstraint("gateway_id", "recorded_at", name=op.f("uq_gateway_logs_gateway_id_recorded_at")),
    )


def _make_accounts() -> None:
    """Of readings that a gateway had no room for."""
    op.create_table(
        "reading_summaries",
        sa.Column("gateway_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("sensor_id", sa.Uuid(), nullable=False),
        sa.Column("from_ms", sa.BigInteger(), nullable=False),
        sa.Column("to_ms", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("minimum", sa.Double(), nullable=False),
        sa.Column("mean", sa.Double(), nullable=False),
        sa.Column("maximum", sa.Double(), nullable=False),
        sa.Column("time_source", sa.String(), nullable=False),
        sa.Column("quality", sa.String(), nullable=False),
        *owned("reading_summaries"),
        points_at("reading_summaries", "gateway_id", "gateways", ondelete="RESTRICT"),
        points_at("reading_summaries", "sensor_id", "sensors", ondelete="RESTRICT"),
        sa.UniqueConstraint("gateway_id", "sequence", name=op.f("uq_reading_summaries_gateway_id_sequence")),
    )
    op.create_index("ix_reading_summaries_sensor_id_to_ms", "reading_summaries", ["sensor_id", "to_ms"])
    op.create_table(
        "reading_gaps",
        sa.Column("gateway_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.String(), nullable=False),
        sa.Column("lane", sa.String(), nullable=False),
        sa.Column("first_sequence", sa.BigInteger(), nullable=False),
        sa.Column("last_sequence", sa.BigInteger(), nullable=False),
        sa.Column("rows_gone", sa.BigInteger(), nullable=False),
        sa.Column("from_ms", sa.BigInteger(), nullable=False),
        sa.Column("to_ms", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        *owned("reading_gaps"),
        points_at("reading_gaps", "gateway_id", "gateways", ondelete="RESTRICT"),
        sa.UniqueConstraint("gateway_id", "sequence", name=op.f("uq_reading_gaps_gateway_id_sequence")),
    )
    op.create_index("ix_reading_gaps_gateway_id_to_ms", "reading_gaps", ["gateway_id", "to_ms"])


def downgrade() -> None:
    """Take them away."""
    for table in ("config_keys", *_ACCOUNTS, *_OF_A_GATEWAY):
        op.drop_table(table)
    for column in ("created_by", "state", "acknowledged_at", "reason"):
        op.drop_column("gateway_configs", column)
    op.drop_column("gateway_heartbeats", "details")
    op.drop_column("gateways", "heartbeat_interval_s")
    op.drop_column("gateways", "next_secret_sha256")
