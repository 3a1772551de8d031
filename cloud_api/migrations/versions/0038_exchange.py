"""Imports and exports."""

import sqlalchemy as sa
from alembic import op

from cloud_api.kernel import columns
from cloud_api.migrations.walls import owned, raise_wall

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

_STATUS = "status IN ('queued', 'running', 'succeeded', 'failed')"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "import_runs",
        *owned("import_runs"),
        sa.Column("entity", sa.String(), nullable=False),
        sa.Column("format", sa.String(), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("skip_bad_rows", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        *(
            sa.Column(name, sa.Integer(), nullable=False)
            for name in ("total", "created", "updated", "unchanged", "failed", "done_rows")
        ),
        sa.Column("problems", sa.JSON(), nullable=False),
        sa.Column("error_code", sa.String(), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("storage_key", sa.String(), nullable=False),
        sa.Column("same_as_id", sa.Uuid(), nullable=True),
        *_requested(),
        sa.CheckConstraint(_STATUS, name=op.f("ck_import_runs_status")),
        sa.CheckConstraint("format IN ('csv', 'xlsx', 'json', 'zip')", name=op.f("ck_import_runs_format")),
    )
    op.create_index("ix_import_runs_status", "import_runs", ["status", "leased_until"])
    op.create_index(op.f("ix_import_runs_sha256"), "import_runs", ["sha256"])
    op.create_table(
        "export_runs",
        *owned("export_runs"),
        sa.Column("entity", sa.String(), nullable=False),
        sa.Column("format", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=True),
        sa.Column("storage_key", sa.String(), nullable=True),
        sa.Column("error_code", sa.String(), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("of_everywhere", sa.Boolean(), nullable=False),
        *_requested(),
        sa.CheckConstraint(_STATUS, name=op.f("ck_export_runs_status")),
        sa.CheckConstraint("format IN ('csv', 'xlsx', 'json')", name=op.f("ck_export_runs_format")),
    )
    op.create_index("ix_export_runs_status", "export_runs", ["status", "leased_until"])
    raise_wall("import_runs")
    raise_wall("export_runs")


def downgrade() -> None:
    """Drop them."""
    op.drop_table("export_runs")
    op.drop_table("import_runs")


def _requested() -> list[sa.schema.SchemaItem]:
    """Who asked for a run, and how far it is."""
    return [
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("requested_by_kind", sa.String(), nullable=False),
        sa.Column("requested_by_name", sa.String(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("finished_at", columns.UtcDateTime(), nullable=True),
        sa.Column("leased_until", columns.UtcDateTime(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
    ]
