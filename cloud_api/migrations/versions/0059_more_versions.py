"""Gateways, portal rules and deliveries count their changes, as other things that people edit do."""

import sqlalchemy as sa
from alembic import op

revision = "0059"
down_revision = "0058"
branch_labels = None
depends_on = None

_TABLES = ("deliveries", "gateways", "portal_rules")


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
