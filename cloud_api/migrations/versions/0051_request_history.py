"""How requests went, hour by hour, and what figures of orders, credits and files are read by."""

import sqlalchemy as sa
from alembic import op

from cloud_api.kernel import columns
from cloud_api.migrations.walls import owned, raise_platform_wall, raise_wall

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None

#: table -> index -> its columns
_INDEXES = {
    "customer_orders": {
        "ix_customer_orders_figures_delivered": ["organization_id", "delivered_at", "warehouse_id", "total_minor"],
        "ix_customer_orders_figures_created": [
            "organization_id",
            "created_at",
            "status",
            "warehouse_id",
            "customer_id",
            "address_id",
        ],
        "ix_customer_orders_figures_customer": [
            "organization_id",
            "customer_id",
            "created_at",
            "status",
            "warehouse_id",
        ],
    },
    "order_items": {
        "ix_order_items_figures": [
            "organization_id",
            "order_id",
            "product_id",
            "quantity",
            "packed_quantity",
            "unit_price",
        ]
    },
    "order_credits": {"ix_order_credits_created_at": ["organization_id", "created_at"]},
    "media": {"ix_media_received_at": ["organization_id", "received_at", "size_bytes"]},
}


def upgrade() -> None:
    """Make the tables and the indexes."""
    _tables()
    for table, indexes in _INDEXES.items():
        for name, columns_of_it in indexes.items():
            op.create_index(name, table, columns_of_it)


def _tables() -> None:
    op.create_table(
        "request_hours",
        sa.Column("hour", columns.UtcDateTime(), nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("bound", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hour", "area", "bound", name=op.f("pk_request_hours")),
    )
    raise_platform_wall("request_hours")
    op.create_table(
        "request_error_hours",
        sa.Column("hour", columns.UtcDateTime(), nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("status", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hour", "area", "status", "code", name=op.f("pk_request_error_hours")),
    )
    raise_platform_wall("request_error_hours")
    op.create_table(
        "organization_requests",
        sa.Column("begins_at", columns.UtcDateTime(), nullable=False),
        sa.Column("surface", sa.String(), nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        *owned("organization_requests"),
        sa.UniqueConstraint(
            "organization_id",
            "begins_at",
            "surface",
            name=op.f("uq_organization_requests_organization_id_begins_at_surface"),
        ),
        sa.CheckConstraint(
            "surface IN ('console', 'driver', 'key', 'gateway', 'api')", name=op.f("ck_organization_requests_surface")
        ),
    )
    op.create_index(op.f("ix_organization_requests_begins_at"), "organization_requests", ["begins_at"])
    raise_wall("organization_requests")


def downgrade() -> None:
    """Take them away."""
    for table, indexes in _INDEXES.items():
        for name in indexes:
            op.drop_index(name, table_name=table)
    for table in ("organization_requests", "request_error_hours", "request_hours"):
        op.drop_table(table)
