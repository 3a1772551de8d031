"""The one place that reaches into aiomqtt: a persistent session whose messages are acknowledged by hand.

aiomqtt 2.5 has no public way to withhold a PUBACK, to stop reading, or to see whether the broker still had the session.
It wraps a client of paho, which has; `tests/gateway/test_broker_client.py` holds the installed versions to what is used
here. aiomqtt's own queue, which discards when it is full, is not used: messages go straight to `on_message`.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import NamedTuple, Self, cast

import aiomqtt
from paho.mqtt import client as paho
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from gateway.config import BridgeSettings

#: sent and not acknowledged by the broker; above it nothing more is sent
_MAX_OUTGOING = 1000


class BrokerLost(Exception):
    """The broker cannot be reached, has refused us, or the connection broke; says why."""


class Delivery(NamedTuple):
    """One PUBLISH of the broker."""

    topic: str
    payload: bytes
    #: the broker's answer to a subscription, not news: what it had kept before
    is_retained: bool
    qos: int
    packet_id: int


class BrokerClient:
    """One connection; use as an asynchronous context manager, once.

    Args:
        tls: None for a connection in the clear.
        on_message: is called on the event loop for each message; it may call `pause_reading`.
    """

    def __init__(
        self,
        settings: BridgeSettings,
        tls: ssl.SSLContext | None,
        on_message: Callable[[Delivery], None],
        *,
        timeout_s: float,
    ) -> None:
        #: whether the broker still had the session of `client_id`, and with it what was published in the meantime
        self.has_session = False
        self._on_message = on_message
        self._client = aiomqtt.Client(
            settings.host,
            settings.port,
            username=settings.username,
            password=settings.password,
            identifier=settings.client_id,
            clean_session=False,
            keepalive=settings.keepalive_s,
            timeout=timeout_s,
            tls_context=tls,
            max_queued_outgoing_messages=_MAX_OUTGOING,
        )
        self._paho = self._client._client
        self._paho.manual_ack_set(True)
        self._paho.on_message = self._received
        self._aiomqtt_connected = cast(Callable[..., None], self._paho.on_connect)
        self._paho.on_connect = self._connected
        self._paused_socket: int | None = None

    async def __aenter__(self) -> Self:
        """Connect. Raises BrokerLost."""
        try:
            await self._client.__aenter__()
        except aiomqtt.MqttError as error:
            self._paho.disconnect()  # aiomqtt leaves the socket open when no answer came
            raise BrokerLost(str(error)) from None
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect; the session stays with the broker."""
        self.resume_reading()  # paho must hear that the broker has closed
        with contextlib.suppress(aiomqtt.MqttError, OSError):  # it may be gone already
            await self._client.__aexit__(None, None, None)
        if self._client._disconnected.done():
            self._client._disconnected.exception()  # looked at, or asyncio complains that nobody did

    async def subscribe(self, topics: Iterable[str], *, qos: int = 1) -> None:
        """Subscribe to filters. Raises BrokerLost, also when the broker refuses one of them."""
        filters = list(topics)
        try:
            granted = await self._client.subscribe([(topic, qos) for topic in filters])
        except aiomqtt.MqttError as error:
            raise BrokerLost(str(error)) from None
        refused = [topic for topic, code in zip(filters, granted, strict=True) if cast(ReasonCode, code).is_failure]
        if refused:
            raise BrokerLost(f"the broker refuses the subscription to {', '.join(refused)}: allow it there")

    async def unsubscribe(self, topics: Iterable[str]) -> None:
        """Forget filters. Raises BrokerLost."""
        try:
            await self._client.unsubscribe(list(topics))
        except aiomqtt.MqttError as error:
            raise BrokerLost(str(error)) from None

    async def lost(self) -> None:
        """Wait until the connection is gone. Raises BrokerLost, always."""
        try:
            async for _ in self._client.messages:
                pass  # none come: they go to `on_message`
        except aiomqtt.MqttError as error:
            raise BrokerLost(str(error.__cause__ or error)) from None

    def acknowledge(self, deliveries: Iterable[Delivery]) -> None:
        """Send PUBACKs in the order of receipt (MQTT 3.1.1, 4.6)."""
        for delivery in deliveries:
            if delivery.qos:
                self._paho.ack(delivery.packet_id, delivery.qos)

    def publish(self, topic: str, payload: bytes, *, retain: bool) -> bool:
        """Send with QoS 1 and wait for nobody; whether the connection takes it. The topic must be one."""
        return self._paho.publish(topic, payload, qos=1, retain=retain).rc == paho.MQTT_ERR_SUCCESS

    def pause_reading(self) -> None:
        """Leave what the broker sends in the socket."""
        socket = self._paho.socket()
        if self._paused_socket is None and socket is not None:
            self._paused_socket = socket.fileno()
            asyncio.get_running_loop().remove_reader(self._paused_socket)

    def resume_reading(self) -> None:
        """Go on reading."""
        paused, self._paused_socket = self._paused_socket, None
        socket = self._paho.socket()
        if paused is not None and socket is not None and socket.fileno() == paused:
            asyncio.get_running_loop().add_reader(paused, self._read)

    def _read(self) -> None:
        """One packet; all there are when TLS holds them back."""
        self._paho.loop_read()
        socket = self._paho.socket()
        while self._paused_socket is None and isinstance(socket, ssl.SSLSocket) and socket.pending():
            self._paho.loop_read()
            socket = self._paho.socket()

    def _received(self, client: paho.Client, userdata: object, message: paho.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = "(a topic that is not UTF-8)"
        self._on_message(Delivery(topic, bytes(message.payload), message.retain, message.qos, message.mid))

    def _connected(
        self,
        client: paho.Client,
        userdata: object,
        flags: paho.ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        self.has_session = flags.session_present
        self._aiomqtt_connected(client, userdata, flags, reason, properties)
