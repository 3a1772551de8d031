"""What customers ask of shelf life."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

_SETTLED = sa.text("settled_at IS NOT NULL")
#: what can still lapse: of what has been settled nobody asks when it would have
_LAPSES = sa.text("status = 'active' AND expires_at IS NOT NULL")


def upgrade() -> None:
    """Change the tables."""
    with op.batch_alter_table("customers") as table:
        table.add_column(
            sa.Column("min_remaining_shelf_life_days", sa.Integer(), nullable=False, server_default=sa.text("0"))
        )
        table.create_check_constraint(
            op.f("ck_customers_min_remaining_shelf_life_days"), "min_remaining_shelf_life_days >= 0"
        )
    with op.batch_alter_table("customers") as table:
        table.alter_column("min_remaining_shelf_life_days", server_default=None)
    op.create_index(
        "ix_stock_reservations_settled_at",
        "stock_reservations",
        ["settled_at"],
        sqlite_where=_SETTLED,
        postgresql_where=_SETTLED,
    )
    op.drop_index("ix_stock_reservations_expires_at", "stock_reservations")
    op.create_index(
        "ix_stock_reservations_expires_at",
        "stock_reservations",
        ["expires_at"],
        sqlite_where=_LAPSES,
        postgresql_where=_LAPSES,
    )


def downgrade() -> None:
    """Change them back."""
    op.drop_index("ix_stock_reservations_expires_at", "stock_reservations")
    op.create_index("ix_stock_reservations_expires_at", "stock_reservations", ["expires_at"])
    op.drop_index("ix_stock_reservations_settled_at", "stock_reservations")
    with op.batch_alter_table("customers") as table:
        table.drop_constraint(op.f("ck_customers_min_remaining_shelf_life_days"), type_="check")
        table.drop_column("min_remaining_shelf_life_days")
