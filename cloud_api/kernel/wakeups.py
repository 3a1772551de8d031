"""Waking other processes: the outbox's readers, and whoever watches a topic.

PostgreSQL's NOTIFY carries both; where there is a Redis, its publish/subscribe carries the topics instead. Nothing but
names travels, and what is lost on the way is found by the readers' polling: so nobody ever waits for either.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Collection, Iterator
from types import TracebackType
from typing import Self

import asyncpg
import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from sqlalchemy import URL

log = structlog.get_logger(__name__)

OUTBOX_CHANNEL = "coldfleet_outbox"
TOPICS_CHANNEL = "coldfleet_topics"
_RECONNECT_S = 1.0
#: PostgreSQL takes payloads below 8,000 bytes
_PAYLOAD_BYTES = 7_900
#: of a Redis that does not answer; nobody waits for it but the topics
_REDIS_TIMEOUT_S = 2.0


def _nothing() -> None:
    return None


class PostgresWakeups:
    """One dedicated connection: tells others that something was emitted or changed, and hears it from them.

    Many signals of one kind may become one.

    Args:
        on_wake: something was emitted, here or elsewhere, or may have been while nobody listened.
        on_topic: a topic has changed, here or elsewhere.
        on_missed: topics may have changed while nobody listened.
    """

    def __init__(
        self,
        url: URL,
        on_wake: Callable[[], None],
        on_topic: Callable[[str], None] = lambda _topic: None,
        on_missed: Callable[[], None] = _nothing,
    ) -> None:
        self._dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._on_wake = on_wake
        self._on_topic = on_topic
        self._on_missed = on_missed
        self._emitted = False
        self._topics: set[str] = set()
        self._signal = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def notify(self) -> None:
        """Something was emitted: wake the outbox's readers."""
        self._emitted = True
        self._signal.set()

    def announce(self, topic: str) -> None:
        """A topic has changed: wake whoever watches it, here at once and elsewhere."""
        self._on_topic(topic)
        self._topics.add(topic)
        self._signal.set()

    async def __aenter__(self) -> Self:
        lost = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)
        self._task = asyncio.create_task(_keep_up(self._converse, lost), name="wake-ups")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _converse(self) -> None:
        connection = await asyncpg.connect(self._dsn)
        try:
            connection.add_termination_listener(lambda _: self._signal.set())
            own = connection.get_server_pid()

            def hear(_connection: object, pid: int, _channel: str, payload: str) -> None:
                if pid != own:
                    for topic in payload.split("\n"):
                        self._on_topic(topic)

            await connection.add_listener(OUTBOX_CHANNEL, lambda *_: self._on_wake())
            await connection.add_listener(TOPICS_CHANNEL, hear)
            self._on_wake()
            self._on_missed()
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
        try:
            if emitted:
                await connection.execute(f"NOTIFY {OUTBOX_CHANNEL}")
            for payload in payloads(topics):
                await connection.execute("SELECT pg_notify($1, $2)", TOPICS_CHANNEL, payload)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            self._emitted, self._topics = True, self._topics | topics
            self._signal.set()
            raise


class RedisTopics:
    """Tells other processes by Redis that topics have changed, and hears it from them.

    Without Redis only watchers of the same process are woken at once. Its arguments are those of `PostgresWakeups`.
    """

    def __init__(self, url: str, on_topic: Callable[[str], None], on_missed: Callable[[], None]) -> None:
        self._url = url
        self._on_topic = on_topic
        self._on_missed = on_missed
        self._topics: set[str] = set()
        #: who says it: what we have said ourselves comes back to us
        self._own = uuid.uuid4().hex
        self._signal = asyncio.Event()

    def announce(self, topic: str) -> None:
        """A topic has changed: wake whoever watches it, here at once and elsewhere."""
        self._on_topic(topic)
        self._topics.add(topic)
        self._signal.set()

    async def run(self) -> None:
        """Tell and hear until cancelled; a Redis that went away is looked for again."""
        await _keep_up(self._converse, (OSError, RedisError))

    async def _converse(self) -> None:
        async with (
            Redis.from_url(
                self._url,
                socket_connect_timeout=_REDIS_TIMEOUT_S,
                socket_timeout=_REDIS_TIMEOUT_S,
                retry=Retry(NoBackoff(), 0),
                decode_responses=True,
            ) as redis,
            redis.pubsub(ignore_subscribe_messages=True) as heard,
        ):
            await heard.subscribe(TOPICS_CHANNEL)
            self._on_missed()
            both = [asyncio.create_task(self._hear(heard)), asyncio.create_task(self._tell(redis))]
            try:
                await asyncio.gather(*both)
            finally:
                for task in both:
                    task.cancel()
                await asyncio.gather(*both, return_exceptions=True)

    async def _hear(self, heard: PubSub) -> None:
        asked = False
        while True:
            message = await heard.get_message(timeout=_REDIS_TIMEOUT_S)
            if message is None and asked:
                raise RedisError("it does not answer")
            asked = message is None
            if message is None:
                await heard.ping()
            elif message["type"] == "message":
                own, *topics = message["data"].split("\n")
                for topic in topics if own != self._own else ():
                    self._on_topic(topic)

    async def _tell(self, redis: Redis) -> None:
        while True:
            await self._signal.wait()
            self._signal.clear()
            topics, self._topics = self._topics, set()
            if not topics:
                continue
            try:
                await redis.publish(TOPICS_CHANNEL, "\n".join([self._own, *topics]))
            except (OSError, RedisError):
                self._topics |= topics
                self._signal.set()
                raise


async def _keep_up(converse: Callable[[], Awaitable[None]], lost: tuple[type[Exception], ...]) -> None:
    """Converse until cancelled; a connection that is lost is opened again."""
    while True:
        try:
            await converse()
        except lost as error:
            log.warning("wakeups_disconnected", error=f"{type(error).__name__}: {error}")
        await asyncio.sleep(_RECONNECT_S)


def payloads(topics: Collection[str]) -> Iterator[str]:
    """The topics by lines, as few payloads as PostgreSQL takes them in."""
    lines: list[str] = []
    size = 0
    for topic in topics:
        length = len(topic.encode()) + 1
        if lines and size + length > _PAYLOAD_BYTES:
            yield "\n".join(lines)
            lines, size = [], 0
        lines.append(topic)
        size += length
    if lines:
        yield "\n".join(lines)
