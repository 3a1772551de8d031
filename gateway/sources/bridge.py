"""A client on the site's broker: what the broker hands over is acknowledged when it is on disk, and not before.

The session is persistent: while the gateway is away the broker collects, and what was not acknowledged it sends again.
A message that the broker had kept (retain) and sends because we subscribe is no new reading: it is acknowledged,
counted, and left. One published while we were away comes out of the session instead, and is new.

What the broker itself loses, nobody here can bring back; what can be known of that is said in the log.
"""

import asyncio
import logging
import sqlite3
import ssl
from dataclasses import dataclass

import msgspec

from gateway.backoff import Backoff
from gateway.clock import Clock
from gateway.config import BridgeSettings
from gateway.errors import ConfigError
from gateway.pipeline import Message, Pipeline
from gateway.sources.broker_client import BrokerClient, BrokerLost, Delivery
from gateway.spool import Spool

_log = logging.getLogger(__name__)

#: received and not yet handed to the pipeline; above either the gateway stops reading from the broker
MAX_WAITING = 1000
MAX_WAITING_BYTES = 4 << 20
_LONGEST_PAUSE_S = 30.0
_ANSWER_WITHIN_S = 10.0
#: how many messages Mosquitto has thrown away because a queue was full, over all its clients
_DROPPED_TOPIC = "$SYS/broker/publish/messages/dropped"
_SESSION_LOST = (
    "bridge: the broker has forgotten this gateway's session, and with it what it had collected for us: let it keep "
    "sessions (Mosquitto: persistence true, autosave_interval 1, no persistent_client_expiration)"
)
_DROPS = (
    "bridge: the broker threw %d messages away because a queue was full; if they were ours they are lost: "
    "set max_queued_messages 0 in Mosquitto"
)


class _Session(msgspec.Struct):
    """What the broker was last asked to keep for us."""

    host: str
    port: int
    client_id: str
    topics: list[str]


@dataclass(slots=True)
class Counts:
    """Since the start of the process."""

    connections: int = 0
    received: int = 0
    retained_ignored: int = 0


class Bridge:
    """Feeds the pipeline from a broker, through its restarts and ours."""

    def __init__(self, settings: BridgeSettings, pipeline: Pipeline, spool: Spool, clock: Clock) -> None:
        """Raises ConfigError when `bridge.ca_file` cannot be used."""
        self.counts = Counts()
        self.address = f"mqtt{'s' * settings.tls}://{settings.host}:{settings.port} as {settings.client_id}"
        self._settings = settings
        self._tls = _tls_context(settings)
        self._pipeline = pipeline
        self._spool = spool
        self._clock = clock
        self._client: BrokerClient | None = None
        self._waiting: list[Delivery] = []
        self._waiting_bytes = 0
        self._arrived = asyncio.Event()
        self._closing = asyncio.Event()
        self._closed = asyncio.Event()
        self._dropped: int | None = None

    async def run(self) -> None:
        """Connect, receive, and connect again as often as it takes, until `close`."""
        backoff = Backoff(_LONGEST_PAUSE_S)
        try:
            while not self._closing.is_set():
                try:
                    await self._session(backoff)
                except* BrokerLost as lost:
                    delay_s = backoff.next_delay_s()
                    _log.warning("bridge: %s: %s; again in %.1f s", self.address, str(lost.exceptions[0]), delay_s)
                    await Clock().wait(self._closing, delay_s)  # real time, like the broker's
        finally:
            self._closed.set()

    async def close(self) -> None:
        """Stop reading, acknowledge what was read, disconnect."""
        self._closing.set()
        self._arrived.set()
        await self._closed.wait()

    async def _session(self, backoff: Backoff) -> None:
        """One connection, from CONNECT to `close`. Raises BrokerLost, alone or in a group."""
        self._waiting, self._waiting_bytes = [], 0  # of the connection before: the broker sends them again
        async with BrokerClient(self._settings, self._tls, self._receive, timeout_s=_ANSWER_WITHIN_S) as client:
            self._client = client
            try:
                async with asyncio.TaskGroup() as tasks:
                    # A broker that has collected much sends it before it answers: forward while subscribing.
                    others = [tasks.create_task(client.lost()), tasks.create_task(self._subscribe(client, backoff))]
                    await self._forward(client)
                    for task in others:
                        task.cancel()
            finally:
                self._client = None

    async def _subscribe(self, client: BrokerClient, backoff: Backoff) -> None:
        """Subscribe to what is wanted now, forget what was wanted before, and look at what the broker remembers."""
        settings = self._settings
        session = _Session(settings.host, settings.port, settings.client_id, settings.topics)
        known = await self._spool.submit(lambda store: store.meta("bridge_session"))
        before = msgspec.json.decode(known, type=_Session) if known else None
        if before is not None:
            gone = [topic for topic in before.topics if topic not in settings.topics]
            before.topics = session.topics
            if client.has_session and gone:
                await client.unsubscribe(gone)
            elif not client.has_session and before == session:
                _log.warning(_SESSION_LOST)
        await client.subscribe(settings.topics)
        saved = msgspec.json.encode(session).decode()
        await self._spool.submit(lambda store: store.save_meta("bridge_session", saved))
        self.counts.connections += 1
        backoff.reset()
        _log.info("bridge: %s: subscribed to %s", self.address, ", ".join(settings.topics))
        try:
            await client.subscribe([_DROPPED_TOPIC], qos=0)
        except BrokerLost as refused:
            _log.info("bridge: whether the broker drops messages cannot be seen (%s)", refused)

    def _receive(self, delivery: Delivery) -> None:
        """One message from the broker; on the event loop."""
        self._waiting.append(delivery)
        self._waiting_bytes += len(delivery.payload)
        self._arrived.set()
        if self._client is not None and self._is_full():
            self._client.pause_reading()

    def _is_full(self) -> bool:
        return len(self._waiting) >= MAX_WAITING or self._waiting_bytes >= MAX_WAITING_BYTES

    async def _forward(self, client: BrokerClient) -> None:
        """Commit what has arrived, all in one; acknowledge it; see what arrived meanwhile; until `close`.

        Raises:
            BrokerLost: the spool does not take it.
        """
        while True:
            await self._arrived.wait()
            is_last = self._closing.is_set()
            if is_last:
                client.pause_reading()
            deliveries, self._waiting, self._waiting_bytes = self._waiting, [], 0
            if not is_last:
                self._arrived.clear()
                client.resume_reading()
            messages = [message for delivery in deliveries if (message := self._news(delivery)) is not None]
            try:
                if messages:  # shielded: what is under way is committed, also when the connection breaks meanwhile
                    await asyncio.shield(self._pipeline.submit(messages))
            except sqlite3.Error as error:
                # Unacknowledged, the broker keeps them and sends them again.
                raise BrokerLost(f"the spool takes nothing ({error}); free disk space or raise spool.max_mb") from None
            client.acknowledge(deliveries)
            if is_last:
                client.resume_reading()
                # The answer proves that the broker has read the acknowledgements before it; after a bare hang-up it
                # may have read only some (tried: 3 of 500 came again).
                await client.unsubscribe([_DROPPED_TOPIC])
                return

    def _news(self, delivery: Delivery) -> Message | None:
        """The message for the pipeline; None when it is none."""
        if delivery.topic == _DROPPED_TOPIC:
            self._note_drops(delivery.payload)
            return None
        if delivery.is_retained:
            self.counts.retained_ignored += 1
            _log.debug("bridge: ignored what the broker had kept of %s", delivery.topic)
            return None
        self.counts.received += 1
        longest = self._settings.max_payload_bytes
        if len(delivery.payload) > longest:
            size = len(delivery.payload)
            _log.warning("bridge: %s: a message of %d bytes was cut to %d", delivery.topic, size, longest)
        return Message(delivery.topic, delivery.payload[:longest], self._clock.wall_ms())

    def _note_drops(self, payload: bytes) -> None:
        try:
            dropped = int(payload)
        except ValueError:
            return
        if self._dropped is not None and dropped > self._dropped:
            _log.warning(_DROPS, dropped - self._dropped)
        self._dropped = dropped


def _tls_context(settings: BridgeSettings) -> ssl.SSLContext | None:
    if not settings.tls:
        return None
    try:
        return ssl.create_default_context(cafile=settings.ca_file)
    except OSError as error:
        raise ConfigError(f"bridge.ca_file {settings.ca_file!r} cannot be used ({error}): correct it.") from None
