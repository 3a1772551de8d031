"""What a client writes, byte by byte, to say also what no client library would."""

import struct

PASSWORD = "secret"


def text(value: str) -> bytes:
    return struct.pack(">H", len(value.encode())) + value.encode()


def packet(first: int, body: bytes) -> bytes:
    length, encoded = len(body), bytearray()
    while True:
        length, digit = divmod(length, 128)
        encoded.append(digit | (0x80 if length else 0))
        if not length:
            return bytes((first,)) + bytes(encoded) + body


def connect(
    client_id: str = "sensor-1",
    *,
    username: str | None = "room",
    password: str | None = PASSWORD,
    keepalive_s: int = 60,
    clean: bool = True,
    level: int = 4,
) -> bytes:
    flags = 2 * clean | 0x80 * (username is not None) | 0x40 * (password is not None)
    body = text("MQTT") + bytes((level, flags)) + struct.pack(">H", keepalive_s)
    body += b"\0" if level == 5 else b""
    body += text(client_id)
    for field in (username, password):
        body += b"" if field is None else text(field)
    return packet(0x10, body)


def publish(
    topic: str, payload: bytes, *, qos: int = 1, packet_id: int = 1, retain: bool = False, duplicate: bool = False
) -> bytes:
    identifier = struct.pack(">H", packet_id) if qos else b""
    return packet(0x30 | qos << 1 | retain | duplicate << 3, text(topic) + identifier + payload)


def puback(packet_id: int) -> bytes:
    return struct.pack(">BBH", 0x40, 2, packet_id)


PINGREQ = b"\xc0\0"
DISCONNECT = b"\xe0\0"
CONNACK = b"\x20\x02\0\0"
