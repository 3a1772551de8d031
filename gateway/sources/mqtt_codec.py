"""MQTT 3.1.1 and 5 as a server reads them, without input or output: bytes in, packets out (OASIS standards, 29 October
2014 and 7 March 2019).

Any byte string yields packets, or asks for more, or raises `MalformedPacket`; nothing else. What has come before a
malformed packet is kept. PUBLISH is nearly all that ever comes: it becomes a message and its PUBACK without anything
in between; all other packets are read by `mqtt_packets`.
"""

from collections.abc import Callable
from functools import partial
from typing import Generic, Protocol, TypeVar

from gateway.sources import mqtt_packets
from gateway.sources.mqtt_packets import (
    PACKET_TOO_LARGE,
    PROTOCOL_ERROR,
    V5,
    Connect,
    Disconnect,
    MalformedPacket,
    Packet,
)

#: a PUBLISH of up to this many times `max_packet_bytes` is cut; a longer one ends the connection
CUT_UP_TO = 4
#: who is not known yet must be brief
MAX_CONNECT_BYTES = 16_384
#: longer topics are not remembered, so that what is remembered stays small
_LONGEST_REMEMBERED_TOPIC = 256
#: first bytes of a PUBLISH with QoS 0 or 1; only what asks to be acknowledged can be sent again
_PUBLISH_HEADERS = frozenset((0x30, 0x31, 0x32, 0x33, 0x3A, 0x3B))
_REFUSAL = bytes((mqtt_packets.NOT_AUTHORISED,))

M = TypeVar("M")
M_co = TypeVar("M_co", covariant=True)


class Make(Protocol[M_co]):
    """Makes the message of one PUBLISH; the problem says why its payload is not whole."""

    def __call__(self, topic: str, payload: bytes, problem: str = ...) -> M_co: ...


class Topics(dict[bytes, str]):
    """The topics that one client, or several of the same rights, have published to; "" where they may not.

    The same few topics come all the time: each is decoded, checked and asked for once.
    """

    def __init__(self, may_publish: Callable[[str], bool], *, at_most: int) -> None:
        super().__init__()
        self._may_publish = may_publish
        self._at_most = at_most

    def learn(self, raw: bytes) -> str:
        """The topic, "" when nobody may publish to it. Raises MalformedPacket."""
        try:
            topic = raw.decode()
        except UnicodeDecodeError:
            raise MalformedPacket("a topic that is not UTF-8") from None
        if not topic or "+" in topic or "#" in topic or "\0" in topic:
            raise MalformedPacket("PUBLISH to an empty topic or one with wildcards", mqtt_packets.TOPIC_NAME_INVALID)
        allowed = topic if self._may_publish(topic) else ""
        if len(raw) <= _LONGEST_REMEMBERED_TOPIC:
            if len(self) >= self._at_most:
                self.clear()
            self[raw] = allowed
        return allowed


class Decoder(Generic[M]):
    """Takes what a socket brings, in whatever pieces, and sorts it into three lists that the reader empties.

    After a CONNECT it holds back what follows until `accept`.
    """

    def __init__(self, make: Make[M], max_packet_bytes: int) -> None:
        #: one of each PUBLISH that may be published, in order
        self.messages: list[M] = []
        #: the PUBACKs to send when those messages are on disk, and for what may not be published, in order
        self.acknowledgements: list[bytes] = []
        #: all other packets, in order
        self.packets: list[Packet] = []
        #: how many PUBLISH packets the client had no right to
        self.refused = 0
        #: how many were too long and have been cut
        self.shortened = 0
        #: 4, 5, or 0 before CONNECT
        self.version = 0
        self._make = make
        self._limit = max_packet_bytes
        self._topics: Topics | None = None
        self._is_v5 = False
        self._is_waiting = self._is_done = False
        #: the start of a packet that is not whole, and how long it must be to be looked at again
        self._held = bytearray()
        self._needed = 0
        #: of a PUBLISH that is too long: bytes still to be thrown away, then what is left of it
        self._skip = 0
        self._cut: tuple[list[M], list[bytes]] = [], []

    @property
    def held_bytes(self) -> int:
        """What waits here for the rest of its packet."""
        return len(self._held)

    def accept(self, topics: Topics) -> None:
        """The CONNECT was good: go on with what came after it. Raises MalformedPacket."""
        self._topics = topics
        self._is_waiting = False
        data = bytes(self._held)
        self._held.clear()
        self.feed(data)

    def take(self) -> tuple[list[M], list[bytes]]:
        """Empty the lists of messages and of their PUBACKs."""
        taken = self.messages, self.acknowledgements
        self.messages, self.acknowledgements = [], []
        return taken

    def feed(self, data: bytes) -> None:
        """Read what the peer has sent.

        Raises:
            MalformedPacket: the bytes break the standard, or a packet is larger than may be.
        """
        rest = self._skipped(data) if self._skip else data
        while rest and not self._is_done:
            rest = self._read(rest)

    def _read(self, data: bytes) -> bytes:
        """Read up to a PUBLISH that is too long, and give back what comes after it; mostly nothing."""
        if self._held or self._is_waiting:
            self._held += data
            if self._is_waiting or len(self._held) < self._needed:
                return b""
            data = bytes(self._held)
            self._held.clear()
        at, end, limit = 0, len(data), self._limit
        while end - at > 1:
            first, length, body = data[at], data[at + 1], at + 2
            if length > 0x7F:
                second = data[body] if body < end else 0x80
                if 0 < second < 0x80:  # nearly all there are have a length of one or two bytes
                    length += (second - 1) << 7
                    body += 1
                else:
                    length, body = _length(data, at, is_v5=self._is_v5)
            stop = body + length
            if not body or stop > end or length > limit:
                break
            if first & 0xF0 == 0x30 and self._topics is not None:
                self._publish(first, data, body, stop, self._topics, self._make)
                at = stop
            else:
                at = stop
                if self._other(first, data[body:stop]):
                    break
        return self._keep(data, at) if at < end and not self._is_done else b""

    def _publish(self, first: int, data: bytes, at: int, stop: int, topics: Topics, make: Make[M]) -> None:
        """A PUBLISH whose body is `data[at:stop]`."""
        if stop - at < 2 or first not in _PUBLISH_HEADERS:
            raise _bad_publish(first)
        topic_at, qos = at + 2, first & 2
        after = topic_end = topic_at + (data[at] << 8 | data[at + 1])
        if qos:
            after += 2
        if self._is_v5:
            empty = after < stop and not data[after]
            after = after + 1 if empty else mqtt_packets.end_of_publish_properties(data, after, stop)
        if after > stop:
            raise _bad_publish(first)
        raw = data[topic_at:topic_end]
        topic = topics.get(raw)
        if not topic:
            topic = topics.learn(raw) if topic is None else ""
        if qos:
            packet_id = data[topic_end : topic_end + 2]
            if packet_id == b"\0\0":
                raise MalformedPacket("packet identifier 0")
            refusal = self._is_v5 and not topic
            self.acknowledgements.append(b"@\x03" + packet_id + _REFUSAL if refusal else b"@\x02" + packet_id)
        if topic:
            self.messages.append(make(topic, data[after:stop]))
        else:
            self.refused += 1

    def _other(self, first: int, body: bytes) -> bool:
        """Any other packet; whether nothing after it may be read now."""
        self._check(first, len(body))
        packet = mqtt_packets.parse(first, body, self.version)
        self.packets.append(packet)
        if isinstance(packet, Connect):
            self.version = packet.version
            self._is_v5 = packet.version == V5
            self._is_waiting = True
        elif isinstance(packet, Disconnect | mqtt_packets.UnsupportedVersion):
            self._is_done = True
        return self._is_waiting or self._is_done

    def _keep(self, data: bytes, at: int) -> bytes:
        """Hold the start of a packet, or, of a PUBLISH that is too long, no more than may be kept.

        Returns what comes after such a one.
        """
        self._needed = 0
        if not self._is_waiting:
            length, body = _length(data, at, is_v5=self._is_v5)
            if body:
                self._check(data[at], length)
                self._needed = body - at + min(length, self._limit)
                if len(data) - at >= self._needed:
                    return self._shorten(data, at, body, length)
        self._held += data[at:]
        return b""

    def _check(self, first: int, length: int) -> None:
        """Refuse what cannot become a packet before its body is here."""
        kind = first >> 4
        mqtt_packets.check_header(first)
        if (kind == mqtt_packets.CONNECT) != (self.version == 0):
            raise MalformedPacket(f"packet type {kind} {'after' if self.version else 'before'} CONNECT", PROTOCOL_ERROR)
        if kind == mqtt_packets.CONNECT:
            longest = min(MAX_CONNECT_BYTES, self._limit)
        else:
            longest = self._limit * (CUT_UP_TO if kind == mqtt_packets.PUBLISH else 1)
        if length > longest:
            raise MalformedPacket(f"packet of {length} bytes, at most {longest} are taken", PACKET_TOO_LARGE)

    def _shorten(self, data: bytes, at: int, body: int, length: int) -> bytes:
        """Keep the beginning of a PUBLISH that is too long; throw the rest away as it comes."""
        assert self._topics is not None  # noqa: S101  # `_check` lets no PUBLISH through before
        make = partial(self._make, problem=f"message of {length} bytes, cut to {self._limit}")
        kept = self.messages, self.acknowledgements
        self.messages, self.acknowledgements = [], []
        try:
            self._publish(data[at], data, body, body + self._limit, self._topics, make)
        finally:
            self._cut = self.take()
            self.messages, self.acknowledgements = kept
        self._skip = body + length - at
        return self._skipped(data[at:])

    def _skipped(self, data: bytes) -> bytes:
        """What of the data comes after the part to be thrown away."""
        skip = self._skip
        self._skip = max(0, skip - len(data))
        if not self._skip:
            self.shortened += 1
            messages, acknowledgements = self._cut
            self._cut = [], []
            self.messages += messages
            self.acknowledgements += acknowledgements
        return data[skip:]


def _length(data: bytes, at: int, *, is_v5: bool) -> tuple[int, int]:
    """The remaining length of the packet at `at`, and where its body begins: 0 when the header is not whole.

    Version 5 wants the shortest form (1.5.5). Some small devices that speak 3.1.1 always write four bytes.
    """
    length = 0
    for index in range(4):
        position = at + 1 + index
        if position >= len(data):
            return 0, 0
        digit = data[position]
        length |= (digit & 0x7F) << (7 * index)
        if digit < 0x80:
            if is_v5 and index and not digit:
                raise MalformedPacket("remaining length that is not in its shortest form")
            return length, position + 1
    raise MalformedPacket("remaining length of more than four bytes")


def _bad_publish(first: int) -> MalformedPacket:
    if first & 6 == 4:
        return MalformedPacket("published with QoS 2; set the client to QoS 1", mqtt_packets.QOS_NOT_SUPPORTED)
    fault = "ends inside a field" if first in _PUBLISH_HEADERS else f"has the flags {first & 0x0F}"
    return MalformedPacket(f"PUBLISH that {fault}")
