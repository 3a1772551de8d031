"""The least MQTT 3.1.1 server that a publisher needs: it answers, records, and misbehaves when told to."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Self

from tests.services.waiting import until

CONNECT, PUBLISH, PINGREQ, DISCONNECT = 1, 3, 12, 14


@dataclass(frozen=True)
class Received:
    topic: str
    payload: bytes
    qos: int
    retain: bool

    def json(self) -> dict[str, float | str]:
        document = json.loads(self.payload)
        assert isinstance(document, dict)
        return document


@dataclass
class MqttAcceptor:
    """Use as `async with MqttAcceptor() as broker`."""

    #: 0 takes everybody; 4 is "bad user name or password"
    connack_code: int = 0
    #: False: publishes are recorded and never acknowledged
    acknowledging: bool = True
    received: list[Received] = field(default_factory=list)
    connects: list[bytes] = field(default_factory=list)
    port: int = 0
    _server: asyncio.Server | None = None
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.drop_connections()
        await self._server.wait_closed()
        await until(lambda: not self._writers, what="all connections are closed")

    def drop_connections(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    def states(self, friendly_name: str) -> list[Received]:
        return [message for message in self.received if message.topic == f"zigbee2mqtt/{friendly_name}"]

    async def wait_for(self, count: int) -> None:
        """Until `count` publishes came in."""
        async with self._changed:
            await asyncio.wait_for(self._changed.wait_for(lambda: len(self.received) >= count), 20)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while await self._packet(reader, writer):
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _packet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readexactly(1))[0]
        body = await reader.readexactly(await _remaining_length(reader))
        kind = head >> 4
        if kind == CONNECT:
            self.connects.append(body)
            writer.write(bytes((0x20, 2, 0, self.connack_code)))
            return self.connack_code == 0
        if kind == PUBLISH:
            await self._publish(head, body, writer)
        if kind == PINGREQ:
            writer.write(b"\xd0\x00")
        return kind != DISCONNECT

    async def _publish(self, head: int, body: bytes, writer: asyncio.StreamWriter) -> None:
        qos = head >> 1 & 3
        length = int.from_bytes(body[:2], "big")
        topic, rest = body[2 : 2 + length].decode(), body[2 + length :]
        packet_id, payload = (rest[:2], rest[2:]) if qos else (b"", rest)
        self.received.append(Received(topic, payload, qos, bool(head & 1)))
        if qos and self.acknowledging:
            writer.write(b"\x40\x02" + packet_id)
        async with self._changed:
            self._changed.notify_all()


async def _remaining_length(reader: asyncio.StreamReader) -> int:
    length, shift = 0, 0
    while True:
        byte = (await reader.readexactly(1))[0]
        length |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return length
