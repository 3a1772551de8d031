"""Teams, invitations, copies of personal data and requests to erase it."""

import sqlalchemy as sa
from alembic import op

from cloud_api.kernel import columns
from cloud_api.migrations.walls import owned, points_at, raise_wall

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_TABLES = (
    "teams",
    "team_members",
    "invitations",
    "invitation_roles",
    "personal_data_exports",
    "erasure_requests",
)


def upgrade() -> None:
    """Make the tables."""
    _create_teams()
    _create_invitations()
    _create_privacy()
    for table in _TABLES:
        raise_wall(table)


def _create_teams() -> None:
    op.create_table(
        "teams",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        *owned("teams"),
        sa.UniqueConstraint("organization_id", "name", name=op.f("uq_teams_organization_id_name")),
    )
    op.create_table(
        "team_members",
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("is_lead", sa.Boolean(), nullable=False),
        *owned("team_members"),
        points_at("team_members", "team_id", "teams"),
        points_at("team_members", "user_id", "users"),
        sa.UniqueConstraint("team_id", "user_id", name=op.f("uq_team_members_team_id_user_id")),
    )
    op.create_index(op.f("ix_team_members_user_id"), "team_members", ["user_id"])


def _create_invitations() -> None:
    op.create_table(
        "invitations",
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("token_sha256", sa.String(), nullable=False),
        sa.Column("invited_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("expires_at", columns.UtcDateTime(), nullable=False),
        sa.Column("accepted_at", columns.UtcDateTime(), nullable=True),
        sa.Column("revoked_at", columns.UtcDateTime(), nullable=True),
        *owned("invitations"),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_invitations_token_sha256")),
    )
    is_open = sa.text("accepted_at IS NULL AND revoked_at IS NULL")
    op.create_index(
        "ix_invitations_open",
        "invitations",
        ["organization_id", "email"],
        unique=True,
        sqlite_where=is_open,
        postgresql_where=is_open,
    )
    op.create_table(
        "invitation_roles",
        sa.Column("invitation_id", sa.Uuid(), nullable=False),
        sa.Column("role_id", sa.Uuid(), nullable=False),
        *owned("invitation_roles"),
        points_at("invitation_roles", "invitation_id", "invitations"),
        points_at("invitation_roles", "role_id", "roles"),
        sa.UniqueConstraint("invitation_id", "role_id", name=op.f("uq_invitation_roles_invitation_id_role_id")),
    )


def _create_privacy() -> None:
    op.create_table(
        "personal_data_exports",
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("ready_at", columns.UtcDateTime(), nullable=True),
        sa.Column("expires_at", columns.UtcDateTime(), nullable=False),
        sa.Column("document", sa.String(), nullable=True),
        *owned("personal_data_exports"),
        points_at("personal_data_exports", "subject_id", "users"),
    )
    for column in ("subject_id", "expires_at"):
        op.create_index(op.f(f"ix_personal_data_exports_{column}"), "personal_data_exports", [column])
    op.create_table(
        "erasure_requests",
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("settled_by", sa.Uuid(), nullable=True),
        sa.Column("settled_at", columns.UtcDateTime(), nullable=True),
        *owned("erasure_requests"),
        points_at("erasure_requests", "subject_id", "users"),
        sa.CheckConstraint("status IN ('requested', 'executed', 'cancelled')", name=op.f("ck_erasure_requests_status")),
    )
    is_open = sa.text("status = 'requested'")
    op.create_index(
        "ix_erasure_requests_open",
        "erasure_requests",
        ["organization_id", "subject_id"],
        unique=True,
        sqlite_where=is_open,
        postgresql_where=is_open,
    )


def downgrade() -> None:
    """Take them away."""
    for table in reversed(_TABLES):
        op.drop_table(table)
