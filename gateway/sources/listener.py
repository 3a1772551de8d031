"""The gateway's own MQTT endpoint, 3.1.1 and 5: a sensor's PUBLISH is acknowledged when it is on disk, and not before.

It is no broker: what a client publishes goes into the pipeline and to nobody else. Clients may subscribe to what the
gateway itself says (commands for devices, local alarms) and to the wills of other clients. A message with the retain
flag is a reading like any other: the sensor itself sent it just now. Timeouts here are real time, like the clients'.
"""

import asyncio
import itertools
import logging
import secrets
import sqlite3
import ssl
from collections.abc import Coroutine

from gateway.config import ListenerSettings, ListenerUser
from gateway.contract import SourceState
from gateway.errors import ConfigError, ListenError
from gateway.pipeline import Message, Pipeline
from gateway.sources import mqtt_packets, topics
from gateway.sources.access import Door, Failures, Rights
from gateway.sources.connection import Connection, Hold
from gateway.sources.mqtt_packets import V311, Connect, Will
from gateway.sources.notices import Notices
from gateway.sources.sessions import KeptSessions, Key, Outgoing, Retained, Session

_log = logging.getLogger(__name__)

#: read and not yet settled, over all clients; above it nobody is read until half is settled
MAX_UNSETTLED_BYTES = 8 << 20
#: beginnings of packets, over all clients; above it the client whose packet grows is cut off
MAX_HELD_BYTES = 8 << 20
#: connections that have not introduced themselves; the oldest goes for one more
MAX_STRANGERS = 64
_LONGEST_CLIENT_ID = 256
_HANDSHAKE_WITHIN_S = 10.0
_GOOD_BYE_S = 5.0
_BACKLOG = 256


class Listener:
    """Accepts sensors, feeds the pipeline, hands out what the gateway says."""

    def __init__(self, settings: ListenerSettings, pipeline: Pipeline) -> None:
        """Raises ConfigError: users or certificates cannot be used."""
        self.settings = settings
        self.pipeline = pipeline
        self.notices = Notices("listener")
        self.retained = Retained()
        self.received = 0
        self.unsettled_bytes = 0
        self.held_bytes = 0
        self.connections: set[Connection] = set()
        self.clients: dict[Key, Connection] = {}
        #: the port with TLS, when there is one
        self.tls_port: int | None = None
        users = {name: ListenerUser(told) if isinstance(told, str) else told for name, told in settings.users.items()}
        self._door = Door(users, anonymous=settings.anonymous)
        self._failures = Failures()
        self._tls = _tls_context(settings)
        self._strangers: dict[Connection, None] = {}
        self._kept = KeptSessions(settings.max_clients)
        self._delayed_wills: dict[Key, tuple[asyncio.TimerHandle, Will, Rights]] = {}
        self._numbers = itertools.count(1)
        self._servers: list[asyncio.Server] = []
        self._greetings: set[asyncio.Task[None]] = set()
        self._is_closing = False

    async def start(self) -> int:
        """Listen; returns the port (without TLS).

        Raises:
            ListenError: an address is taken or not ours.
        """
        settings = self.settings
        port = await self._serve(settings.host, settings.port, "", None)
        if self._tls is not None:
            self.tls_port = await self._serve(settings.tls_host, settings.tls_port, "tls_", self._tls)
        return port

    async def close(self) -> None:
        """Stop reading, acknowledge what was read, close."""
        self._is_closing = True
        for server in self._servers:
            server.close()
        for connection in self.connections:
            connection.hold(Hold.CLOSING)
        for greeting in tuple(self._greetings):
            greeting.cancel()
        await asyncio.gather(*self._greetings, return_exceptions=True)
        await self.pipeline.drained()
        for timer, _, _ in self._delayed_wills.values():
            timer.cancel()
        for connection in tuple(self.connections):
            connection.close(mqtt_packets.SHUTTING_DOWN, "the gateway stops")
        self._door.close()

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int:
        """To all clients that have subscribed; see `Publisher`."""
        if not topics.is_topic(topic):
            self.notices.note("the gateway was to publish to something that is no topic: correct the output", topic)
            return 0
        if retain and not self.retained.keep(topic, payload):
            self.notices.note("a message was not kept for later subscribers, there are too many", topic)
        return self._hand_out(Outgoing(topic, payload, retain))

    def state(self) -> SourceState:
        """For the heartbeat."""
        return SourceState("listener", len(self.clients), self.received, self.notices.told())

    # what connections call

    def arrived(self, connection: Connection) -> None:
        """A connection has been made; nothing is known of it yet."""
        self.connections.add(connection)
        self._strangers[connection] = None
        if len(self._strangers) > MAX_STRANGERS:
            self.notices.note("connections came faster than they introduced themselves", connection.address)
            oldest = next(iter(self._strangers))
            del self._strangers[oldest]
            oldest.close(mqtt_packets.SERVER_BUSY, "")

    def left(self, connection: Connection) -> None:
        """A connection is gone."""
        self.connections.discard(connection)
        self._strangers.pop(connection, None)

    def greet(self, connection: Connection, connect: Connect) -> None:
        """Find out whether the client may come in, and tell it."""
        self._spawn(self._greet(connection, connect))

    def say_good_bye(
        self, connection: Connection, session: Session, session_s: float, will: Will | None, rights: Rights
    ) -> None:
        """A client has left, with a will when it left without a word."""
        key = connection.key
        assert key is not None  # noqa: S101  # only a client that came in leaves
        if self.clients.get(key) is connection:
            del self.clients[key]
        self._kept.keep(key, session, session_s)
        if will is None or self._is_closing:  # that the gateway stops says nothing of its clients
            return
        delay_s = min(will.delay_s, session_s)
        if delay_s and len(self._delayed_wills) < self.settings.max_clients:
            loop = asyncio.get_running_loop()
            timer = loop.call_later(delay_s, self._say_delayed_will, key)
            self._delayed_wills[key] = timer, will, rights
        else:
            self._say_will(will, rights)

    def submitted(self, size: int) -> None:
        """So many bytes are on their way to the disk."""
        self.unsettled_bytes += size
        if self.unsettled_bytes > MAX_UNSETTLED_BYTES:
            for connection in self.connections:
                connection.hold(Hold.MEMORY)

    def settled(self, size: int) -> None:
        """So many bytes are on disk, or refused."""
        was_short = self.unsettled_bytes > MAX_UNSETTLED_BYTES // 2
        self.unsettled_bytes -= size
        if was_short and self.unsettled_bytes <= MAX_UNSETTLED_BYTES // 2:
            for connection in self.connections:
                connection.release(Hold.MEMORY)

    def check_held(self, connection: Connection) -> None:
        """A packet that is not whole has grown."""
        if self.held_bytes > MAX_HELD_BYTES:
            self.notices.note("clients were cut off because too many large packets came at once", connection.address)
            connection.close(mqtt_packets.SERVER_BUSY, "too many large packets at once")

    def note_unheard(self, name: str, count: int) -> None:
        """A client could not be told something."""
        self.notices.note("messages to clients that do not take them were thrown away", name, count=count)

    # greeting

    async def _greet(self, connection: Connection, connect: Connect) -> None:
        reason, words = await self._judge(connection, connect)
        if connection.is_closed or self._is_closing:
            return
        if reason != mqtt_packets.SUCCESS:
            connection.refuse(reason, words)
            return
        client_id = connect.client_id or f"unnamed-{next(self._numbers)}-{secrets.token_hex(4)}"
        key = connect.username, client_id
        self._strangers.pop(connection, None)
        older = self.clients.get(key)
        if older is not None:
            _log.info("listener: %r: another connection takes its place", client_id)
            older.leave()  # before the new one says anything
            older.close(mqtt_packets.TAKEN_OVER, "another connection has this client id")
        delayed = self._delayed_wills.pop(key, None)
        if delayed is not None:
            delayed[0].cancel()
        kept = self._kept.take(key)
        self.clients[key] = connection
        rights = self._door.rights(connect.username, client_id)
        connection.welcome(connect, rights, None if connect.clean_session else kept, key)

    async def _judge(self, connection: Connection, connect: Connect) -> tuple[int, str]:
        """SUCCESS, or why not, for the client and in words."""
        if connect.authentication_method is not None:
            return mqtt_packets.BAD_AUTHENTICATION_METHOD, "user and password only"
        unnamed = not connect.client_id and not connect.clean_session and connect.version == V311
        if unnamed or len(connect.client_id) > _LONGEST_CLIENT_ID:
            return mqtt_packets.CLIENT_ID_INVALID, f"a client id of 1 to {_LONGEST_CLIENT_ID} characters"
        if not await self._is_known(connection.address, connect):
            reason = mqtt_packets.NOT_AUTHORISED if connect.username is None else mqtt_packets.BAD_PASSWORD
            return reason, "no such user or password"
        is_back = (connect.username, connect.client_id) in self.clients
        if len(self.clients) >= self.settings.max_clients and not is_back:
            limit = f"more than {self.settings.max_clients} clients"
            self.notices.note("clients were turned away: raise listener.max_clients", f"{connect.client_id}: {limit}")
            return mqtt_packets.QUOTA_EXCEEDED, limit
        return mqtt_packets.SUCCESS, ""

    async def _is_known(self, address: str, connect: Connect) -> bool:
        user = f"user {connect.username!r} from {address}"
        if self._failures.is_crowded(address):
            self.notices.note("too many wrong passwords from one address: nobody from there is heard", user)
            return False
        if await self._door.knows(connect.username, connect.password):
            return True
        self.notices.note("wrong users or passwords: correct the client or listener.users", user)
        await self._failures.wait(address, self._failures.note(address))
        return False

    # handing out

    def _hand_out(self, message: Outgoing) -> int:
        cut = topics.levels(message.topic)
        taken = sum(connection.offer(message, cut) for connection in tuple(self.clients.values()))
        for session in self._kept.living():
            wanted = session.wants(cut)
            if wanted is not None and wanted[0]:
                session.queue(message if wanted[1] else message._replace(retain=False))
        return taken

    def _say_delayed_will(self, key: Key) -> None:
        _, will, rights = self._delayed_wills.pop(key)
        self._say_will(will, rights)

    def _say_will(self, will: Will, rights: Rights) -> None:
        """As the client's own message: `offline` is a reading like `online` was."""
        if not rights.may_publish(will.topic):
            what = "wills were refused: allow their topic in listener.users, or correct the client"
            self.notices.note(what, will.topic)
            return
        self.received += 1
        self.pipeline.submit([Message(will.topic, will.payload)], self._will_settled)
        self._hand_out(Outgoing(will.topic, will.payload, retain=False))

    def _will_settled(self, error: sqlite3.Error | None) -> None:
        if error is not None:
            self.notices.note("wills could not be stored", str(error))

    # sockets and tasks

    async def _serve(self, host: str, port: int, prefix: str, tls: ssl.SSLContext | None) -> int:
        try:
            server = await asyncio.get_running_loop().create_server(
                lambda: Connection(self),
                host,
                port,
                backlog=_BACKLOG,
                ssl=tls,
                ssl_handshake_timeout=None if tls is None else _HANDSHAKE_WITHIN_S,
                ssl_shutdown_timeout=None if tls is None else _GOOD_BYE_S,
            )
        except OSError as error:
            raise ListenError(
                f"cannot listen on {host}:{port} ({error.strerror or error}): stop the program that has this port, "
                f"or set listener.{prefix}host and listener.{prefix}port."
            ) from None
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._greetings.add(task)
        task.add_done_callback(self._greetings.discard)


def _tls_context(settings: ListenerSettings) -> ssl.SSLContext | None:
    if not settings.certificate_file:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # Without a password a key that is locked is refused: nobody is there to be asked for one.
        context.load_cert_chain(settings.certificate_file, settings.key_file or None, password="")
    except OSError as error:
        raise ConfigError(
            f"listener.certificate_file {settings.certificate_file!r} and listener.key_file {settings.key_file!r} "
            f"cannot be used ({error}): they must be a certificate with its chain and its key, in PEM."
        ) from None
    if settings.client_ca_file:
        try:
            context.load_verify_locations(settings.client_ca_file)
        except OSError as error:
            raise ConfigError(
                f"listener.client_ca_file {settings.client_ca_file!r} cannot be used ({error}): correct it."
            ) from None
        context.verify_mode = ssl.CERT_REQUIRED
    return context
