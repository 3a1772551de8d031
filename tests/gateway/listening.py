"""A listener over a spool, and a client that says exactly what it is told to."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from gateway.config import ListenerSettings
from gateway.sources.listener import Listener
from gateway.spool.writer import Spool
from tests.gateway.mqtt_bytes import CONNACK, connect
from tests.gateway.on_disk import pipeline_into
from tests.services.waiting import until


def settings_for(**told: object) -> ListenerSettings:
    return ListenerSettings(**{"port": 0, "tls_host": "127.0.0.1", "tls_port": 0, "users": {"room": "secret"}, **told})  # type: ignore[arg-type]


@asynccontextmanager
async def listener_on(
    spool: Spool, tls: Mapping[str, str] | None = None, *, max_pending: int = 1000, **told: object
) -> AsyncIterator[tuple[Listener, int]]:
    """A listener and its port; `tls` are the settings about certificates."""
    listener = Listener(settings_for(**told, **(tls or {})), pipeline_into(spool, max_pending=max_pending))
    port = await listener.start()
    try:
        yield listener, port
    finally:
        await listener.close()
        await until(lambda: not listener.connections, what="all connections are closed")


class Wire:
    """A client, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def send(self, *packets: bytes) -> None:
        self._writer.write(b"".join(packets))

    async def expect(self, answer: bytes) -> None:
        async with asyncio.timeout(20):
            assert await self._reader.readexactly(len(answer)) == answer

    async def read(self, count: int) -> bytes:
        async with asyncio.timeout(20):
            return await self._reader.readexactly(count)

    async def packet(self) -> bytes:
        """Whatever comes next, if it is short."""
        header = await self.read(2)
        assert header[1] < 0x80
        return header + await self.read(header[1])

    async def rest(self) -> bytes:
        """What still comes until the gateway closes."""
        async with asyncio.timeout(20):
            return await self._reader.read()

    async def drain(self) -> None:
        await self._writer.drain()

    def abort(self) -> None:
        """Be gone without a word."""
        self._writer.transport.abort()


@asynccontextmanager
async def wire(port: int, *first: bytes) -> AsyncIterator[Wire]:
    """A connection that has sent `first`; when that is nothing, one that has been let in."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    client = Wire(reader, writer)
    try:
        if not first:
            client.send(connect())
            await client.expect(CONNACK)
        client.send(*first)
        yield client
    finally:
        writer.close()


@asynccontextmanager
async def sensor(port: int, client_id: str, **told: object) -> AsyncIterator[Wire]:
    """A connection of 3.1.1 that has been let in for the first time."""
    async with wire(port, connect(client_id, **told)) as client:  # type: ignore[arg-type]
        await client.expect(CONNACK)
        yield client
