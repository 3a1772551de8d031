"""One maker a file: bytes -> readings, pure functions. This is the register of who reads which topic.

Asked in this order: the user's own mappings, the first level of the topic (`DECODERS`), the shape of the topic where
the user chose its beginning (`SHAPES`), what the message itself is recognised by (`SIGNATURES`), and then `generic`,
for keys that speak for themselves. A decoder that learns from earlier messages stands in the tables as it is, all
others wrapped by `alone`.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

import msgspec

from gateway.decoders import (
    chirpstack,
    esphome,
    generic,
    homie,
    impinj,
    ruuvi,
    scale,
    senml,
    shelly,
    sparkplug,
    tasmota,
    theengs,
    thin_edge,
    ttn,
    zebra,
    zigbee2mqtt,
)
from gateway.decoders.decoded import Decode, Decoded, DecodeError, Known, LearningDecode
from gateway.decoders.mapping import Mapping

#: nothing has been learned yet
NOTHING: Known = {}


def alone(decoder: Decode) -> LearningDecode:
    """A decoder that needs no earlier messages, in the form of those that do."""

    def decode_alone(topic: str, payload: bytes, received_at_ms: int, known: Known) -> Decoded:
        return decoder(topic, payload, received_at_ms)

    return decode_alone


#: by the first level of the topic
DECODERS: dict[str, LearningDecode] = {
    "zigbee2mqtt": alone(zigbee2mqtt.decode),
    "shellies": shelly.decode_gen1,
    "ruuvi": alone(ruuvi.decode),
    "application": alone(chirpstack.decode),
    "v3": alone(ttn.decode),
    "spBv1.0": sparkplug.decode,
    "homie": homie.decode,
    "homeassistant": esphome.decode,
    "te": thin_edge.decode,
    "senml": alone(senml.decode),
    "tasmota": alone(tasmota.decode),
    "zebra": alone(zebra.decode),
    "impinj": alone(impinj.decode),
    "speedway": alone(impinj.decode),
    "scale": alone(scale.decode),
}
#: by the shape of the topic; asked in this order, when no first level is known
SHAPES: tuple[tuple[str, re.Pattern[str], LearningDecode], ...] = (
    ("<prefix>/events/rpc", re.compile(r".+/events/rpc", re.DOTALL), alone(shelly.decode)),
    ("<prefix>/status/<component>:<n>", re.compile(r".+/status/[a-z0-9]+:\d+", re.DOTALL), alone(shelly.decode_status)),
    ("<prefix>/online", re.compile(r".+/online", re.DOTALL), alone(shelly.decode_online)),
    ("<tenant>/DATA/clients/...", re.compile(r".+/DATA/clients/[^/]+/[^/]+"), alone(zebra.decode_hand_held)),
    ("tele/<device>/...", re.compile(r"(?:.+/)?(?:tele|stat|cmnd)/(?:.+/)?[A-Z0-9]+"), alone(tasmota.decode)),
    ("<base>/<gateway>/BTtoMQTT/...", re.compile(r".+/BTtoMQTT(?:/.*)?", re.DOTALL), alone(theengs.decode)),
    ("<base>/<gateway>/LWT", re.compile(r".+/LWT", re.DOTALL), alone(theengs.decode_last_will)),
    (
        "<prefix>/<component>/<object>/state",
        re.compile(r".+/(?:sensor|binary_sensor|text_sensor|switch|light|climate|cover)/[^/]+/(?:state|command)"),
        esphome.decode,
    ),
    ("<prefix>/status", re.compile(r"[^/]+(?:/[^/]+)?/status"), esphome.decode),
)
#: by what the message holds, on topics of nobody's: the path to a key that no other maker has
SIGNATURES: tuple[tuple[tuple[str, ...], LearningDecode], ...] = (
    (("end_device_ids",), alone(ttn.decode)),
    (("deviceInfo", "devEui"), alone(chirpstack.decode_message)),
    (("devEUI",), alone(chirpstack.decode_message)),
    (("devEui",), alone(chirpstack.decode_message)),
    (("tagInventoryEvent",), alone(impinj.decode)),
    (("tag_reads",), alone(impinj.decode)),
    (("antennaPort",), alone(impinj.decode)),
    (("smartreader-status",), alone(impinj.decode)),
    (("smartreader-mqtt-status",), alone(impinj.decode)),
    (("data", "idHex"), alone(zebra.decode)),
    (("data", "radio_control"), alone(zebra.decode)),
    (("data", "tagData"), alone(zebra.decode_hand_held)),
    (("gw_mac",), alone(ruuvi.decode)),
)


def with_mappings(mappings: Sequence[Mapping]) -> LearningDecode:
    """The register, the user's own mappings asked first."""

    def find(topic: str) -> LearningDecode:
        mapped = next((mapping.decode for mapping in mappings if mapping.matches(topic)), None)
        return mapped or _find(topic)

    # A gateway hears the same few topics again and again.
    remembered = lru_cache(maxsize=2048)(find)

    def decode_with_mappings(topic: str, payload: bytes, received_at_ms: int, known: Known = NOTHING) -> Decoded:
        if len(topic) > _LONGEST_TOPIC:
            raise DecodeError(f"a topic of {len(topic)} letters; {_LONGEST_TOPIC} at most can be read")
        decoder = remembered(topic) if len(topic) <= _REMEMBERED_LETTERS else find(topic)
        return decoder(topic, payload, received_at_ms, known)

    return decode_with_mappings


#: no topic that somebody chose is longer; others are not worth the memory
_REMEMBERED_LETTERS = 256
#: a topic becomes part of the name of every sensor in its message
_LONGEST_TOPIC = 1024


def _find(topic: str) -> LearningDecode:
    decoder = DECODERS.get(topic.partition("/")[0])
    if decoder is not None:
        return decoder
    for _, shape, shaped in SHAPES:
        if shape.fullmatch(topic):
            return shaped
    return _by_content


_by_topic = with_mappings(())


def decode(topic: str, payload: bytes, received_at_ms: int, known: Known = NOTHING) -> Decoded:
    """Hand the message to the decoder of its topic.

    Raises:
        DecodeError: no decoder knows the topic, or the one that does cannot read the message.
    """
    return _by_topic(topic, payload, received_at_ms, known)


def _by_content(topic: str, payload: bytes, received_at_ms: int, known: Known) -> Decoded:
    """Raises DecodeError when nobody recognises the message."""
    try:
        message: object = msgspec.json.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        if payload[:1] in (b"{", b"["):
            raise DecodeError(f"not JSON: {error}") from None
        known_topics = ", ".join([*(f"{prefix}/" for prefix in DECODERS), *(f"or are {name}" for name, _, _ in SHAPES)])
        raise DecodeError(f"no decoder for the topic {topic!r:.120}; topics begin with {known_topics}") from None
    record = message[0] if isinstance(message, list) and message else message
    for path, decoder in SIGNATURES:
        if _holds(record, path):
            return decoder(topic, payload, received_at_ms, known)
    return generic.decode(topic, payload, received_at_ms)


def _holds(record: object, path: tuple[str, ...]) -> bool:
    for key in path:
        if not isinstance(record, dict) or key not in record:
            return False
        record = record[key]
    return True


#: topics that say what others mean: makers let the broker keep them, and send them once
_TEACHING = re.compile(
    r"shellies/[^/]+/info|homeassistant/.+/config|homie/.+/\$(?:unit|datatype|description)|te/.+/m/[^/]+/meta|spBv1\.0/[^/]+/[ND]BIRTH/.+",
    re.DOTALL,
)


def teaches(topic: str) -> bool:
    """Whether a message that a broker has kept is worth reading: a kept reading is an old one, what it means is not."""
    return _TEACHING.fullmatch(topic) is not None
