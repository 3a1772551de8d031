import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sources import mqtt311
from gateway.sources.mqtt311 import Connect, MalformedPacket, Packet, Parser, Publish, Subscribe, UnsupportedVersion
from tests.gateway import mqtt_bytes

MAX_BYTES = 1 << 16


def parse(data: bytes, chunk: int = 1 << 20) -> list[Packet]:
    parser, packets = Parser(MAX_BYTES), []
    for start in range(0, len(data), chunk):
        parser.feed(data[start : start + chunk])
        while (packet := parser.next_packet()) is not None:
            packets.append(packet)
    return packets


_names = st.text(st.characters(exclude_characters="\0+#", codec="utf-8"), min_size=1, max_size=30)
_publishes = st.builds(
    Publish,
    topic=_names,
    payload=st.binary(max_size=300),
    qos=st.just(1),
    retain=st.booleans(),
    duplicate=st.booleans(),
    packet_id=st.integers(1, 65535),
)


@given(st.lists(_publishes, max_size=10), st.integers(1, 50))
def test_what_a_sensor_publishes_arrives_whatever_the_cuts(publishes: list[Publish], chunk: int) -> None:
    data = b"".join(
        mqtt_bytes.publish(
            one.topic,
            one.payload,
            qos=one.qos,
            packet_id=one.packet_id,
            retain=one.retain,
            duplicate=one.duplicate,
        )
        for one in publishes
    )
    assert parse(data, chunk) == publishes


_valid = st.one_of(
    st.builds(mqtt_bytes.connect),
    st.builds(mqtt_bytes.publish, _names, st.binary(max_size=40)),
    st.just(mqtt_bytes.PINGREQ),
    st.just(b"\x82\x06\0\x01\0\x01a\x01"),
)


@st.composite
def _damaged(draw: st.DrawFn) -> bytes:
    data = bytearray(b"".join(draw(st.lists(_valid, min_size=1, max_size=3))))
    for _ in range(draw(st.integers(0, 4))):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    return bytes(data[: draw(st.integers(0, len(data)))])


@given(st.one_of(st.binary(max_size=200), _damaged()))
def test_any_bytes_are_packets_or_need_more_or_are_malformed(data: bytes) -> None:
    try:
        packets = parse(data)
    except MalformedPacket:
        return
    assert all(isinstance(packet, Packet) for packet in packets)


@given(_damaged())
def test_cuts_make_no_difference_to_damaged_bytes(data: bytes) -> None:
    def outcome(chunk: int) -> tuple[list[Packet], bool]:
        parser, packets = Parser(MAX_BYTES), []
        try:
            for start in range(0, len(data), chunk):
                parser.feed(data[start : start + chunk])
                while (packet := parser.next_packet()) is not None:
                    packets.append(packet)
        except MalformedPacket:
            return packets, True
        return packets, False

    assert outcome(1) == outcome(1 << 20)


def test_a_connect_says_who_and_how() -> None:
    will = 0x04 | 1 << 3 | 0x20
    body = mqtt_bytes.text("MQTT") + bytes((4, 0xC2 | will)) + b"\0\x3c" + mqtt_bytes.text("id")
    body += mqtt_bytes.text("zigbee2mqtt/bridge/state") + mqtt_bytes.text("offline")
    body += mqtt_bytes.text("user") + mqtt_bytes.text("päss")
    assert parse(mqtt_bytes.packet(0x10, body)) == [Connect("id", True, 60, "user", "päss".encode())]


def test_other_versions_are_told_apart() -> None:
    assert parse(mqtt_bytes.connect(level=5)) == [UnsupportedVersion(5)]
    assert mqtt311.connack_unsupported(5) == b"\x20\x03\0\x84\0"
    assert mqtt311.connack_unsupported(3) == b"\x20\x02\0\x01"


def test_a_subscribe_lists_its_filters() -> None:
    filters = tuple(f"a/{number}/#" for number in range(200))
    body = b"\0\x07" + b"".join(mqtt_bytes.text(name) + b"\x01" for name in filters)
    assert parse(mqtt_bytes.packet(0x82, body)) == [Subscribe(7, filters)]
    assert mqtt311.suback(7, b"\x80" * 200) == mqtt_bytes.packet(0x90, b"\0\x07" + b"\x80" * 200)


@pytest.mark.parametrize(
    "data",
    [
        mqtt_bytes.packet(0x36, mqtt_bytes.text("a") + b"\0\x01"),
        mqtt_bytes.packet(0x38, mqtt_bytes.text("a")),
        mqtt_bytes.publish("a/#", b""),
        mqtt_bytes.publish("", b""),
        mqtt_bytes.publish("a\0b", b""),
        mqtt_bytes.publish("a", b"", packet_id=0),
        mqtt_bytes.packet(0x32, b"\0\x02\xff\xfe\0\x01"),
        mqtt_bytes.packet(0x10, mqtt_bytes.text("HTTP") + b"\x04"),
        mqtt_bytes.packet(0x10, mqtt_bytes.text("MQTT") + b"\x04\x40\0\0" + mqtt_bytes.text("id") * 2),
        mqtt_bytes.packet(0x10, mqtt_bytes.text("MQTT") + b"\x04\x01\0\0" + mqtt_bytes.text("id")),
        mqtt_bytes.packet(0x10, mqtt_bytes.text("MQTT") + b"\x04\x08\0\0" + mqtt_bytes.text("id")),
        mqtt_bytes.connect() + mqtt_bytes.packet(0xC0, b"x"),
        b"\x82\x02\0\x01",
        b"\x82\x06\0\x01\0\x01a\x03",
        b"\x80\x06\0\x01\0\x01a\x01",
        b"\xc0\x80\x80\x80\x80\x01",
        b"\x30" + b"\xff\xff\xff\x7f",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\0\0",
    ],
)
def test_what_breaks_the_standard_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedPacket):
        parse(data)
