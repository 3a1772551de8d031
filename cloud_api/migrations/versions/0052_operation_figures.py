"""What figures of operations are read by: packed orders, routes of a day, excursions and kinds of movements in time."""

from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None

#: table -> index -> its columns
_INDEXES = {
    "customer_orders": {"ix_customer_orders_figures_packed": ["organization_id", "packed_at", "warehouse_id"]},
    "delivery_routes": {"ix_delivery_routes_organization_id_delivery_date": ["organization_id", "delivery_date"]},
    "excursions": {"ix_excursions_organization_id_started_at": ["organization_id", "started_at"]},
    "stock_movements": {"ix_stock_movements_kind": ["organization_id", "movement_type", "effective_at"]},
}


def upgrade() -> None:
    """Make the indexes."""
    for table, indexes in _INDEXES.items():
        for name, columns_of_it in indexes.items():
            op.create_index(name, table, columns_of_it)


def downgrade() -> None:
    """Take them away."""
    for table, indexes in _INDEXES.items():
        for name in indexes:
            op.drop_index(name, table_name=table)
