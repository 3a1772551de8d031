"""MQTT 3.1.1 as a server sees it, without input or output: bytes in, packets out (OASIS standard, 29 October 2014).

Only what a sensor that publishes needs. Any byte string either yields packets, or asks for more, or raises
`MalformedPacket`; nothing else.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass

ACCEPTED, BAD_VERSION, BAD_CLIENT_ID, UNAVAILABLE, BAD_PASSWORD, NOT_AUTHORISED = range(6)
SUBSCRIPTION_REFUSED = 0x80

_CONNECT, _PUBLISH, _SUBSCRIBE, _UNSUBSCRIBE, _PINGREQ, _DISCONNECT = 1, 3, 8, 10, 12, 14
#: the flags that the standard fixes for each of the other packets
_FLAGS = {_CONNECT: 0, _SUBSCRIBE: 2, _UNSUBSCRIBE: 2, _PINGREQ: 0, _DISCONNECT: 0}
_V5_UNSUPPORTED_VERSION = 0x84


class MalformedPacket(ValueError):
    """The peer broke the protocol; the connection cannot go on."""


@dataclass(frozen=True, slots=True)
class Connect:
    client_id: str
    clean_session: bool
    keepalive_s: int
    username: str | None
    password: bytes | None


@dataclass(frozen=True, slots=True)
class UnsupportedVersion:
    """A CONNECT of another version of the protocol (3 = MQTT 3.1, 5 = MQTT 5)."""

    level: int


@dataclass(frozen=True, slots=True)
class Publish:
    topic: str
    payload: bytes
    qos: int
    retain: bool
    duplicate: bool
    #: 0 when `qos` is 0
    packet_id: int


@dataclass(frozen=True, slots=True)
class Subscribe:
    packet_id: int
    filters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    packet_id: int


@dataclass(frozen=True, slots=True)
class PingRequest:
    pass


@dataclass(frozen=True, slots=True)
class Disconnect:
    pass


Packet = Connect | UnsupportedVersion | Publish | Subscribe | Unsubscribe | PingRequest | Disconnect


class Parser:
    """Collects bytes and hands out packets one by one."""

    def __init__(self, max_packet_bytes: int) -> None:
        self._max_packet_bytes = max_packet_bytes
        self._buffer = bytearray()
        self._start = 0

    def feed(self, data: bytes) -> None:
        """Add what the peer sent."""
        if self._start:
            del self._buffer[: self._start]
            self._start = 0
        self._buffer += data

    def next_packet(self) -> Packet | None:
        """The next whole packet, or None when more bytes are needed.

        Raises:
            MalformedPacket: the bytes break the standard, or the packet is larger than allowed.
        """
        header = self._fixed_header()
        if header is None:
            return None
        first, body_start, length = header
        kind, flags = first >> 4, first & 0x0F
        if kind != _PUBLISH and _FLAGS.get(kind) != flags:
            raise MalformedPacket(f"packet type {kind} with flags {flags}")
        if length > self._max_packet_bytes:
            raise MalformedPacket(f"packet of {length} bytes, at most {self._max_packet_bytes} are taken")
        end = body_start + length
        if len(self._buffer) < end:
            return None
        body = _Body(bytes(memoryview(self._buffer)[body_start:end]))
        self._start = end
        return _parse(kind, flags, body)

    def _fixed_header(self) -> tuple[int, int, int] | None:
        """First byte, where the body starts, the body's length (section 2.2.3: up to four bytes of seven bits)."""
        buffer, start = self._buffer, self._start
        length = 0
        for index in range(4):
            position = start + 1 + index
            if position >= len(buffer):
                return None
            length |= (buffer[position] & 0x7F) << (7 * index)
            if not buffer[position] & 0x80:
                return buffer[start], position + 1, length
        raise MalformedPacket("remaining length of more than four bytes")


class _Body:
    """Reads the fields of one packet's body in order."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, count: int) -> bytes:
        if count > self.left:
            raise MalformedPacket("packet ends inside a field")
        self._at += count
        return self._data[self._at - count : self._at]

    def byte(self) -> int:
        return self.take(1)[0]

    def two_bytes(self) -> int:
        return int.from_bytes(self.take(2), "big")

    def binary(self) -> bytes:
        return self.take(self.two_bytes())

    def text(self) -> str:
        try:
            text = self.binary().decode("utf-8")
        except UnicodeDecodeError:
            raise MalformedPacket("text that is not UTF-8") from None
        if "\0" in text:
            raise MalformedPacket("text with a null character")
        return text

    def packet_id(self) -> int:
        identifier = self.two_bytes()
        if identifier == 0:
            raise MalformedPacket("packet identifier 0")
        return identifier

    def rest(self) -> bytes:
        return self.take(self.left)

    def end(self) -> None:
        if self.left:
            raise MalformedPacket(f"{self.left} bytes too many")


def _parse(kind: int, flags: int, body: _Body) -> Packet:
    if kind == _PUBLISH:
        return _publish(flags, body)
    if kind == _CONNECT:
        return _connect(body)
    if kind == _SUBSCRIBE:
        return _subscribe(body)
    if kind == _UNSUBSCRIBE:
        packet_id = body.packet_id()
        body.text()
        while body.left:
            body.text()
        return Unsubscribe(packet_id)
    body.end()
    return PingRequest() if kind == _PINGREQ else Disconnect()


def _publish(flags: int, body: _Body) -> Publish:
    qos = flags >> 1 & 3
    duplicate = bool(flags & 8)
    if qos == 3 or (duplicate and qos == 0):
        raise MalformedPacket(f"PUBLISH with flags {flags}")
    topic = body.text()
    if not topic or "+" in topic or "#" in topic:
        raise MalformedPacket("PUBLISH to an empty topic or one with wildcards")
    packet_id = body.packet_id() if qos else 0
    return Publish(topic, body.rest(), qos, bool(flags & 1), duplicate, packet_id)


def _connect(body: _Body) -> Connect | UnsupportedVersion:
    name, level = body.text(), body.byte()
    if (name, level) != ("MQTT", 4):
        if name not in ("MQTT", "MQIsdp"):
            raise MalformedPacket("CONNECT of another protocol")
        return UnsupportedVersion(level)
    flags, keepalive_s = body.byte(), body.two_bytes()
    client_id = body.text()
    _skip_will(flags, body)
    has_username, has_password = bool(flags & 0x80), bool(flags & 0x40)
    if flags & 1 or (has_password and not has_username):
        raise MalformedPacket(f"CONNECT with flags {flags}")
    username = body.text() if has_username else None
    password = body.binary() if has_password else None
    body.end()
    return Connect(client_id, bool(flags & 2), keepalive_s, username, password)


def _skip_will(flags: int, body: _Body) -> None:
    """A will is for subscribers, and nobody can subscribe here."""
    if flags & 4:
        if flags >> 3 & 3 == 3:
            raise MalformedPacket("will with quality of service 3")
        body.text()
        body.binary()
    elif flags & 0x38:
        raise MalformedPacket("will flags without a will")


def _subscribe(body: _Body) -> Subscribe:
    packet_id = body.packet_id()
    filters: list[str] = []
    while body.left or not filters:
        filters.append(body.text())
        if body.byte() > 2:
            raise MalformedPacket("SUBSCRIBE with an impossible quality of service")
    return Subscribe(packet_id, tuple(filters))


def connack(code: int) -> bytes:
    """The answer to a CONNECT; no session is ever kept, a publisher has nothing to find in it."""
    return bytes((0x20, 2, 0, code))


def connack_unsupported(level: int) -> bytes:
    """The refusal in the words of the client's own version: 5 has reason codes and properties."""
    return bytes((0x20, 3, 0, _V5_UNSUPPORTED_VERSION, 0)) if level >= 5 else connack(BAD_VERSION)


def pubacks(packet_ids: Iterable[int]) -> bytes:
    """One PUBACK for each identifier, in order."""
    return b"".join(struct.pack(">BBH", 0x40, 2, packet_id) for packet_id in packet_ids)


def suback(packet_id: int, codes: bytes) -> bytes:
    """The answer to a SUBSCRIBE, one code for each filter."""
    return bytes((0x90,)) + _length(2 + len(codes)) + struct.pack(">H", packet_id) + codes


def unsuback(packet_id: int) -> bytes:
    """The answer to an UNSUBSCRIBE."""
    return struct.pack(">BBH", 0xB0, 2, packet_id)


def pingresp() -> bytes:
    """The answer to a PINGREQ."""
    return b"\xd0\x00"


def _length(length: int) -> bytes:
    encoded = bytearray()
    while True:
        length, digit = divmod(length, 128)
        encoded.append(digit | (0x80 if length else 0))
        if not length:
            return bytes(encoded)
