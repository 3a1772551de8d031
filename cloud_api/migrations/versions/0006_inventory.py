"""Lots, levels, the ledger, holds and promises."""

import sqlalchemy as sa
from alembic import op

from cloud_api.kernel import columns
from cloud_api.migrations.walls import APPEND_ONLY, raise_wall

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "lots",
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("lot_number", sa.String(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("received_at", columns.UtcDateTime(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "product_id"],
            ["products.organization_id", "products.id"],
            name=op.f("fk_lots_organization_id_product_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_lots_organization_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lots")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_lots_organization_id_id")),
        sa.UniqueConstraint(
            "organization_id", "product_id", "lot_number", name=op.f("uq_lots_organization_id_product_id_lot_number")
        ),
    )
    op.create_table(
        "stock_holds",
        sa.Column("location_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("covers_arrivals", sa.Boolean(), nullable=False),
        sa.Column("held_at", columns.UtcDateTime(), nullable=False),
        sa.Column("released_at", columns.UtcDateTime(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "location_id"],
            ["locations.organization_id", "locations.id"],
            name=op.f("fk_stock_holds_organization_id_location_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_stock_holds_organization_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_holds")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_stock_holds_organization_id_id")),
        sa.UniqueConstraint("organization_id", "source", name=op.f("uq_stock_holds_organization_id_source")),
    )
    op.create_index(op.f("ix_stock_holds_location_id"), "stock_holds", ["location_id"], unique=False)
    op.create_table(
        "rfid_reads",
        sa.Column("gateway_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("reader_id", sa.Uuid(), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=True),
        sa.Column("epc", sa.String(), nullable=False),
        sa.Column("antenna", sa.Integer(), nullable=True),
        sa.Column("rssi_dbm", sa.Float(), nullable=True),
        sa.Column("direction", sa.String(), nullable=False),
        sa.Column("seen_at", columns.UtcDateTime(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "gateway_id"],
            ["gateways.organization_id", "gateways.id"],
            name=op.f("fk_rfid_reads_organization_id_gateway_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "location_id"],
            ["locations.organization_id", "locations.id"],
            name=op.f("fk_rfid_reads_organization_id_location_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "reader_id"],
            ["sensors.organization_id", "sensors.id"],
            name=op.f("fk_rfid_reads_organization_id_reader_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_rfid_reads_organization_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rfid_reads")),
        sa.UniqueConstraint("gateway_id", "sequence", name=op.f("uq_rfid_reads_gateway_id_sequence")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_rfid_reads_organization_id_id")),
    )
    op.create_index(op.f("ix_rfid_reads_epc"), "rfid_reads", ["epc"], unique=False)
    op.create_table(
        "stock_levels",
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=False),
        sa.Column("on_hand", columns.Quantity(), nullable=False),
        sa.Column("reserved", columns.Quantity(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("status IN ('available', 'on_hold')", name=op.f("ck_stock_levels_status")),
        sa.CheckConstraint(
            "on_hand >= reserved AND reserved >= 0", name=op.f("ck_stock_levels_on_hand_covers_reserved")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "location_id"],
            ["locations.organization_id", "locations.id"],
            name=op.f("fk_stock_levels_organization_id_location_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "lot_id"],
            ["lots.organization_id", "lots.id"],
            name=op.f("fk_stock_levels_organization_id_lot_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "product_id"],
            ["products.organization_id", "products.id"],
            name=op.f("fk_stock_levels_organization_id_product_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_stock_levels_organization_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_levels")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_stock_levels_organization_id_id")),
        sa.UniqueConstraint(
            "organization_id", "lot_id", "location_id", name=op.f("uq_stock_levels_organization_id_lot_id_location_id")
        ),
    )
    op.create_index(op.f("ix_stock_levels_location_id"), "stock_levels", ["location_id"], unique=False)
    op.create_index(op.f("ix_stock_levels_product_id"), "stock_levels", ["product_id"], unique=False)
    op.create_table(
        "stock_movements",
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("movement_type", sa.String(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=False),
        sa.Column("quantity", columns.Quantity(), nullable=False),
        sa.Column("unit_cost", sa.BigInteger(), nullable=True),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("recorded_at", columns.UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "movement_type IN ('inbound', 'outbound', 'adjustment', 'transfer', 'waste', 'production', 'return', 'opening')",
            name=op.f("ck_stock_movements_movement_type"),
        ),
        sa.CheckConstraint("quantity <> 0", name=op.f("ck_stock_movements_quantity")),
        sa.ForeignKeyConstraint(
            ["organization_id", "location_id"],
            ["locations.organization_id", "locations.id"],
            name=op.f("fk_stock_movements_organization_id_location_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "lot_id"],
            ["lots.organization_id", "lots.id"],
            name=op.f("fk_stock_movements_organization_id_lot_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "product_id"],
            ["products.organization_id", "products.id"],
            name=op.f("fk_stock_movements_organization_id_product_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_stock_movements_organization_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_movements")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_stock_movements_organization_id_id")),
        sa.UniqueConstraint("organization_id", "number", name=op.f("uq_stock_movements_organization_id_number")),
    )
    op.create_index(op.f("ix_stock_movements_lot_id"), "stock_movements", ["lot_id"], unique=False)
    op.create_index(op.f("ix_stock_movements_product_id"), "stock_movements", ["product_id"], unique=False)
    op.create_table(
        "weights",
        sa.Column("gateway_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("scale_id", sa.Uuid(), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=True),
        sa.Column("weight_g", sa.BigInteger(), nullable=False),
        sa.Column("basis", sa.String(), nullable=False),
        sa.Column("weighed_at", columns.UtcDateTime(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "gateway_id"],
            ["gateways.organization_id", "gateways.id"],
            name=op.f("fk_weights_organization_id_gateway_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "location_id"],
            ["locations.organization_id", "locations.id"],
            name=op.f("fk_weights_organization_id_location_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "scale_id"],
            ["sensors.organization_id", "sensors.id"],
            name=op.f("fk_weights_organization_id_scale_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_weights_organization_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_weights")),
        sa.UniqueConstraint("gateway_id", "sequence", name=op.f("uq_weights_gateway_id_sequence")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_weights_organization_id_id")),
    )
    op.create_table(
        "stock_held_levels",
        sa.Column("hold_id", sa.Uuid(), nullable=False),
        sa.Column("stock_level_id", sa.Uuid(), nullable=False),
        sa.Column("released_at", columns.UtcDateTime(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "hold_id"],
            ["stock_holds.organization_id", "stock_holds.id"],
            name=op.f("fk_stock_held_levels_organization_id_hold_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "stock_level_id"],
            ["stock_levels.organization_id", "stock_levels.id"],
            name=op.f("fk_stock_held_levels_organization_id_stock_level_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_stock_held_levels_organization_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_held_levels")),
        sa.UniqueConstraint("hold_id", "stock_level_id", name=op.f("uq_stock_held_levels_hold_id_stock_level_id")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_stock_held_levels_organization_id_id")),
    )
    op.create_index(op.f("ix_stock_held_levels_stock_level_id"), "stock_held_levels", ["stock_level_id"], unique=False)
    op.create_table(
        "stock_reservations",
        sa.Column("stock_level_id", sa.Uuid(), nullable=False),
        sa.Column("quantity", columns.Quantity(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("reserved_at", columns.UtcDateTime(), nullable=False),
        sa.Column("settled_at", columns.UtcDateTime(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("status IN ('active', 'consumed', 'released')", name=op.f("ck_stock_reservations_status")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_stock_reservations_quantity")),
        sa.ForeignKeyConstraint(
            ["organization_id", "stock_level_id"],
            ["stock_levels.organization_id", "stock_levels.id"],
            name=op.f("fk_stock_reservations_organization_id_stock_level_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_stock_reservations_organization_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_reservations")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_stock_reservations_organization_id_id")),
    )
    op.create_index(op.f("ix_stock_reservations_source"), "stock_reservations", ["source"], unique=False)
    op.create_index(
        op.f("ix_stock_reservations_stock_level_id"), "stock_reservations", ["stock_level_id"], unique=False
    )
    raise_wall("lots")
    raise_wall("stock_holds")
    raise_wall("rfid_reads", rights=APPEND_ONLY)
    raise_wall("stock_levels")
    raise_wall("stock_movements", rights=APPEND_ONLY)
    raise_wall("weights", rights=APPEND_ONLY)
    raise_wall("stock_held_levels")
    raise_wall("stock_reservations")


def downgrade() -> None:
    """Drop them."""
    op.drop_table("stock_reservations")
    op.drop_table("stock_held_levels")
    op.drop_table("weights")
    op.drop_table("stock_movements")
    op.drop_table("stock_levels")
    op.drop_table("rfid_reads")
    op.drop_table("stock_holds")
    op.drop_table("lots")
