"""Writing the trail. Importing this module lets every flushed change of an audited row write its own entry.

An entry is written in the transaction of the work, with no lock and no look at other entries: it is the sealer that
chains them, afterwards. What stays out of the trail: models with `__audited__ = False`, columns with
`info={"audited": False}`. Secrets are named, never told (`CONCEALED`).

`insert_missing` is heard when it did insert. Bulk updates and deletes pass by; so do rows that the database deletes by
a key's ON DELETE CASCADE.
"""

import hashlib
import math
import uuid
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any, cast

import structlog
from sqlalchemy import Column, CursorResult, Insert, Result, event, inspect
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstanceState, Mapper, ORMExecuteState, Session
from sqlalchemy.sql.elements import ClauseElement

from cloud_api.audit.models import AuditEntry, UnsealedEntry
from cloud_api.kernel import clock
from cloud_api.kernel.ids import new_id
from cloud_api.kernel.tenancy import (
    Actor,
    OrganizationOwned,
    OrganizationRoot,
    OrganizationScope,
    PlatformWide,
    ScopedSession,
    SystemScope,
    TenancyViolation,
)
from cloud_api.kernel.vault import Sealed

#: stands for the value of a secret, of a hash, of what is sealed in the database
CONCEALED = "***"
_HASHES = ("hash", "sha256")

_Audited = OrganizationOwned | OrganizationRoot | PlatformWide


def actor_of(session: Session, known: Actor | None = None) -> Actor:
    """Who does the work of `session`: `known` when the room knows better; the address is the session's in any case."""
    ours = session.info.get("actor")
    if known is not None:
        address = known.address or (ours.address if ours else "")
        return Actor(known.kind, known.id, known.name, address, known.organization_id)
    if isinstance(ours, Actor):
        return ours
    scope = session.info.get("scope")
    return Actor("system", None, scope.reason if isinstance(scope, SystemScope) else "")


def organization_of(session: Session, organization_id: uuid.UUID | None) -> uuid.UUID:
    """`organization_id`, or the session's own.

    Raises:
        TenancyViolation: when a system session does not say for whom.
    """
    scope = session.info.get("scope")
    if organization_id is not None:
        return organization_id
    if not isinstance(scope, OrganizationScope):
        raise TenancyViolation("what a system session records must name its organisation")
    return scope.organization_id


def request_id() -> str:
    """The id of the request, or of the one whose event is being delivered; empty otherwise."""
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))


def record(
    db: AsyncSession,
    *,
    action: str,
    entity: str,
    entity_id: uuid.UUID | str,
    old: Mapping[str, object] | None = None,
    new: Mapping[str, object] | None = None,
    note: str = "",
    organization_id: uuid.UUID | None = None,
    actor: Actor | None = None,
) -> AuditEntry:
    """Write an entry for what changes no row: a sign-in, an export. What it is given it writes; conceal secrets first.

    A system session names the `organization_id`. `actor` when the session's own does not know yet who it is.

    Raises:
        TenancyViolation: when a system session does not say for whom.
    """
    session = db.sync_session
    return _write(
        session,
        organization_of(session, organization_id),
        actor_of(session, actor),
        action=action,
        entity=entity,
        entity_id=str(entity_id),
        old=None if old is None else {key: plain(value) for key, value in old.items()},
        new=None if new is None else {key: plain(value) for key, value in new.items()},
        note=note,
    )


def _write(
    session: Session,
    organization_id: uuid.UUID,
    actor: Actor,
    *,
    action: str,
    entity: str,
    entity_id: str,
    old: dict[str, object] | None,
    new: dict[str, object] | None,
    note: str = "",
) -> AuditEntry:
    entry = AuditEntry(
        id=new_id(),
        organization_id=organization_id,
        occurred_at=clock.now(),
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_name=actor.name,
        address=actor.address,
        request_id=request_id(),
        action=action,
        entity=entity,
        entity_id=entity_id,
        old=old,
        new=new,
        note=note,
    )
    session.add_all((entry, UnsealedEntry(id=entry.id, organization_id=organization_id)))
    return entry


@event.listens_for(ScopedSession, "after_flush")
def _record_rows(session: ScopedSession, _context: object) -> None:
    """Not before the flush: only it gives a new row its id and its defaults. The histories still stand."""
    actor = actor_of(session)
    for verb, rows in (("created", session.new), ("changed", session.dirty), ("deleted", session.deleted)):
        for row in [row for row in rows if _is_audited(type(row))]:
            organization_id = _whose(row, actor)
            state: InstanceState[_Audited] = inspect(row)
            old, new = _before_and_after(verb, state)
            if organization_id is not None and (old or new):
                _write_row(session, organization_id, actor, state.mapper, row.id, verb, old, new)


def _whose(row: object, actor: Actor) -> uuid.UUID | None:
    """In whose trail a change stands; of the platform's own rows, in that of who changed them."""
    if isinstance(row, OrganizationRoot):
        return row.id
    return row.organization_id if isinstance(row, OrganizationOwned) else actor.organization_id


@event.listens_for(ScopedSession, "do_orm_execute")
def _record_inserts(state: ORMExecuteState) -> Result[Any] | None:
    """`kernel.db.insert_missing`, the one insert that the walls let pass beside the flush."""
    mapper, statement = state.bind_mapper, state.statement
    if not isinstance(statement, Insert) or mapper is None or not _is_audited(mapper.class_):
        return None
    result = cast(CursorResult[Any], state.invoke_statement())
    if result.rowcount > 0:
        written: Mapping[Any, Any] = statement._values or {}
        values = {getattr(column, "key", ""): getattr(bound, "value", bound) for column, bound in written.items()}
        new = {
            key: _told(column, values[key]) for key, column in audited_columns(mapper) if values.get(key) is not None
        }
        session = state.session
        _write_row(session, values["organization_id"], actor_of(session), mapper, values["id"], "created", {}, new)
    return result


def _is_audited(model: type[object]) -> bool:
    return issubclass(model, _Audited) and model.__audited__


def _write_row(
    session: Session,
    organization_id: uuid.UUID,
    actor: Actor,
    mapper: Mapper[Any],
    row_id: object,
    verb: str,
    old: dict[str, object],
    new: dict[str, object],
) -> None:
    table = str(mapper.local_table.description)
    _write(
        session,
        organization_id,
        actor,
        action=f"{table}.{verb}",
        entity=table,
        entity_id=str(row_id),
        old=old or None,
        new=new or None,
    )


def _before_and_after(verb: str, state: InstanceState[_Audited]) -> tuple[dict[str, object], dict[str, object]]:
    old: dict[str, object] = {}
    new: dict[str, object] = {}
    for key, column in audited_columns(state.mapper):
        if verb == "changed":
            history = state.attrs[key].history
            if history.has_changes():
                old[key] = _told(column, history.deleted[0] if history.deleted else None)
                new[key] = _told(column, history.added[0] if history.added else None)
        elif state.dict.get(key) is not None:
            (new if verb == "created" else old)[key] = _told(column, state.dict[key])
    return old, new


def audited_columns(mapper: Mapper[_Audited]) -> Iterator[tuple[str, Column[object]]]:
    """(attribute, column) of what the trail tells of a model; its key and its organisation stand beside that."""
    for attribute in mapper.column_attrs:
        column = attribute.columns[0]
        if (
            isinstance(column, Column)
            and attribute.key not in {"id", "organization_id"}
            and column.info.get("audited", True)
        ):
            yield attribute.key, column


def _told(column: Column[object], value: object) -> object:
    if value is None:
        return None
    if isinstance(column.type, Sealed) or column.name.endswith(_HASHES):
        return CONCEALED
    return plain(value)


def plain(value: object) -> object:
    """`value` as JSON can carry it there and back: numbers that are not finite and everything else as text."""
    if isinstance(value, Enum):
        return plain(value.value)
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(inner) for inner in (sorted(value, key=str) if isinstance(value, set | frozenset) else value)]
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return f"{len(value)} bytes, sha256 {hashlib.sha256(value).hexdigest()}"
    if isinstance(value, ClauseElement):
        return "computed by the database"
    return str(value) if isinstance(value, uuid.UUID | Decimal) else repr(value)
