"""Templates, and messages to people outside."""

import sqlalchemy as sa
from alembic import op

from cloud_api.kernel import columns
from cloud_api.migrations.walls import owned, raise_wall

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

_OF_PHONES = ("app_version", "locale")


def upgrade() -> None:
    """Make the tables; phones say which app they have."""
    with op.batch_alter_table("phones") as table:
        for name in _OF_PHONES:
            table.add_column(sa.Column(name, sa.String(), nullable=False, server_default=""))
        table.add_column(sa.Column("last_seen_at", columns.UtcDateTime(), nullable=True))
    with op.batch_alter_table("phones") as table:
        for name in _OF_PHONES:
            table.alter_column(name, server_default=None)
    op.create_table(
        "notification_templates",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=False),
        *owned("notification_templates"),
        sa.UniqueConstraint(
            "organization_id",
            "key",
            "channel",
            "locale",
            name=op.f("uq_notification_templates_organization_id_key_channel_locale"),
        ),
        sa.CheckConstraint("channel IN ('sms', 'mail', 'push')", name=op.f("ck_notification_templates_channel")),
    )
    op.create_table(
        "notification_pacings",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("told_at", columns.UtcDateTime(), nullable=True),
        *owned("notification_pacings"),
        sa.UniqueConstraint("organization_id", "key", name=op.f("uq_notification_pacings_organization_id_key")),
    )
    op.create_index("ix_notification_pacings_told", "notification_pacings", ["told_at"])
    _make_contact_messages()
    for made in ("notification_templates", "notification_pacings", "contact_messages"):
        raise_wall(made)


def _make_contact_messages() -> None:
    op.create_table(
        "contact_messages",
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("template", sa.String(), nullable=False),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("warehouse_id", sa.Uuid(), nullable=True),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("sealed_body", sa.String(), nullable=True),
        sa.Column("collapse_key", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("tried_at", columns.UtcDateTime(), nullable=True),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("expires_at", columns.UtcDateTime(), nullable=True),
        sa.Column("settled_at", columns.UtcDateTime(), nullable=True),
        *owned("contact_messages"),
        sa.CheckConstraint("channel IN ('sms', 'mail')", name=op.f("ck_contact_messages_channel")),
        sa.CheckConstraint(
            "status IN ('waiting', 'sent', 'refused', 'expired')", name=op.f("ck_contact_messages_status")
        ),
    )
    op.create_index("ix_contact_messages_subject", "contact_messages", ["organization_id", "subject"])
    op.create_index("ix_contact_messages_recipient", "contact_messages", ["organization_id", "recipient"])
    is_kept = sa.text("recipient <> ''")
    op.create_index(
        "ix_contact_messages_kept",
        "contact_messages",
        ["created_at"],
        sqlite_where=is_kept,
        postgresql_where=is_kept,
    )


def downgrade() -> None:
    """Drop them."""
    for made in ("contact_messages", "notification_pacings", "notification_templates"):
        op.drop_table(made)
    with op.batch_alter_table("phones") as table:
        for name in ("last_seen_at", *_OF_PHONES):
            table.drop_column(name)
