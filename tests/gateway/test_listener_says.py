"""What the gateway says to its devices, and who may hear and say what."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from gateway.config import ListenerUser
from gateway.sources import sessions
from gateway.spool.writer import Spool, open_spool
from tests.gateway.listening import Wire, listener_on, sensor, wire
from tests.gateway.mqtt_bytes import (
    CONNACK,
    DISCONNECT,
    PINGREQ,
    PINGRESP,
    connect,
    packet,
    puback,
    publish,
    subscribe,
    unsubscribe,
)
from tests.gateway.on_disk import arrived, readings, values
from tests.services.waiting import until

TOPIC = "zigbee2mqtt/room"
COMMAND = "scale/dock/command"
GOOD = b'{"temperature": 4}'
#: in a CONNECT of version 5: keep my session for an hour
AN_HOUR = b"\x11\0\0\x0e\x10"


async def subscribed(client: Wire, topic_filter: str, qos: int = 0) -> None:
    client.send(subscribe(1, (topic_filter, qos)))
    await client.expect(b"\x90\x03\0\x01" + bytes((qos,)))


# hearing


async def test_a_device_hears_the_command_for_it_and_no_other(spool: Spool) -> None:
    async with listener_on(spool) as (here, port), sensor(port, "dock") as dock, sensor(port, "other") as other:
        await subscribed(dock, COMMAND)
        await subscribed(other, "scale/other/command")
        assert here.publish(COMMAND, b"tare") == 1
        assert here.publish("scale/nobody/command", b"tare") == 0
        await dock.expect(publish(COMMAND, b"tare", qos=0))
        dock.send(unsubscribe(2, COMMAND, "never/had"))
        await dock.expect(b"\xb0\x02\0\x02")
        assert here.publish(COMMAND, b"tare") == 0
        other.send(PINGREQ)
        await other.expect(PINGRESP)


async def test_overlapping_subscriptions_bring_one_message_of_the_better_quality(spool: Spool) -> None:
    async with listener_on(spool) as (here, port), sensor(port, "dock") as dock:
        dock.send(subscribe(1, ("scale/#", 1), ("scale/+/command", 0), ("scale/#", 2)))
        await dock.expect(b"\x90\x05\0\x01\x01\0\x01")
        assert here.publish(COMMAND, b"tare") == 1
        await dock.expect(publish(COMMAND, b"tare", packet_id=1))
        dock.send(puback(1), PINGREQ)
        await dock.expect(PINGRESP)


async def test_version_5_hears_in_its_own_words(spool: Spool) -> None:
    async with listener_on(spool) as (here, port), wire(port, connect("dock", level=5)) as dock:
        await dock.packet()
        told = subscribe(1, ("scale/#", 1), ("$share/group/a", 0), ("a/#/b", 0), ("b", 0x28), level=5)
        dock.send(told)
        await dock.expect(b"\x90\x07\0\x01\0\x01\x9e\x8f\0")
        dock.send(unsubscribe(2, "b", "never/had", level=5))
        await dock.expect(b"\xb0\x05\0\x02\0\0\x11")
        assert here.publish(COMMAND, b"tare") == 1
        await dock.expect(publish(COMMAND, b"tare", packet_id=1, level=5))


async def test_what_a_device_publishes_goes_to_no_other_device(spool: Spool) -> None:
    async with listener_on(spool) as (_, port), sensor(port, "one") as one, sensor(port, "two") as two:
        await subscribed(two, "#")
        one.send(publish(TOPIC, GOOD))
        await one.expect(puback(1))
        two.send(PINGREQ)
        await two.expect(PINGRESP)


async def test_only_what_the_gateway_wants_kept_is_kept(spool: Spool) -> None:
    async with listener_on(spool) as (here, port):
        async with sensor(port, "one") as one:
            one.send(publish(TOPIC, GOOD, retain=True))
            await one.expect(puback(1))
        assert here.publish("alarms/room", b"on", retain=True) == 0
        async with sensor(port, "buzzer") as buzzer:
            await subscribed(buzzer, "#", 1)
            await buzzer.expect(publish("alarms/room", b"on", packet_id=1, retain=True))
            here.publish("alarms/room", b"off", retain=True)  # news: without the flag
            await buzzer.expect(publish("alarms/room", b"off", packet_id=2))
        here.publish("alarms/room", b"", retain=True)
        async with sensor(port, "lamp") as lamp:
            await subscribed(lamp, "#")
            lamp.send(PINGREQ)
            await lamp.expect(PINGRESP)


@pytest.mark.parametrize(("handling", "comes"), [(0, (True, True)), (1, (True, False)), (2, (False, False))])
async def test_version_5_chooses_which_kept_messages_it_hears(
    spool: Spool, handling: int, comes: tuple[bool, bool]
) -> None:
    async with listener_on(spool) as (here, port), wire(port, connect("lamp", level=5)) as lamp:
        await lamp.packet()
        here.publish("alarms/room", b"on", retain=True)
        for expected in comes:
            lamp.send(subscribe(1, ("#", handling << 4 | 0x08), level=5), PINGREQ)
            await lamp.expect(b"\x90\x04\0\x01\0\0")
            if expected:
                await lamp.expect(publish("alarms/room", b"on", qos=0, retain=True, level=5))
            await lamp.expect(PINGRESP)
        here.publish("alarms/room", b"off", retain=True)
        await lamp.expect(publish("alarms/room", b"off", qos=0, retain=True, level=5))  # as it was published


async def test_what_is_kept_is_bounded(spool: Spool) -> None:
    async with listener_on(spool) as (here, _):
        for number in range(sessions.MAX_RETAINED + 1):
            here.publish(f"alarms/{number}", b"on", retain=True)
        assert len(here.retained.matching("#")) == sessions.MAX_RETAINED
        assert "there are too many: 1 times, last alarms/256" in here.state().warnings[0]
        for number in range(sessions.MAX_RETAINED):
            here.publish(f"alarms/{number}", b"", retain=True)
        here.publish("alarms/large", b"x" * (sessions.MAX_RETAINED_BYTES + 1), retain=True)
        assert here.retained.matching("#") == []


@pytest.mark.parametrize("topic", ["", "a/#", "a/+", "a\0"])
async def test_what_is_no_topic_is_not_published(spool: Spool, topic: str) -> None:
    async with listener_on(spool) as (here, _):
        assert here.publish(topic, b"") == 0
        assert "something that is no topic" in here.state().warnings[0]


# sessions


@pytest.mark.parametrize("level", [4, 5])
async def test_what_was_not_acknowledged_comes_again_and_what_was_missed_comes_too(spool: Spool, level: int) -> None:
    told = AN_HOUR if level == 5 else b""
    again = connect("dock", clean=False, level=level, told=told)
    async with listener_on(spool) as (here, port):
        async with wire(port, again) as dock:
            assert (await dock.packet())[2:4] == b"\0\0"
            dock.send(subscribe(1, (COMMAND, 1), level=level))
            await dock.packet()
            for word in (b"one", b"two"):
                here.publish(COMMAND, word)
            await dock.expect(publish(COMMAND, b"one", packet_id=1, level=level))
            await dock.expect(publish(COMMAND, b"two", packet_id=2, level=level))
            dock.send(puback(1), PINGREQ)
            await dock.expect(PINGRESP)
            dock.abort()
            await until(lambda: not here.clients, what="the device is gone")
        assert here.publish(COMMAND, b"three") == 0  # nobody has heard it, but somebody will
        async with wire(port, again) as dock:
            assert (await dock.packet())[2:4] == b"\x01\0"
            await dock.expect(publish(COMMAND, b"two", packet_id=2, level=level, duplicate=True))
            await dock.expect(publish(COMMAND, b"three", packet_id=3, level=level))
            dock.send(puback(2), puback(3), DISCONNECT)
            await dock.rest()
        async with wire(port, connect("dock", level=level)) as dock:  # a clean start
            assert (await dock.packet())[2:4] == b"\0\0"
            assert here.publish(COMMAND, b"four") == 0


async def test_a_session_of_version_5_ends_when_it_says_so(spool: Spool) -> None:
    async with listener_on(spool) as (here, port):
        begin = connect("dock", level=5, clean=False, told=AN_HOUR)
        async with wire(port, begin) as dock:
            await dock.packet()
            dock.send(subscribe(1, (COMMAND, 1), level=5), packet(0xE0, b"\0\x05\x11\0\0\0\0"))
            await dock.rest()
        await until(lambda: not here.clients, what="the device is gone")
        async with wire(port, begin) as dock:
            assert (await dock.packet())[2:4] == b"\0\0"


async def test_a_device_that_acknowledges_nothing_is_sent_little_and_the_oldest_is_forgotten(spool: Spool) -> None:
    async with listener_on(spool) as (here, port), wire(port, connect("dock", level=5, told=b"\x21\0\x02")) as dock:
        await dock.packet()
        dock.send(subscribe(1, (COMMAND, 1), level=5))
        await dock.packet()
        for number in range(sessions.MAX_WAITING + 7):
            here.publish(COMMAND, str(number).encode())
        for number in (0, 1):  # as many as it takes at once
            await dock.expect(publish(COMMAND, str(number).encode(), packet_id=number + 1, level=5))
        assert "were thrown away: 5 times, last 'dock'" in here.state().warnings[0]
        dock.send(puback(1))
        await dock.expect(publish(COMMAND, b"7", packet_id=3, level=5))


async def test_a_device_that_takes_small_packets_only_is_spared_the_large_ones(spool: Spool) -> None:
    async with listener_on(spool) as (here, port), wire(port, connect("dock", level=5, told=b"\x27\0\0\0\x40")) as dock:
        await dock.packet()
        dock.send(subscribe(1, (COMMAND, 1), ("alarms", 0), level=5))
        await dock.packet()
        here.publish(COMMAND, b"x" * 100)
        assert here.publish("alarms", b"x" * 100) == 0
        here.publish(COMMAND, b"tare")
        await dock.expect(publish(COMMAND, b"tare", packet_id=2, level=5))
        assert "which takes no more than 64 bytes" in here.state().warnings[0]


async def test_sessions_of_those_who_are_away_are_bounded(spool: Spool) -> None:
    async with listener_on(spool, max_clients=3) as (here, port):
        for number in range(5):
            async with sensor(port, f"dock-{number}", clean=False) as dock:
                await subscribed(dock, COMMAND, 1)
                dock.send(DISCONNECT)
                await dock.rest()
            await until(lambda: not here.clients, what="the device is gone")
        present = []
        for number in range(5):
            async with wire(port, connect(f"dock-{number}", clean=False)) as dock:
                present.append((await dock.packet())[2])
        assert present == [0, 0, 1, 1, 1]


async def test_one_client_has_only_so_many_subscriptions(spool: Spool) -> None:
    async with listener_on(spool) as (_, port), sensor(port, "greedy") as greedy:
        asked = sessions.MAX_SUBSCRIPTIONS
        greedy.send(subscribe(1, *((f"a/{number}", 0) for number in range(asked))))
        await greedy.expect(packet(0x90, b"\0\x01" + b"\0" * asked))
        greedy.send(subscribe(2, ("a/0", 1), ("one/more", 0)))
        await greedy.expect(b"\x90\x04\0\x02\x01\x80")


# rights


USERS = {
    "dock": ListenerUser("secret", publish=("scale/%u/#",), subscribe=("scale/%u/command",)),
    "room": ListenerUser("secret", publish=("te/device/%c/#",), subscribe=()),
}


async def test_a_scale_says_only_what_a_scale_may_say(spool: Spool) -> None:
    async with listener_on(spool, users=USERS) as (here, port), sensor(port, "x", username="dock") as dock:
        dock.send(publish(TOPIC, GOOD, packet_id=1), publish("scale/dock/raw", b"S S 12.5 kg", packet_id=2))
        await dock.expect(puback(1) + puback(2))  # it is not stopped by what it may not do
        dock.send(publish(TOPIC, GOOD, packet_id=3))
        await dock.expect(puback(3))
        assert await values(spool) == []
        (warning,) = here.state().warnings
        assert "allow their topic in listener.users, or correct the client: 2 times" in warning
        assert warning.endswith(f": {TOPIC}")
        assert here.state().received == 1


async def test_version_5_is_told_that_it_may_not(spool: Spool) -> None:
    async with (
        listener_on(spool, users=USERS) as (_, port),
        wire(port, connect("x", username="dock", level=5)) as dock,
    ):
        await dock.packet()
        dock.send(
            publish("scale/dock/raw", b"S S 12.5 kg", packet_id=1, level=5),
            publish(TOPIC, GOOD, packet_id=2, level=5),
            publish("scale/dock/raw", b"S S 12.5 kg", packet_id=3, level=5),
        )
        await dock.expect(puback(1) + puback(2, 0x87) + puback(3))
        dock.send(subscribe(1, ("scale/+/command", 0), (COMMAND, 0), level=5))
        await dock.expect(b"\x90\x05\0\x01\0\x87\0")


async def test_a_refusal_alone_is_answered_in_its_turn(tmp_path: Path) -> None:
    spool = open_spool(tmp_path, max_mb=64)  # and nobody runs its writer yet
    async with AsyncExitStack() as stack:
        stack.callback(spool.close)
        here, port = await stack.enter_async_context(listener_on(spool, users=USERS))
        dock = await stack.enter_async_context(wire(port, connect("x", username="dock", level=5)))
        await dock.packet()
        dock.send(publish("scale/dock/raw", b"S S 12.5 kg", packet_id=1, level=5), PINGREQ)
        await dock.expect(PINGRESP)
        dock.send(publish(TOPIC, GOOD, packet_id=2, level=5), PINGREQ)
        await dock.expect(PINGRESP)
        writer = asyncio.create_task(spool.run())
        await dock.expect(puback(1) + puback(2, 0x87))
        dock.send(publish(TOPIC, GOOD, packet_id=3, level=5))
        await dock.expect(puback(3, 0x87))
        assert here.state().received == 1
    writer.cancel()


async def test_rights_follow_the_clients_own_id(spool: Spool) -> None:
    topic = "te/device/{}///m/env"
    async with listener_on(spool, users=USERS) as (here, port):
        for client_id in ("one", "two", "+", "#"):
            async with sensor(port, client_id, username="room") as client:
                client.send(publish(topic.format("one"), GOOD))
                await client.expect(puback(1))
                client.send(subscribe(1, ("#", 0)))
                await client.expect(b"\x90\x03\0\x01\x80")
        assert here.state().received == 1


# wills


async def gone_with(port: int, will: tuple[str, bytes], *last: bytes, level: int = 4, told: bytes = b"") -> None:
    """A device that comes with a will, says its last words and is gone without the standard's good-bye."""
    begin = connect("door", level=level, will=will, will_told=told, told=AN_HOUR if level == 5 else b"")
    async with wire(port, begin) as door:
        await door.packet()
        door.send(*last)
        await door.drain()
        if last:
            await door.rest()
        else:
            door.abort()


async def test_a_will_is_the_devices_own_last_message_and_others_hear_it(spool: Spool) -> None:
    async with listener_on(spool) as (_, port), sensor(port, "lamp") as lamp:
        await subscribed(lamp, "+/online")
        await gone_with(port, ("shellydoor/online", b"false"))
        await lamp.expect(publish("shellydoor/online", b"false", qos=0))
        await arrived(spool, 1)
    ((_, quantity, value),) = await readings(spool)
    assert (quantity, value) == ("online", 0.0)


async def test_who_says_good_bye_has_no_will(spool: Spool) -> None:
    async with listener_on(spool) as (here, port):
        await gone_with(port, ("shellydoor/online", b"false"), DISCONNECT)
        await until(lambda: not here.clients, what="the device is gone")
        assert here.state().received == 0
        await gone_with(port, ("shellydoor/online", b"false"), packet(0xE0, b"\x04"), level=5)
        await arrived(spool, 1)


async def test_who_breaks_the_standard_is_gone_without_a_word(spool: Spool) -> None:
    async with listener_on(spool) as (_, port):
        await gone_with(port, ("shellydoor/online", b"false"), b"\0\0")
        await arrived(spool, 1)


async def test_the_will_of_a_connection_that_is_replaced_comes_before_the_new_ones_words(spool: Spool) -> None:
    begin = connect("door", will=("shellydoor/online", b"false"))
    async with listener_on(spool) as (_, port), wire(port, begin) as before:
        await before.expect(CONNACK)
        async with wire(port, begin, publish("shellydoor/online", b"true")) as after:
            await after.expect(CONNACK + puback(1))
            assert await values(spool) == [0.0, 1.0]


async def test_a_delayed_will_is_not_said_of_a_device_that_is_back(spool: Spool) -> None:
    async with listener_on(spool) as (here, port):
        await gone_with(port, ("shellydoor/online", b"false"), level=5, told=b"\x18\0\0\x03\xe8")
        await until(lambda: not here.clients, what="the device is gone")
        ((timer, _, _),) = here._delayed_wills.values()
        async with wire(port, connect("door", level=5)) as door:
            await door.packet()
            assert here._delayed_wills == {}
            assert timer.cancelled()
        assert here.state().received == 0


async def test_a_delayed_will_is_said_when_its_time_has_come(spool: Spool) -> None:
    async with listener_on(spool) as (_, port):
        await gone_with(port, ("shellydoor/online", b"false"), level=5, told=b"\x18\0\0\0\x01")
        await arrived(spool, 1)


async def test_a_will_must_be_allowed_like_any_message(spool: Spool) -> None:
    async with listener_on(spool, users=USERS) as (here, port):
        async with wire(port, connect("x", username="dock", will=("shellydoor/online", b"false"))) as dock:
            await dock.expect(CONNACK)
            dock.abort()
        await until(lambda: "wills were refused" in "".join(here.state().warnings), what="the will is refused")
        assert here.state().received == 0
