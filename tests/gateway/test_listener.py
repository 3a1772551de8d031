import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiomqtt
import pytest
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from gateway.clock import Clock
from gateway.config import ListenerSettings
from gateway.contract import Reading
from gateway.errors import ListenError
from gateway.pipeline import Pipeline
from gateway.sources.listener import Listener
from gateway.spool import Spool, open_spool
from tests.gateway import mqtt_bytes
from tests.gateway.mqtt_bytes import CONNACK, DISCONNECT, PINGREQ, connect, puback, publish
from tests.services.waiting import until

TOPIC = "zigbee2mqtt/room"


@asynccontextmanager
async def listening(
    spool: Spool, settings: ListenerSettings | None = None, max_pending: int = 1000
) -> AsyncIterator[int]:
    settings = settings or ListenerSettings(port=0, users={"room": "secret"})
    pipeline = Pipeline(spool, max_pending=max_pending, max_dead_letters=10, on_committed=lambda outcome: None)
    listener = Listener(settings, pipeline, Clock())
    port = await listener.start()
    try:
        yield port
    finally:
        await listener.close()
        await until(lambda: not listener.connections, what="all connections are closed")


@pytest.fixture
async def port(spool: Spool) -> AsyncIterator[int]:
    async with listening(spool) as port:
        yield port


class Wire:
    """A client that says exactly what it is told to."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def send(self, *packets: bytes) -> None:
        self._writer.write(b"".join(packets))

    async def expect(self, answer: bytes) -> None:
        async with asyncio.timeout(10):
            assert await self._reader.readexactly(len(answer)) == answer

    async def rest(self) -> bytes:
        """What still comes until the gateway closes."""
        async with asyncio.timeout(10):
            return await self._reader.read()

    async def drain(self) -> None:
        await self._writer.drain()


@asynccontextmanager
async def wire(port: int, *first: bytes) -> AsyncIterator[Wire]:
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


def payload(temperature: float) -> bytes:
    return json.dumps({"temperature": temperature}).encode()


async def values(spool: Spool) -> list[float]:
    rows = await spool.submit(lambda store: store.batch("readings", 100_000))
    return [row.value for row in rows if isinstance(row, Reading)]


async def letters(spool: Spool) -> int:
    return await spool.submit(lambda store: store.dead_letters())


async def test_aiomqtt_publishes_and_what_it_was_told_is_on_disk(spool: Spool, port: int) -> None:
    async with aiomqtt.Client("127.0.0.1", port, username="room", password="secret") as client:
        for number in range(5):
            await client.publish(TOPIC, payload(number), qos=1)
            assert len(await values(spool)) == number + 1
        await client.publish(TOPIC, payload(5), qos=0)
    await until(lambda: _has(spool, 6), what="the QoS 0 message is stored as well")


async def test_paho_publishes_a_burst_and_leaves_without_a_word(spool: Spool, port: int) -> None:
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv311)
    client.username_pw_set("room", "secret")
    acknowledged = threading.Semaphore(0)
    client.on_publish = lambda *_: acknowledged.release()

    def burst() -> None:
        client.connect("127.0.0.1", port)
        client.loop_start()
        for number in range(500):
            client.publish(TOPIC, payload(number / 10), qos=1)
        for _ in range(500):
            assert acknowledged.acquire(timeout=10)
        wire = client.socket()
        assert isinstance(wire, socket.socket)
        wire.shutdown(socket.SHUT_RDWR)  # as a battery sensor that goes back to sleep
        client.loop_stop()

    await asyncio.to_thread(burst)
    assert await values(spool) == [number / 10 for number in range(500)]


async def test_nothing_is_acknowledged_before_the_commit(tmp_path: Path) -> None:
    spool = open_spool(tmp_path, max_mb=8)  # and nobody runs its writer yet
    async with AsyncExitStack() as stack:
        stack.callback(spool.close)
        port = await stack.enter_async_context(listening(spool))
        client = await stack.enter_async_context(wire(port))
        client.send(publish(TOPIC, payload(4), packet_id=7), PINGREQ)
        await client.expect(b"\xd0\0")
        writer = asyncio.create_task(spool.run())
        await client.expect(puback(7))
        assert await values(spool) == [4.0]
    writer.cancel()


async def _has(spool: Spool, count: int) -> bool:
    return len(await values(spool)) == count


async def test_a_retained_message_is_still_a_reading(spool: Spool, port: int) -> None:
    async with wire(port) as client:
        client.send(publish(TOPIC, payload(4), retain=True))
        await client.expect(puback(1))
    assert await values(spool) == [4.0]


async def test_a_redelivery_is_acknowledged_again_and_kept(spool: Spool, port: int) -> None:
    async with wire(port) as client:
        client.send(publish(TOPIC, payload(4), packet_id=3), publish(TOPIC, payload(4), packet_id=3, duplicate=True))
        await client.expect(puback(3) + puback(3))
    assert await values(spool) == [4.0, 4.0]


async def test_a_poison_message_is_acknowledged_and_blocks_nobody(spool: Spool, port: int) -> None:
    async with wire(port) as client:
        client.send(publish(TOPIC, b"\xff", packet_id=1), publish(TOPIC, payload(4), packet_id=2))
        await client.expect(puback(1) + puback(2))
    assert (await values(spool), await letters(spool)) == ([4.0], 1)


async def test_what_came_before_a_broken_packet_is_kept(spool: Spool, port: int) -> None:
    async with wire(port) as client:
        client.send(publish(TOPIC, payload(4)), b"\x36\x00")
        await client.rest()
    await until(lambda: _has(spool, 1), what="the message before the broken packet is stored")


async def test_a_message_in_front_of_the_good_bye_is_kept(spool: Spool, port: int) -> None:
    async with wire(port) as client:
        client.send(publish(TOPIC, payload(4), qos=0), DISCONNECT)
        await client.rest()
    await until(lambda: _has(spool, 1), what="the last message is stored")


@pytest.mark.parametrize(
    ("packet", "answer"),
    [
        (connect(password="guess"), b"\x20\x02\0\x04"),
        (connect(username="nobody"), b"\x20\x02\0\x04"),
        (connect(password=None), b"\x20\x02\0\x04"),
        (connect(username=None, password=None), b"\x20\x02\0\x05"),
        (connect("", clean=False), b"\x20\x02\0\x02"),
        (connect(level=3), b"\x20\x02\0\x01"),
        (connect(level=5), b"\x20\x03\0\x84\0"),
        (publish(TOPIC, b"{}"), b""),
        (PINGREQ, b""),
        (b"GET / HTTP/1.1\r\n\r\n", b""),
        (connect() + connect(), CONNACK),
        (connect() + publish(TOPIC, b"{}", qos=2), CONNACK),
        (connect() + DISCONNECT, CONNACK),
    ],
)
async def test_the_gateway_answers_and_hangs_up(spool: Spool, port: int, packet: bytes, answer: bytes) -> None:
    async with wire(port, packet) as client:
        assert await client.rest() == answer
    assert (await values(spool), await letters(spool)) == ([], 0)


async def test_a_version_5_client_understands_why(port: int) -> None:
    with pytest.raises(aiomqtt.MqttError, match=r"(?i)protocol version"):
        async with aiomqtt.Client("127.0.0.1", port, protocol=aiomqtt.ProtocolVersion.V5):
            pass


async def test_anonymous_sensors_come_in_only_when_the_settings_say_so(spool: Spool) -> None:
    settings = ListenerSettings(port=0, anonymous=True)
    stranger = connect("", username=None, password=None)
    async with listening(spool, settings) as port, wire(port, stranger) as client:
        await client.expect(CONNACK)


async def test_a_subscription_is_refused_and_the_sensor_stays(spool: Spool, port: int) -> None:
    async with wire(port) as client:
        filters = mqtt_bytes.text("a") + b"\x01" + mqtt_bytes.text("b/#") + b"\0"
        client.send(mqtt_bytes.packet(0x82, b"\0\x09" + filters))
        await client.expect(b"\x90\x04\0\x09\x80\x80")
        client.send(mqtt_bytes.packet(0xA2, b"\0\x0a" + mqtt_bytes.text("a")))
        await client.expect(b"\xb0\x02\0\x0a")
        client.send(publish(TOPIC, payload(4)))
        await client.expect(puback(1))


async def test_a_silent_sensor_is_let_go_after_one_and_a_half_keepalives(port: int) -> None:
    async with wire(port, connect(keepalive_s=1)) as client:
        await client.expect(CONNACK)
        assert await client.rest() == b""


async def test_too_large_a_packet_ends_the_connection(spool: Spool) -> None:
    settings = ListenerSettings(port=0, users={"room": "secret"}, max_packet_bytes=128)
    async with listening(spool, settings) as port, wire(port) as client:
        client.send(publish(TOPIC, b"x" * 200))
        assert await client.rest() == b""


async def test_one_client_too_many_is_turned_away(spool: Spool) -> None:
    settings = ListenerSettings(port=0, users={"room": "secret"}, max_clients=1)
    async with listening(spool, settings) as port, wire(port) as first:
        async with wire(port, connect("sensor-2")) as second:
            assert await second.rest() == b""
        first.send(PINGREQ)
        await first.expect(b"\xd0\0")


async def test_a_sensor_that_comes_back_takes_its_own_place(port: int) -> None:
    async with wire(port) as before, wire(port) as after:
        assert await before.rest() == b""
        after.send(PINGREQ)
        await after.expect(b"\xd0\0")


async def test_a_flood_is_slowed_down_and_arrives_whole(spool: Spool) -> None:
    async with listening(spool, max_pending=10) as port, wire(port) as client:
        for number in range(20_000):
            client.send(publish(TOPIC, payload(number % 40), packet_id=number % 60_000 + 1))
            if number % 1000 == 0:
                await client.drain()
        await client.expect(b"".join(puback(number % 60_000 + 1) for number in range(20_000)))
    assert await values(spool) == [number % 40 for number in range(20_000)]


async def test_a_gateway_that_cannot_commit_stops_reading(tmp_path: Path) -> None:
    spool = open_spool(tmp_path, max_mb=8)  # and nobody runs its writer yet
    async with AsyncExitStack() as stack:
        stack.callback(spool.close)
        client = await stack.enter_async_context(
            wire(await stack.enter_async_context(listening(spool, max_pending=10)))
        )
        garbage = b"x" * 60_000
        client.send(*(publish(TOPIC, garbage, packet_id=number) for number in range(1, 501)))
        sending = asyncio.create_task(client.drain())
        for _ in range(2000):  # enough turns to read all 30 MB
            await asyncio.sleep(0)
        assert not sending.done()
        writer = asyncio.create_task(spool.run())
        await client.expect(b"".join(map(puback, range(1, 501))))
        await sending
        assert await letters(spool) == 500
    writer.cancel()


async def test_a_disk_that_takes_nothing_is_no_acknowledgement(spool: Spool, port: int) -> None:
    trigger = "CREATE TRIGGER full BEFORE INSERT ON readings BEGIN SELECT raise(ABORT, 'disk is full'); END"
    await spool.submit(lambda store: store.connection.execute(trigger))
    async with wire(port) as client:
        client.send(publish(TOPIC, payload(4)))
        assert await client.rest() == b""
    await spool.submit(lambda store: store.connection.execute("DROP TRIGGER full"))
    async with wire(port) as client:
        client.send(publish(TOPIC, payload(4), duplicate=True))
        await client.expect(puback(1))
    assert await values(spool) == [4.0]


async def test_stopping_acknowledges_what_was_read(spool: Spool) -> None:
    async with listening(spool) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(connect() + publish(TOPIC, payload(4)))
        async with asyncio.timeout(10):
            assert await reader.readexactly(4) == CONNACK
    assert await reader.read() == puback(1) * len(await values(spool))
    writer.close()


async def test_a_busy_port_is_said_plainly(spool: Spool, port: int) -> None:
    with pytest.raises(ListenError, match=rf"cannot listen on 127.0.0.1:{port} .*listener.port"):
        async with listening(spool, ListenerSettings(port=port, anonymous=True)):
            pass
