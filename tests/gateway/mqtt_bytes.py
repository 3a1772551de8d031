"""What a client writes, byte by byte, to say also what no client library would."""

import struct

PASSWORD = "secret"


def text(value: str) -> bytes:
    return struct.pack(">H", len(value.encode())) + value.encode()


def binary(value: bytes) -> bytes:
    return struct.pack(">H", len(value)) + value


def variable(number: int) -> bytes:
    encoded = bytearray()
    while True:
        number, digit = divmod(number, 128)
        encoded.append(digit | (0x80 if number else 0))
        if not number:
            return bytes(encoded)


def packet(first: int, body: bytes) -> bytes:
    return bytes((first,)) + variable(len(body)) + body


def properties(level: int, told: bytes = b"") -> bytes:
    """Version 5 has them in most packets; 3.1.1 in none."""
    return variable(len(told)) + told if level == 5 else b""


def connect(
    client_id: str = "sensor-1",
    *,
    username: str | None = "room",
    password: str | None = PASSWORD,
    keepalive_s: int = 60,
    clean: bool = True,
    level: int = 4,
    told: bytes = b"",
    will: tuple[str, bytes] | None = None,
    will_told: bytes = b"",
) -> bytes:
    flags = 2 * clean | 0x80 * (username is not None) | 0x40 * (password is not None) | 0x04 * (will is not None)
    body = text("MQTT") + bytes((level, flags)) + struct.pack(">H", keepalive_s)
    body += properties(level, told) + text(client_id)
    if will is not None:
        body += properties(level, will_told) + text(will[0]) + binary(will[1])
    for field in (username, password):
        body += b"" if field is None else text(field)
    return packet(0x10, body)


def publish(
    topic: str,
    payload: bytes,
    *,
    qos: int = 1,
    packet_id: int = 1,
    retain: bool = False,
    duplicate: bool = False,
    level: int = 4,
    told: bytes = b"",
) -> bytes:
    identifier = struct.pack(">H", packet_id) if qos else b""
    body = text(topic) + identifier + properties(level, told) + payload
    return packet(0x30 | qos << 1 | retain | duplicate << 3, body)


def puback(packet_id: int, reason: int | None = None) -> bytes:
    return packet(0x40, struct.pack(">H", packet_id) + (b"" if reason is None else bytes((reason,))))


def subscribe(packet_id: int, *filters: tuple[str, int], level: int = 4, told: bytes = b"") -> bytes:
    body = b"".join(text(name) + bytes((options,)) for name, options in filters)
    return packet(0x82, struct.pack(">H", packet_id) + properties(level, told) + body)


def unsubscribe(packet_id: int, *filters: str, level: int = 4) -> bytes:
    return packet(0xA2, struct.pack(">H", packet_id) + properties(level) + b"".join(map(text, filters)))


PINGREQ = b"\xc0\0"
PINGRESP = b"\xd0\0"
DISCONNECT = b"\xe0\0"
CONNACK = b"\x20\x02\0\0"
