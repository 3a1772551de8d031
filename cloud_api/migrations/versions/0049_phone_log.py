"""Commands that phones have sealed, the keys they sealed them with, and what each driver has still to hear."""

import sqlalchemy as sa
from alembic import op

from cloud_api.kernel import columns
from cloud_api.migrations.walls import owned, points_at, raise_wall

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    _keys()
    _commands()
    _feed()


def _keys() -> None:
    op.create_table(
        "phone_keys",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.String(), nullable=False),
        sa.Column("algorithm", sa.String(), nullable=False),
        sa.Column("public_key", sa.String(), nullable=False),
        sa.Column("public_sha256", sa.String(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("registered_at", columns.UtcDateTime(), nullable=False),
        sa.Column("revoked_at", columns.UtcDateTime(), nullable=True),
        sa.Column("revoke_reason", sa.String(), nullable=False),
        sa.Column("skew_ms", sa.BigInteger(), nullable=True),
        sa.Column("heard_at", columns.UtcDateTime(), nullable=True),
        sa.Column("suspected_at", columns.UtcDateTime(), nullable=True),
        *owned("phone_keys"),
        points_at("phone_keys", "user_id", "users", ondelete="RESTRICT"),
        sa.UniqueConstraint(
            "organization_id", "public_sha256", name=op.f("uq_phone_keys_organization_id_public_sha256")
        ),
        sa.CheckConstraint("algorithm IN ('ed25519', 'p256')", name=op.f("ck_phone_keys_algorithm")),
    )
    op.create_index(op.f("ix_phone_keys_user_id"), "phone_keys", ["user_id"])
    raise_wall("phone_keys")


def _commands() -> None:
    op.create_table(
        "phone_commands",
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("previous_hash", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("signature", sa.String(), nullable=False),
        sa.Column("command", sa.Text(), nullable=False),
        sa.Column("command_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("target_id", sa.Uuid(), nullable=True),
        sa.Column("phone_at", columns.UtcDateTime(), nullable=True),
        sa.Column("happened_at", columns.UtcDateTime(), nullable=True),
        sa.Column("skew_ms", sa.BigInteger(), nullable=False),
        sa.Column("received_at", columns.UtcDateTime(), nullable=False),
        sa.Column("result", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("waits_for_photo", sa.String(), nullable=True),
        sa.Column("answered_at", columns.UtcDateTime(), nullable=True),
        *owned("phone_commands"),
        points_at("phone_commands", "key_id", "phone_keys", ondelete="RESTRICT"),
        sa.UniqueConstraint("key_id", "number", name=op.f("uq_phone_commands_key_id_number")),
        sa.CheckConstraint("number >= 1", name=op.f("ck_phone_commands_number")),
        sa.CheckConstraint(
            "result IN ('waiting', 'applied', 'duplicate', 'refused', 'conflict')",
            name=op.f("ck_phone_commands_result"),
        ),
    )
    op.create_index(op.f("ix_phone_commands_target_id"), "phone_commands", ["target_id"])
    op.create_index("ix_phone_commands_command_id", "phone_commands", ["organization_id", "command_id"])
    op.create_index("ix_phone_commands_result", "phone_commands", ["organization_id", "result", "id"])
    op.create_index("ix_phone_commands_photo", "phone_commands", ["organization_id", "waits_for_photo"])
    raise_wall("phone_commands", rights="SELECT, INSERT, UPDATE")


def _feed() -> None:
    op.create_table(
        "phone_feed_heads",
        sa.Column("driver_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("forgotten_through", sa.Integer(), nullable=False),
        *owned("phone_feed_heads"),
        points_at("phone_feed_heads", "driver_id", "users", ondelete="RESTRICT"),
        sa.UniqueConstraint("organization_id", "driver_id", name=op.f("uq_phone_feed_heads_organization_id_driver_id")),
    )
    raise_wall("phone_feed_heads")
    op.create_table(
        "phone_feed_items",
        sa.Column("driver_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("route_id", sa.Uuid(), nullable=True),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("gone", sa.Boolean(), nullable=False),
        sa.Column("changed_at", columns.UtcDateTime(), nullable=False),
        *owned("phone_feed_items"),
        points_at("phone_feed_items", "driver_id", "users", ondelete="RESTRICT"),
        sa.UniqueConstraint(
            "organization_id",
            "driver_id",
            "kind",
            "subject_id",
            name=op.f("uq_phone_feed_items_organization_id_driver_id_kind_subject_id"),
        ),
        sa.CheckConstraint("kind IN ('route', 'stop', 'message')", name=op.f("ck_phone_feed_items_kind")),
    )
    op.create_index("ix_phone_feed_items_sequence", "phone_feed_items", ["organization_id", "driver_id", "sequence"])
    op.create_index("ix_phone_feed_items_route_id", "phone_feed_items", ["organization_id", "route_id"])
    raise_wall("phone_feed_items")


def downgrade() -> None:
    """Drop them."""
    for table in ("phone_feed_items", "phone_feed_heads", "phone_commands", "phone_keys"):
        op.drop_table(table)
