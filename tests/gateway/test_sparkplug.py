import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_sims import sparkplug as edge
from device_sims.sparkplug import Metric
from gateway import decoders
from gateway.decoders import protobuf, sparkplug
from gateway.decoders.decoded import Decoded, DecodeError
from tests.gateway.arbitrary import changed, survives, told
from tests.gateway.running import NOW_MS

DEVICE = "spBv1.0/site/{}/edge/freezer"
NODE = "spBv1.0/site/{}/edge"


class Site:
    """A gateway's memory of one edge node."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {}
        self.sequence = 0

    def says(self, topic: str, *metrics: Metric, at_ms: int | None = NOW_MS - 1000, now_ms: int = NOW_MS) -> Decoded:
        self.sequence = (self.sequence + 1) % 256
        payload = edge.payload(list(metrics), at_ms=at_ms, sequence=self.sequence)
        decoded = decoders.decode(topic, payload, now_ms, self.known)
        self.known |= decoded.learned
        return decoded


def one(*metrics: Metric, topic: str = DEVICE.format("DDATA")) -> Decoded:
    return Site().says(topic, *metrics)


def test_a_birth_gives_readings_and_names_aliases_and_units() -> None:
    site = Site()
    born = site.says(
        DEVICE.format("DBIRTH"),
        Metric(-0.4, edge.DOUBLE, "Air/Temperature", alias=7, unit="°F"),
        Metric(61, edge.UINT8, "Humidity", unit="%"),
        Metric("FX-1", edge.STRING, "Model", alias=9),
    )
    assert told(born) == [
        ("sparkplug:site/edge/freezer/Air/Temperature", "temperature", -18.0, "Cel"),
        ("sparkplug:site/edge/freezer/Humidity", "humidity", 61.0, "%"),
    ]
    later = site.says(
        DEVICE.format("DDATA"),
        Metric(32.0, edge.DOUBLE, alias=7),
        Metric(58, edge.UINT8, "Humidity", tells_datatype=False),
        Metric("FX-2", edge.STRING, alias=9, tells_datatype=False),
    )
    assert [value for _, _, value, _ in told(later)] == [0.0, 58.0]
    assert later.problems == ()
    assert later.requests == ()


def test_what_is_known_is_not_learned_again() -> None:
    site = Site()
    birth = Metric(4.0, edge.DOUBLE, "Temperature", alias=1)
    assert site.says(DEVICE.format("DBIRTH"), birth).learned
    assert site.says(DEVICE.format("DBIRTH"), birth).learned == {}
    assert site.says(DEVICE.format("DBIRTH"), Metric(4.0, edge.DOUBLE, "Core", alias=1)).learned


def test_an_alias_that_is_not_known_is_kept_and_a_birth_is_asked_for() -> None:
    site = Site()
    decoded = site.says(
        DEVICE.format("DDATA"), Metric(4.0, edge.DOUBLE, alias=7), Metric(5.0, edge.DOUBLE, "Core Temperature")
    )
    assert [value for _, _, value, _ in told(decoded)] == [5.0]
    assert "alias 7" in decoded.problems[0]
    (request,) = decoded.requests
    assert request.topic == "spBv1.0/site/NCMD/edge"
    asked = Metric(True, edge.BOOLEAN, "Node Control/Rebirth", at_ms=NOW_MS)
    assert request.payload == edge.payload([asked], at_ms=NOW_MS)


def test_an_edge_node_is_not_asked_again_before_it_can_have_answered() -> None:
    site = Site()
    unknown = Metric(4.0, edge.DOUBLE, alias=7)
    asked = [len(site.says(DEVICE.format("DDATA"), unknown, now_ms=NOW_MS + after).requests) for after in (0, 29_999)]
    assert asked == [1, 0]
    assert len(site.says(DEVICE.format("DDATA"), unknown, now_ms=NOW_MS + 30_000).requests) == 1
    other = decoders.decode(
        "spBv1.0/site/DDATA/other/freezer", edge.payload([unknown], at_ms=NOW_MS), NOW_MS, site.known
    )
    assert len(other.requests) == 1


@pytest.mark.parametrize(
    ("datatype", "value"),
    [
        (edge.INT8, -18),
        (edge.INT16, -1800),
        (edge.INT32, -18),
        (edge.INT64, -(2**40)),
        (edge.UINT8, 200),
        (edge.UINT16, 60_000),
        (edge.UINT32, 3_000_000_000),
        (edge.UINT64, 2**52),
        (edge.FLOAT, -18.1),
        (edge.FLOAT, 16777216.0),
        (edge.DOUBLE, -18.1234567890123),
    ],
)
def test_every_type_of_number_is_read_exactly(datatype: int, value: float) -> None:
    born = one(Metric(value, datatype, "x", unit="rpm"), topic=DEVICE.format("DBIRTH"))
    assert told(born) == [("sparkplug:site/edge/freezer/x", "x", float(value), "rpm")]
    site = Site()
    site.says(DEVICE.format("DBIRTH"), Metric(value, datatype, "x", alias=1, unit="rpm"))
    assert told(site.says(DEVICE.format("DDATA"), Metric(value, datatype, alias=1, tells_datatype=False))) == told(born)


def test_a_small_negative_number_may_be_written_in_its_own_bits_alone() -> None:
    content = protobuf.bytes_field(1, b"x") + protobuf.number_field(4, edge.INT8) + protobuf.number_field(10, 0xEE)
    decoded = decoders.decode(DEVICE.format("DDATA"), protobuf.bytes_field(2, content), NOW_MS)
    assert [measurement.value for measurement in decoded.measurements] == [-18.0]


def test_yes_and_no_are_readings_too() -> None:
    assert told(one(Metric(True, edge.BOOLEAN, "Door Open"), Metric(False, edge.BOOLEAN, "Compressor/Running"))) == [
        ("sparkplug:site/edge/freezer/Door Open", "contact", 0.0, "bool"),
        ("sparkplug:site/edge/freezer/Compressor/Running", "compressor_running", 0.0, "bool"),
    ]


def test_a_metric_has_a_time_of_its_own_also_when_it_is_history() -> None:
    hour_ago = NOW_MS - 3_600_000
    decoded = one(
        Metric(4.0, edge.DOUBLE, "Temperature", at_ms=hour_ago, is_historical=True),
        Metric(5.0, edge.DOUBLE, "Temperature"),
    )
    assert [measurement.recorded_at_ms for measurement in decoded.measurements] == [hour_ago, NOW_MS - 1000]
    assert {measurement.time_source for measurement in decoded.measurements} == {"device"}


@pytest.mark.parametrize(
    ("at_ms", "quality"), [(None, "good"), (0, "good"), (5_000, "good"), (2**60, "suspect"), (2**64 - 1, "suspect")]
)
def test_a_clock_that_was_never_set_tells_no_time(at_ms: int | None, quality: str) -> None:
    (measurement,) = Site().says(DEVICE.format("DDATA"), Metric(4.0, edge.DOUBLE, "T"), at_ms=at_ms).measurements
    assert (measurement.recorded_at_ms, measurement.time_source) == (NOW_MS, "gateway")
    (named,) = Site().says(DEVICE.format("DDATA"), Metric(4.0, edge.DOUBLE, "Temp"), at_ms=at_ms).measurements
    assert named.quality == quality


def test_the_quality_that_the_edge_node_tells_is_kept() -> None:
    decoded = one(
        Metric(1.0, edge.DOUBLE, "Temperature", quality=edge.GOOD),
        Metric(2.0, edge.DOUBLE, "Temperature", quality=edge.STALE),
        Metric(3.0, edge.DOUBLE, "Temperature", quality=edge.BAD),
    )
    assert [measurement.quality for measurement in decoded.measurements] == ["good", "suspect", "bad"]


def test_a_value_that_is_null_or_no_number_is_no_reading() -> None:
    decoded = one(
        Metric(None, edge.DOUBLE, "Temperature"),
        Metric(math.nan, edge.DOUBLE, "Temperature"),
        Metric(-math.inf, edge.FLOAT, "Temperature"),
        Metric(61.5, edge.FLOAT, "Humidity"),
    )
    assert [measurement.quantity for measurement in decoded.measurements] == ["humidity"]
    assert len(decoded.problems) == 2


def test_a_repeat_has_the_same_identity_and_nothing_else_has() -> None:
    site, metric = Site(), Metric(4.0, edge.DOUBLE, "Temperature")
    payload = edge.payload([metric], at_ms=NOW_MS, sequence=7)
    first, again = (decoders.decode(DEVICE.format("DDATA"), payload, NOW_MS + late) for late in (0, 60_000))
    assert first.identity == again.identity is not None
    others = {
        first.identity,
        site.says(DEVICE.format("DDATA"), metric, at_ms=NOW_MS).identity,
        site.says(DEVICE.format("DBIRTH"), metric, at_ms=NOW_MS).identity,
        decoders.decode(DEVICE.format("DDATA"), edge.payload([metric], at_ms=NOW_MS + 1, sequence=7), NOW_MS).identity,
    }
    assert len(others) == 4
    for without in (edge.payload([metric], at_ms=NOW_MS), edge.payload([metric], at_ms=60_000, sequence=7)):
        assert decoders.decode(DEVICE.format("DDATA"), without, NOW_MS).identity is None


def test_a_death_says_that_it_is_gone_and_the_next_birth_that_it_is_back() -> None:
    site = Site()
    node_born = Metric(3, edge.INT64, "bdSeq")
    assert told(site.says(NODE.format("NBIRTH"), node_born)) == []
    assert told(site.says(NODE.format("NDEATH"), node_born)) == [("sparkplug:site/edge", "online", 0.0, "bool")]
    back = Metric(4, edge.INT64, "bdSeq")
    assert told(site.says(NODE.format("NBIRTH"), back)) == [("sparkplug:site/edge", "online", 1.0, "bool")]
    assert told(site.says(NODE.format("NBIRTH"), back)) == []
    assert told(site.says(DEVICE.format("DDEATH"))) == [("sparkplug:site/edge/freezer", "online", 0.0, "bool")]
    assert told(site.says(DEVICE.format("DBIRTH"))) == [("sparkplug:site/edge/freezer", "online", 1.0, "bool")]


def test_a_last_will_of_an_earlier_connection_comes_too_late() -> None:
    site = Site()
    site.says(NODE.format("NBIRTH"), Metric(0, edge.INT64, "bdSeq"))
    assert site.says(NODE.format("NDEATH"), Metric(255, edge.INT64, "bdSeq")) == Decoded()
    assert site.says(NODE.format("NDEATH"), Metric(1, edge.INT64, "bdSeq")).measurements


def test_a_last_will_has_no_time() -> None:
    (gone,) = Site().says(NODE.format("NDEATH"), Metric(1, edge.INT64, "bdSeq")).measurements
    assert (gone.recorded_at_ms, gone.time_source) == (NOW_MS, "gateway")
    (device_gone,) = Site().says(DEVICE.format("DDEATH")).measurements
    assert (device_gone.recorded_at_ms, device_gone.time_source) == (NOW_MS - 1000, "device")


@pytest.mark.parametrize(
    "topic", [NODE.format("NCMD"), DEVICE.format("DCMD"), "spBv1.0/STATE/host", "spBv1.0/site/STATE/edge"]
)
def test_what_hosts_say_is_no_measurement(topic: str) -> None:
    assert decoders.decode(topic, b'{"online": true}', NOW_MS) == Decoded()


def test_metrics_that_command_or_describe_are_no_measurements() -> None:
    names = ["bdSeq", "Node Control/Rebirth", "Node Control/Scan Rate", "Properties/Version"]
    born = one(*(Metric(1, edge.INT32, name) for name in names), topic=NODE.format("NBIRTH"))
    assert born.measurements == ()
    assert born.problems == ()


@pytest.mark.parametrize(
    "topic", ["spBv1.0", "spBv1.0/site/NDATA", DEVICE.format("NDATA"), NODE.format("DDATA"), NODE.format("XDATA")]
)
def test_a_topic_of_another_shape_is_refused(topic: str) -> None:
    with pytest.raises(DecodeError, match="the topic is not"):
        decoders.decode(topic, b"", NOW_MS)


@pytest.mark.parametrize(
    "payload",
    [b"\x12\x7f", b"\x80", b"\xff" * 11, b"\x03", b"\x00\x01", b"\x09\x00", b"\x12" + b"\xff" * 9 + b"\x01", b"{}"],
)
def test_bytes_that_are_no_protobuf_are_refused(payload: bytes) -> None:
    with pytest.raises(DecodeError, match="protobuf"):
        decoders.decode(DEVICE.format("DDATA"), payload, NOW_MS)


def test_a_broken_metric_spares_its_neighbours() -> None:
    good = protobuf.bytes_field(2, Metric(4.0, edge.DOUBLE, "Temperature").encoded())
    for broken in (
        b"\x0a\x7f",
        protobuf.bytes_field(1, b"\xff"),
        protobuf.bytes_field(1, b"x" * 500),
        protobuf.number_field(13, 4),
        b"",
    ):
        decoded = decoders.decode(DEVICE.format("DDATA"), protobuf.bytes_field(2, broken) + good, NOW_MS)
        assert len(decoded.measurements) == 1
        assert len(decoded.problems) == 1
    compressed = protobuf.bytes_field(4, b"SPBV1.0_COMPRESSED") + protobuf.bytes_field(5, b"\x1f\x8b")
    with pytest.raises(DecodeError, match="compress"):
        decoders.decode(DEVICE.format("DDATA"), compressed, NOW_MS)


def test_a_message_may_not_hold_more_than_can_be_read() -> None:
    nothing = protobuf.bytes_field(2, b"")
    assert len(decoders.decode(DEVICE.format("DDATA"), nothing * 10_000, NOW_MS).problems) == 10
    with pytest.raises(DecodeError, match="at most"):
        decoders.decode(DEVICE.format("DDATA"), nothing * 10_001, NOW_MS)


@given(st.integers(0, 2**64 - 1))
def test_a_number_is_read_back_as_it_was_written(value: int) -> None:
    assert list(protobuf.fields(protobuf.number_field(3, value))) == [(3, protobuf.VARINT, value)]
    assert edge.payload([], sequence=value) == protobuf.number_field(3, value)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_single_precision_number_stays_itself(value: float) -> None:
    (measurement,) = one(Metric(value, edge.FLOAT, "x", unit="rpm")).measurements
    assert measurement.value == pytest.approx(value, rel=1e-7, abs=1e-44)


REAL = [
    edge.payload(
        [
            Metric(-18.4, edge.DOUBLE, "Temperature", alias=1, at_ms=NOW_MS, unit="°C", quality=edge.GOOD),
            Metric(61.5, edge.FLOAT, "Humidity", alias=2, at_ms=NOW_MS),
            Metric(-3, edge.INT16, alias=3),
            Metric(True, edge.BOOLEAN, "Door Open"),
            Metric(4, edge.INT64, "bdSeq"),
            Metric(None, edge.DOUBLE, "Core"),
        ],
        at_ms=NOW_MS,
        sequence=7,
    )
]
TOPICS = [NODE.format(f"N{kind}") for kind in ("BIRTH", "DATA", "DEATH")]
TOPICS += [DEVICE.format(f"D{kind}") for kind in ("BIRTH", "DATA", "DEATH")]
MEMORIES: list[dict[str, str]] = [
    {},
    {"sparkplug:site/edge/freezer#3": "2 °C\tT", "sparkplug:site/edge!dead": "1", "sparkplug:site/edge!bdSeq": "5"},
    {"sparkplug:site/edge/freezer#3": "", "sparkplug:site/edge!asked": "x", "sparkplug:site/edge!bdSeq": "?"},
]


@given(st.sampled_from(TOPICS), st.binary(max_size=80) | changed(REAL), st.sampled_from(MEMORIES))
def test_any_payload_is_decoded_or_refused(topic: str, payload: bytes, known: dict[str, str]) -> None:
    decoded = survives(decoders.decode, topic, payload, known)
    for request in decoded.requests if decoded else ():
        assert request.payload == sparkplug.rebirth(NOW_MS)
