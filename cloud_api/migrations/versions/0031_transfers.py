"""Transfers between places."""

import sqlalchemy as sa
from alembic import op

from cloud_api.kernel import columns
from cloud_api.migrations.walls import owned, points_at, raise_wall

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "stock_transfers",
        *owned("stock_transfers"),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("from_warehouse_id", sa.Uuid(), nullable=False),
        sa.Column("to_warehouse_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("expected_on", sa.Date(), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("shipped_by", sa.Uuid(), nullable=True),
        sa.Column("shipped_at", columns.UtcDateTime(), nullable=True),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.Column("closed_at", columns.UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "status IN ('draft', 'in_transit', 'completed', 'returned', 'cancelled')",
            name=op.f("ck_stock_transfers_status"),
        ),
        sa.CheckConstraint("from_warehouse_id <> to_warehouse_id", name=op.f("ck_stock_transfers_warehouses")),
        sa.UniqueConstraint("organization_id", "number", name=op.f("uq_stock_transfers_organization_id_number")),
        points_at("stock_transfers", "from_warehouse_id", "warehouses", ondelete="RESTRICT"),
        points_at("stock_transfers", "to_warehouse_id", "warehouses", ondelete="RESTRICT"),
    )
    for column in ("from_warehouse_id", "to_warehouse_id"):
        op.create_index(op.f(f"ix_stock_transfers_{column}"), "stock_transfers", [column])
    op.create_table(
        "stock_transfer_lines",
        *owned("stock_transfer_lines"),
        sa.Column("transfer_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("from_location_id", sa.Uuid(), nullable=False),
        sa.Column("to_location_id", sa.Uuid(), nullable=True),
        sa.Column("weight_g", sa.BigInteger(), nullable=True),
        *(sa.Column(name, columns.Quantity(), nullable=False) for name in ("quantity", "received", "lost", "returned")),
        sa.Column("loss_type", sa.String(), nullable=True),
        sa.Column("loss_reason", sa.String(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_stock_transfer_lines_quantity")),
        sa.CheckConstraint(
            "received >= 0 AND lost >= 0 AND returned >= 0 AND received + lost + returned <= quantity",
            name=op.f("ck_stock_transfer_lines_settled"),
        ),
        sa.CheckConstraint("loss_type IN ('adjustment', 'waste')", name=op.f("ck_stock_transfer_lines_loss_type")),
        *(
            points_at("stock_transfer_lines", column, target, ondelete="RESTRICT")
            for column, target in (
                ("transfer_id", "stock_transfers"),
                ("product_id", "products"),
                ("lot_id", "lots"),
                ("from_location_id", "locations"),
                ("to_location_id", "locations"),
            )
        ),
    )
    op.create_index(op.f("ix_stock_transfer_lines_transfer_id"), "stock_transfer_lines", ["transfer_id"])
    raise_wall("stock_transfers")
    raise_wall("stock_transfer_lines")


def downgrade() -> None:
    """Drop them."""
    op.drop_table("stock_transfer_lines")
    op.drop_table("stock_transfers")
