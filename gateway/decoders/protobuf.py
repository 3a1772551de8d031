"""The wire format of Protocol Buffers, as much of it as a reader of known messages needs.

Source: "Encoding" of the Protocol Buffers documentation. A message is a run of fields, each a number and a wire type:
0 a varint, 1 eight bytes, 2 bytes with their length before them, 5 four bytes. Groups (3 and 4) are long out of use.
"""

from collections.abc import Iterator

from gateway.decoders.decoded import DecodeError

VARINT, EIGHT_BYTES, BYTES, FOUR_BYTES = 0, 1, 2, 5
_MOST_BITS = 64


def fields(message: bytes) -> Iterator[tuple[int, int, int | bytes]]:
    """(number, wire type, content) in order; varints are not negative, all others are bytes.

    Raises:
        DecodeError: the message was cut, or is none.
    """
    at, end = 0, len(message)
    while at < end:
        tag = message[at]
        at += 1
        if tag > 0x7F:
            tag, at = _varint(message, at - 1)
        number, wire = tag >> 3, tag & 7
        if number == 0:
            raise DecodeError(f"not protobuf: a field without a number before byte {at}")
        if wire == VARINT:
            if at < end and message[at] < 0x80:
                content: int | bytes = message[at]
                at += 1
            else:
                content, at = _varint(message, at)
        else:
            if wire == BYTES:
                size, at = _varint(message, at)
            elif wire == EIGHT_BYTES:
                size = 8
            elif wire == FOUR_BYTES:
                size = 4
            else:
                raise DecodeError(f"not protobuf: a field of wire type {wire} before byte {at}")
            if size > end - at:
                raise DecodeError(f"not protobuf, or cut: {size} bytes were promised at byte {at}, {end - at} are left")
            content = message[at : at + size]
            at += size
        yield number, wire, content


def varint(value: int) -> bytes:
    """A number that is not negative, seven bits a byte, the lowest first."""
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def number_field(number: int, value: int) -> bytes:
    """A field that is a varint."""
    return varint(number << 3 | VARINT) + varint(value)


def bytes_field(number: int, content: bytes) -> bytes:
    """A field that is bytes, a text or a message."""
    return varint(number << 3 | BYTES) + varint(len(content)) + content


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = bits = 0
    for byte in message[at : at + 10]:
        value |= (byte & 0x7F) << bits
        at += 1
        if byte < 0x80:
            return value & (1 << _MOST_BITS) - 1, at
        bits += 7
    raise DecodeError(f"not protobuf, or cut: a number that does not end before byte {at}")
