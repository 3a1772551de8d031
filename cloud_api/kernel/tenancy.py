"""The walls between organisations.

1. Every ORM statement of a session gets `organization_id = <the session's>`; what that does not reach is refused
   (`_scope_statement`).
2. Every flushed row is stamped with it, or refused when it names another (`_stamp_rows`). A session without a scope
   refuses every statement.
3. Keys that point at another row carry the organisation with them (`same_organization`).
4. PostgreSQL holds the same rule by row-level security for a role that cannot bypass it; it reads the scope from a
   transaction-local setting (`_tell_the_database`).

Work across organisations says why: `SystemScope(reason)`; each such session is logged.
"""

import uuid
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from sqlalchemy import Connection, ForeignKeyConstraint, Table, TextClause, UniqueConstraint, Update, event, text
from sqlalchemy.orm import (
    Mapped,
    ORMExecuteState,
    Session,
    SessionTransaction,
    mapped_column,
    with_loader_criteria,
)
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import ClauseElement, ColumnElement

from cloud_api.kernel.ids import new_id

#: settings that the row-level security policies read
ORGANIZATION_SETTING = "coldfleet.organization_id"
SYSTEM_SETTING = "coldfleet.system_reason"
#: in a policy: whether the transaction works across organisations
_SYSTEM = f"nullif(current_setting('{SYSTEM_SETTING}', true), '') IS NOT NULL"

#: execution option of a bulk insert whose rows are known to carry the session's organisation
STAMPED = "coldfleet_stamped"


_OF_A_MODEL = frozenset({"parententity", "_orm_adapt"})


class TenancyViolation(RuntimeError):
    """A programming error: a statement or row outside its organisation. Answered as 500, never explained."""


@dataclass(frozen=True)
class OrganizationScope:
    """Work for one organisation."""

    organization_id: uuid.UUID


@dataclass(frozen=True)
class SystemScope:
    """Work across organisations: signing in, delivering events, jobs."""

    reason: str


Scope = OrganizationScope | SystemScope


@dataclass(frozen=True)
class Actor:
    """Who does the work of a session, and from where; `info["actor"]`, for the trail."""

    #: user, gateway, api_key, oauth_client, worker, or nobody before a sign-in
    kind: str
    id: uuid.UUID | None
    name: str
    #: IP address; empty when the work came by no request
    address: str = ""
    #: theirs; what they change of the platform's own stands in its trail
    organization_id: uuid.UUID | None = None


class Scoped:
    """Mixin of everything with an organisation, tables and views alike: what the first two walls look for."""

    organization_id: Mapped[uuid.UUID] = mapped_column()


class OrganizationOwned(Scoped):
    """Mixin of every table that belongs to an organisation. Its rows can be pointed at by `same_organization`."""

    #: changes of its rows enter the audit trail; streams, projections and plumbing say False, and single columns
    #: `mapped_column(info={"audited": False})`
    __audited__: ClassVar[bool] = True

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        table = cls.__dict__.get("__table__")
        if table is not None:
            table.append_constraint(
                ForeignKeyConstraint(["organization_id"], ["organizations.id"], ondelete="RESTRICT")
            )
            table.append_constraint(UniqueConstraint("organization_id", "id"))


class OrganizationRoot:
    """Mixin of the one table whose rows are the organisations: each sees itself."""

    __audited__: ClassVar[bool] = True

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)


class PlatformWide:
    """Mixin of tables that belong to no organisation: all may read them, only work across organisations writes them."""

    __audited__: ClassVar[bool] = True


def same_organization(column: str, target: str, *, ondelete: str = "RESTRICT") -> ForeignKeyConstraint:
    """A foreign key from `column` to table `target` that cannot leave the organisation."""
    return ForeignKeyConstraint(
        ["organization_id", column], [f"{target}.organization_id", f"{target}.id"], ondelete=ondelete
    )


class ScopedSession(Session):
    """A session that knows for whom it works; the scope stands in `info["scope"]`."""

    @property
    def scope(self) -> Scope:
        """For whom this session works.

        Raises:
            TenancyViolation: when nobody said.
        """
        scope = self.info.get("scope")
        if not isinstance(scope, OrganizationScope | SystemScope):
            raise TenancyViolation("a session without an organisation refuses every statement")
        return scope


@event.listens_for(ScopedSession, "do_orm_execute")
def _scope_statement(state: ORMExecuteState) -> None:
    assert isinstance(state.session, ScopedSession)  # noqa: S101 - the listener's own target
    scope = state.session.scope
    if isinstance(scope, SystemScope):
        return
    _refuse_what_no_criteria_reach(state, scope.organization_id)
    if (
        (state.is_update or state.is_delete)
        and state.bind_mapper
        and issubclass(state.bind_mapper.class_, PlatformWide)
    ):
        raise TenancyViolation(f"{state.bind_mapper.class_.__name__} is written in a system session")
    organization_id = scope.organization_id
    state.statement = state.statement.options(
        with_loader_criteria(
            Scoped,
            lambda cls: cls.organization_id == organization_id,
            include_aliases=True,
        ),
        with_loader_criteria(OrganizationRoot, lambda cls: cls.id == organization_id, include_aliases=True),
    )


def _refuse_what_no_criteria_reach(state: ORMExecuteState, organization_id: uuid.UUID) -> None:
    """Raw SQL, bare tables and bulk writes, whole or as a part of a statement over models."""
    elements = visitors.iterate(cast(ClauseElement, state.statement))
    if not state.is_orm_statement or any(map(_is_bare, elements)):
        raise TenancyViolation("raw SQL and Core statements are not scoped: write it with the models")
    if state.is_insert and state.execution_options.get(STAMPED) != organization_id:
        raise TenancyViolation("bulk insert outside kernel.db.insert_missing")
    if isinstance(state.statement, Update):
        if state.parameters:
            raise TenancyViolation("bulk update by key is not scoped: say which rows with where()")
        written = (*(state.statement._values or ()), *(column for column, _ in state.statement._ordered_values or ()))
        if "organization_id" in {getattr(column, "key", column) for column in written}:
            raise TenancyViolation("a row stays with its organisation")


def _is_bare(element: visitors.ExternallyTraversible) -> bool:
    """SQL as text, or a table's column that came there by no model."""
    if not isinstance(element, ColumnElement):
        return isinstance(element, TextClause)
    table = getattr(element, "table", None)
    # `_orm_adapt` is what `Session.get` marks its own clause with
    return isinstance(getattr(table, "element", table), Table) and not _OF_A_MODEL & element._annotations.keys()


@event.listens_for(ScopedSession, "before_flush")
def _stamp_rows(session: ScopedSession, _context: object, _instances: object) -> None:
    scope = session.scope
    for row in (*session.new, *session.dirty, *session.deleted):
        if (
            isinstance(row, OrganizationRoot)
            and isinstance(scope, OrganizationScope)
            and row.id != scope.organization_id
        ):
            raise TenancyViolation("organisations are founded in a system session")
        if isinstance(row, PlatformWide) and isinstance(scope, OrganizationScope):
            raise TenancyViolation(f"{type(row).__name__} is written in a system session")
        if not isinstance(row, Scoped):
            continue
        if isinstance(scope, OrganizationScope):
            if row.organization_id is None:
                row.organization_id = scope.organization_id
            if row.organization_id != scope.organization_id:
                raise TenancyViolation(f"{type(row).__name__} of another organisation")
        elif row.organization_id is None:
            raise TenancyViolation(f"{type(row).__name__} written across organisations must name its own")


@event.listens_for(ScopedSession, "after_begin")
def _tell_the_database(session: ScopedSession, _transaction: SessionTransaction, connection: Connection) -> None:
    scope = session.scope
    if connection.dialect.name != "postgresql":
        return
    organization = str(scope.organization_id) if isinstance(scope, OrganizationScope) else ""
    reason = scope.reason if isinstance(scope, SystemScope) else ""
    connection.execute(
        text("SELECT set_config(:organization_key, :organization, true), set_config(:reason_key, :reason, true)"),
        {
            "organization_key": ORGANIZATION_SETTING,
            "organization": organization,
            "reason_key": SYSTEM_SETTING,
            "reason": reason,
        },
    )


def row_level_security(table: str, *, key: str = "organization_id") -> list[str]:
    """The statements that put `table` behind the fourth wall, for migrations."""
    own = f"{key} = nullif(current_setting('{ORGANIZATION_SETTING}', true), '')::uuid"
    return [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY organization_wall ON {table} USING ({own} OR {_SYSTEM}) WITH CHECK ({own} OR {_SYSTEM})",
    ]


def platform_row_level_security(table: str) -> list[str]:
    """The same for a table of the platform: readable by all, written by work across organisations."""
    return [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY platform_window ON {table} FOR SELECT USING (true)",
        f"CREATE POLICY platform_wall ON {table} USING ({_SYSTEM}) WITH CHECK ({_SYSTEM})",
    ]
