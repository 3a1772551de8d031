"""The minutes in which the platform was up."""

import sqlalchemy as sa
from alembic import op

from cloud_api.kernel import columns
from cloud_api.migrations.walls import raise_platform_wall

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "minutes_up",
        sa.Column("minute", columns.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("minute", name=op.f("pk_minutes_up")),
    )
    raise_platform_wall("minutes_up")


def downgrade() -> None:
    """Drop it."""
    op.drop_table("minutes_up")
