"""Tags, portals, and what is booked of what they saw; what weights were used for."""

import sqlalchemy as sa
from alembic import op

from cloud_api.kernel import columns
from cloud_api.migrations.walls import owned, points_at, raise_wall

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

_TABLES = ("rfid_tags", "rfid_tag_contents", "portal_rules", "tag_passages", "weighing_rules", "weight_uses")


def upgrade() -> None:
    """Make the tables."""
    _make_tags()
    _make_portals()
    _make_weighing()
    op.create_index("ix_rfid_reads_reader_id_seen_at", "rfid_reads", ["reader_id", "seen_at"])
    op.create_index("ix_weights_scale_id_weighed_at", "weights", ["scale_id", "weighed_at"])
    for table in _TABLES:
        raise_wall(table)


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_weights_scale_id_weighed_at", "weights")
    op.drop_index("ix_rfid_reads_reader_id_seen_at", "rfid_reads")
    for table in reversed(_TABLES):
        op.drop_table(table)


def _make_tags() -> None:
    bound = sa.text("unbound_at IS NULL")
    op.create_table(
        "rfid_tags",
        sa.Column("epc", sa.String(), nullable=False),
        sa.Column("scheme", sa.String(), nullable=False),
        sa.Column("uri", sa.String(), nullable=False),
        sa.Column("gs1_key", sa.String(), nullable=False),
        sa.Column("entity_type", sa.String(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=True),
        sa.Column("item_id", sa.Uuid(), nullable=True),
        sa.Column("location_id", sa.Uuid(), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("goods_location_id", sa.Uuid(), nullable=True),
        sa.Column("goods_moved_at", columns.UtcDateTime(), nullable=True),
        sa.Column("goods_gone_at", columns.UtcDateTime(), nullable=True),
        sa.Column("bound_at", columns.UtcDateTime(), nullable=False),
        sa.Column("bound_by", sa.Uuid(), nullable=True),
        sa.Column("unbound_at", columns.UtcDateTime(), nullable=True),
        sa.Column("unbound_by", sa.Uuid(), nullable=True),
        sa.Column("last_seen_at", columns.UtcDateTime(), nullable=True),
        sa.Column("last_location_id", sa.Uuid(), nullable=True),
        *owned("rfid_tags"),
        points_at("rfid_tags", "lot_id", "lots", ondelete="RESTRICT"),
        points_at("rfid_tags", "item_id", "items", ondelete="RESTRICT"),
        points_at("rfid_tags", "location_id", "locations", ondelete="RESTRICT"),
        points_at("rfid_tags", "user_id", "users", ondelete="RESTRICT"),
        points_at("rfid_tags", "goods_location_id", "locations", ondelete="RESTRICT"),
        points_at("rfid_tags", "last_location_id", "locations", ondelete="RESTRICT"),
        sa.CheckConstraint(
            "entity_type IN ('lot', 'pallet', 'item', 'location', 'person')", name=op.f("ck_rfid_tags_entity_type")
        ),
    )
    op.create_index(
        "uq_rfid_tags_bound",
        "rfid_tags",
        ["organization_id", "epc"],
        unique=True,
        sqlite_where=bound,
        postgresql_where=bound,
    )
    op.create_index("ix_rfid_tags_epc", "rfid_tags", ["organization_id", "epc"])
    for column in ("gs1_key", "lot_id", "item_id"):
        op.create_index(op.f(f"ix_rfid_tags_{column}"), "rfid_tags", [column])
    op.create_table(
        "rfid_tag_contents",
        sa.Column("tag_id", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("quantity", columns.Quantity(), nullable=False),
        sa.Column("weight_g", sa.BigInteger(), nullable=True),
        *owned("rfid_tag_contents"),
        points_at("rfid_tag_contents", "tag_id", "rfid_tags", ondelete="RESTRICT"),
        points_at("rfid_tag_contents", "lot_id", "lots", ondelete="RESTRICT"),
        sa.UniqueConstraint("tag_id", "lot_id", name=op.f("uq_rfid_tag_contents_tag_id_lot_id")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_rfid_tag_contents_quantity")),
        sa.CheckConstraint("weight_g > 0", name=op.f("ck_rfid_tag_contents_weight")),
    )
    op.create_index(op.f("ix_rfid_tag_contents_lot_id"), "rfid_tag_contents", ["lot_id"])


def _make_portals() -> None:
    op.create_table(
        "portal_rules",
        sa.Column("applies_to", sa.Uuid(), nullable=False),
        sa.Column("reader_id", sa.Uuid(), nullable=True),
        sa.Column("location_id", sa.Uuid(), nullable=True),
        sa.Column("direction", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("to_location_id", sa.Uuid(), nullable=True),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("window_s", sa.Integer(), nullable=False),
        sa.Column("max_age_s", sa.Integer(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        *owned("portal_rules"),
        points_at("portal_rules", "reader_id", "sensors", ondelete="RESTRICT"),
        points_at("portal_rules", "location_id", "locations", ondelete="RESTRICT"),
        points_at("portal_rules", "to_location_id", "locations", ondelete="RESTRICT"),
        sa.UniqueConstraint(
            "organization_id",
            "applies_to",
            "direction",
            name=op.f("uq_portal_rules_organization_id_applies_to_direction"),
        ),
        sa.CheckConstraint("(reader_id IS NULL) <> (location_id IS NULL)", name=op.f("ck_portal_rules_of_one")),
        sa.CheckConstraint("direction IN ('in', 'out', 'both')", name=op.f("ck_portal_rules_direction")),
        sa.CheckConstraint("action IN ('transfer', 'receive', 'ship', 'ignore')", name=op.f("ck_portal_rules_action")),
        sa.CheckConstraint("mode IN ('propose', 'automatic')", name=op.f("ck_portal_rules_mode")),
        sa.CheckConstraint("window_s > 0 AND max_age_s > 0", name=op.f("ck_portal_rules_durations")),
        sa.CheckConstraint(
            "(to_location_id IS NOT NULL) = (action IN ('transfer', 'receive'))",
            name=op.f("ck_portal_rules_destination"),
        ),
    )
    is_open, is_proposed = sa.text("status = 'open'"), sa.text("status = 'proposed'")
    op.create_table(
        "tag_passages",
        sa.Column("reader_id", sa.Uuid(), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=True),
        sa.Column("epc", sa.String(), nullable=False),
        sa.Column("began_at", columns.UtcDateTime(), nullable=False),
        sa.Column("ended_at", columns.UtcDateTime(), nullable=False),
        sa.Column("reads", sa.Integer(), nullable=False),
        sa.Column("first_antenna", sa.Integer(), nullable=True),
        sa.Column("last_antenna", sa.Integer(), nullable=True),
        sa.Column("told_direction", sa.String(), nullable=False),
        sa.Column("direction", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("due_at", columns.UtcDateTime(), nullable=False),
        sa.Column("tag_id", sa.Uuid(), nullable=True),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("from_location_id", sa.Uuid(), nullable=True),
        sa.Column("to_location_id", sa.Uuid(), nullable=True),
        sa.Column("group_id", sa.Uuid(), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", columns.UtcDateTime(), nullable=True),
        sa.Column("merged_into_id", sa.Uuid(), nullable=True),
        *owned("tag_passages"),
        points_at("tag_passages", "reader_id", "sensors", ondelete="RESTRICT"),
        points_at("tag_passages", "location_id", "locations", ondelete="RESTRICT"),
        points_at("tag_passages", "tag_id", "rfid_tags", ondelete="RESTRICT"),
        points_at("tag_passages", "from_location_id", "locations", ondelete="RESTRICT"),
        points_at("tag_passages", "to_location_id", "locations", ondelete="RESTRICT"),
        sa.CheckConstraint(
            "status IN ('open', 'ready', 'proposed', 'booked', 'rejected', 'seen')", name=op.f("ck_tag_passages_status")
        ),
        sa.CheckConstraint("began_at <= ended_at", name=op.f("ck_tag_passages_times")),
    )
    op.create_index("ix_tag_passages_reader_id_epc", "tag_passages", ["reader_id", "epc", "began_at"])
    op.create_index("ix_tag_passages_due", "tag_passages", ["due_at"], sqlite_where=is_open, postgresql_where=is_open)
    op.create_index(
        "ix_tag_passages_proposed",
        "tag_passages",
        ["organization_id", "id"],
        sqlite_where=is_proposed,
        postgresql_where=is_proposed,
    )


def _make_weighing() -> None:
    op.create_table(
        "weighing_rules",
        sa.Column("scale_id", sa.Uuid(), nullable=False),
        sa.Column("readings", sa.Integer(), nullable=False),
        sa.Column("within_s", sa.Integer(), nullable=False),
        *owned("weighing_rules"),
        points_at("weighing_rules", "scale_id", "sensors", ondelete="RESTRICT"),
        sa.UniqueConstraint("scale_id", name=op.f("uq_weighing_rules_scale_id")),
        sa.CheckConstraint("readings > 0 AND within_s > 0", name=op.f("ck_weighing_rules_positive")),
    )
    op.create_table(
        "weight_uses",
        sa.Column("weight_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("net_g", sa.BigInteger(), nullable=False),
        sa.Column("container_g", sa.BigInteger(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=True),
        sa.Column("location_id", sa.Uuid(), nullable=True),
        sa.Column("movement_id", sa.Uuid(), nullable=True),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("applied_by", sa.Uuid(), nullable=True),
        sa.Column("applied_at", columns.UtcDateTime(), nullable=False),
        *owned("weight_uses"),
        points_at("weight_uses", "weight_id", "weights", ondelete="RESTRICT"),
        points_at("weight_uses", "lot_id", "lots", ondelete="RESTRICT"),
        points_at("weight_uses", "location_id", "locations", ondelete="RESTRICT"),
        points_at("weight_uses", "movement_id", "stock_movements", ondelete="RESTRICT"),
        sa.UniqueConstraint("weight_id", name=op.f("uq_weight_uses_weight_id")),
        sa.CheckConstraint("kind IN ('receipt', 'pick', 'count', 'adjustment')", name=op.f("ck_weight_uses_kind")),
        sa.CheckConstraint("net_g > 0", name=op.f("ck_weight_uses_net")),
    )
