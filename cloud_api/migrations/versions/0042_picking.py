"""Pick lists, what was done about each line, the boxes, and how they left without a van."""

import sqlalchemy as sa
from alembic import op

from cloud_api.kernel import columns
from cloud_api.migrations.walls import owned, points_at, raise_wall

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

_TABLES = ("pick_lists", "pick_list_orders", "order_pick_steps", "order_packings", "order_hand_overs")


def upgrade() -> None:
    """Make the tables."""
    _lists()
    _steps()
    _boxes()
    for table in _TABLES:
        raise_wall(table)


def downgrade() -> None:
    """Drop them."""
    for table in reversed(_TABLES):
        op.drop_table(table)


def _lists() -> None:
    op.create_table(
        "pick_lists",
        *owned("pick_lists"),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("warehouse_id", sa.Uuid(), nullable=False),
        sa.Column("delivery_date", sa.Date(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("loads_last_stop_first", sa.Boolean(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("started_by", sa.Uuid(), nullable=True),
        sa.Column("started_at", columns.UtcDateTime(), nullable=True),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.Column("closed_at", columns.UtcDateTime(), nullable=True),
        sa.CheckConstraint("status IN ('open', 'picking', 'done', 'cancelled')", name=op.f("ck_pick_lists_status")),
        sa.UniqueConstraint("organization_id", "number", name=op.f("uq_pick_lists_organization_id_number")),
        points_at("pick_lists", "warehouse_id", "warehouses", ondelete="RESTRICT"),
    )
    op.create_index(op.f("ix_pick_lists_warehouse_id"), "pick_lists", ["warehouse_id"])
    op.create_table(
        "pick_list_orders",
        *owned("pick_list_orders"),
        sa.Column("pick_list_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.CheckConstraint("position > 0", name=op.f("ck_pick_list_orders_position")),
        sa.UniqueConstraint("pick_list_id", "order_id", name=op.f("uq_pick_list_orders_pick_list_id_order_id")),
        sa.UniqueConstraint("pick_list_id", "position", name=op.f("uq_pick_list_orders_pick_list_id_position")),
        points_at("pick_list_orders", "pick_list_id", "pick_lists"),
        points_at("pick_list_orders", "order_id", "customer_orders"),
    )
    op.create_index(op.f("ix_pick_list_orders_order_id"), "pick_list_orders", ["order_id"])


def _steps() -> None:
    op.create_table(
        "order_pick_steps",
        *owned("order_pick_steps"),
        sa.Column("line_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("quantity", columns.Quantity(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=True),
        sa.Column("location_id", sa.Uuid(), nullable=True),
        sa.Column("weight_id", sa.Uuid(), nullable=True),
        sa.Column("is_swap", sa.Boolean(), nullable=False),
        sa.Column("substitute_line_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("done_by", sa.Uuid(), nullable=True),
        sa.Column("done_at", columns.UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('picked', 'missing', 'short', 'backordered', 'substituted')",
            name=op.f("ck_order_pick_steps_kind"),
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_order_pick_steps_quantity")),
        sa.CheckConstraint(
            "(kind IN ('picked', 'missing')) = (lot_id IS NOT NULL)", name=op.f("ck_order_pick_steps_lot")
        ),
        points_at("order_pick_steps", "line_id", "order_items"),
        *(
            points_at("order_pick_steps", column, target, ondelete="RESTRICT")
            for column, target in (
                ("substitute_line_id", "order_items"),
                ("lot_id", "lots"),
                ("location_id", "locations"),
                ("weight_id", "weights"),
            )
        ),
    )
    op.create_index(op.f("ix_order_pick_steps_line_id"), "order_pick_steps", ["line_id"])


def _boxes() -> None:
    op.create_table(
        "order_packings",
        *owned("order_packings"),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("boxes", sa.Integer(), nullable=False),
        sa.Column("packed_by", sa.Uuid(), nullable=True),
        sa.Column("packed_at", columns.UtcDateTime(), nullable=False),
        sa.CheckConstraint("boxes > 0", name=op.f("ck_order_packings_boxes")),
        sa.UniqueConstraint("organization_id", "order_id", name=op.f("uq_order_packings_organization_id_order_id")),
        points_at("order_packings", "order_id", "customer_orders"),
    )
    op.create_table(
        "order_hand_overs",
        *owned("order_hand_overs"),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("carrier", "tracking_number", "recipient_name")),
        sa.Column("shipped_by", sa.Uuid(), nullable=True),
        sa.Column("shipped_at", columns.UtcDateTime(), nullable=False),
        sa.Column("delivered_by", sa.Uuid(), nullable=True),
        sa.Column("delivered_at", columns.UtcDateTime(), nullable=True),
        sa.CheckConstraint("kind IN ('pick_up', 'carrier')", name=op.f("ck_order_hand_overs_kind")),
        sa.UniqueConstraint("organization_id", "order_id", name=op.f("uq_order_hand_overs_organization_id_order_id")),
        points_at("order_hand_overs", "order_id", "customer_orders"),
    )
