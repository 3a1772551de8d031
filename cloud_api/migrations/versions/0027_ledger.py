"""A ledger nobody waits for: catch weight, entries written later, undone ones; what is known of lots; holds of lots."""

import sqlalchemy as sa
from alembic import op

from cloud_api.kernel import columns
from cloud_api.kernel.tenancy import SYSTEM_SETTING
from cloud_api.migrations.walls import is_postgresql

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the tables."""
    _know_more_of_lots()
    _weigh_levels()
    _uncount_movements()
    _let_promises_lapse()
    _hold_lots()


def _know_more_of_lots() -> None:
    with op.batch_alter_table("lots") as table:
        table.add_column(sa.Column("variant_id", sa.Uuid(), nullable=True))
        table.add_column(sa.Column("manufactured_on", sa.Date(), nullable=True))
        table.add_column(sa.Column("grade", sa.String(), nullable=True))
        table.add_column(sa.Column("supplier", sa.String(), nullable=False, server_default=""))
        table.add_column(sa.Column("unit_cost", sa.BigInteger(), nullable=True))
        table.create_check_constraint(
            op.f("ck_lots_grade"), "grade IN ('excellent', 'very-good', 'good', 'fair', 'poor')"
        )
        table.create_check_constraint(op.f("ck_lots_dates"), "manufactured_on <= expires_on")
        table.create_foreign_key(
            op.f("fk_lots_organization_id_variant_id"),
            "product_variants",
            ["organization_id", "variant_id"],
            ["organization_id", "id"],
            ondelete="RESTRICT",
        )
    op.create_index("ix_lots_organization_id_expires_on", "lots", ["organization_id", "expires_on"])


def _weigh_levels() -> None:
    with op.batch_alter_table("stock_levels") as table:
        table.add_column(sa.Column("weight_g", sa.BigInteger(), nullable=False, server_default="0"))
        table.add_column(sa.Column("keeps_until", sa.Date(), nullable=True))
        table.add_column(sa.Column("last_counted_at", columns.UtcDateTime(), nullable=True))
        table.create_check_constraint(op.f("ck_stock_levels_weight"), "weight_g >= 0")


def _uncount_movements() -> None:
    with op.batch_alter_table("stock_movements") as table:
        table.drop_constraint(op.f("uq_stock_movements_organization_id_number"), type_="unique")
        table.drop_column("number")
        table.add_column(sa.Column("weight_g", sa.BigInteger(), nullable=True))
        table.add_column(sa.Column("source", sa.String(), nullable=False, server_default="manual"))
        table.add_column(sa.Column("group_id", sa.Uuid(), nullable=True))
        table.add_column(sa.Column("reverses_id", sa.Uuid(), nullable=True))
        table.add_column(sa.Column("effective_at", columns.UtcDateTime(), nullable=True))
    _see_all("every movement happened when it was recorded")
    op.execute("UPDATE stock_movements SET effective_at = recorded_at")
    with op.batch_alter_table("stock_movements") as table:
        table.alter_column("effective_at", existing_type=columns.UtcDateTime(), nullable=False)
        table.create_check_constraint(
            op.f("ck_stock_movements_source"), "source IN ('manual', 'scan', 'rfid', 'scale', 'import', 'system')"
        )
        table.create_check_constraint(op.f("ck_stock_movements_effective_at"), "effective_at <= recorded_at")
        table.create_unique_constraint(
            op.f("uq_stock_movements_organization_id_reverses_id"), ["organization_id", "reverses_id"]
        )
        table.create_foreign_key(
            op.f("fk_stock_movements_organization_id_reverses_id"),
            "stock_movements",
            ["organization_id", "reverses_id"],
            ["organization_id", "id"],
            ondelete="RESTRICT",
        )
    op.create_index("ix_stock_movements_group_id", "stock_movements", ["group_id"])
    op.create_index("ix_stock_movements_reference", "stock_movements", ["organization_id", "reference"])


def _let_promises_lapse() -> None:
    with op.batch_alter_table("stock_reservations") as table:
        table.add_column(sa.Column("expires_at", columns.UtcDateTime(), nullable=True))
        table.drop_constraint(op.f("ck_stock_reservations_status"), type_="check")
        table.create_check_constraint(
            op.f("ck_stock_reservations_status"), "status IN ('active', 'consumed', 'released', 'expired')"
        )
    op.create_index(op.f("ix_stock_reservations_expires_at"), "stock_reservations", ["expires_at"])


def _hold_lots() -> None:
    with op.batch_alter_table("stock_holds") as table:
        table.alter_column("location_id", existing_type=sa.Uuid(), nullable=True)
        table.add_column(sa.Column("lot_id", sa.Uuid(), nullable=True))
        table.add_column(sa.Column("kind", sa.String(), nullable=False, server_default="hold"))
        table.create_check_constraint(op.f("ck_stock_holds_kind"), "kind IN ('hold', 'quarantine', 'recall')")
        table.create_check_constraint(
            op.f("ck_stock_holds_of_something"), "location_id IS NOT NULL OR lot_id IS NOT NULL"
        )
        table.create_foreign_key(
            op.f("fk_stock_holds_organization_id_lot_id"),
            "lots",
            ["organization_id", "lot_id"],
            ["organization_id", "id"],
            ondelete="RESTRICT",
        )
    op.create_index(op.f("ix_stock_holds_lot_id"), "stock_holds", ["lot_id"])


def downgrade() -> None:
    """Change them back."""
    op.drop_index(op.f("ix_stock_holds_lot_id"), "stock_holds")
    with op.batch_alter_table("stock_holds") as table:
        table.drop_constraint(op.f("fk_stock_holds_organization_id_lot_id"), type_="foreignkey")
        table.drop_constraint(op.f("ck_stock_holds_of_something"), type_="check")
        table.drop_constraint(op.f("ck_stock_holds_kind"), type_="check")
        table.drop_column("kind")
        table.drop_column("lot_id")
        table.alter_column("location_id", existing_type=sa.Uuid(), nullable=False)
    op.drop_index(op.f("ix_stock_reservations_expires_at"), "stock_reservations")
    with op.batch_alter_table("stock_reservations") as table:
        table.drop_constraint(op.f("ck_stock_reservations_status"), type_="check")
        table.create_check_constraint(
            op.f("ck_stock_reservations_status"), "status IN ('active', 'consumed', 'released')"
        )
        table.drop_column("expires_at")
    op.drop_index("ix_stock_movements_reference", "stock_movements")
    op.drop_index("ix_stock_movements_group_id", "stock_movements")
    with op.batch_alter_table("stock_movements") as table:
        table.drop_constraint(op.f("fk_stock_movements_organization_id_reverses_id"), type_="foreignkey")
        table.drop_constraint(op.f("uq_stock_movements_organization_id_reverses_id"), type_="unique")
        table.drop_constraint(op.f("ck_stock_movements_effective_at"), type_="check")
        table.drop_constraint(op.f("ck_stock_movements_source"), type_="check")
        for name in ("effective_at", "reverses_id", "group_id", "source", "weight_g"):
            table.drop_column(name)
        table.add_column(sa.Column("number", sa.String(), nullable=True))
    _see_all("movements have numbers again")
    op.execute("UPDATE stock_movements SET number = 'MOV-' || CAST(id AS VARCHAR)")
    with op.batch_alter_table("stock_movements") as table:
        table.alter_column("number", existing_type=sa.String(), nullable=False)
        table.create_unique_constraint(op.f("uq_stock_movements_organization_id_number"), ["organization_id", "number"])
    with op.batch_alter_table("stock_levels") as table:
        table.drop_constraint(op.f("ck_stock_levels_weight"), type_="check")
        for name in ("last_counted_at", "keeps_until", "weight_g"):
            table.drop_column(name)
    op.drop_index("ix_lots_organization_id_expires_on", "lots")
    with op.batch_alter_table("lots") as table:
        table.drop_constraint(op.f("fk_lots_organization_id_variant_id"), type_="foreignkey")
        table.drop_constraint(op.f("ck_lots_dates"), type_="check")
        table.drop_constraint(op.f("ck_lots_grade"), type_="check")
        for name in ("unit_cost", "supplier", "grade", "manufactured_on", "variant_id"):
            table.drop_column(name)


def _see_all(reason: str) -> None:
    if is_postgresql():
        op.execute(f"SELECT set_config('{SYSTEM_SETTING}', '{reason}', true)")
