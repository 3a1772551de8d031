"""Items count their changes, so that who edits one at the same time is told."""

import sqlalchemy as sa
from alembic import op

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Every item begins with its first version."""
    with op.batch_alter_table("items") as table:
        table.add_column(sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
    with op.batch_alter_table("items") as table:
        table.alter_column("version", server_default=None)


def downgrade() -> None:
    """Drop it."""
    with op.batch_alter_table("items") as table:
        table.drop_column("version")
