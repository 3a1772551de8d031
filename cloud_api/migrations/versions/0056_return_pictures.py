"""Pictures of what comes back."""

import sqlalchemy as sa
from alembic import op

from cloud_api.kernel import columns
from cloud_api.migrations.walls import owned, points_at, raise_wall

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None

_TABLE = "customer_return_pictures"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        _TABLE,
        sa.Column("return_id", sa.Uuid(), nullable=False),
        sa.Column("return_line_id", sa.Uuid(), nullable=True),
        sa.Column("media_id", sa.Uuid(), nullable=False),
        sa.Column("sent_by", sa.Uuid(), nullable=False),
        sa.Column("sent_at", columns.UtcDateTime(), nullable=False),
        *owned(_TABLE),
        points_at(_TABLE, "return_id", "customer_returns", ondelete="RESTRICT"),
        points_at(_TABLE, "return_line_id", "customer_return_lines", ondelete="RESTRICT"),
        points_at(_TABLE, "media_id", "media", ondelete="RESTRICT"),
        sa.UniqueConstraint("return_id", "media_id", name=op.f(f"uq_{_TABLE}_return_id_media_id")),
    )
    raise_wall(_TABLE)


def downgrade() -> None:
    """Drop it."""
    op.drop_table(_TABLE)
