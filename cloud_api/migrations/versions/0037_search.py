"""What can be found."""

import sqlalchemy as sa
from alembic import op

from cloud_api.kernel import columns
from cloud_api.migrations.walls import owned, points_at, raise_wall

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

#: compared byte by byte
_WORD = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "search_entries",
        *owned("search_entries"),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("entity_id", sa.Uuid(), nullable=False),
        sa.Column("warehouse_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("facets", sa.JSON(), nullable=False),
        sa.Column("permission", sa.String(), nullable=False),
        sa.Column("put_at", columns.UtcDateTime(), nullable=False),
        sa.UniqueConstraint(
            "organization_id",
            "entity_id",
            "kind",
            "warehouse_id",
            name=op.f("uq_search_entries_organization_id_entity_id_kind_warehouse_id"),
        ),
    )
    op.create_index(
        "ix_search_entries_organization_id_kind", "search_entries", ["organization_id", "kind", "id"], unique=False
    )
    op.create_table(
        "search_words",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("word", _WORD, nullable=False),
        sa.Column("weight", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "entry_id", "word", name=op.f("pk_search_words")),
        points_at("search_words", "entry_id", "search_entries"),
    )
    op.create_index(
        "ix_search_words_organization_id_word",
        "search_words",
        ["organization_id", "word", "entry_id", "weight"],
        unique=False,
    )
    op.create_table(
        "search_spellings",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("variant", _WORD, nullable=False),
        sa.Column("word", _WORD, nullable=False),
        sa.Column("learnt_from", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "variant", "word", "learnt_from", name=op.f("pk_search_spellings")),
    )
    raise_wall("search_entries")
    raise_wall("search_words")
    raise_wall("search_spellings")


def downgrade() -> None:
    """Drop them."""
    op.drop_table("search_spellings")
    op.drop_table("search_words")
    op.drop_table("search_entries")
