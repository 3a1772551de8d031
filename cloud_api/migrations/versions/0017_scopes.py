"""Who is confined to which warehouses, and who signs in as which customer."""

import sqlalchemy as sa
from alembic import op

from cloud_api.migrations.walls import owned, points_at, raise_wall

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "warehouse_members",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("warehouse_id", sa.Uuid(), nullable=False),
        *owned("warehouse_members"),
        points_at("warehouse_members", "user_id", "users"),
        points_at("warehouse_members", "warehouse_id", "warehouses", ondelete="RESTRICT"),
        sa.UniqueConstraint("user_id", "warehouse_id", name=op.f("uq_warehouse_members_user_id_warehouse_id")),
    )
    op.create_table(
        "customer_accounts",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        *owned("customer_accounts"),
        points_at("customer_accounts", "user_id", "users"),
        points_at("customer_accounts", "customer_id", "customers"),
        sa.UniqueConstraint("organization_id", "user_id", name=op.f("uq_customer_accounts_organization_id_user_id")),
    )
    op.create_index(op.f("ix_customer_accounts_customer_id"), "customer_accounts", ["customer_id"], unique=False)
    raise_wall("warehouse_members")
    raise_wall("customer_accounts")


def downgrade() -> None:
    """Drop them."""
    op.drop_table("customer_accounts")
    op.drop_table("warehouse_members")
