"""Counting what lies there."""

import sqlalchemy as sa
from alembic import op

from cloud_api.kernel import columns
from cloud_api.migrations.walls import APPEND_ONLY, owned, points_at, raise_wall

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

_METHODS = "method IN ('manual', 'scan', 'rfid', 'scale')"


def upgrade() -> None:
    """Make the tables."""
    _make_takes()
    _make_lines()
    _make_counts()
    raise_wall("stock_takes")
    raise_wall("stock_take_lines")
    raise_wall("stock_take_counts", rights=APPEND_ONLY)


def _make_takes() -> None:
    op.create_table(
        "stock_takes",
        *owned("stock_takes"),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("warehouse_id", sa.Uuid(), nullable=True),
        sa.Column("location_ids", sa.JSON(), nullable=False),
        sa.Column("product_ids", sa.JSON(), nullable=False),
        sa.Column("blind", sa.Boolean(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        *(
            column
            for step in ("started", "submitted", "approved", "completed")
            for column in (
                sa.Column(f"{step}_by", sa.Uuid(), nullable=True),
                sa.Column(f"{step}_at", columns.UtcDateTime(), nullable=True),
            )
        ),
        sa.CheckConstraint(
            "status IN ('draft', 'counting', 'review', 'completed', 'cancelled')", name=op.f("ck_stock_takes_status")
        ),
        sa.UniqueConstraint("organization_id", "number", name=op.f("uq_stock_takes_organization_id_number")),
        points_at("stock_takes", "warehouse_id", "warehouses", ondelete="RESTRICT"),
    )
    op.create_index(op.f("ix_stock_takes_warehouse_id"), "stock_takes", ["warehouse_id"])


def _make_lines() -> None:
    op.create_table(
        "stock_take_lines",
        *owned("stock_take_lines"),
        *(sa.Column(name, sa.Uuid(), nullable=False) for name in ("take_id", "product_id", "lot_id", "location_id")),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("expected", columns.Quantity(), nullable=False),
        sa.Column("expected_weight_g", sa.BigInteger(), nullable=False),
        *(
            column
            for name in ("counted", "booked", "written_later", "difference")
            for column in (
                sa.Column(name, columns.Quantity(), nullable=True),
                sa.Column(f"{name}_weight_g", sa.BigInteger(), nullable=True),
            )
        ),
        sa.Column("counted_at", columns.UtcDateTime(), nullable=True),
        sa.Column("counted_by", sa.Uuid(), nullable=True),
        sa.Column("method", sa.String(), nullable=True),
        sa.CheckConstraint("counted >= 0 AND counted_weight_g >= 0", name=op.f("ck_stock_take_lines_counted")),
        sa.CheckConstraint(_METHODS, name=op.f("ck_stock_take_lines_method")),
        sa.UniqueConstraint(
            "take_id", "lot_id", "location_id", name=op.f("uq_stock_take_lines_take_id_lot_id_location_id")
        ),
        *(
            points_at("stock_take_lines", column, target, ondelete="RESTRICT")
            for column, target in (
                ("take_id", "stock_takes"),
                ("product_id", "products"),
                ("lot_id", "lots"),
                ("location_id", "locations"),
            )
        ),
    )
    op.create_index(
        "uq_stock_take_lines_open",
        "stock_take_lines",
        ["organization_id", "lot_id", "location_id"],
        unique=True,
        sqlite_where=sa.text("is_open"),
        postgresql_where=sa.text("is_open"),
    )


def _make_counts() -> None:
    op.create_table(
        "stock_take_counts",
        *owned("stock_take_counts"),
        sa.Column("take_id", sa.Uuid(), nullable=False),
        sa.Column("line_id", sa.Uuid(), nullable=False),
        sa.Column("quantity", columns.Quantity(), nullable=False),
        sa.Column("weight_g", sa.BigInteger(), nullable=True),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("additive", sa.Boolean(), nullable=False),
        sa.Column("counted_by", sa.Uuid(), nullable=True),
        sa.Column("counted_at", columns.UtcDateTime(), nullable=False),
        sa.CheckConstraint("quantity >= 0 AND weight_g >= 0", name=op.f("ck_stock_take_counts_quantity")),
        sa.CheckConstraint(_METHODS, name=op.f("ck_stock_take_counts_method")),
        points_at("stock_take_counts", "take_id", "stock_takes", ondelete="RESTRICT"),
        points_at("stock_take_counts", "line_id", "stock_take_lines", ondelete="RESTRICT"),
    )
    op.create_index(op.f("ix_stock_take_counts_take_id"), "stock_take_counts", ["take_id"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("stock_take_counts")
    op.drop_table("stock_take_lines")
    op.drop_table("stock_takes")
