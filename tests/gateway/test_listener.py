"""What a sensor is promised: acknowledged is on disk. Real sockets, the real pipeline, a real spool."""

import asyncio
import socket
import struct
from contextlib import AsyncExitStack
from pathlib import Path

import aiomqtt
import pytest

from gateway.errors import ListenError
from gateway.sources import connection, listener
from gateway.spool.writer import Spool, open_spool
from tests.gateway.listening import Wire, listener_on, wire
from tests.gateway.mqtt_bytes import (
    CONNACK,
    DISCONNECT,
    PINGREQ,
    PINGRESP,
    connect,
    puback,
    publish,
    subscribe,
    text,
)
from tests.gateway.on_disk import arrived, let_the_disk_recover, let_the_disk_refuse, letters, readings, values
from tests.gateway.running import in_background
from tests.services.waiting import until

TOPIC = "zigbee2mqtt/room"


def payload(temperature: float) -> bytes:
    return f'{{"temperature": {temperature}}}'.encode()


async def test_nothing_is_acknowledged_before_the_commit(tmp_path: Path) -> None:
    spool = open_spool(tmp_path, max_mb=64)  # and nobody runs its writer yet
    async with AsyncExitStack() as stack:
        stack.callback(spool.close)
        _, port = await stack.enter_async_context(listener_on(spool))
        client = await stack.enter_async_context(wire(port))
        client.send(publish(TOPIC, payload(4), packet_id=7), PINGREQ)
        await client.expect(PINGRESP)
        writer = asyncio.create_task(spool.run())
        await client.expect(puback(7))
        assert await values(spool) == [4.0]
    writer.cancel()


async def test_a_retained_message_is_still_a_reading(spool: Spool) -> None:
    async with listener_on(spool) as (_, port), wire(port) as client:
        client.send(publish(TOPIC, payload(4), retain=True))
        await client.expect(puback(1))
    assert await values(spool) == [4.0]


async def test_a_redelivery_is_acknowledged_again_and_kept(spool: Spool) -> None:
    async with listener_on(spool) as (_, port), wire(port) as client:
        client.send(publish(TOPIC, payload(4), packet_id=3), publish(TOPIC, payload(4), packet_id=3, duplicate=True))
        await client.expect(puback(3) + puback(3))
    assert await values(spool) == [4.0, 4.0]


async def test_a_poison_message_is_acknowledged_and_blocks_nobody(spool: Spool) -> None:
    async with listener_on(spool) as (_, port), wire(port) as client:
        client.send(publish(TOPIC, b"\xff", packet_id=1), publish(TOPIC, payload(4), packet_id=2))
        await client.expect(puback(1) + puback(2))
    assert (await values(spool), len(await letters(spool))) == ([4.0], 1)


async def test_what_came_before_a_broken_packet_is_kept(spool: Spool) -> None:
    async with listener_on(spool) as (here, port), wire(port) as client:
        client.send(publish(TOPIC, payload(4)), b"\x36\x00")
        await client.rest()
        await arrived(spool, 1)
        (warning,) = here.state().warnings
        assert "clients that broke the MQTT standard were cut off: 1 times, last 'sensor-1' at 127.0.0.1" in warning


async def test_a_message_in_front_of_the_good_bye_is_kept(spool: Spool) -> None:
    async with listener_on(spool) as (_, port), wire(port) as client:
        client.send(publish(TOPIC, payload(4), qos=0), DISCONNECT)
        await client.rest()
        await arrived(spool, 1)


async def test_messages_sent_along_with_the_connect_are_taken_once_it_is_accepted(spool: Spool) -> None:
    async with listener_on(spool) as (_, port), wire(port, connect(), publish(TOPIC, payload(4))) as client:
        await client.expect(CONNACK + puback(1))


@pytest.mark.parametrize(
    ("packet", "answer"),
    [
        (connect(password="guess"), b"\x20\x02\0\x04"),
        (connect(username="nobody"), b"\x20\x02\0\x04"),
        (connect(password=None), b"\x20\x02\0\x04"),
        (connect(username=None, password=None), b"\x20\x02\0\x05"),
        (connect("", clean=False), b"\x20\x02\0\x02"),
        (connect("x" * 300), b"\x20\x02\0\x02"),
        (connect(level=3), b"\x20\x02\0\x01"),
        (connect(level=6), b"\x20\x15\0\x84\x12\x1f\0\x0fMQTT 3.1.1 or 5"),
        (publish(TOPIC, b"{}"), b""),
        (PINGREQ, b""),
        (b"GET / HTTP/1.1\r\n\r\n", b""),
        (connect() + connect(), CONNACK),
        (connect() + publish(TOPIC, b"{}", qos=2), CONNACK),
        (connect() + DISCONNECT, CONNACK),
    ],
)
async def test_the_gateway_answers_and_hangs_up(spool: Spool, packet: bytes, answer: bytes) -> None:
    async with listener_on(spool) as (_, port), wire(port, packet) as client:
        assert await client.rest() == answer
    assert (await values(spool), await letters(spool)) == ([], [])


@pytest.mark.parametrize(
    ("packet", "reason"),
    [
        (connect(level=5, password="guess"), 0x86),
        (connect(level=5, username=None, password=None), 0x87),
        (connect(level=5, told=b"\x15" + text("SCRAM-SHA-1")), 0x8C),
        (connect("x" * 300, level=5), 0x85),
    ],
)
async def test_version_5_is_told_why_it_may_not_come_in(spool: Spool, packet: bytes, reason: int) -> None:
    async with listener_on(spool) as (_, port), wire(port, packet) as client:
        answer = await client.rest()
    assert (answer[0], answer[2:4]) == (0x20, bytes((0, reason)))


@pytest.mark.parametrize(
    ("packet", "reason"),
    [
        (publish(TOPIC, b"{}", qos=2, level=5), 0x9B),
        (publish(TOPIC, b"{}", level=5, told=b"\x23\0\x01"), 0x94),
        (b"\xf0\x02\x18\0", 0x81),
        (connect(level=5), 0x82),
        (b"\x30\xff\xff\xff\x7f", 0x95),
    ],
)
async def test_version_5_is_told_why_it_is_cut_off(spool: Spool, packet: bytes, reason: int) -> None:
    async with listener_on(spool) as (_, port), wire(port, connect(level=5)) as client:
        await client.packet()
        client.send(packet)
        answer = await client.rest()
    assert (answer[0], answer[2]) == (0xE0, reason)


async def test_version_5_is_told_what_it_may_do(spool: Spool) -> None:
    async with (
        listener_on(spool, receive_maximum=77, max_packet_bytes=512) as (_, port),
        wire(port, connect("", level=5, clean=False, told=b"\x11\xff\xff\xff\xff")) as client,
    ):
        answer = await client.packet()
        assert answer[2:4] == b"\0\0"
        told = answer[5:]
        for offer in (b"\x21\0\x4d", b"\x24\x01", b"\x27\0\0\x08\0", b"\x29\0", b"\x2a\0", b"\x11\0\x01\x51\x80"):
            assert offer in told
        assert b"\x12\0" in told  # a name was given
        client.send(publish(TOPIC, payload(4), level=5, told=b"\x01\x01"))
        await client.expect(puback(1))
    assert await values(spool) == [4.0]


async def test_anonymous_sensors_come_in_only_when_the_settings_say_so(spool: Spool) -> None:
    stranger = connect("", username=None, password=None)
    async with listener_on(spool, anonymous=True) as (_, port), wire(port, stranger) as client:
        await client.expect(CONNACK)


async def test_a_silent_sensor_is_let_go_after_one_and_a_half_keepalives(spool: Spool) -> None:
    async with listener_on(spool) as (_, port), wire(port, connect(keepalive_s=1)) as client:
        await client.expect(CONNACK)
        assert await client.rest() == b""


async def test_a_message_that_is_too_long_is_a_dead_letter_and_blocks_nobody(spool: Spool) -> None:
    async with listener_on(spool, max_packet_bytes=128) as (here, port), wire(port) as client:
        client.send(publish(TOPIC, b"x" * 200, packet_id=1), publish(TOPIC, payload(4), packet_id=2))
        await client.expect(puback(1) + puback(2))
        assert await letters(spool) == [(TOPIC, 128 - len(TOPIC) - 4, "message of 220 bytes, cut to 128")]
        assert "were cut and cannot be read: 1 times" in here.state().warnings[0]
        client.send(publish(TOPIC, b"x" * 600))
        assert await client.rest() == b""
    assert await values(spool) == [4.0]


async def test_one_client_too_many_is_turned_away(spool: Spool) -> None:
    async with listener_on(spool, max_clients=1) as (here, port), wire(port) as first:
        async with wire(port, connect("sensor-2")) as second:
            assert await second.rest() == b"\x20\x02\0\x03"
        async with wire(port, connect("sensor-2", level=5)) as second:
            assert (await second.rest())[3] == 0x97
        first.send(PINGREQ)
        await first.expect(PINGRESP)
        assert "raise listener.max_clients: 2 times" in here.state().warnings[0]
        async with wire(port):  # the one that is in may always come back
            assert await first.rest() == b""


async def test_a_sensor_that_comes_back_takes_its_own_place_and_nobody_else_does(spool: Spool) -> None:
    users = {"room": "secret", "other": "secret"}
    async with listener_on(spool, users=users) as (_, port), wire(port) as before:
        async with wire(port, connect(username="other")) as stranger:
            await stranger.expect(CONNACK)
        async with wire(port) as after:
            assert await before.rest() == b""
            after.send(PINGREQ)
            await after.expect(PINGRESP)


async def test_connections_without_a_word_make_room_for_others(spool: Spool) -> None:
    async with listener_on(spool) as (here, port), AsyncExitStack() as stack:
        silent = [await stack.enter_async_context(wire(port, b"\x10")) for _ in range(listener.MAX_STRANGERS)]
        async with wire(port):
            assert await silent[0].rest() == b""
        assert "faster than they introduced themselves" in here.state().warnings[0]


async def test_guessing_passwords_is_slow_for_all_from_that_address(spool: Spool) -> None:
    async with listener_on(spool) as (here, port), AsyncExitStack() as stack:
        for _ in range(40):  # more than may wait for their answer
            await stack.enter_async_context(wire(port, connect(password="guess")))
        await until(lambda: "nobody from there is heard" in "".join(here.state().warnings), what="guessing is noticed")
        async with wire(port, connect()) as client:
            assert await client.rest() == b"\x20\x02\0\x04"


# how much, how fast


async def test_a_flood_is_slowed_down_and_arrives_whole(spool: Spool) -> None:
    async with listener_on(spool, max_pending=10) as (_, port), wire(port) as client:
        for number in range(20_000):
            client.send(publish(TOPIC, payload(number % 40), packet_id=number % 60_000 + 1))
            if number % 1000 == 0:
                await client.drain()
        await client.expect(b"".join(puback(number % 60_000 + 1) for number in range(20_000)))
    assert await values(spool) == [number % 40 for number in range(20_000)]


async def _is_read_no_further(client: Wire) -> bool:
    sending = asyncio.create_task(client.drain())
    for _ in range(2000):  # enough turns to read all of it
        await asyncio.sleep(0)
    stuck = not sending.done()
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    return stuck


@pytest.mark.parametrize("told", [{"max_pending": 10}, {"max_pending": 1_000_000}])
async def test_a_gateway_that_cannot_commit_stops_reading(tmp_path: Path, told: dict[str, int]) -> None:
    spool = open_spool(tmp_path, max_mb=128)  # and nobody runs its writer yet
    async with AsyncExitStack() as stack:
        stack.callback(spool.close)
        here, port = await stack.enter_async_context(listener_on(spool, None, **told))
        client = await stack.enter_async_context(wire(port))
        garbage = b"x" * 60_000
        client.send(*(publish(TOPIC, garbage, packet_id=number) for number in range(1, 501)))
        assert await _is_read_no_further(client)
        assert here.unsettled_bytes <= listener.MAX_UNSETTLED_BYTES + (1 << 20)
        writer = asyncio.create_task(spool.run())
        await client.expect(b"".join(map(puback, range(1, 501))))
        assert here.unsettled_bytes == 0
        assert len(await letters(spool)) == 500
    writer.cancel()


async def test_the_window_of_one_client_is_bounded(tmp_path: Path) -> None:
    spool = open_spool(tmp_path, max_mb=64)  # and nobody runs its writer yet
    async with AsyncExitStack() as stack:
        stack.callback(spool.close)
        here, port = await stack.enter_async_context(listener_on(spool, max_pending=1_000_000, receive_maximum=20))
        client = await stack.enter_async_context(wire(port))
        client.send(*(publish(TOPIC, payload(4), packet_id=number) for number in range(1, 50_001)))
        await _is_read_no_further(client)
        assert 20 <= here.received < 10_000  # what one read brings
        writer = asyncio.create_task(spool.run())
        await client.expect(b"".join(map(puback, range(1, 50_001))))
    writer.cancel()


async def test_beginnings_of_packets_do_not_fill_the_memory(spool: Spool) -> None:
    large = 1 << 20
    async with listener_on(spool, max_packet_bytes=large) as (here, port), AsyncExitStack() as stack:
        clients = []
        for number in range(9):
            client = await stack.enter_async_context(wire(port, connect(f"sensor-{number}")))
            await client.expect(CONNACK)
            client.send(publish(TOPIC, b"x" * large)[: large - 10])
            clients.append(client)
        await until(lambda: len(here.connections) < 9, what="one is cut off")
        assert here.held_bytes <= listener.MAX_HELD_BYTES
        assert "too many large packets" in here.state().warnings[0]
    assert here.held_bytes == 0


async def test_who_does_not_read_is_not_read_and_not_kept_for_ever(spool: Spool) -> None:
    async with listener_on(spool) as (here, port), wire(port) as client:
        client.send(subscribe(1, ("alarms", 0)))
        await client.expect(b"\x90\x03\0\x01\0")
        (slow,) = here.clients.values()
        large = b"x" * 60_000
        await until(lambda: here.publish("alarms", large) == 0, what="the gateway waits for the client")
        assert slow._held & connection.Hold.WRITING
        client.send(publish(TOPIC, payload(4)))
        slow._too_slow()  # as after `SLOW_READER_S`
        await until(lambda: not here.connections, what="the client is cut off")
        told = " ".join(here.state().warnings)
        assert "clients that do not take them were thrown away" in told
        assert "do not read what is sent to them" in told
    assert await values(spool) == []


async def test_who_reads_again_is_read_again(spool: Spool) -> None:
    async with listener_on(spool) as (here, port), wire(port) as client:
        client.send(subscribe(1, ("alarms", 0)))
        await client.expect(b"\x90\x03\0\x01\0")
        sent = 0
        while here.publish("alarms", b"x" * 60_000):
            sent += 1
            await asyncio.sleep(0)
        client.send(publish(TOPIC, payload(4)))
        await client.read(sent * len(publish("alarms", b"x" * 60_000, qos=0)))
        await client.expect(puback(1))


# when the disk refuses, and when the gateway stops


async def test_a_disk_that_takes_nothing_is_no_acknowledgement(spool: Spool) -> None:
    async with listener_on(spool) as (here, port):
        await let_the_disk_refuse(spool)
        async with wire(port) as client:
            client.send(publish(TOPIC, payload(4)))
            assert await client.rest() == b""
        async with wire(port, connect(level=5)) as client:
            await client.packet()
            client.send(publish(TOPIC, payload(4), level=5))
            answer = await client.rest()
            assert (answer[0], answer[2]) == (0xE0, 0x97)
            assert b"free disk space" in answer
        assert "nothing could be stored: 2 times" in here.state().warnings[0]
        await let_the_disk_recover(spool)
        async with wire(port) as client:
            client.send(publish(TOPIC, payload(4), duplicate=True))
            await client.expect(puback(1))
    assert await values(spool) == [4.0]


async def test_stopping_acknowledges_what_was_read(spool: Spool) -> None:
    async with listener_on(spool) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(connect() + publish(TOPIC, payload(4)))
        async with asyncio.timeout(10):
            assert await reader.readexactly(4) == CONNACK
    assert await reader.read() == puback(1) * len(await values(spool))
    writer.close()


async def test_stopping_is_told_to_version_5_and_says_nobodys_will(spool: Spool) -> None:
    async with listener_on(spool) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(connect(level=5, will=("shellies/door/online", b"false")))
        async with asyncio.timeout(10):
            header = await reader.readexactly(2)
            await reader.readexactly(header[1])
    answer = await reader.read()
    assert (answer[0], answer[2]) == (0xE0, 0x8B)
    writer.close()
    assert await readings(spool) == []


async def test_a_busy_port_is_said_plainly(spool: Spool) -> None:
    async with listener_on(spool) as (_, port):
        with pytest.raises(ListenError, match=rf"cannot listen on 127.0.0.1:{port} .*listener.port"):
            async with listener_on(spool, port=port):
                pass


async def test_the_heartbeat_hears_how_many_there_are_and_what_they_said(spool: Spool) -> None:
    async with listener_on(spool) as (here, port):
        async with wire(port) as client:
            client.send(*(publish(TOPIC, payload(4), packet_id=number) for number in (1, 2, 3)))
            await client.expect(puback(1) + puback(2) + puback(3))
            state = here.state()
            assert (state.name, state.connected, state.received, state.warnings) == ("listener", 1, 3, [])
            client.abort()
        await until(lambda: here.state().connected == 0, what="the client is gone")


async def test_a_connection_that_breaks_is_forgotten(spool: Spool) -> None:
    async with listener_on(spool) as (here, port):
        taken = socket.create_connection(("127.0.0.1", port))
        taken.sendall(connect() + publish(TOPIC, payload(4)) + publish(TOPIC, payload(5))[:6])
        await arrived(spool, 1)
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        taken.close()  # a reset, as of a sensor that lost its power
        await until(lambda: not here.connections, what="it is forgotten")
        assert (here.clients, here.held_bytes, here.unsettled_bytes) == ({}, 0, 0)


async def test_a_sensor_that_sends_its_memory_one_message_at_a_time_is_not_kept_waiting(tmp_path: Path) -> None:
    """Small groups may wait for company, here for an hour; nobody else could be company for these."""
    spool = open_spool(tmp_path / "data", max_mb=64, linger_s=3600.0)
    try:
        async with in_background(spool.run()), listener_on(spool) as (_, port):
            async with aiomqtt.Client("127.0.0.1", port, username="room", password="secret") as client:
                for _ in range(60):
                    await client.publish("zigbee2mqtt/room", b'{"temperature": 4}', qos=1)
            assert spool.waiting("readings") == 60
    finally:
        spool.close()
