"""Filters of a page that somebody gave a name."""

import sqlalchemy as sa
from alembic import op

from cloud_api.kernel import columns
from cloud_api.migrations.walls import owned, points_at, raise_wall

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "saved_views",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("page", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("query", sa.String(), nullable=False),
        sa.Column("saved_at", columns.UtcDateTime(), nullable=False),
        *owned("saved_views"),
        points_at("saved_views", "user_id", "users"),
        sa.UniqueConstraint(
            "organization_id",
            "user_id",
            "page",
            "name",
            name=op.f("uq_saved_views_organization_id_user_id_page_name"),
        ),
    )
    raise_wall("saved_views")


def downgrade() -> None:
    """Drop it."""
    op.drop_table("saved_views")
