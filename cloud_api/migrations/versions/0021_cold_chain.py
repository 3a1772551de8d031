"""Rules of every kind, excursions that can be revised, what is done about them, and who is silent."""

import sqlalchemy as sa
from alembic import op

from cloud_api.kernel import columns
from cloud_api.migrations.walls import APPEND_ONLY, owned, points_at, raise_wall

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_KINDS = "kind IN ('high', 'low', 'rising', 'falling', 'silent', 'cumulative_high', 'cumulative_low')"
_KINDS_BEFORE = "kind IN ('high', 'low')"
_KEPT = sa.text("deleted_at IS NULL")
_GOES_ON = sa.text("status IN ('open', 'acknowledged')")


def upgrade() -> None:
    """Extend the tables, make the new ones."""
    _extend_rules()
    _extend_states()
    _extend_excursions()
    op.create_table(
        "corrective_actions",
        sa.Column("excursion_id", sa.Uuid(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("taken_at", columns.UtcDateTime(), nullable=False),
        sa.Column("taken_by", sa.Uuid(), nullable=False),
        points_at("corrective_actions", "excursion_id", "excursions", ondelete="RESTRICT"),
        *owned("corrective_actions"),
    )
    op.create_index(op.f("ix_corrective_actions_excursion_id"), "corrective_actions", ["excursion_id"])
    op.create_table(
        "gateway_silences",
        sa.Column("gateway_id", sa.Uuid(), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=True),
        sa.Column("back_at_ms", sa.BigInteger(), nullable=True),
        points_at("gateway_silences", "gateway_id", "gateways", ondelete="RESTRICT"),
        *owned("gateway_silences"),
        sa.UniqueConstraint("gateway_id", name=op.f("uq_gateway_silences_gateway_id")),
    )
    raise_wall("corrective_actions", rights=APPEND_ONLY)
    raise_wall("gateway_silences")


def _extend_rules() -> None:
    with op.batch_alter_table("alert_rules") as table:
        table.add_column(sa.Column("change", sa.Float(), nullable=False, server_default="0"))
        table.add_column(sa.Column("latched", sa.Boolean(), nullable=False, server_default=sa.false()))
        table.add_column(sa.Column("escalation_policy_id", sa.Uuid(), nullable=True))
        table.add_column(sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
        table.add_column(sa.Column("deleted_at", columns.UtcDateTime(), nullable=True))
        table.drop_constraint(op.f("ck_alert_rules_kind"), type_="check")
        table.create_check_constraint(op.f("ck_alert_rules_kind"), _KINDS)
        table.drop_constraint(op.f("uq_alert_rules_organization_id_name"), type_="unique")
    op.create_index(
        "uq_alert_rules_name",
        "alert_rules",
        ["organization_id", "name"],
        unique=True,
        sqlite_where=_KEPT,
        postgresql_where=_KEPT,
    )


def _extend_states() -> None:
    op.add_column("alert_rule_states", sa.Column("value", sa.Float(), nullable=True))
    op.add_column("alert_rule_states", sa.Column("latch", sa.String(), nullable=True))
    op.add_column("alert_rule_states", sa.Column("window", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("alert_rule_states", sa.Column("spent_ms", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("alert_rule_states", sa.Column("ticks", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute("DELETE FROM alert_rule_states WHERE phase = 'clear'")


def _extend_excursions() -> None:
    for column in (
        sa.Column("duration_s", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("latched", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("rule_version", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("gateway_peak", sa.Float(), nullable=True),
        sa.Column("acknowledgement", sa.String(), nullable=False, server_default=""),
        sa.Column("reset_at", columns.UtcDateTime(), nullable=True),
        sa.Column("reset_by", sa.Uuid(), nullable=True),
        sa.Column("retracted_at", columns.UtcDateTime(), nullable=True),
    ):
        op.add_column("excursions", column)
    op.drop_index("uq_excursions_going_on", "excursions")
    op.create_index(
        "uq_excursions_going_on",
        "excursions",
        ["sensor_id", "rule_id"],
        unique=True,
        sqlite_where=_GOES_ON,
        postgresql_where=_GOES_ON,
    )
    op.create_index("ix_excursions_sensor_id_started_at", "excursions", ["sensor_id", "started_at"])


def downgrade() -> None:
    """Take away what was added; refused while there are rules of the new kinds, or two of one name."""
    op.drop_table("gateway_silences")
    op.drop_table("corrective_actions")
    op.drop_index("ix_excursions_sensor_id_started_at", "excursions")
    op.drop_index("uq_excursions_going_on", "excursions")
    for column in (
        "duration_s",
        "latched",
        "rule_version",
        "gateway_peak",
        "acknowledgement",
        "reset_at",
        "reset_by",
        "retracted_at",
    ):
        op.drop_column("excursions", column)
    op.create_index(
        "uq_excursions_going_on",
        "excursions",
        ["sensor_id", "kind"],
        unique=True,
        sqlite_where=_GOES_ON,
        postgresql_where=_GOES_ON,
    )
    for column in ("value", "latch", "window", "spent_ms", "ticks"):
        op.drop_column("alert_rule_states", column)
    _shrink_rules()


def _shrink_rules() -> None:
    op.drop_index("uq_alert_rules_name", "alert_rules")
    with op.batch_alter_table("alert_rules") as table:
        for column in ("change", "latched", "escalation_policy_id", "version", "deleted_at"):
            table.drop_column(column)
        table.drop_constraint(op.f("ck_alert_rules_kind"), type_="check")
        table.create_check_constraint(op.f("ck_alert_rules_kind"), _KINDS_BEFORE)
        table.create_unique_constraint(op.f("uq_alert_rules_organization_id_name"), ["organization_id", "name"])
