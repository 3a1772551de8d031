"""When maintenance is to be over; who switches it, rewrites a text or a retention class at the same time is told."""

import sqlalchemy as sa
from alembic import op

from cloud_api.kernel import columns

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None

_TABLES = ("maintenance", "notification_templates", "retention_classes")


def upgrade() -> None:
    """Everything begins with its first version."""
    for name in _TABLES:
        with op.batch_alter_table(name) as table:
            table.add_column(sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
        with op.batch_alter_table(name) as table:
            table.alter_column("version", server_default=None)
    with op.batch_alter_table("maintenance") as table:
        table.add_column(sa.Column("until", columns.UtcDateTime(), nullable=True))


def downgrade() -> None:
    """Drop them."""
    with op.batch_alter_table("maintenance") as table:
        table.drop_column("until")
    for name in _TABLES:
        with op.batch_alter_table(name) as table:
            table.drop_column("version")
