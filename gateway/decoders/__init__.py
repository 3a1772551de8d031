"""One vendor a file: bytes -> readings, pure functions. This is the register of who reads which topic."""

import re

from gateway.decoders import chirpstack, impinj, ruuvi, scale, shelly, zebra, zigbee2mqtt
from gateway.decoders.decoded import Decode, Decoded, DecodeError

#: by the first level of the topic
DECODERS: dict[str, Decode] = {
    "zigbee2mqtt": zigbee2mqtt.decode,
    "shellies": shelly.decode_gen1,
    "ruuvi": ruuvi.decode,
    "application": chirpstack.decode,
    "zebra": zebra.decode,
    "impinj": impinj.decode,
    "speedway": impinj.decode,
    "scale": scale.decode,
}
#: by the shape of the topic, where the user chose its beginning; asked in this order, when no first level is known
SHAPES: tuple[tuple[str, re.Pattern[str], Decode], ...] = (
    ("<prefix>/events/rpc", re.compile(r".+/events/rpc", re.DOTALL), shelly.decode),
    ("<prefix>/online", re.compile(r".+/online", re.DOTALL), shelly.decode_online),
    ("<tenant>/DATA/clients/...", re.compile(r"[^/]+/DATA/clients/data[12]event/[^/]+"), zebra.decode_hand_held),
)


def decode(topic: str, payload: bytes, received_at_ms: int) -> Decoded:
    """Hand the message to the decoder of its topic.

    Raises:
        DecodeError: no decoder knows the topic, or the one that does cannot read the message.
    """
    decoder = DECODERS.get(topic.partition("/")[0])
    if decoder is not None:
        return decoder(topic, payload, received_at_ms)
    for _, shape, shaped in SHAPES:
        if shape.fullmatch(topic):
            return shaped(topic, payload, received_at_ms)
    known = ", ".join([*(f"{prefix}/" for prefix in DECODERS), *(f"or are {name}" for name, _, _ in SHAPES)])
    raise DecodeError(f"no decoder for the topic {topic!r}; topics begin with {known}")
