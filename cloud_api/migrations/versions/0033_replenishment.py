"""When to buy again."""

import sqlalchemy as sa
from alembic import op

from cloud_api.kernel import columns
from cloud_api.migrations.walls import owned, points_at, raise_wall

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "reorder_rules",
        *owned("reorder_rules"),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("warehouse_id", sa.Uuid(), nullable=False),
        sa.Column("reorder_point", columns.Quantity(), nullable=False),
        sa.Column("reorder_quantity", columns.Quantity(), nullable=True),
        sa.Column("up_to_level", columns.Quantity(), nullable=True),
        sa.Column("lead_time_days", sa.Integer(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "reorder_point >= 0 AND reorder_quantity > 0 AND up_to_level > reorder_point",
            name=op.f("ck_reorder_rules_quantities"),
        ),
        sa.CheckConstraint("reorder_quantity IS NULL OR up_to_level IS NULL", name=op.f("ck_reorder_rules_one_way")),
        sa.CheckConstraint("lead_time_days >= 0", name=op.f("ck_reorder_rules_lead_time_days")),
        points_at("reorder_rules", "product_id", "products", ondelete="RESTRICT"),
        points_at("reorder_rules", "warehouse_id", "warehouses", ondelete="RESTRICT"),
        sa.UniqueConstraint(
            "organization_id",
            "product_id",
            "warehouse_id",
            name=op.f("uq_reorder_rules_organization_id_product_id_warehouse_id"),
        ),
    )
    op.create_index(op.f("ix_reorder_rules_warehouse_id"), "reorder_rules", ["warehouse_id"])
    op.create_table(
        "stock_watches",
        *owned("stock_watches"),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("warehouse_id", sa.Uuid(), nullable=False),
        sa.Column("is_low", sa.Boolean(), nullable=False),
        sa.Column("since", columns.UtcDateTime(), nullable=False),
        points_at("stock_watches", "product_id", "products", ondelete="RESTRICT"),
        points_at("stock_watches", "warehouse_id", "warehouses", ondelete="RESTRICT"),
        sa.UniqueConstraint(
            "organization_id",
            "product_id",
            "warehouse_id",
            name=op.f("uq_stock_watches_organization_id_product_id_warehouse_id"),
        ),
    )
    op.create_table(
        "expiry_notices",
        *owned("expiry_notices"),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("warehouse_id", sa.Uuid(), nullable=False),
        sa.Column("told_at", columns.UtcDateTime(), nullable=False),
        sa.Column("over_at", columns.UtcDateTime(), nullable=True),
        points_at("expiry_notices", "lot_id", "lots", ondelete="RESTRICT"),
        points_at("expiry_notices", "warehouse_id", "warehouses", ondelete="RESTRICT"),
        sa.UniqueConstraint(
            "organization_id",
            "lot_id",
            "warehouse_id",
            name=op.f("uq_expiry_notices_organization_id_lot_id_warehouse_id"),
        ),
    )
    for table in ("reorder_rules", "stock_watches", "expiry_notices"):
        raise_wall(table)


def downgrade() -> None:
    """Drop them."""
    for table in ("expiry_notices", "stock_watches", "reorder_rules"):
        op.drop_table(table)
