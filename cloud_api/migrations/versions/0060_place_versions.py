"""Warehouses, places and delivery windows count their changes, so that who edits one at the same time is told."""

import sqlalchemy as sa
from alembic import op

revision = "0060"
down_revision = "0059"
branch_labels = None
depends_on = None

_TABLES = ("warehouses", "locations", "delivery_slots")


def upgrade() -> None:
    """Everything begins with its first version."""
    for name in _TABLES:
        with op.batch_alter_table(name) as table:
            table.add_column(sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
        with op.batch_alter_table(name) as table:
            table.alter_column("version", server_default=None)


def downgrade() -> None:
    """Drop them."""
    for name in _TABLES:
        with op.batch_alter_table(name) as table:
            table.drop_column("version")
