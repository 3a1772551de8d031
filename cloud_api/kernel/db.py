"""The database: engine, sessions, and the one place where anything is committed.

SQLite (embedded) has one writer at a time: writing units of work queue on a lock in this process, and begin with
BEGIN IMMEDIATE so that none fails half-way for want of the lock. PostgreSQL needs neither.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import asyncpg
import structlog
from sqlalchemy import JSON, MetaData, event, make_url
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import Connection
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InvalidatePoolError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.pool import ConnectionPoolEntry

from cloud_api.kernel.columns import UtcDateTime
from cloud_api.kernel.errors import AppError
from cloud_api.kernel.ids import new_id
from cloud_api.kernel.tenancy import (
    STAMPED,
    Actor,
    OrganizationOwned,
    OrganizationScope,
    Scope,
    ScopedSession,
    SystemScope,
    TenancyViolation,
)

log = structlog.get_logger(__name__)

#: what is raised when the database does not answer, or refuses; of a refused connection SQLAlchemy passes on asyncpg's
DATABASE_FAILURES = (SQLAlchemyError, OSError, asyncpg.PostgresError)

#: a connection that was not used for so long is asked whether it is still there
_STILL_S = 30.0
_LAID_DOWN_S = "coldfleet_laid_down_s"


class Base(DeclarativeBase):
    """Declarative base: names every constraint, so that migrations can speak of it."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {datetime: UtcDateTime(), dict[str, object]: JSON()}


class Database:
    """One database and the units of work on it."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = _sqlite_engine(url) if self.is_sqlite else _postgres_engine(url, pool_size)
        self._sessions = async_sessionmaker(
            class_=AsyncSession, sync_session_class=ScopedSession, expire_on_commit=False
        )
        self._writer = asyncio.Lock()
        #: called after each commit that emitted an event; the outbox puts its wake-up here
        self.on_emitted: Callable[[], None] = lambda: None
        #: called after each commit with the topics that `announce` named; live views hang on it
        self.on_announced: Callable[[Collection[str]], None] = lambda _topics: None

    @asynccontextmanager
    async def unit_of_work(
        self, scope: Scope, *, read_only: bool = False, actor: Actor | None = None
    ) -> AsyncIterator[AsyncSession]:
        """One transaction for one request, message or task: committed at the end, or nothing of it happened.

        An `AppError` that `keeps_work` is raised after the commit instead of preventing it.
        """
        refusal: AppError | None = None
        if isinstance(scope, SystemScope):
            log.debug("system_session", reason=scope.reason)
        async with AsyncExitStack() as stack:
            if self.is_sqlite and not read_only:
                await stack.enter_async_context(self._writer)
            bind = self.engine.execution_options(coldfleet_read_only=read_only)
            session = self._sessions(bind=bind, info={"scope": scope, "actor": actor})
            try:
                try:
                    yield session
                except AppError as error:
                    if not error.keeps_work:
                        raise
                    refusal = error
                await _to_its_end(session.commit())
            finally:
                await _to_its_end(_let_go(session))
        if session.info.get("emitted"):
            self.on_emitted()
        if topics := session.info.get("topics"):
            self.on_announced(topics)
        if refusal is not None:
            raise refusal

    async def close(self) -> None:
        """Let every connection go."""
        await self.engine.dispose()


async def _let_go(session: AsyncSession) -> None:
    """Undo what is not committed, a commit that failed included, and give the connection back."""
    try:
        await session.rollback()
    finally:
        await session.close()


async def _to_its_end(ending: Coroutine[Any, Any, None]) -> None:
    """Await what must not be given up half-way: whoever is cancelled meanwhile hears of it afterwards."""
    task = asyncio.create_task(ending)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def _postgres_engine(url: str, pool_size: int) -> AsyncEngine:
    """A database that was restarted fails no request: it closes its connections, which is seen before one is used.

    Only one that lay still is asked as well, because what stands between may have dropped it without a word: to ask
    costs three round trips, and a page of the console uses a dozen connections.
    """
    engine = create_async_engine(url, pool_size=pool_size, hide_parameters=True)

    @event.listens_for(engine.sync_engine, "checkin")
    def note_when(_connection: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
        entry.info[_LAID_DOWN_S] = time.monotonic()

    @event.listens_for(engine.sync_engine, "checkout")
    def see_that_it_is_there(connection: DBAPIConnection, entry: ConnectionPoolEntry, _lent: object) -> None:
        if connection.driver_connection.is_closed():
            raise InvalidatePoolError
        now_s = time.monotonic()
        if now_s - entry.info.get(_LAID_DOWN_S, now_s) < _STILL_S:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError from error

    return engine


def _sqlite_engine(url: str) -> AsyncEngine:
    path = make_url(url).database
    if path and path != ":memory:":
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    engine = create_async_engine(url, connect_args={"timeout": 30}, hide_parameters=True)

    @event.listens_for(engine.sync_engine, "connect")
    def configure(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # SQLAlchemy, not the driver, says BEGIN
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "invalidate")
    def give_the_lock_back(connection: DBAPIConnection, _entry: ConnectionPoolEntry, _error: object) -> None:
        # a cancelled statement's cursor lives as long as its traceback, and keeps even a closed connection's lock
        connection.rollback()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        read_only = connection.get_execution_options().get("coldfleet_read_only", False)
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine


def announce(db: AsyncSession, topic: str) -> None:
    """Wake those who watch `topic`, once this unit of work is committed. Nothing but the topic's name travels."""
    db.sync_session.info.setdefault("topics", set()).add(topic)


def once_committed(db: AsyncSession, do: Callable[[], None]) -> None:
    """Call `do` when this unit of work has been committed, and not when a savepoint of it is released."""

    def committed(session: Session) -> None:
        if not session.in_nested_transaction():
            do()

    event.listen(db.sync_session, "after_commit", committed)


async def insert_missing(db: AsyncSession, model: type[Base], values: Mapping[str, object]) -> None:
    """Insert one row unless one with the same unique key is there; the caller then reads or locks it.

    Safe against another transaction that does the same at this moment.
    """
    scope = db.sync_session.info["scope"]
    row, options = dict(values), dict[str, object]()
    if issubclass(model, OrganizationOwned):
        if not isinstance(scope, OrganizationScope):
            raise TenancyViolation("insert_missing needs the session of an organisation")
        row = {"id": new_id(), **row, "organization_id": scope.organization_id}
    if isinstance(scope, OrganizationScope):
        options[STAMPED] = scope.organization_id
    insert = sqlite_insert if db.get_bind().dialect.name == "sqlite" else postgresql_insert
    await db.execute(insert(model).values(**row).on_conflict_do_nothing(), execution_options=options)
