"""Our own MQTT 3.1.1 endpoint: a sensor's PUBLISH is acknowledged when it is on disk, and not before.

Publishers only: a SUBSCRIBE is refused, a will is not kept, QoS 2 ends the connection. A message with the retain flag
is a reading like any other: the sensor itself sent it just now (only a broker replays old ones). Timeouts here are
real time, like the clients'.
"""

import asyncio
import hmac
import itertools
import logging
import sqlite3
from typing import cast

from gateway.clock import Clock
from gateway.config import ListenerSettings
from gateway.errors import ListenError
from gateway.pipeline import Message, Outcome, Pipeline
from gateway.sources import mqtt311
from gateway.sources.mqtt311 import MalformedPacket

_log = logging.getLogger(__name__)

#: a connection that has not introduced itself by then is closed
_CONNECT_WITHIN_S = 10.0


class Listener:
    """Accepts sensors and feeds the pipeline."""

    def __init__(self, settings: ListenerSettings, pipeline: Pipeline, clock: Clock) -> None:
        self.settings = settings
        self.pipeline = pipeline
        self.clock = clock
        self.connections: set[_Connection] = set()
        #: by client id: a second connection takes the place of the first
        self.sessions: dict[str, _Connection] = {}
        self.numbers = itertools.count(1)
        self.is_closing = False
        self._server: asyncio.Server | None = None

    async def start(self) -> int:
        """Listen; returns the port.

        Raises:
            ListenError: the address is taken or not ours.
        """
        host, port = self.settings.host, self.settings.port
        try:
            self._server = await asyncio.get_running_loop().create_server(lambda: _Connection(self), host, port)
        except OSError as error:
            raise ListenError(
                f"cannot listen on {host}:{port} ({error.strerror or error}): stop the program that has this port, "
                "or set listener.host and listener.port."
            ) from None
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop reading, acknowledge what was read, close."""
        self.is_closing = True
        if self._server is not None:
            self._server.close()
        for connection in self.connections:
            connection.stop_reading()
        await self.pipeline.drained()
        for connection in tuple(self.connections):
            connection.close()

    def authenticate(self, connect: mqtt311.Connect) -> int:
        """The CONNACK code for a client."""
        if not connect.client_id and not connect.clean_session:
            return mqtt311.BAD_CLIENT_ID
        if connect.username is None:
            return mqtt311.ACCEPTED if self.settings.anonymous else mqtt311.NOT_AUTHORISED
        expected = self.settings.users.get(connect.username)
        if expected is None:
            return mqtt311.BAD_PASSWORD
        given = connect.password or b""
        return mqtt311.ACCEPTED if hmac.compare_digest(given, expected.encode()) else mqtt311.BAD_PASSWORD


class _Connection(asyncio.Protocol):
    """One sensor (or one bridge for many)."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._parser = mqtt311.Parser(listener.settings.max_packet_bytes)
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._timer: asyncio.TimerHandle
        self._name = ""
        self._client_id: str | None = None
        self._silence_s = _CONNECT_WITHIN_S
        self._heard_at = self._loop.time()
        self._paused = False
        self._messages: list[Message] = []
        self._packet_ids: list[int] = []

    # what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._timer = self._loop.call_later(_CONNECT_WITHIN_S, self._check_silence)
        self._name = "{}:{}".format(*(transport.get_extra_info("peername") or ("somewhere", 0))[:2])
        connections = self._listener.connections
        connections.add(self)
        if len(connections) > self._listener.settings.max_clients:
            self.close(f"more than {self._listener.settings.max_clients} clients; raise listener.max_clients")

    def data_received(self, data: bytes) -> None:
        self._heard_at = self._loop.time()
        self._parser.feed(data)
        try:
            while not self._transport.is_closing():
                packet = self._parser.next_packet()
                if packet is None:
                    break
                self._handle(packet)
        except MalformedPacket as error:
            self.close(str(error))
        self._submit()

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()
        self._listener.connections.discard(self)
        if self._client_id is not None and self._listener.sessions.get(self._client_id) is self:
            del self._listener.sessions[self._client_id]
        if self._client_id is not None:
            _log.info("sensor %s: disconnected%s", self._name, f" ({exc})" if exc else "")

    # what the listener calls

    def stop_reading(self) -> None:
        self._paused = True
        self._transport.pause_reading()

    def close(self, reason: str = "") -> None:
        if reason:
            _log.warning("sensor %s: closed: %s", self._name, reason)
        self._transport.close()

    # packets

    def _handle(self, packet: mqtt311.Packet) -> None:
        match packet:
            case mqtt311.Publish() if self._client_id is not None:
                self._publish(packet)
            case mqtt311.Connect() if self._client_id is None:
                self._connect(packet)
            case mqtt311.UnsupportedVersion(level):
                self._transport.write(mqtt311.connack_unsupported(level))
                self.close(f"speaks MQTT level {level}; set the client to MQTT 3.1.1")
            case mqtt311.PingRequest() if self._client_id is not None:
                self._transport.write(mqtt311.pingresp())
            case mqtt311.Disconnect() if self._client_id is not None:
                self.close()
            case mqtt311.Subscribe(packet_id, filters) if self._client_id is not None:
                _log.warning("sensor %s: asked to subscribe to %s; nothing is published here", self._name, filters)
                codes = bytes([mqtt311.SUBSCRIPTION_REFUSED]) * len(filters)
                self._transport.write(mqtt311.suback(packet_id, codes))
            case mqtt311.Unsubscribe(packet_id) if self._client_id is not None:
                self._transport.write(mqtt311.unsuback(packet_id))
            case _:
                self.close(f"{type(packet).__name__} {'before' if self._client_id is None else 'after'} CONNECT")

    def _connect(self, packet: mqtt311.Connect) -> None:
        code = self._listener.authenticate(packet)
        self._transport.write(mqtt311.connack(code))
        if code != mqtt311.ACCEPTED:
            self.close(f"refused with code {code} (user {packet.username!r})")
            return
        self._client_id = packet.client_id or f"anonymous-{next(self._listener.numbers)}"
        self._name = f"{self._client_id!r} at {self._name}"
        older = self._listener.sessions.get(self._client_id)
        if older is not None:
            older.close("another connection took its client id")
        self._listener.sessions[self._client_id] = self
        self._silence_s = packet.keepalive_s * 1.5
        self._timer.cancel()
        if self._silence_s:
            self._timer = self._loop.call_later(self._silence_s, self._check_silence)
        _log.info("sensor %s: connected", self._name)

    def _publish(self, packet: mqtt311.Publish) -> None:
        if packet.qos == 2:
            self.close("published with QoS 2; set the client to QoS 1")
            return
        self._messages.append(Message(packet.topic, packet.payload, self._listener.clock.wall_ms()))
        if packet.qos:
            self._packet_ids.append(packet.packet_id)

    def _submit(self) -> None:
        """Send what one read brought into the pipeline, and acknowledge it together once it is committed."""
        if not self._messages:
            return
        messages, self._messages = self._messages, []
        packet_ids, self._packet_ids = self._packet_ids, []
        pipeline = self._listener.pipeline
        pipeline.submit(messages).add_done_callback(lambda done: self._acknowledge(done, packet_ids))
        if pipeline.is_full and not self._paused:
            self.stop_reading()
            pipeline.when_room(self._resume)

    def _acknowledge(self, done: "asyncio.Future[Outcome]", packet_ids: list[int]) -> None:
        if done.cancelled() or self._transport.is_closing():
            return
        error = done.exception()
        if error is None:
            self._transport.write(mqtt311.pubacks(packet_ids))
        elif isinstance(error, sqlite3.Error):
            # The sensor keeps what is not acknowledged and sends it again when it is back.
            self.close(f"the spool takes nothing ({error}); free disk space or raise spool.max_mb")

    def _resume(self) -> None:
        if self._listener.is_closing:
            return
        self._paused = False
        self._heard_at = self._loop.time()
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def _check_silence(self) -> None:
        left_s = self._heard_at + self._silence_s - self._loop.time()
        if left_s > 0 or self._paused:
            self._timer = self._loop.call_later(max(left_s, self._silence_s / 2), self._check_silence)
            return
        self.close(f"silent for {self._silence_s:g} s")
