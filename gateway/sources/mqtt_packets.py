"""The packets that a server of MQTT 3.1.1 and 5 receives, PUBLISH aside, strictly read."""

from dataclasses import dataclass

V311, V5 = 4, 5

# reason codes of version 5 (2.4)
SUCCESS = 0x00
DISCONNECT_WITH_WILL = 0x04
UNSPECIFIED = 0x80
MALFORMED = 0x81
PROTOCOL_ERROR = 0x82
UNSUPPORTED_VERSION = 0x84
CLIENT_ID_INVALID = 0x85
BAD_PASSWORD = 0x86
NOT_AUTHORISED = 0x87
SERVER_UNAVAILABLE = 0x88
SERVER_BUSY = 0x89
SHUTTING_DOWN = 0x8B
BAD_AUTHENTICATION_METHOD = 0x8C
KEEPALIVE_TIMEOUT = 0x8D
TAKEN_OVER = 0x8E
FILTER_INVALID = 0x8F
TOPIC_NAME_INVALID = 0x90
TOPIC_ALIAS_INVALID = 0x94
PACKET_TOO_LARGE = 0x95
QUOTA_EXCEEDED = 0x97
QOS_NOT_SUPPORTED = 0x9B
SHARED_NOT_SUPPORTED = 0x9E
IDENTIFIERS_NOT_SUPPORTED = 0xA1

CONNECT, PUBLISH, PUBACK, SUBSCRIBE, UNSUBSCRIBE, PINGREQ, DISCONNECT = 1, 3, 4, 8, 10, 12, 14
#: the flags that the standard fixes for each of the packets that a server may be sent (2.2.2); PUBLISH has its own
_FLAGS = {CONNECT: 0, PUBACK: 0, SUBSCRIBE: 2, UNSUBSCRIBE: 2, PINGREQ: 0, DISCONNECT: 0}


class MalformedPacket(ValueError):
    """The peer broke the protocol; the connection cannot go on. `reason` is its code for version 5."""

    def __init__(self, text: str, reason: int = MALFORMED) -> None:
        super().__init__(text)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Will:
    """What to publish when the client goes without a word."""

    topic: str
    payload: bytes
    delay_s: int = 0


@dataclass(frozen=True, slots=True)
class Connect:
    version: int
    client_id: str
    #: version 5 calls it clean start
    clean_session: bool
    keepalive_s: int
    username: str | None = None
    password: bytes | None = None
    will: Will | None = None
    #: how long its session may live without it; 3.1.1 has no word for that: None
    session_expiry_s: int | None = None
    #: how many of our QoS 1 messages it takes at once
    receive_maximum: int = 65_535
    #: the largest packet it takes; None: any
    max_packet_bytes: int | None = None
    #: of a way to sign in beyond user and password; we know none
    authentication_method: str | None = None


@dataclass(frozen=True, slots=True)
class UnsupportedVersion:
    """A CONNECT of another version of the protocol (3 is MQTT 3.1)."""

    level: int


@dataclass(frozen=True, slots=True)
class Wish:
    """One filter of a SUBSCRIBE."""

    topic_filter: str
    qos: int
    retain_as_published: bool = False
    #: which kept messages are wanted: 0 all, 1 only with a new subscription, 2 none
    retain_handling: int = 0


@dataclass(frozen=True, slots=True)
class Subscribe:
    packet_id: int
    wishes: tuple[Wish, ...]


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    packet_id: int
    filters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Puback:
    """The client has one of our QoS 1 messages, or refuses it: either way it is not to be sent again."""

    packet_id: int


@dataclass(frozen=True, slots=True)
class PingRequest:
    pass


@dataclass(frozen=True, slots=True)
class Disconnect:
    with_will: bool = False
    #: changes what CONNECT said
    session_expiry_s: int | None = None


Packet = Connect | UnsupportedVersion | Subscribe | Unsubscribe | Puback | PingRequest | Disconnect


class Fields:
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

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def binary(self) -> bytes:
        return self.take(self.number(2))

    def text(self) -> str:
        try:
            text = self.binary().decode("utf-8")
        except UnicodeDecodeError:
            raise MalformedPacket("text that is not UTF-8") from None
        if "\0" in text:
            raise MalformedPacket("text with a null character")
        return text

    def packet_id(self) -> int:
        identifier = self.number(2)
        if identifier == 0:
            raise MalformedPacket("packet identifier 0")
        return identifier

    def variable(self) -> int:
        """A number of up to four bytes of seven bits, in its shortest form (1.5.5)."""
        value = 0
        for index in range(4):
            digit = self.number(1)
            value |= (digit & 0x7F) << (7 * index)
            if digit < 0x80:
                if index and not digit:
                    raise MalformedPacket("number that is not in its shortest form")
                return value
        raise MalformedPacket("number of more than four bytes")

    def end(self) -> None:
        if self.left:
            raise MalformedPacket(f"{self.left} bytes too many")


# Properties of version 5 (2.2.2.2): identifier -> how its value is read. Only those that a client may send.
PAYLOAD_FORMAT, MESSAGE_EXPIRY, CONTENT_TYPE, RESPONSE_TOPIC, CORRELATION_DATA = 0x01, 0x02, 0x03, 0x08, 0x09
SUBSCRIPTION_IDENTIFIER, SESSION_EXPIRY, AUTHENTICATION_METHOD, AUTHENTICATION_DATA = 0x0B, 0x11, 0x15, 0x16
REQUEST_PROBLEMS, WILL_DELAY, REQUEST_RESPONSE, REASON_STRING, RECEIVE_MAXIMUM = 0x17, 0x18, 0x19, 0x1F, 0x21
TOPIC_ALIAS_MAXIMUM, TOPIC_ALIAS, USER_PROPERTY, MAXIMUM_PACKET_SIZE = 0x22, 0x23, 0x26, 0x27

_SIZES = {
    PAYLOAD_FORMAT: 1,
    REQUEST_PROBLEMS: 1,
    REQUEST_RESPONSE: 1,
    RECEIVE_MAXIMUM: 2,
    TOPIC_ALIAS_MAXIMUM: 2,
    TOPIC_ALIAS: 2,
    MESSAGE_EXPIRY: 4,
    SESSION_EXPIRY: 4,
    WILL_DELAY: 4,
    MAXIMUM_PACKET_SIZE: 4,
}
_TEXTS = frozenset((CONTENT_TYPE, RESPONSE_TOPIC, AUTHENTICATION_METHOD, REASON_STRING))
_BOOLEANS = frozenset((PAYLOAD_FORMAT, REQUEST_PROBLEMS, REQUEST_RESPONSE))
_NEVER_ZERO = frozenset((RECEIVE_MAXIMUM, MAXIMUM_PACKET_SIZE, SUBSCRIPTION_IDENTIFIER))

_OF_MESSAGES = frozenset(
    (PAYLOAD_FORMAT, MESSAGE_EXPIRY, CONTENT_TYPE, RESPONSE_TOPIC, CORRELATION_DATA, USER_PROPERTY)
)
_OF_PUBLISH = _OF_MESSAGES | {TOPIC_ALIAS}
_OF_WILL = _OF_MESSAGES | {WILL_DELAY}
_OF_CONNECT = frozenset(
    (
        SESSION_EXPIRY,
        RECEIVE_MAXIMUM,
        MAXIMUM_PACKET_SIZE,
        TOPIC_ALIAS_MAXIMUM,
        REQUEST_PROBLEMS,
        REQUEST_RESPONSE,
        AUTHENTICATION_METHOD,
        AUTHENTICATION_DATA,
        USER_PROPERTY,
    )
)
_OF_SUBSCRIBE = frozenset((SUBSCRIPTION_IDENTIFIER, USER_PROPERTY))
_OF_UNSUBSCRIBE = frozenset((USER_PROPERTY,))
_OF_PUBACK = frozenset((REASON_STRING, USER_PROPERTY))
_OF_DISCONNECT = frozenset((SESSION_EXPIRY, REASON_STRING, USER_PROPERTY))

Properties = dict[int, int | str | bytes]


def _properties(fields: Fields, allowed: frozenset[int]) -> Properties:
    """The properties of one packet; each but the user's own at most once."""
    told: Properties = {}
    within = Fields(fields.take(fields.variable()))
    while within.left:
        identifier = within.variable()
        if identifier not in allowed:
            raise MalformedPacket(f"property {identifier:#04x} where it has no place", PROTOCOL_ERROR)
        if identifier == USER_PROPERTY:
            within.text()
            within.text()
            continue
        if identifier in told:
            raise MalformedPacket(f"property {identifier:#04x} twice", PROTOCOL_ERROR)
        told[identifier] = value = _value(identifier, within)
        if (identifier in _BOOLEANS and value not in (0, 1)) or (identifier in _NEVER_ZERO and value == 0):
            raise MalformedPacket(f"property {identifier:#04x} with the value {value!r}", PROTOCOL_ERROR)
    return told


def _value(identifier: int, within: Fields) -> int | str | bytes:
    if identifier in _SIZES:
        return within.number(_SIZES[identifier])
    if identifier in _TEXTS:
        return within.text()
    return within.variable() if identifier == SUBSCRIPTION_IDENTIFIER else within.binary()


def _integer(properties: Properties, identifier: int) -> int | None:
    value = properties.get(identifier)
    return value if isinstance(value, int) else None


def end_of_publish_properties(data: bytes, at: int, stop: int) -> int:
    """Check the properties of a PUBLISH; nothing in them matters to a reading. Returns where they end."""
    fields = Fields(data[at:stop])
    told = _properties(fields, _OF_PUBLISH)
    if TOPIC_ALIAS in told:  # CONNACK has not offered any
        raise MalformedPacket("PUBLISH with a topic alias", TOPIC_ALIAS_INVALID)
    return stop - fields.left


def check_header(first: int) -> None:
    """Refuse a first byte that no packet of a client has. Raises MalformedPacket."""
    kind, flags = first >> 4, first & 0x0F
    if kind != PUBLISH and _FLAGS.get(kind) != flags:
        raise MalformedPacket(f"packet type {kind} with flags {flags}")


def parse(first: int, body: bytes, version: int) -> Packet:
    """A packet that is no PUBLISH, its header checked; `version` is 0 before CONNECT. Raises MalformedPacket."""
    kind, fields, is_v5 = first >> 4, Fields(body), version == V5
    if kind == CONNECT:
        return _connect(fields)
    packet = _later(kind, fields, is_v5=is_v5)
    fields.end()
    return packet


def _later(kind: int, fields: Fields, *, is_v5: bool) -> Packet:
    if kind == SUBSCRIBE:
        return _subscribe(fields, is_v5=is_v5)
    if kind == UNSUBSCRIBE:
        return _unsubscribe(fields, is_v5=is_v5)
    if kind == PUBACK:
        packet_id = fields.packet_id()
        if is_v5 and fields.left:
            fields.number(1)
            if fields.left:
                _properties(fields, _OF_PUBACK)
        return Puback(packet_id)
    if kind == DISCONNECT and is_v5 and fields.left:
        return _disconnect(fields)
    return PingRequest() if kind == PINGREQ else Disconnect()


def _disconnect(fields: Fields) -> Disconnect:
    reason = fields.number(1)
    told = _properties(fields, _OF_DISCONNECT) if fields.left else {}
    return Disconnect(reason == DISCONNECT_WITH_WILL, _integer(told, SESSION_EXPIRY))


def _connect(fields: Fields) -> Connect | UnsupportedVersion:
    name, level = fields.text(), fields.number(1)
    if name != "MQTT" or level not in (V311, V5):
        if name not in ("MQTT", "MQIsdp"):
            raise MalformedPacket("CONNECT of another protocol", UNSUPPORTED_VERSION)
        return UnsupportedVersion(level)
    flags, keepalive_s = fields.number(1), fields.number(2)
    told = _properties(fields, _OF_CONNECT) if level == V5 else {}
    client_id = fields.text()
    will = _will(flags, fields, is_v5=level == V5)
    has_username, has_password = bool(flags & 0x80), bool(flags & 0x40)
    if flags & 1 or (level == V311 and has_password and not has_username):
        raise MalformedPacket(f"CONNECT with flags {flags}")
    username = fields.text() if has_username else None
    password = fields.binary() if has_password else None
    fields.end()
    method = told.get(AUTHENTICATION_METHOD)
    if method is None and AUTHENTICATION_DATA in told:
        raise MalformedPacket("authentication data without a method", PROTOCOL_ERROR)
    expiry_s = _integer(told, SESSION_EXPIRY)
    return Connect(
        version=level,
        client_id=client_id,
        clean_session=bool(flags & 2),
        keepalive_s=keepalive_s,
        username=username,
        password=password,
        will=will,
        session_expiry_s=expiry_s or 0 if level == V5 else None,
        receive_maximum=_integer(told, RECEIVE_MAXIMUM) or 65_535,
        max_packet_bytes=_integer(told, MAXIMUM_PACKET_SIZE),
        authentication_method=method if isinstance(method, str) else None,
    )


def _will(flags: int, fields: Fields, *, is_v5: bool) -> Will | None:
    if not flags & 4:
        if flags & 0x38:
            raise MalformedPacket("will flags without a will")
        return None
    if flags >> 3 & 3 == 3:
        raise MalformedPacket("will with quality of service 3")
    told = _properties(fields, _OF_WILL) if is_v5 else {}
    topic, payload = fields.text(), fields.binary()
    if not topic or "+" in topic or "#" in topic:
        raise MalformedPacket("will for an empty topic or one with wildcards", TOPIC_NAME_INVALID)
    return Will(topic, payload, _integer(told, WILL_DELAY) or 0)


def _subscribe(fields: Fields, *, is_v5: bool) -> Subscribe:
    packet_id = fields.packet_id()
    if is_v5 and SUBSCRIPTION_IDENTIFIER in _properties(fields, _OF_SUBSCRIBE):
        raise MalformedPacket("SUBSCRIBE with an identifier, which is not offered", IDENTIFIERS_NOT_SUPPORTED)
    wishes: list[Wish] = []
    while fields.left or not wishes:
        topic_filter, options = fields.text(), fields.number(1)
        qos, handling = options & 3, options >> 4 & 3
        if qos == 3 or (options & 0xC0 or handling == 3 if is_v5 else options & 0xFC):
            raise MalformedPacket(f"SUBSCRIBE with the options {options:#04x}")
        wishes.append(Wish(topic_filter, qos, bool(options & 8), handling))
    return Subscribe(packet_id, tuple(wishes))


def _unsubscribe(fields: Fields, *, is_v5: bool) -> Unsubscribe:
    packet_id = fields.packet_id()
    if is_v5:
        _properties(fields, _OF_UNSUBSCRIBE)
    filters = [fields.text()]
    while fields.left:
        filters.append(fields.text())
    return Unsubscribe(packet_id, tuple(filters))
