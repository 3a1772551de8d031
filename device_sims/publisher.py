"""A device's MQTT connection: at least once, in order of first sending, through drops and restarts of the broker."""

import asyncio
import contextlib
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import aiomqtt

from device_sims.ledger import Outgoing

#: publishes in flight at once
WINDOW = 10
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 5.0


class BrokerUnreachableError(Exception):
    """The very first connection failed. Later failures are weather, and are waited out."""


@dataclass(frozen=True)
class Broker:
    """Where to connect, and as whom."""

    host: str
    port: int
    user: str | None = None
    password: str | None = None
    #: client identifier; one connection at a time may use it
    client_id: str = "device-sims"


@dataclass(frozen=True)
class LastWill:
    """What the broker publishes, retained, when the connection breaks."""

    topic: str
    payload: bytes


class Publisher:
    """Sends what `put` receives, QoS 1, until `close`; `run` then returns when everything is acknowledged.

    Args:
        greeting: makes the retained messages that open every connection.
        acknowledgement_timeout_s: real seconds without a PUBACK after which the connection is given up.
        seed: of the jitter between attempts to connect.
    """

    def __init__(
        self,
        broker: Broker,
        *,
        greeting: Callable[[], list[Outgoing]],
        will: LastWill | None = None,
        acknowledgement_timeout_s: float = 10.0,
        seed: int = 0,
    ) -> None:
        self.connections = 0
        #: set while a connection stands
        self.connected = asyncio.Event()
        self._broker = broker
        self._greeting = greeting
        self._will = will
        self._timeout_s = acknowledgement_timeout_s
        self._random = random.Random(seed)  # noqa: S311 - jitter, no secret
        self._queue: deque[Outgoing] = deque()
        self._in_flight: list[Outgoing] = []
        self._wake = asyncio.Event()
        self._closed = False

    @property
    def outstanding(self) -> int:
        """Messages that were put and are not acknowledged."""
        return len(self._queue) + len(self._in_flight)

    def put(self, message: Outgoing) -> None:
        """Queue a message; returns at once.

        Raises:
            RuntimeError: the publisher is closed.
        """
        if self._closed:
            raise RuntimeError("this publisher is closed: it takes no more messages")
        self._queue.append(message)
        self._wake.set()

    def close(self) -> None:
        """Take no more messages; `run` ends once the outstanding ones are acknowledged."""
        self._closed = True
        self._wake.set()

    async def run(self) -> None:
        """Connect, send, and connect again as often as it takes.

        Raises:
            BrokerUnreachableError: the first connection could not be made.
        """
        pause_s = FIRST_PAUSE_S
        while not (self._closed and not self.outstanding):
            before = self.connections
            try:
                await self._connection()
            except aiomqtt.MqttError as error:
                if not self.connections:
                    raise BrokerUnreachableError(str(error)) from error
                pause_s = FIRST_PAUSE_S if self.connections > before else min(LONGEST_PAUSE_S, pause_s * 2)
                await asyncio.sleep(self._random.uniform(pause_s / 2, pause_s))
            finally:
                self.connected.clear()

    async def _connection(self) -> None:
        will = self._will and aiomqtt.Will(self._will.topic, self._will.payload, qos=1, retain=True)
        client = aiomqtt.Client(
            self._broker.host,
            self._broker.port,
            username=self._broker.user,
            password=self._broker.password,
            identifier=self._broker.client_id,
            will=will or None,
            timeout=self._timeout_s,
        )
        async with client:
            self.connections += 1
            self._put_greeting_first()
            self.connected.set()
            broken = asyncio.create_task(_until_broken(client))
            try:
                while self.outstanding or not self._closed:
                    await self._send_window(client, broken)
            finally:
                broken.cancel()
                with contextlib.suppress(asyncio.CancelledError, aiomqtt.MqttError):
                    await broken

    def _put_greeting_first(self) -> None:
        """Queue the greeting before all else; one that was sent and not acknowledged goes out again as itself."""
        unsettled = {message.topic: message for message in self._queue if message.retain}
        greeting = [unsettled.get(message.topic, message) for message in self._greeting()]
        self._queue = deque([*greeting, *(message for message in self._queue if not message.retain)])

    async def _send_window(self, client: aiomqtt.Client, broken: asyncio.Task[None]) -> None:
        """Send up to `WINDOW` messages and wait for their acknowledgements; put back what has none."""
        if not self._queue:
            await self._wait_for_work(broken)
        self._in_flight = [self._queue.popleft() for _ in range(min(WINDOW, len(self._queue)))]
        sending: dict[asyncio.Task[None], Outgoing] = {}
        for message in self._in_flight:
            message.attempt()
            publish = client.publish(message.topic, message.payload, qos=1, retain=message.retain)
            sending[asyncio.create_task(publish)] = message
        try:
            await _all_or_broken(set(sending), broken)
        finally:
            for task in sending:
                task.cancel()
            outcomes = await asyncio.gather(*sending, return_exceptions=True)
            unsettled = []
            for message, outcome in zip(sending.values(), outcomes, strict=True):
                if outcome is None:
                    message.settle()
                else:
                    unsettled.append(message)
            self._in_flight = []
            self._queue.extendleft(reversed(unsettled))
        if broken.done():
            broken.result()
        if unsettled:
            raise aiomqtt.MqttError("the broker did not acknowledge in time")

    async def _wait_for_work(self, broken: asyncio.Task[None]) -> None:
        self._wake.clear()
        if self._closed:
            return
        waiting = asyncio.create_task(self._wake.wait())
        try:
            await asyncio.wait({waiting, broken}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()


async def _until_broken(client: aiomqtt.Client) -> None:
    """Raise `aiomqtt.MqttError` when the connection is lost; nothing is subscribed, so nothing else comes."""
    async for _ in client.messages:
        pass


async def _all_or_broken(tasks: set[asyncio.Task[None]], broken: asyncio.Task[None]) -> None:
    pending: set[asyncio.Task[None]] = tasks
    while pending and not broken.done():
        done, _ = await asyncio.wait({*pending, broken}, return_when=asyncio.FIRST_COMPLETED)
        pending = pending - done
