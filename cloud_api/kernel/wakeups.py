"""Waking other processes on PostgreSQL, by NOTIFY: the outbox's readers, and whoever watches a topic."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self

import asyncpg
import structlog
from sqlalchemy import URL

log = structlog.get_logger(__name__)

OUTBOX_CHANNEL = "coldfleet_outbox"
TOPICS_CHANNEL = "coldfleet_topics"
_RECONNECT_S = 1.0


class PostgresWakeups:
    """One dedicated connection: tells others that something was emitted or changed, and hears it from them.

    A lost connection is opened again; what was missed meanwhile is found by the readers' polling. Many signals of one
    kind may become one.
    """

    def __init__(
        self, url: URL, on_wake: Callable[[], None], on_topic: Callable[[str], None] = lambda _topic: None
    ) -> None:
        self._dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._on_wake = on_wake
        self._on_topic = on_topic
        self._emitted = False
        self._topics: set[str] = set()
        self._signal = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def notify(self) -> None:
        """Something was emitted: wake the outbox's readers."""
        self._emitted = True
        self._signal.set()

    def announce(self, topic: str) -> None:
        """A topic has changed: wake whoever watches it, here and elsewhere."""
        self._topics.add(topic)
        self._signal.set()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="outbox wake-ups")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                await self._converse()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("outbox_wakeups_disconnected", error=str(error))
            await asyncio.sleep(_RECONNECT_S)

    async def _converse(self) -> None:
        connection = await asyncpg.connect(self._dsn)
        try:
            connection.add_termination_listener(lambda _: self._signal.set())
            await connection.add_listener(OUTBOX_CHANNEL, lambda *_: self._on_wake())
            await connection.add_listener(TOPICS_CHANNEL, lambda *signal: self._on_topic(str(signal[-1])))
            self._on_wake()
            while True:
                await self._signal.wait()
                self._signal.clear()
                await self._send(connection)
        finally:
            await connection.close(timeout=2)

    async def _send(self, connection: asyncpg.Connection) -> None:
        if connection.is_closed():
            raise asyncpg.InterfaceError("the connection is closed")
        emitted, topics = self._emitted, self._topics
        self._emitted, self._topics = False, set()
        if emitted:
            await connection.execute(f"NOTIFY {OUTBOX_CHANNEL}")
        for topic in topics:
            await connection.execute("SELECT pg_notify($1, $2)", TOPICS_CHANNEL, topic)
