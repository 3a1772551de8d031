"""The walls, for migrations: what every table of an organisation has, and row-level security on PostgreSQL.

`deploy/postgres/roles.sql` makes the roles, once, as the database's administrator.
"""

import sqlalchemy as sa
from alembic import op

from cloud_api.kernel.tenancy import platform_row_level_security, row_level_security

APP_ROLE = "coldfleet_app"
INGEST_ROLE = "coldfleet_ingest"
#: rights on a ledger: what was written stands
APPEND_ONLY = "SELECT, INSERT"


def is_postgresql() -> bool:
    """Whether this migration runs on PostgreSQL."""
    return bool(op.get_bind().dialect.name == "postgresql")


def owned(table: str) -> list[sa.schema.SchemaItem]:
    """The columns and keys that every table of an organisation has."""
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f(f"fk_{table}_organization_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("organization_id", "id", name=op.f(f"uq_{table}_organization_id_id")),
    ]


def points_at(table: str, column: str, target: str, *, ondelete: str = "CASCADE") -> sa.ForeignKeyConstraint:
    """A key from `column` of `table` to `target` that cannot leave the organisation."""
    return sa.ForeignKeyConstraint(
        ["organization_id", column],
        [f"{target}.organization_id", f"{target}.id"],
        name=op.f(f"fk_{table}_organization_id_{column}"),
        ondelete=ondelete,
    )


def raise_wall(table: str, *, key: str = "organization_id", rights: str = "SELECT, INSERT, UPDATE, DELETE") -> None:
    """Let the application use `table`, each organisation its own rows."""
    if not is_postgresql():
        return
    for statement in row_level_security(table, key=key):
        op.execute(statement)
    grant(table, rights=rights)


def raise_platform_wall(table: str) -> None:
    """Let every organisation read `table`, which is the platform's, and only work across organisations write it."""
    if not is_postgresql():
        return
    for statement in platform_row_level_security(table):
        op.execute(statement)
    grant(table)


def grant(table: str, *, rights: str = "SELECT, INSERT, UPDATE, DELETE", role: str = APP_ROLE) -> None:
    """Give a role rights on a table that belongs to no organisation."""
    if is_postgresql():
        op.execute(f"GRANT {rights} ON {table} TO {role}")


def revoke(table: str, *, rights: str) -> None:
    """Take the application's rights on a table back."""
    if is_postgresql():
        op.execute(f"REVOKE {rights} ON {table} FROM {APP_ROLE}")
