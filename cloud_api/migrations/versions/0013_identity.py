"""Roles as data, second factors, sign-ins with a memory, former passwords."""

import uuid
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from cloud_api.kernel import columns
from cloud_api.kernel.tenancy import SYSTEM_SETTING
from cloud_api.migrations.walls import grant, is_postgresql, owned, points_at, raise_wall

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

#: the roles that organisations had before roles were rows
_BUILT_IN = (
    "org_admin",
    "warehouse_manager",
    "logistics_manager",
    "inventory_staff",
    "delivery_personnel",
    "supplier_manager",
    "customer",
    "viewer",
)
_OWN = ("customer", "delivery_personnel")


def upgrade() -> None:
    """Make the tables, and give every organisation its roles."""
    _widen()
    op.create_table(
        "roles",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("built_in", sa.Boolean(), nullable=False),
        sa.Column("permissions", sa.JSON(), nullable=False),
        sa.Column("reach", sa.String(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        *owned("roles"),
        sa.CheckConstraint("reach IN ('organization', 'own')", name=op.f("ck_roles_reach")),
        sa.UniqueConstraint("organization_id", "name", name=op.f("uq_roles_organization_id_name")),
    )
    raise_wall("roles")
    if is_postgresql():
        op.execute(f"SELECT set_config('{SYSTEM_SETTING}', 'give every organisation its roles', true)")
    roles = _give_roles()
    _replace_user_roles(roles)
    _create_second_factors()
    _create_sign_ins()


def _widen() -> None:
    for name in ("email", "phone", "address"):
        op.add_column("organizations", sa.Column(name, sa.String(), nullable=False, server_default=""))
    op.add_column("organizations", sa.Column("plan", sa.String(), nullable=False, server_default="basic"))
    op.add_column("organizations", sa.Column("branding", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("organizations", sa.Column("onboarding", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("organizations", sa.Column("deactivated_at", columns.UtcDateTime(), nullable=True))
    op.add_column("users", sa.Column("phone", sa.String(), nullable=False, server_default=""))
    op.add_column("users", sa.Column("password_changed_at", columns.UtcDateTime(), nullable=True))
    op.add_column("users", sa.Column("must_change_password", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("users", sa.Column("email_verified_at", columns.UtcDateTime(), nullable=True))
    op.add_column("users", sa.Column("extra_permissions", sa.String(), nullable=False, server_default=""))
    op.add_column("users", sa.Column("locale", sa.String(), nullable=False, server_default="en"))
    op.add_column("users", sa.Column("theme", sa.String(), nullable=False, server_default="system"))
    op.add_column("users", sa.Column("avatar_id", sa.Uuid(), nullable=True))
    op.add_column("users", sa.Column("last_signed_in_at", columns.UtcDateTime(), nullable=True))
    op.add_column("users", sa.Column("deleted_at", columns.UtcDateTime(), nullable=True))


def _give_roles() -> dict[tuple[uuid.UUID, str], uuid.UUID]:
    """(organisation, name) -> role."""
    roles = sa.table(
        "roles",
        sa.column("id", sa.Uuid()),
        sa.column("organization_id", sa.Uuid()),
        sa.column("name", sa.String()),
        sa.column("description", sa.String()),
        sa.column("built_in", sa.Boolean()),
        sa.column("permissions", sa.JSON()),
        sa.column("reach", sa.String()),
        sa.column("created_at", columns.UtcDateTime()),
    )
    organizations = sa.table("organizations", sa.column("id", sa.Uuid()))
    made = {}
    for (organization_id,) in op.get_bind().execute(sa.select(organizations.c.id)).all():
        for name in _BUILT_IN:
            made[organization_id, name] = uuid.uuid4()
            op.get_bind().execute(
                roles.insert().values(
                    id=made[organization_id, name],
                    organization_id=organization_id,
                    name=name,
                    description="",
                    built_in=True,
                    permissions=[],
                    reach="own" if name in _OWN else "organization",
                    created_at=datetime.now(UTC),
                )
            )
    return made


def _replace_user_roles(roles: dict[tuple[uuid.UUID, str], uuid.UUID]) -> None:
    """Names become keys: the table is made anew, because SQLite cannot give an old one a foreign key."""
    held = sa.table(
        "user_roles",
        sa.column("id", sa.Uuid()),
        sa.column("organization_id", sa.Uuid()),
        sa.column("user_id", sa.Uuid()),
        sa.column("role", sa.String()),
    )
    kept = op.get_bind().execute(sa.select(held)).all()
    op.drop_table("user_roles")
    made = op.create_table(
        "user_roles",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("role_id", sa.Uuid(), nullable=False),
        sa.Column("assigned_by", sa.Uuid(), nullable=True),
        sa.Column("assigned_at", columns.UtcDateTime(), nullable=False),
        *owned("user_roles"),
        points_at("user_roles", "user_id", "users"),
        points_at("user_roles", "role_id", "roles", ondelete="RESTRICT"),
        sa.UniqueConstraint("user_id", "role_id", name=op.f("uq_user_roles_user_id_role_id")),
    )
    raise_wall("user_roles")
    rows = [
        {
            "id": row.id,
            "organization_id": row.organization_id,
            "user_id": row.user_id,
            "role_id": roles[row.organization_id, row.role],
            "assigned_at": datetime.now(UTC),
        }
        for row in kept
    ]
    if rows:
        op.bulk_insert(made, rows)


def _create_second_factors() -> None:
    op.create_table(
        "former_passwords",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        *owned("former_passwords"),
        points_at("former_passwords", "user_id", "users"),
    )
    op.create_index("ix_former_passwords_user", "former_passwords", ["user_id", "created_at"])
    op.create_table(
        "second_factors",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("totp_seed", sa.String(), nullable=False),
        sa.Column("last_step", sa.Integer(), nullable=False),
        sa.Column("backup_codes", sa.String(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("confirmed_at", columns.UtcDateTime(), nullable=True),
        *owned("second_factors"),
        points_at("second_factors", "user_id", "users"),
        sa.UniqueConstraint("user_id", name=op.f("uq_second_factors_user_id")),
    )
    op.create_table(
        "one_time_tokens",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("sms_code", sa.String(), nullable=True),
        sa.Column("device_id", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("expires_at", columns.UtcDateTime(), nullable=False),
        sa.Column("used_at", columns.UtcDateTime(), nullable=True),
        *owned("one_time_tokens"),
        points_at("one_time_tokens", "user_id", "users"),
        sa.CheckConstraint(
            "purpose IN ('verify_email', 'reset_password', 'challenge')", name=op.f("ck_one_time_tokens_purpose")
        ),
        sa.UniqueConstraint("sha256", name=op.f("uq_one_time_tokens_sha256")),
    )
    op.create_index(op.f("ix_one_time_tokens_user_id"), "one_time_tokens", ["user_id"])
    for table in ("former_passwords", "second_factors", "one_time_tokens"):
        raise_wall(table)


def _create_sign_ins() -> None:
    for name in ("address", "user_agent", "device_id"):
        op.add_column("user_sessions", sa.Column(name, sa.String(), nullable=False, server_default=""))
    longest_ago = "1970-01-01 00:00:00" if not is_postgresql() else "1970-01-01 00:00:00+00"
    op.add_column(
        "user_sessions", sa.Column("last_seen_at", columns.UtcDateTime(), nullable=False, server_default=longest_ago)
    )
    op.add_column("user_sessions", sa.Column("revoke_reason", sa.String(), nullable=True))
    op.create_table(
        "used_refresh_tokens",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        *owned("used_refresh_tokens"),
        points_at("used_refresh_tokens", "session_id", "user_sessions"),
        sa.UniqueConstraint("sha256", name=op.f("uq_used_refresh_tokens_sha256")),
    )
    op.create_index(op.f("ix_used_refresh_tokens_session_id"), "used_refresh_tokens", ["session_id"])
    raise_wall("used_refresh_tokens")
    op.create_table(
        "failed_sign_ins",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_at", columns.UtcDateTime(), nullable=False),
        sa.Column("locked_until", columns.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_failed_sign_ins")),
    )
    op.create_index(op.f("ix_failed_sign_ins_last_at"), "failed_sign_ins", ["last_at"])
    op.create_table(
        "signing_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("secret", sa.String(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("retires_at", columns.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signing_keys")),
    )
    for table in ("failed_sign_ins", "signing_keys"):
        if is_postgresql():  # of no organisation: only work across organisations reads them
            system = f"nullif(current_setting('{SYSTEM_SETTING}', true), '') IS NOT NULL"
            op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
            op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
            op.execute(f"CREATE POLICY system_wall ON {table} USING ({system}) WITH CHECK ({system})")
        grant(table)


def downgrade() -> None:
    """Take them away; custom roles and who held them go with them."""
    for table in ("signing_keys", "failed_sign_ins", "used_refresh_tokens"):
        op.drop_table(table)
    for name in ("revoke_reason", "last_seen_at", "device_id", "user_agent", "address"):
        op.drop_column("user_sessions", name)
    for table in ("one_time_tokens", "second_factors", "former_passwords"):
        op.drop_table(table)
    if is_postgresql():
        op.execute(f"SELECT set_config('{SYSTEM_SETTING}', 'roles become names again', true)")
    names = (
        "SELECT u.id, u.organization_id, u.user_id, r.name AS role FROM user_roles u JOIN roles r ON r.id = u.role_id"
    )
    kept = op.get_bind().execute(sa.text(names).columns(id=sa.Uuid(), organization_id=sa.Uuid(), user_id=sa.Uuid()))
    rows = [row._asdict() for row in kept if row.role in _BUILT_IN]
    op.drop_table("user_roles")
    op.drop_table("roles")
    made = op.create_table(
        "user_roles",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        *owned("user_roles"),
        points_at("user_roles", "user_id", "users"),
        sa.UniqueConstraint(
            "organization_id", "user_id", "role", name=op.f("uq_user_roles_organization_id_user_id_role")
        ),
    )
    raise_wall("user_roles")
    if rows:
        op.bulk_insert(made, rows)
    for name in (
        "deleted_at",
        "last_signed_in_at",
        "avatar_id",
        "theme",
        "locale",
        "extra_permissions",
        "email_verified_at",
        "must_change_password",
        "password_changed_at",
        "phone",
    ):
        op.drop_column("users", name)
    for name in ("deactivated_at", "onboarding", "branding", "plan", "address", "phone", "email"):
        op.drop_column("organizations", name)
