"""Alerts and their escalation; what people want to be told, and who is on call."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from cloud_api.kernel import columns
from cloud_api.migrations.walls import APPEND_ONLY, owned, points_at, raise_wall

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_TABLES = (
    "notification_deliveries",
    "notification_settings",
    "on_call_lists",
    "on_call_members",
    "escalation_policies",
    "alerts",
    "alert_members",
    "alert_events",
    "alert_readings",
)
_NEW_COLUMNS = (
    "channels",
    "urgent",
    "silent",
    "collapse_key",
    "is_superseded",
    "is_listed",
    "data",
    "held_until",
)


def upgrade() -> None:
    """Make the tables."""
    _let_notifications_say_more()
    _create_on_call()
    _create_policies()
    _create_alerts()
    _create_what_alerts_have()
    for table in _TABLES:
        if table == "alert_events":
            raise_wall(table, rights=APPEND_ONLY)
        else:
            raise_wall(table)


def _let_notifications_say_more() -> None:
    new: tuple[sa.Column[Any], ...] = (
        sa.Column("channels", sa.JSON(), nullable=False, server_default="[]"),
        sa.Column("urgent", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("silent", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("collapse_key", sa.String(), nullable=False, server_default=""),
        sa.Column("is_superseded", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("is_listed", sa.Boolean(), nullable=False, server_default=sa.true()),
        sa.Column("data", sa.JSON(), nullable=False, server_default="{}"),
        sa.Column("held_until", columns.UtcDateTime(), nullable=True),
    )
    assert tuple(column.name for column in new) == _NEW_COLUMNS  # noqa: S101 - what goes down is what came up
    for column in new:
        op.add_column("notifications", column)
    is_held = sa.text("held_until IS NOT NULL")
    op.create_index(
        "ix_notifications_held", "notifications", ["held_until"], sqlite_where=is_held, postgresql_where=is_held
    )
    op.create_index("ix_notifications_collapse", "notifications", ["organization_id", "collapse_key", "user_id"])
    op.create_table(
        "notification_deliveries",
        sa.Column("notification_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("tried_at", columns.UtcDateTime(), nullable=True),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("settled_at", columns.UtcDateTime(), nullable=True),
        *owned("notification_deliveries"),
        points_at("notification_deliveries", "notification_id", "notifications"),
        sa.UniqueConstraint(
            "notification_id", "channel", name=op.f("uq_notification_deliveries_notification_id_channel")
        ),
        sa.CheckConstraint("channel IN ('mail', 'sms')", name=op.f("ck_notification_deliveries_channel")),
        sa.CheckConstraint(
            "status IN ('waiting', 'trying', 'sent', 'refused')", name=op.f("ck_notification_deliveries_status")
        ),
    )
    op.create_table(
        "notification_settings",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("muted", sa.JSON(), nullable=False),
        sa.Column("quiet_from", sa.Time(), nullable=True),
        sa.Column("quiet_until", sa.Time(), nullable=True),
        sa.Column("timezone", sa.String(), nullable=False),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=False),
        *owned("notification_settings"),
        points_at("notification_settings", "user_id", "users"),
        sa.UniqueConstraint("user_id", name=op.f("uq_notification_settings_user_id")),
        sa.CheckConstraint(
            "(quiet_from IS NULL) = (quiet_until IS NULL)", name=op.f("ck_notification_settings_quiet_hours")
        ),
    )


def _create_on_call() -> None:
    op.create_table(
        "on_call_lists",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("timezone", sa.String(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        *owned("on_call_lists"),
        sa.UniqueConstraint("organization_id", "name", name=op.f("uq_on_call_lists_organization_id_name")),
    )
    op.create_table(
        "on_call_members",
        sa.Column("list_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("shifts", sa.JSON(), nullable=False),
        sa.Column("rota", sa.JSON(), nullable=False),
        *owned("on_call_members"),
        points_at("on_call_members", "list_id", "on_call_lists"),
        points_at("on_call_members", "user_id", "users"),
        sa.UniqueConstraint("list_id", "user_id", name=op.f("uq_on_call_members_list_id_user_id")),
    )
    op.create_index(op.f("ix_on_call_members_user_id"), "on_call_members", ["user_id"])


def _create_policies() -> None:
    op.create_table(
        "escalation_policies",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("default_for", sa.String(), nullable=True),
        sa.Column("steps", sa.JSON(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        *owned("escalation_policies"),
        sa.UniqueConstraint("organization_id", "name", name=op.f("uq_escalation_policies_organization_id_name")),
        sa.CheckConstraint(
            "default_for IS NULL OR default_for IN ('info', 'warning', 'critical')",
            name=op.f("ck_escalation_policies_default_for"),
        ),
    )
    is_default = sa.text("default_for IS NOT NULL")
    op.create_index(
        "uq_escalation_policies_default",
        "escalation_policies",
        ["organization_id", "default_for"],
        unique=True,
        sqlite_where=is_default,
        postgresql_where=is_default,
    )


def _create_alerts() -> None:
    op.create_table(
        "alerts",
        sa.Column("group_key", sa.String(), nullable=False),
        sa.Column("alert_type", sa.String(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=True),
        sa.Column("rule_id", sa.Uuid(), nullable=True),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("first_at", columns.UtcDateTime(), nullable=False),
        sa.Column("last_at", columns.UtcDateTime(), nullable=False),
        sa.Column("cleared_at", columns.UtcDateTime(), nullable=True),
        sa.Column("returns", sa.Integer(), nullable=False),
        sa.Column("acknowledged_at", columns.UtcDateTime(), nullable=True),
        sa.Column("acknowledged_by", sa.Uuid(), nullable=True),
        sa.Column("snoozed_until", columns.UtcDateTime(), nullable=True),
        sa.Column("resolved_at", columns.UtcDateTime(), nullable=True),
        sa.Column("resolved_by", sa.Uuid(), nullable=True),
        sa.Column("resolution", sa.String(), nullable=True),
        sa.Column("tellings", sa.JSON(), nullable=False),
        sa.Column("next_telling", sa.Integer(), nullable=False),
        sa.Column("due_at", columns.UtcDateTime(), nullable=True),
        *owned("alerts"),
        points_at("alerts", "location_id", "locations", ondelete="RESTRICT"),
        sa.CheckConstraint("severity IN ('info', 'warning', 'critical')", name=op.f("ck_alerts_severity")),
        sa.CheckConstraint("status IN ('open', 'snoozed', 'acknowledged', 'resolved')", name=op.f("ck_alerts_status")),
        sa.CheckConstraint(
            "resolution IS NULL OR resolution IN ('itself', 'person')", name=op.f("ck_alerts_resolution")
        ),
        sa.CheckConstraint("status <> 'resolved' OR resolved_at IS NOT NULL", name=op.f("ck_alerts_resolved_at")),
    )
    unresolved, is_due = sa.text("status <> 'resolved'"), sa.text("due_at IS NOT NULL")
    op.create_index(
        "uq_alerts_unresolved",
        "alerts",
        ["organization_id", "group_key"],
        unique=True,
        sqlite_where=unresolved,
        postgresql_where=unresolved,
    )
    op.create_index("ix_alerts_group", "alerts", ["organization_id", "group_key", "id"])
    op.create_index("ix_alerts_due", "alerts", ["due_at"], sqlite_where=is_due, postgresql_where=is_due)
    op.create_index(op.f("ix_alerts_location_id"), "alerts", ["location_id"])


def _create_what_alerts_have() -> None:
    goes_on = sa.text("until IS NULL")
    op.create_table(
        "alert_members",
        sa.Column("alert_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("since", columns.UtcDateTime(), nullable=False),
        sa.Column("until", columns.UtcDateTime(), nullable=True),
        *owned("alert_members"),
        points_at("alert_members", "alert_id", "alerts"),
        sa.UniqueConstraint("alert_id", "subject", name=op.f("uq_alert_members_alert_id_subject")),
    )
    op.create_index(
        "ix_alert_members_subject",
        "alert_members",
        ["organization_id", "subject"],
        sqlite_where=goes_on,
        postgresql_where=goes_on,
    )
    op.create_table(
        "alert_events",
        sa.Column("alert_id", sa.Uuid(), nullable=False),
        sa.Column("at", columns.UtcDateTime(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        *owned("alert_events"),
        points_at("alert_events", "alert_id", "alerts"),
    )
    op.create_index(op.f("ix_alert_events_alert_id"), "alert_events", ["alert_id"])
    op.create_table(
        "alert_readings",
        sa.Column("alert_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("read_at", columns.UtcDateTime(), nullable=False),
        *owned("alert_readings"),
        points_at("alert_readings", "alert_id", "alerts"),
        points_at("alert_readings", "user_id", "users"),
        sa.UniqueConstraint("alert_id", "user_id", name=op.f("uq_alert_readings_alert_id_user_id")),
    )


def downgrade() -> None:
    """Take them away."""
    for table in reversed(_TABLES):
        op.drop_table(table)
    op.drop_index("ix_notifications_collapse", "notifications")
    op.drop_index("ix_notifications_held", "notifications")
    for column in reversed(_NEW_COLUMNS):
        op.drop_column("notifications", column)
