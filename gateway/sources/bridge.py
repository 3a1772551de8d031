"""A client on the site's broker: what the broker hands over is acknowledged when it is on disk, and not before.

The session is persistent: while the gateway is away the broker collects, and what was not acknowledged it sends again.
A message that the broker had kept (retain) and sends because we subscribe is no new reading: it is acknowledged,
counted, and left, unless it says what others mean (`decoders.teaches`). One published while we were away comes out of
the session instead, and is new.

What the broker itself loses, nobody here can bring back; what can be known of that is said in the log.
"""

import asyncio
import logging
import re
import sqlite3
import ssl
import time
from dataclasses import dataclass

import msgspec

from gateway import decoders
from gateway.backoff import Backoff
from gateway.clock import Clock
from gateway.config import PLACEHOLDER, BridgeSettings
from gateway.contract import SourceState
from gateway.errors import ConfigError
from gateway.pipeline import Message, Pipeline
from gateway.sources import topics
from gateway.sources.broker_client import BrokerClient, BrokerLost, Delivery
from gateway.sources.notices import Notices
from gateway.spool.writer import Spool

_log = logging.getLogger(__name__)

#: received and not yet handed to the pipeline; above either the gateway stops reading from the broker
MAX_WAITING = 1000
MAX_WAITING_BYTES = 4 << 20
_LONGEST_PAUSE_S = 30.0
_ANSWER_WITHIN_S = 10.0
#: what Mosquitto and some others tell of themselves: messages thrown away because a queue was full, over all clients;
#: since when it runs, in seconds; its name and version
_DROPPED_TOPIC = "$SYS/broker/publish/messages/dropped"
_UPTIME_TOPIC = "$SYS/broker/uptime"
_VERSION_TOPIC = "$SYS/broker/version"
_ABOUT_ITSELF = (_VERSION_TOPIC, _DROPPED_TOPIC, _UPTIME_TOPIC)
_SESSION_LOST = (
    "the broker has forgotten this gateway's session, and with it what it had collected for us: let it keep sessions "
    "(Mosquitto: persistence true, autosave_interval 1, no persistent_client_expiration)"
)
_DROPS = (
    "the broker threw messages away because a queue was full; if they were ours they are lost: set "
    "max_queued_messages 0 in Mosquitto"
)
_CUT = "messages longer than bridge.max_payload_bytes were cut and cannot be read"
_UNPROVEN = (
    "bridge: %s acknowledges to the sensors what only it holds, and has not yet been seen to keep it over a restart: "
    "set persistence true, autosave_interval 1, max_queued_messages 0 and max_inflight_messages 1000 in Mosquitto; "
    "a power cut there still loses up to a second. Sensors that speak to the gateway's listener lose nothing."
)


class _Session(msgspec.Struct):
    """What the broker was last asked to keep for us."""

    host: str
    port: int
    client_id: str
    topics: list[str]
    #: the broker was restarted and still knew us
    outlived_restart: bool = False


@dataclass(slots=True)
class Counts:
    """Since the start of the process."""

    connections: int = 0
    received: int = 0
    retained_ignored: int = 0


class Bridge:
    """Feeds the pipeline from a broker, through its restarts and ours."""

    def __init__(self, settings: BridgeSettings, pipeline: Pipeline, spool: Spool) -> None:
        """Raises ConfigError when `bridge.ca_file` or `bridge.password` cannot be used."""
        if settings.password == PLACEHOLDER:
            raise ConfigError("bridge.password is that of the example: put the one the broker knows.")
        self.counts = Counts()
        self.notices = Notices("bridge")
        self.address = f"mqtt{'s' * settings.tls}://{settings.host}:{settings.port} as {settings.client_id}"
        self._settings = settings
        self._tls = _tls_context(settings)
        self._pipeline = pipeline
        self._spool = spool
        self._client: BrokerClient | None = None
        self._is_subscribed = False
        #: why there is no connection
        self._lost = "not connected yet"
        self._waiting: list[Delivery] = []
        self._waiting_bytes = 0
        self._arrived = asyncio.Event()
        self._closing = asyncio.Event()
        self._closed = asyncio.Event()
        self._dropped: int | None = None
        self._session_told: _Session | None = None
        self._first_connected_s: float | None = None
        self._broker_name = ""

    async def run(self) -> None:
        """Connect, receive, and connect again as often as it takes, until `close`."""
        backoff = Backoff(_LONGEST_PAUSE_S)
        try:
            while not self._closing.is_set():
                try:
                    await self._session(backoff)
                except* BrokerLost as lost:
                    delay_s = backoff.next_delay_s()
                    self._lost = str(lost.exceptions[0])
                    _log.warning("bridge: %s: %s; again in %.1f s", self.address, self._lost, delay_s)
                    await Clock().wait(self._closing, delay_s)  # real time, like the broker's
        finally:
            self._closed.set()

    async def close(self) -> None:
        """Stop reading, acknowledge what was read, disconnect."""
        self._closing.set()
        self._arrived.set()
        await self._closed.wait()

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int:
        """To the broker, with QoS 1; see `Publisher`. What the broker has not taken when it is lost, is lost."""
        if not topics.is_topic(topic):
            self.notices.note("the gateway was to publish to something that is no topic: correct the output", topic)
            return 0
        if self._client is None or not self._is_subscribed:
            return 0
        return int(self._client.publish(topic, payload, retain=retain))

    def state(self) -> SourceState:
        """For the heartbeat."""
        warnings = self.notices.told()
        if not self._is_subscribed:
            warnings.insert(0, f"{self.address}: {self._lost}")
        return SourceState("bridge", int(self._is_subscribed), self.counts.received, warnings)

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
                self._client, self._is_subscribed = None, False

    async def _subscribe(self, client: BrokerClient, backoff: Backoff) -> None:
        """Subscribe to what is wanted now, forget what was wanted before, and look at what the broker remembers."""
        settings = self._settings
        session = _Session(settings.host, settings.port, settings.client_id, settings.topics)
        known = await self._spool.submit(lambda store: store.meta("bridge_session"))
        before = msgspec.json.decode(known, type=_Session) if known else None
        if before is not None:
            gone = [topic for topic in before.topics if topic not in settings.topics]
            is_same = (before.host, before.port, before.client_id) == (session.host, session.port, session.client_id)
            session.outlived_restart = before.outlived_restart and is_same and client.has_session
            if client.has_session and gone:
                await client.unsubscribe(gone)
            elif not client.has_session and is_same:
                self.notices.note(_SESSION_LOST, self.address)
        await client.subscribe(settings.topics)
        await self._save(session)
        self.counts.connections += 1
        self._is_subscribed = True
        backoff.reset()
        _log.info("bridge: %s: subscribed to %s", self.address, ", ".join(settings.topics))
        try:
            await client.subscribe(_ABOUT_ITSELF, qos=0)
        except BrokerLost as refused:
            _log.info("bridge: whether the broker drops messages cannot be seen (%s)", refused)

    async def _save(self, session: _Session) -> None:
        self._session_told = session
        saved = msgspec.json.encode(session).decode()
        await self._spool.submit(lambda store: store.save_meta("bridge_session", saved))

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
            messages = [message for delivery in deliveries if (message := self._news(delivery, client)) is not None]
            error = await self._settled(messages)
            if error is not None:
                # Unacknowledged, the broker keeps them and sends them again.
                raise BrokerLost(f"the spool takes nothing ({error}); free disk space or raise spool.max_mb")
            client.acknowledge(deliveries)
            if is_last:
                client.resume_reading()
                # The answer proves that the broker has read the acknowledgements before it; after a bare hang-up it
                # may have read only some (tried: 3 of 500 came again).
                await client.unsubscribe(_ABOUT_ITSELF)
                return

    async def _settled(self, messages: list[Message]) -> sqlite3.Error | None:
        """Wait until all of these are on disk, or are refused by it."""
        if not messages:
            return None
        outcome: asyncio.Future[sqlite3.Error | None] = asyncio.get_running_loop().create_future()

        def settled(error: sqlite3.Error | None) -> None:
            if not outcome.done():  # the connection may have broken meanwhile
                outcome.set_result(error)

        self._pipeline.submit(messages, settled)
        return await outcome

    def _news(self, delivery: Delivery, client: BrokerClient) -> Message | None:
        """The message for the pipeline; None when it is none."""
        topic, payload = delivery.topic, delivery.payload
        if topic in _ABOUT_ITSELF:
            self._hear_about(topic, payload, client)
            return None
        if delivery.is_retained and not decoders.teaches(topic):
            self.counts.retained_ignored += 1
            _log.debug("bridge: ignored what the broker had kept of %s", topic)
            return None
        self.counts.received += 1
        longest = self._settings.max_payload_bytes
        if len(payload) <= longest:
            return Message(topic, payload)
        self.notices.note(_CUT, f"{topic}, {len(payload)} bytes")
        return Message(topic, payload[:longest], f"message of {len(payload)} bytes, cut to {longest}")

    def _hear_about(self, topic: str, payload: bytes, client: BrokerClient) -> None:
        """What the broker tells of itself."""
        number = re.match(rb"\d{1,18}", payload)
        if topic == _VERSION_TOPIC:
            self._broker_name = payload[:60].decode("utf-8", "replace")
        elif number is None:
            return
        elif topic == _DROPPED_TOPIC:
            dropped = int(number[0])
            if self._dropped is not None and dropped > self._dropped:
                more = dropped - self._dropped
                self.notices.note(_DROPS, f"{more} at {self.address}", count=more)
            self._dropped = dropped
        else:
            self._hear_uptime(int(number[0]), client)

    def _hear_uptime(self, uptime_s: int, client: BrokerClient) -> None:
        """Whether the broker has been restarted since we know it, and knew us afterwards."""
        session, now_s = self._session_told, time.monotonic()
        if session is None or session.outlived_restart:
            return
        if self._first_connected_s is None:
            self._first_connected_s = now_s
            _log.warning(_UNPROVEN, self._broker_name or "the broker")
        elif client.has_session and uptime_s < now_s - self._first_connected_s - 1.0:
            session.outlived_restart = True
            saved = msgspec.json.encode(session).decode()
            self._spool.submit(lambda store: store.save_meta("bridge_session", saved))
            _log.info("bridge: the broker was restarted and still knew this gateway")


def _tls_context(settings: BridgeSettings) -> ssl.SSLContext | None:
    if not settings.tls:
        return None
    try:
        return ssl.create_default_context(cafile=settings.ca_file)
    except OSError as error:
        raise ConfigError(f"bridge.ca_file {settings.ca_file!r} cannot be used ({error}): correct it.") from None
