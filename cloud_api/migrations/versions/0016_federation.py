"""Identity providers, who people are there, sign-ins under way."""

import sqlalchemy as sa
from alembic import op

from cloud_api.kernel import columns
from cloud_api.migrations.walls import owned, points_at, raise_wall

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables; let a sign-in tell that a provider vouched for it."""
    _create_providers()
    op.create_table(
        "oauth_identities",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("last_signed_in_at", columns.UtcDateTime(), nullable=False),
        *owned("oauth_identities"),
        points_at("oauth_identities", "user_id", "users"),
        points_at("oauth_identities", "provider_id", "identity_providers"),
        sa.UniqueConstraint("provider_id", "subject", name=op.f("uq_oauth_identities_provider_id_subject")),
        sa.UniqueConstraint("provider_id", "user_id", name=op.f("uq_oauth_identities_provider_id_user_id")),
    )
    op.create_index(op.f("ix_oauth_identities_user_id"), "oauth_identities", ["user_id"])
    op.create_table(
        "oauth_sign_ins",
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("state_sha256", sa.String(), nullable=False),
        sa.Column("binding_sha256", sa.String(), nullable=False),
        sa.Column("nonce", sa.String(), nullable=False),
        sa.Column("code_verifier", sa.String(), nullable=False),
        sa.Column("expires_at", columns.UtcDateTime(), nullable=False),
        *owned("oauth_sign_ins"),
        points_at("oauth_sign_ins", "provider_id", "identity_providers"),
        sa.UniqueConstraint("state_sha256", name=op.f("uq_oauth_sign_ins_state_sha256")),
    )
    op.create_index(op.f("ix_oauth_sign_ins_provider_id"), "oauth_sign_ins", ["provider_id"])
    op.create_index(op.f("ix_oauth_sign_ins_expires_at"), "oauth_sign_ins", ["expires_at"])
    for table in ("identity_providers", "oauth_identities", "oauth_sign_ins"):
        raise_wall(table)
    for table, name in (
        ("user_sessions", "by_provider"),
        ("user_sessions", "factor_seen"),
        ("one_time_tokens", "by_provider"),
    ):
        op.add_column(table, sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false()))


def _create_providers() -> None:
    texts = ("name", "kind", "display_name", "url", "default_role")
    texts_of_one_kind = (
        "client_id",
        "scopes",
        "role_claim",
        "redirect_url",
        "base_dn",
        "user_filter",
        "bind_dn",
        "ca_certificates",
    )
    op.create_table(
        "identity_providers",
        *(sa.Column(name, sa.String(), nullable=False) for name in (*texts, *texts_of_one_kind)),
        sa.Column("secret", sa.String(), nullable=True),
        *(
            sa.Column(name, sa.JSON(), nullable=False)
            for name in ("role_mapping", "allowed_domains", "vouched_roles", "vouched_permissions")
        ),
        *(
            sa.Column(name, sa.Boolean(), nullable=False)
            for name in ("create_users", "is_active", "start_tls", "trusts_email")
        ),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        *owned("identity_providers"),
        sa.CheckConstraint("kind IN ('oidc', 'ldap')", name=op.f("ck_identity_providers_kind")),
        sa.UniqueConstraint("organization_id", "name", name=op.f("uq_identity_providers_organization_id_name")),
    )


def downgrade() -> None:
    """Take them away; who signed in through a provider only needs a password again."""
    op.drop_column("one_time_tokens", "by_provider")
    op.drop_column("user_sessions", "factor_seen")
    op.drop_column("user_sessions", "by_provider")
    for table in ("oauth_sign_ins", "oauth_identities", "identity_providers"):
        op.drop_table(table)
