"""What a server of MQTT 3.1.1 and 5 sends, as bytes."""

import struct

from gateway.sources.mqtt_packets import (
    BAD_PASSWORD,
    CLIENT_ID_INVALID,
    NOT_AUTHORISED,
    SUCCESS,
    UNSUPPORTED_VERSION,
    V5,
)

#: reasons of version 5 in the words of 3.1.1 (3.2.2.3); all others: the server is not available
_RETURN_CODES = {SUCCESS: 0, UNSUPPORTED_VERSION: 1, CLIENT_ID_INVALID: 2, BAD_PASSWORD: 4, NOT_AUTHORISED: 5}
_UNAVAILABLE = 3

PINGRESP = b"\xd0\x00"


def connack(version: int, reason: int, *, session_present: bool = False, properties: bytes = b"") -> bytes:
    """The answer to a CONNECT; `reason` is a code of version 5 and is translated for 3.1.1."""
    if version != V5:
        return bytes((0x20, 2, session_present, _RETURN_CODES.get(reason, _UNAVAILABLE)))
    return _packet(0x20, bytes((session_present, reason)) + variable(len(properties)) + properties)


def offers(
    *, receive_maximum: int, max_packet_bytes: int, session_expiry_s: int | None, client_id: str | None
) -> bytes:
    """The properties of a CONNACK that say what this server takes.

    Topic aliases: none, as long as nothing is said of them. Retain: available, or a client that sets the flag with its
    readings would have to be refused.

    Args:
        session_expiry_s: when it is less than the client wants.
        client_id: when it has none of its own.
    """
    told = struct.pack(">BHBBBI", 0x21, receive_maximum, 0x24, 1, 0x27, max_packet_bytes)
    told += bytes((0x29, 0, 0x2A, 0))  # neither subscription identifiers nor shared subscriptions
    if session_expiry_s is not None:
        told += struct.pack(">BI", 0x11, session_expiry_s)
    if client_id is not None:
        told += b"\x12" + text(client_id)
    return told


def reason_string(words: str) -> bytes:
    """The property that tells a person why."""
    return b"\x1f" + text(words)


def disconnect(reason: int, words: str, *, longest: int | None = None) -> bytes:
    """Version 5 only: why the server hangs up; without the words when the client takes no packet as long (3.14.2)."""
    told = reason_string(words)
    packet = _packet(0xE0, bytes((reason,)) + variable(len(told)) + told)
    return packet if longest is None or len(packet) <= longest else _packet(0xE0, bytes((reason,)))


def suback(version: int, packet_id: int, codes: bytes) -> bytes:
    """The answer to a SUBSCRIBE, one code for each filter."""
    return _packet(0x90, struct.pack(">H", packet_id) + (b"\0" if version == V5 else b"") + codes)


def unsuback(version: int, packet_id: int, codes: bytes) -> bytes:
    """The answer to an UNSUBSCRIBE; 3.1.1 has no codes in it."""
    return _packet(0xB0, struct.pack(">H", packet_id) + (b"\0" + codes if version == V5 else b""))


def publish(
    version: int, topic: str, payload: bytes, *, packet_id: int = 0, retain: bool = False, again: bool = False
) -> bytes:
    """A PUBLISH, with QoS 1 when it has a packet identifier."""
    body = text(topic)
    if packet_id:
        body += struct.pack(">H", packet_id)
    if version == V5:
        body += b"\0"
    return _packet(0x30 | again << 3 | bool(packet_id) << 1 | retain, body + payload)


def text(value: str) -> bytes:
    """A text of at most 65,535 bytes and its length."""
    encoded = value.encode()
    return struct.pack(">H", len(encoded)) + encoded


def variable(number: int) -> bytes:
    """A number in bytes of seven bits."""
    encoded = bytearray()
    while True:
        number, digit = divmod(number, 128)
        encoded.append(digit | (0x80 if number else 0))
        if not number:
            return bytes(encoded)


def _packet(first: int, body: bytes) -> bytes:
    return bytes((first,)) + variable(len(body)) + body
