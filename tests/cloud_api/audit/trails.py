"""What tests of the trail share: work that leaves entries, and hands that reach past the application."""

import asyncio
import sqlite3
import uuid
from collections.abc import Sequence

from sqlalchemy import make_url, select

from cloud_api.audit.models import AuditEntry, AuditSeal
from cloud_api.audit.sealer import Sealer
from cloud_api.audit.service import record
from cloud_api.kernel.db import Database
from cloud_api.kernel.settings import DEVELOPMENT_SECRET
from cloud_api.kernel.tenancy import OrganizationScope
from tests.services.postgres import PrivatePostgres

KEY = DEVELOPMENT_SECRET


async def entries_of(database: Database, scope: OrganizationScope, entity: str | None = None) -> Sequence[AuditEntry]:
    """The trail of an organisation, oldest first."""
    statement = select(AuditEntry).order_by(AuditEntry.id)
    if entity is not None:
        statement = statement.where(AuditEntry.entity == entity)
    async with database.unit_of_work(scope, read_only=True) as db:
        return (await db.scalars(statement)).all()


async def seals_of(database: Database, scope: OrganizationScope) -> Sequence[AuditSeal]:
    """The chain of an organisation."""
    async with database.unit_of_work(scope, read_only=True) as db:
        return (await db.scalars(select(AuditSeal).order_by(AuditSeal.sequence))).all()


async def leave(database: Database, scope: OrganizationScope, *notes: str) -> list[uuid.UUID]:
    """An entry with each note, in one unit of work."""
    async with database.unit_of_work(scope) as db:
        return [
            record(db, action="noted", entity="tests", entity_id="1", new={"figure": 0.1}, note=note).id
            for note in notes
        ]


async def seal_all(database: Database) -> None:
    """Seal what waits, of whichever organisation."""
    sealer = Sealer(database, KEY)
    while await sealer.seal_due():
        pass


async def tamper(database: Database, server: PrivatePostgres, *statements: str) -> None:
    """Run statements as somebody who may do anything: the owner of the file, or the database's administrator."""
    if not database.is_sqlite:
        # keys are no hindrance to this hand
        script = "; ".join(["SET session_replication_role = replica", *statements])
        await server.execute(script, database=str(database.url.database))
        return
    await asyncio.to_thread(_tamper_with_file, str(make_url(database.url).database), statements)


def _tamper_with_file(path: str, statements: Sequence[str]) -> None:
    """The guards are away for this hand only: other stories on the same file rely on them."""
    connection = sqlite3.connect(path, timeout=20, isolation_level=None)
    try:
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            guards = connection.execute(
                "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name IN (?, ?)",
                ("audit_entries", "audit_seals"),
            ).fetchall()
            for name, _ in guards:
                connection.execute(f"DROP TRIGGER {name}")
            for statement in statements:
                connection.execute(statement)
            for _, sql in guards:
                connection.execute(sql)
    finally:
        connection.close()


def where(database: Database, statement: str, value: uuid.UUID, *, column: str = "id") -> str:
    """`statement` for the rows whose column has this id, which each engine keeps in its way."""
    return f"{statement} WHERE {column} = '{value.hex if database.is_sqlite else value}'"
