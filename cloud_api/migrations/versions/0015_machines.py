"""API keys, OAuth clients, and where administrators may come from."""

import sqlalchemy as sa
from alembic import op

from cloud_api.kernel import columns
from cloud_api.migrations.walls import owned, raise_wall

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "api_keys",
        *_credential(),
        sa.Column("prefix", sa.String(), nullable=False),
        sa.Column("signing_secret", sa.String(), nullable=False),
        sa.Column("ip_ranges", sa.JSON(), nullable=False),
        sa.Column("expires_at", columns.UtcDateTime(), nullable=True),
        sa.Column("revoked_at", columns.UtcDateTime(), nullable=True),
        *owned("api_keys"),
        sa.UniqueConstraint("prefix", name=op.f("uq_api_keys_prefix")),
    )
    op.create_table(
        "oauth_clients",
        *_credential(),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("removed_at", columns.UtcDateTime(), nullable=True),
        *owned("oauth_clients"),
        sa.UniqueConstraint("client_id", name=op.f("uq_oauth_clients_client_id")),
    )
    op.create_table(
        "ip_allowlist",
        sa.Column("cidr", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        *owned("ip_allowlist"),
        sa.UniqueConstraint("organization_id", "cidr", name=op.f("uq_ip_allowlist_organization_id_cidr")),
    )
    for table in ("api_keys", "oauth_clients", "ip_allowlist"):
        raise_wall(table)


def _credential() -> list[sa.schema.SchemaItem]:
    """What API keys and OAuth clients have in common."""
    return [
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("secret_sha256", sa.String(), nullable=False),
        sa.Column("previous_sha256", sa.String(), nullable=True),
        sa.Column("previous_valid_until", columns.UtcDateTime(), nullable=True),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("last_used_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
    ]


def downgrade() -> None:
    """Take them away."""
    for table in ("ip_allowlist", "oauth_clients", "api_keys"):
        op.drop_table(table)
