"""Any bytes at all: packets, or a wish for more, or `MalformedPacket`."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.sources import mqtt_answers, mqtt_packets
from gateway.sources.mqtt_codec import CUT_UP_TO, MAX_CONNECT_BYTES, Decoder, Topics
from gateway.sources.mqtt_packets import (
    Connect,
    Disconnect,
    MalformedPacket,
    Packet,
    PingRequest,
    Puback,
    Subscribe,
    Unsubscribe,
    UnsupportedVersion,
    Will,
    Wish,
)
from tests.gateway import mqtt_bytes
from tests.gateway.mqtt_bytes import DISCONNECT, PINGREQ, connect, puback, publish, subscribe, unsubscribe

MAX_BYTES = 512
FORBIDDEN = "secret/door"


class Message(NamedTuple):
    topic: str
    payload: bytes
    problem: str = ""


@dataclass
class Heard:
    """All that a decoder makes of some bytes, as the listener uses it."""

    messages: list[Message]
    acknowledgements: list[bytes]
    packets: list[Packet]
    refused: int = 0
    #: why it ended
    fault: str = ""
    reason: int = 0


def decoder(max_bytes: int = MAX_BYTES) -> Decoder[Message]:
    return Decoder(Message, max_bytes)


def topics() -> Topics:
    return Topics(lambda topic: topic != FORBIDDEN, at_most=4)


def hear(data: bytes, chunk: int = 1 << 20, max_bytes: int = MAX_BYTES) -> Heard:
    """Feed it in pieces; a CONNECT is accepted as soon as it is there."""
    reading, heard = decoder(max_bytes), Heard([], [], [])
    try:
        for start in range(0, len(data), chunk):
            reading.feed(data[start : start + chunk])
            collect(reading, heard)
            if heard.packets and isinstance(heard.packets[-1], Connect):
                reading.accept(topics())
                collect(reading, heard)
    except MalformedPacket as error:
        heard.fault, heard.reason = str(error), error.reason
    collect(reading, heard)
    heard.refused = reading.refused
    return heard


def collect(reading: Decoder[Message], heard: Heard) -> None:
    messages, acknowledgements = reading.take()
    heard.messages += messages
    heard.acknowledgements += acknowledgements
    heard.packets += reading.packets
    reading.packets.clear()


levels = st.sampled_from((4, 5))
_names = st.text(st.characters(exclude_characters="\0+#", codec="utf-8"), min_size=1, max_size=30)
_user_property = st.builds(lambda key, value: b"\x26" + mqtt_bytes.text(key) + mqtt_bytes.text(value), _names, _names)
_properties = st.lists(
    st.one_of(
        _user_property,
        st.just(b"\x01\x01"),
        st.just(b"\x02\0\0\0\x09"),
        st.just(b"\x03" + mqtt_bytes.text("application/json")),
        st.just(b"\x08" + mqtt_bytes.text("answer/here")),
        st.just(b"\x09" + mqtt_bytes.binary(b"\0\xff")),
    ),
    max_size=4,
    unique_by=lambda told: told if told[0] == 0x26 else told[0],
).map(b"".join)


@st.composite
def _published(draw: st.DrawFn, level: int) -> tuple[Message, bytes, bytes]:
    """A message, its PUBACK, and the packet that should become both."""
    message = Message(draw(_names), draw(st.binary(max_size=300)))
    qos, packet_id = draw(st.integers(0, 1)), draw(st.integers(1, 65535))
    written = publish(
        message.topic,
        message.payload,
        qos=qos,
        packet_id=packet_id,
        retain=draw(st.booleans()),
        duplicate=bool(qos) and draw(st.booleans()),
        level=level,
        told=draw(_properties) if level == 5 else b"",
    )
    return message, puback(packet_id) if qos else b"", written


@settings(deadline=None)
@given(st.data(), levels, st.integers(1, 60))
def test_what_a_sensor_publishes_arrives_whatever_the_cuts(data: st.DataObject, level: int, chunk: int) -> None:
    sent = data.draw(st.lists(_published(level), max_size=8))
    wire = connect(level=level) + b"".join(written for _, _, written in sent)
    heard = hear(wire, chunk, max_bytes=4096)
    assert heard.messages == [message for message, _, _ in sent]
    assert heard.acknowledgements == [answer for _, answer, _ in sent if answer]
    assert (heard.fault, heard.refused) == ("", 0)


def _examples(level: int) -> list[bytes]:
    """One of each packet that a client may send."""
    return [
        publish("a/b", b"payload", level=level),
        publish("a/b", b"", qos=0, level=level),
        publish("b", b"x" * 200, packet_id=0x7FFF, level=level, told=b"\x01\x01" if level == 5 else b""),
        publish("a/b", b"y" * (MAX_BYTES + 40), level=level),
        publish(FORBIDDEN, b"1", level=level),
        subscribe(3, ("a/+", 1), ("b/#", 0), level=level),
        unsubscribe(4, "a/+", "c", level=level),
        puback(9),
        puback(9, 0) if level == 5 else puback(10),
        PINGREQ,
        mqtt_bytes.packet(0xE0, b"\x04\x05\x11\0\0\0\x09") if level == 5 else DISCONNECT,
    ]


@st.composite
def _damaged(draw: st.DrawFn) -> bytes:
    level = draw(levels)
    told = draw(st.sampled_from((b"", b"\x11\0\0\0\x09", b"\x21\0\x05\x22\0\x07"))) if level == 5 else b""
    parts = draw(st.lists(st.sampled_from(_examples(level)), max_size=4))
    wire = bytearray(
        connect(level=level, told=told, will=draw(st.sampled_from((None, ("w", b"gone"))))) + b"".join(parts)
    )
    for _ in range(draw(st.integers(0, 4))):
        wire[draw(st.integers(0, len(wire) - 1))] = draw(st.integers(0, 255))
    return bytes(wire[: draw(st.integers(0, len(wire)))])


@settings(deadline=None)
@given(st.one_of(st.binary(max_size=300), _damaged()), st.integers(1, 40))
def test_cuts_make_no_difference_whatever_the_bytes(wire: bytes, chunk: int) -> None:
    whole = hear(wire)
    assert hear(wire, chunk) == whole
    assert hear(wire, 1) == whole


@pytest.mark.parametrize("level", [4, 5])
def test_every_single_byte_may_be_wrong(level: int) -> None:
    wire = connect(level=level, will=("w", b"gone")) + b"".join(_examples(level))
    for at in range(len(wire)):
        for value in (0, 1, 0x7F, 0x80, 0xFF, wire[at] ^ 1, wire[at] ^ 0x80):
            hear(wire[:at] + bytes((value,)) + wire[at + 1 :], max_bytes=128)
        hear(wire[:at])


def test_two_seconds_of_noise_bring_nothing_but_packets_and_malformed_packets() -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")  # noqa: T201  # shown when it fails
    chance = random.Random(seed)
    stop_s, rounds = time.monotonic() + 2.0, 0
    while time.monotonic() < stop_s:
        level = chance.choice((4, 5))
        parts = chance.choices(_examples(level), k=chance.randrange(6))
        wire = bytearray(connect(level=level) + b"".join(parts) + chance.randbytes(chance.randrange(20)))
        for _ in range(chance.randrange(6)):
            match chance.randrange(3):
                case 0:
                    wire[chance.randrange(len(wire))] = chance.randrange(256)
                case 1:
                    at = chance.randrange(len(wire))
                    del wire[at : at + chance.randrange(8)]
                case _:
                    at = chance.randrange(len(wire) + 1)
                    wire[at:at] = chance.randbytes(chance.randrange(8))
            wire = wire or bytearray(b"\x10")
        whole = hear(bytes(wire))
        assert hear(bytes(wire), chance.randrange(1, 30)) == whole, bytes(wire).hex()
        rounds += 1
    assert rounds > 100


# CONNECT


def test_a_connect_of_3_1_1_says_who_and_how() -> None:
    flags = 0xC2 | 0x04 | 1 << 3 | 0x20
    body = mqtt_bytes.text("MQTT") + bytes((4, flags)) + b"\0\x3c" + mqtt_bytes.text("id")
    body += mqtt_bytes.text("zigbee2mqtt/bridge/state") + mqtt_bytes.text("offline")
    body += mqtt_bytes.text("user") + mqtt_bytes.text("päss")
    will = Will("zigbee2mqtt/bridge/state", b"offline")
    assert hear(mqtt_bytes.packet(0x10, body)).packets == [Connect(4, "id", True, 60, "user", "päss".encode(), will)]


def test_a_connect_of_5_says_more() -> None:
    told = b"\x11\0\0\x0e\x10\x21\0\x0a\x27\0\0\x10\0\x22\0\x05\x17\0\x19\x01" + b"\x26" + mqtt_bytes.text("k") * 2
    will_told = b"\x18\0\0\0\x1e\x01\x01"
    data = connect("id", level=5, clean=False, told=told, will=("w", b"\0"), will_told=will_told)
    (heard,) = hear(data).packets
    assert heard == Connect(5, "id", False, 60, "room", b"secret", Will("w", b"\0", 30), 3600, 10, 4096)
    (heard,) = hear(connect("id", level=5, told=b"\x15" + mqtt_bytes.text("SCRAM-SHA-1"))).packets
    assert isinstance(heard, Connect)
    assert heard.authentication_method == "SCRAM-SHA-1"
    (heard,) = hear(connect("id", level=5, username=None)).packets  # a password alone, which 3.1.1 forbids
    assert isinstance(heard, Connect)
    assert (heard.username, heard.password, heard.session_expiry_s) == (None, b"secret", 0)


def test_other_versions_are_told_apart() -> None:
    assert hear(connect(level=6)).packets == [UnsupportedVersion(6)]
    old = mqtt_bytes.packet(0x10, mqtt_bytes.text("MQIsdp") + b"\x03\x02\0\x3c" + mqtt_bytes.text("id"))
    assert hear(old + PINGREQ).packets == [UnsupportedVersion(3)]
    assert mqtt_answers.connack(5, mqtt_packets.UNSUPPORTED_VERSION) == b"\x20\x03\0\x84\0"
    assert mqtt_answers.connack(4, mqtt_packets.UNSUPPORTED_VERSION) == b"\x20\x02\0\x01"


def test_what_follows_a_connect_waits_until_it_is_accepted() -> None:
    reading = decoder()
    reading.feed(connect() + publish("a", b"1") + PINGREQ[:1])
    reading.feed(PINGREQ[1:])
    assert (reading.messages, len(reading.packets)) == ([], 1)
    assert reading.held_bytes > 0
    reading.accept(topics())
    assert reading.messages == [Message("a", b"1")]
    assert reading.packets[1:] == [PingRequest()]
    assert reading.held_bytes == 0


def test_a_stranger_must_be_brief() -> None:
    heard = hear(connect("x" * (MAX_CONNECT_BYTES + 1))[:10], max_bytes=1 << 20)
    assert heard.reason == mqtt_packets.PACKET_TOO_LARGE


# PUBLISH


def test_what_may_not_be_published_is_refused_and_blocks_nobody() -> None:
    def both(level: int) -> bytes:
        return publish(FORBIDDEN, b"1", packet_id=7, level=level) + publish("a", b"2", packet_id=8, level=level)

    old = hear(connect() + both(4) + publish(FORBIDDEN, b"1", qos=0))
    assert (old.messages, old.refused) == ([Message("a", b"2")], 2)
    assert old.acknowledgements == [puback(7), puback(8)]
    new = hear(connect(level=5) + both(5) * 2)
    assert (new.messages, new.refused) == ([Message("a", b"2")] * 2, 2)
    assert new.acknowledgements == [puback(7, 0x87), puback(8)] * 2


def test_a_message_that_is_too_long_is_cut_and_acknowledged_when_all_of_it_has_come() -> None:
    long = publish("a/long", b"x" * (2 * MAX_BYTES), packet_id=5)
    wire = connect() + long + publish("a", b"2", packet_id=6)
    for chunk in (1, 7, MAX_BYTES, 1 << 20):
        heard = hear(wire, chunk)
        assert heard.acknowledgements == [puback(5), puback(6)]
        cut, after = heard.messages
        assert after == Message("a", b"2")
        assert cut.topic == "a/long"
        assert cut.payload == b"x" * (MAX_BYTES - len("a/long") - 4)
        assert cut.problem == f"message of {2 * MAX_BYTES + 10} bytes, cut to {MAX_BYTES}"
        assert hear(wire[: len(connect() + long) - 1], chunk).messages == []


def test_long_messages_hold_no_more_than_is_kept_of_them() -> None:
    reading = decoder()
    reading.feed(connect())
    reading.accept(topics())
    reading.packets.clear()
    long = publish("a", b"x" * (CUT_UP_TO * MAX_BYTES - 5))
    for start in range(0, len(long), 10):
        reading.feed(long[start : start + 10])
        assert reading.held_bytes <= MAX_BYTES + 5
    assert (len(reading.messages), reading.shortened, reading.held_bytes) == (1, 1, 0)
    reading.feed(b"".join(publish("a", b"x" * 600) for _ in range(2000)))  # far more than there may be nested calls
    assert reading.shortened == 2001
    with pytest.raises(MalformedPacket, match="at most 2048 are taken") as error:
        reading.feed(publish("a", b"x" * (CUT_UP_TO * MAX_BYTES))[:5])
    assert error.value.reason == mqtt_packets.PACKET_TOO_LARGE


def test_topics_are_asked_for_once_and_only_so_many_are_remembered() -> None:
    asked: list[str] = []

    def may_publish(topic: str) -> bool:
        asked.append(topic)
        return True

    known = Topics(may_publish, at_most=3)
    reading = decoder()
    reading.feed(connect())
    reading.accept(known)
    for topic in ("a", "b", "a", "b", "c", "d", "a"):
        reading.feed(publish(topic, b""))
        assert len(known) <= 3
    assert asked == ["a", "b", "c", "d", "a"]
    reading.feed(publish("long/" + "x" * 300, b"") * 2)
    assert asked[5:] == ["long/" + "x" * 300] * 2


def test_small_devices_write_their_lengths_in_four_bytes() -> None:
    body = mqtt_bytes.text("a") + b"\0\x01" + b"payload"
    padded = b"\x32" + bytes((len(body) | 0x80, 0x80, 0x80, 0)) + body
    assert hear(connect() + padded).messages == [Message("a", b"payload")]
    assert "shortest form" in hear(connect(level=5) + padded).fault


# what a client says besides


def test_a_subscribe_lists_its_filters() -> None:
    told = hear(connect() + subscribe(7, *((f"a/{number}/#", 1) for number in range(40)))).packets[1]
    assert told == Subscribe(7, tuple(Wish(f"a/{number}/#", 1) for number in range(40)))
    told = hear(connect(level=5) + subscribe(7, ("a", 0x01 | 0x04 | 0x08 | 0x20), level=5)).packets[1]
    assert told == Subscribe(7, (Wish("a", 1, True, 2),))
    assert mqtt_answers.suback(4, 7, b"\x80" * 200) == mqtt_bytes.packet(0x90, b"\0\x07" + b"\x80" * 200)
    assert mqtt_answers.suback(5, 7, b"\x87") == b"\x90\x04\0\x07\0\x87"


def test_every_packet_of_a_client_is_understood() -> None:
    heard = hear(connect() + b"".join(_examples(4))).packets[1:]
    both = [Subscribe(3, (Wish("a/+", 1), Wish("b/#", 0))), Unsubscribe(4, ("a/+", "c"))]
    assert heard == [*both, Puback(9), Puback(10), PingRequest(), Disconnect()]
    heard = hear(connect(level=5) + b"".join(_examples(5))).packets[1:]
    assert heard == [*both, Puback(9), Puback(9), PingRequest(), Disconnect(True, 9)]
    reason = mqtt_bytes.packet(0x40, b"\0\x09\x10\x05" + b"\x1f" + mqtt_bytes.text("no"))
    assert hear(connect(level=5) + reason).packets[1:] == [Puback(9)]


def test_nothing_is_read_after_the_good_bye() -> None:
    heard = hear(connect() + DISCONNECT + publish("a", b"1") + b"\0\0")
    assert (heard.packets[1:], heard.messages, heard.fault) == ([Disconnect()], [], "")


_WILL_BODY = mqtt_bytes.text("MQTT") + b"\x04\x06\0\0" + mqtt_bytes.text("id")


@pytest.mark.parametrize(
    "data",
    [
        mqtt_bytes.packet(0x10, mqtt_bytes.text("HTTP") + b"\x04"),
        mqtt_bytes.packet(0x10, mqtt_bytes.text("MQTT") + b"\x04\x40\0\0" + mqtt_bytes.text("id") * 2),
        mqtt_bytes.packet(0x10, mqtt_bytes.text("MQTT") + b"\x04\x01\0\0" + mqtt_bytes.text("id")),
        mqtt_bytes.packet(0x10, mqtt_bytes.text("MQTT") + b"\x04\x08\0\0" + mqtt_bytes.text("id")),
        mqtt_bytes.packet(0x10, mqtt_bytes.text("MQTT") + b"\x04\x1e\0\0" + mqtt_bytes.text("id") * 3),
        mqtt_bytes.packet(0x10, _WILL_BODY + mqtt_bytes.text("a/#") + mqtt_bytes.text("x")),
        mqtt_bytes.packet(0x10, _WILL_BODY + mqtt_bytes.text("") + mqtt_bytes.text("x")),
        mqtt_bytes.packet(0x10, connect()[2:] + b"x"),
        connect("a\0b"),
        connect(level=5, told=b"\x21\0\0"),
        connect(level=5, told=b"\x27\0\0\0\0"),
        connect(level=5, told=b"\x17\x02"),
        connect(level=5, told=b"\x11\0\0\0\x01" * 2),
        connect(level=5, told=b"\x16\0\x01x"),
        connect(level=5, told=b"\x23\0\x01"),
        connect(level=5, told=b"\x11\0\0"),
        connect(level=5, will=("a", b""), will_told=b"\x21\0\x05"),
        publish("a", b"{}"),
        PINGREQ,
        b"GET / HTTP/1.1\r\n\r\n",
        b"\0\0",
        b"\xf0\0",
    ],
)
def test_what_no_client_begins_with_is_malformed(data: bytes) -> None:
    heard = hear(data)
    assert (heard.fault != "", heard.packets) == (True, [])


def after_connect(level: int = 4) -> Callable[[bytes], Heard]:
    return lambda data: hear(connect(level=level) + data)


@pytest.mark.parametrize(
    "data",
    [
        mqtt_bytes.packet(0x36, mqtt_bytes.text("a") + b"\0\x01"),
        mqtt_bytes.packet(0x38, mqtt_bytes.text("a")),
        mqtt_bytes.packet(0x32, b""),
        mqtt_bytes.packet(0x32, b"\0"),
        mqtt_bytes.packet(0x32, b"\0\x01a\0"),
        mqtt_bytes.packet(0x30, b"\0\x05abc"),
        publish("a/#", b""),
        publish("a/+/b", b""),
        publish("", b""),
        publish("a\0b", b""),
        publish("a", b"", packet_id=0),
        mqtt_bytes.packet(0x32, b"\0\x02\xff\xfe\0\x01"),
        mqtt_bytes.packet(0x32, b"\0\x03\xed\xa0\x80\0\x01"),
        connect(),
        mqtt_bytes.packet(0xC0, b"x"),
        mqtt_bytes.packet(0xE0, b"\0"),
        b"\x82\x02\0\x01",
        b"\x82\x06\0\x01\0\x01a\x03",
        b"\x82\x06\0\x01\0\x01a\x04",
        b"\x82\x06\0\0\0\x01a\x01",
        b"\x80\x06\0\x01\0\x01a\x01",
        b"\xa2\x02\0\x01",
        b"\x40\x03\0\x01\0",
        b"\x40\x02\0\0",
        b"\x50\x02\0\x01",
        b"\x62\x02\0\x01",
        b"\xc0\x80\x80\x80\x80\x01",
        b"\x30" + b"\xff\xff\xff\x7f",
        b"\x82" + b"\xff\x7f",
        b"\xf0\0",
    ],
)
def test_what_breaks_the_standard_is_malformed(data: bytes) -> None:
    good = publish("a", b"1")
    heard = after_connect()(good + data)
    assert heard.fault
    assert heard.messages == [Message("a", b"1")]
    assert len(heard.packets) == 1


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (publish("a", b"", level=5, told=b"\x23\0\x01"), mqtt_packets.TOPIC_ALIAS_INVALID),
        (publish("", b"", level=5), mqtt_packets.TOPIC_NAME_INVALID),
        (publish("a", b"", level=5, qos=2), mqtt_packets.QOS_NOT_SUPPORTED),
        (publish("a", b"", level=5, told=b"\x0b\x01"), mqtt_packets.PROTOCOL_ERROR),
        (publish("a", b"", level=5, told=b"\x01\x02"), mqtt_packets.PROTOCOL_ERROR),
        (publish("a", b"", level=5, told=b"\x02\0\0\0\x01" * 2), mqtt_packets.PROTOCOL_ERROR),
        (publish("a", b"", level=5, told=b"\x02\0"), mqtt_packets.MALFORMED),
        (mqtt_bytes.packet(0x30, mqtt_bytes.text("a")), mqtt_packets.MALFORMED),
        (mqtt_bytes.packet(0x30, mqtt_bytes.text("a") + b"\x80\0"), mqtt_packets.MALFORMED),
        (mqtt_bytes.packet(0x30, mqtt_bytes.text("a") + b"\xff\xff\xff\xff\x01"), mqtt_packets.MALFORMED),
        (subscribe(1, ("a", 1), level=5, told=b"\x0b\x05"), mqtt_packets.IDENTIFIERS_NOT_SUPPORTED),
        (subscribe(1, ("a", 0x31), level=5), mqtt_packets.MALFORMED),
        (subscribe(1, ("a", 0x41), level=5), mqtt_packets.MALFORMED),
        (mqtt_bytes.packet(0xE0, b"\0\x05\x11\0\0\0\x01x"), mqtt_packets.MALFORMED),
        (b"\xf0\x02\x18\0", mqtt_packets.MALFORMED),
        (connect(level=5), mqtt_packets.PROTOCOL_ERROR),
    ],
)
def test_a_client_of_version_5_can_be_told_why(data: bytes, reason: int) -> None:
    heard = after_connect(5)(data)
    assert (heard.fault != "", heard.reason) == (True, reason)


# what the gateway says


@settings(deadline=None)
@given(st.sampled_from((4, 5)), _names, st.binary(max_size=300), st.integers(0, 65535), st.booleans(), st.booleans())
def test_what_the_gateway_publishes_reads_as_it_was_meant(
    version: int, topic: str, payload: bytes, packet_id: int, retain: bool, again: bool
) -> None:
    again = again and packet_id > 0
    packet = mqtt_answers.publish(version, topic, payload, packet_id=packet_id, retain=retain, again=again)
    assert packet == publish(
        topic, payload, qos=int(packet_id > 0), packet_id=packet_id, retain=retain, duplicate=again, level=version
    )


def test_a_refusal_of_version_5_says_why_and_what_is_offered_is_listed() -> None:
    assert mqtt_answers.disconnect(0x97, "full") == b"\xe0\x09\x97\x07\x1f\0\x04full"
    assert mqtt_answers.disconnect(0x97, "full", longest=10) == b"\xe0\x01\x97"
    offers = mqtt_answers.offers(receive_maximum=1000, max_packet_bytes=4096, session_expiry_s=60, client_id="x")
    assert mqtt_answers.connack(5, 0, session_present=True, properties=offers) == mqtt_bytes.packet(
        0x20,
        b"\x01\0"
        + mqtt_bytes.properties(
            5, b"\x21\x03\xe8\x24\x01\x27\0\0\x10\0\x29\0\x2a\0\x11\0\0\0\x3c\x12" + mqtt_bytes.text("x")
        ),
    )
