"""What lots were made of; limits of a level; movements by what lists are filtered by, in the order of lists."""

import sqlalchemy as sa
from alembic import op

from cloud_api.kernel import columns
from cloud_api.migrations.walls import APPEND_ONLY, owned, points_at, raise_wall

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_LISTED_BY = ("product_id", "lot_id", "location_id")


def upgrade() -> None:
    """Make the table, the columns and the indexes."""
    op.add_column("lots", sa.Column("correction", sa.String(), nullable=False, server_default=""))
    with op.batch_alter_table("stock_levels") as table:
        table.add_column(sa.Column("min_level", columns.Quantity(), nullable=True))
        table.add_column(sa.Column("max_level", columns.Quantity(), nullable=True))
        table.create_check_constraint(op.f("ck_stock_levels_limits"), "min_level <= max_level")
    op.drop_index("ix_stock_movements_product_id", "stock_movements")
    op.drop_index("ix_stock_movements_lot_id", "stock_movements")
    for name in _LISTED_BY:
        op.create_index(f"ix_stock_movements_{name}_id", "stock_movements", [name, "id"])
    op.create_index(
        "ix_stock_movements_organization_id_effective_at", "stock_movements", ["organization_id", "effective_at"]
    )
    op.create_table(
        "lot_lineage",
        sa.Column("parent_lot_id", sa.Uuid(), nullable=False),
        sa.Column("child_lot_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("quantity", columns.Quantity(), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("made_at", columns.UtcDateTime(), nullable=False),
        *owned("lot_lineage"),
        points_at("lot_lineage", "parent_lot_id", "lots", ondelete="RESTRICT"),
        points_at("lot_lineage", "child_lot_id", "lots", ondelete="RESTRICT"),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_lot_lineage_quantity")),
        sa.CheckConstraint("parent_lot_id <> child_lot_id", name=op.f("ck_lot_lineage_not_itself")),
        sa.CheckConstraint("kind IN ('split', 'merge', 'repack')", name=op.f("ck_lot_lineage_kind")),
    )
    op.create_index("ix_lot_lineage_parent_lot_id", "lot_lineage", ["parent_lot_id"])
    op.create_index("ix_lot_lineage_child_lot_id", "lot_lineage", ["child_lot_id"])
    raise_wall("lot_lineage", rights=APPEND_ONLY)


def downgrade() -> None:
    """Take them away."""
    op.drop_table("lot_lineage")
    op.drop_index("ix_stock_movements_organization_id_effective_at", "stock_movements")
    for name in reversed(_LISTED_BY):
        op.drop_index(f"ix_stock_movements_{name}_id", "stock_movements")
    op.create_index("ix_stock_movements_lot_id", "stock_movements", ["lot_id"])
    op.create_index("ix_stock_movements_product_id", "stock_movements", ["product_id"])
    with op.batch_alter_table("stock_levels") as table:
        table.drop_constraint(op.f("ck_stock_levels_limits"), type_="check")
        table.drop_column("max_level")
        table.drop_column("min_level")
    with op.batch_alter_table("lots") as table:
        table.drop_column("correction")
