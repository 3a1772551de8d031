"""What people edit counts its changes, so that who edits it at the same time is told."""

import sqlalchemy as sa
from alembic import op

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None

_TABLES = (
    "escalation_policies",
    "feature_flags",
    "geofences",
    "identity_providers",
    "on_call_lists",
    "organizations",
    "product_categories",
    "product_variants",
    "reorder_rules",
    "roles",
    "sensors",
    "teams",
    "users",
    "vehicles",
)


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
