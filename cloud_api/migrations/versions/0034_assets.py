"""Things that are lent and come back."""

import sqlalchemy as sa
from alembic import op

from cloud_api.kernel import columns
from cloud_api.migrations.walls import APPEND_ONLY, owned, points_at, raise_wall

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "items",
        sa.Column("asset_code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("category_id", sa.Uuid(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=True),
        sa.Column("serial_number", sa.String(), nullable=False),
        sa.Column("barcode", sa.String(), nullable=True),
        sa.Column("restricted", sa.Boolean(), nullable=False),
        sa.Column("attributes", sa.JSON(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("last_activity_at", columns.UtcDateTime(), nullable=False),
        *owned("items"),
        points_at("items", "category_id", "product_categories", ondelete="RESTRICT"),
        points_at("items", "location_id", "locations", ondelete="RESTRICT"),
        sa.UniqueConstraint("organization_id", "asset_code", name=op.f("uq_items_organization_id_asset_code")),
        sa.UniqueConstraint("organization_id", "barcode", name=op.f("uq_items_organization_id_barcode")),
        sa.CheckConstraint(
            "status IN ('active', 'in_use', 'damaged', 'in_repair', 'lost', 'archived')", name=op.f("ck_items_status")
        ),
    )
    for column in ("category_id", "location_id"):
        op.create_index(op.f(f"ix_items_{column}"), "items", [column])
    _make_checkouts()
    op.create_table(
        "item_activities",
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("occurred_at", columns.UtcDateTime(), nullable=False),
        *owned("item_activities"),
        points_at("item_activities", "item_id", "items", ondelete="RESTRICT"),
        sa.CheckConstraint(
            "action IN ('create', 'update', 'transfer', 'request', 'checkout', 'reject', 'checkin', 'repair', 'mend', "
            "'lose', 'find', 'archive', 'remind')",
            name=op.f("ck_item_activities_action"),
        ),
    )
    op.create_index(op.f("ix_item_activities_item_id"), "item_activities", ["item_id"])
    raise_wall("items")
    raise_wall("item_checkouts")
    raise_wall("item_activities", rights=APPEND_ONLY)


def _make_checkouts() -> None:
    is_open, is_out = sa.text("status IN ('pending_approval', 'out')"), sa.text("status = 'out'")
    op.create_table(
        "item_checkouts",
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("assignee_type", sa.String(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("team_id", sa.Uuid(), nullable=True),
        sa.Column("assignee_name", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("due_at", columns.UtcDateTime(), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        sa.Column("requested_at", columns.UtcDateTime(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", columns.UtcDateTime(), nullable=True),
        sa.Column("decision_note", sa.String(), nullable=False),
        sa.Column("out_at", columns.UtcDateTime(), nullable=True),
        sa.Column("in_at", columns.UtcDateTime(), nullable=True),
        sa.Column("condition_out", sa.String(), nullable=False),
        sa.Column("condition_in", sa.String(), nullable=False),
        sa.Column("damage_notes", sa.String(), nullable=False),
        sa.Column("reminded_of", columns.UtcDateTime(), nullable=True),
        *owned("item_checkouts"),
        points_at("item_checkouts", "item_id", "items", ondelete="RESTRICT"),
        points_at("item_checkouts", "user_id", "users", ondelete="RESTRICT"),
        sa.CheckConstraint(
            "assignee_type IN ('user', 'team', 'department', 'job')", name=op.f("ck_item_checkouts_assignee_type")
        ),
        sa.CheckConstraint(
            "status IN ('pending_approval', 'out', 'rejected', 'returned')", name=op.f("ck_item_checkouts_status")
        ),
        sa.CheckConstraint("decided_by <> requested_by", name=op.f("ck_item_checkouts_four_eyes")),
    )
    op.create_index(op.f("ix_item_checkouts_item_id"), "item_checkouts", ["item_id"])
    op.create_index(op.f("ix_item_checkouts_user_id"), "item_checkouts", ["user_id"])
    op.create_index(
        "uq_item_checkouts_open",
        "item_checkouts",
        ["item_id"],
        unique=True,
        sqlite_where=is_open,
        postgresql_where=is_open,
    )
    op.create_index("ix_item_checkouts_due", "item_checkouts", ["due_at"], sqlite_where=is_out, postgresql_where=is_out)


def downgrade() -> None:
    """Drop them."""
    for table in ("item_activities", "item_checkouts", "items"):
        op.drop_table(table)
