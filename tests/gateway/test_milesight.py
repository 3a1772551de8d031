import base64
import json

import pytest

from gateway import decoders
from gateway.decoders import milesight
from gateway.decoders.decoded import DecodeError
from tests.gateway.instants import NOW_MS

AT_MS = 1_665_561_758_000


def read(payload: str, model: str = "") -> list[tuple[str, float, str, int | None]]:
    found, problems = milesight.values(bytes.fromhex(payload), model)
    assert problems == []
    return [(quantity, value, channel, at_ms) for quantity, value, _, channel, at_ms in found]


@pytest.mark.parametrize(
    ("model", "payload", "expected"),
    [
        ("EM300-TH", "20CE9E74466310015D00", [("temperature", 27.2), ("humidity", 46.5)]),
        ("EM320-TH", "20CE9E74466310015D", [("temperature", 27.2), ("humidity", 46.5)]),
        ("EM500-PT100", "20CE9E74466348FF", [("temperature", -18.4)]),
        ("EM300_MCS", "20CE9E74466310015D01", [("temperature", 27.2), ("humidity", 46.5), ("contact", 0.0)]),
        ("EM300-MLD", "20CE9E74466300000001", [("water_leak", 1.0)]),
        (
            "EM500-CO2",
            "20CE9E7446639A016A2748FF0A",
            [("co2", 410), ("pressure", 1009), ("temperature", -18.4), ("humidity", 5)],
        ),
        (
            "AM307",
            "20CE9E744663EE007C000102A80325006627",
            [("temperature", 23.8), ("humidity", 62), ("occupancy", 1), ("co2", 936), ("pressure", 1008.6)],
        ),
        ("TS201", "20CE9E74466301BDFF2E01", [("temperature", -6.7)]),
        ("TS201", "20CE9E74466302BDFF2E01", [("temperature", -6.7), ("humidity", 23)]),
        ("", "20CE9E74466310015D00" * 3, [("temperature", 27.2), ("humidity", 46.5)] * 3),
        ("", "20CE9E74466310015D" * 2, [("temperature", 27.2), ("humidity", 46.5)] * 2),
    ],
)
def test_records_of_the_devices_memory_keep_their_time(
    model: str, payload: str, expected: list[tuple[str, float]]
) -> None:
    found = read(payload, model)
    assert [quantity for quantity, *_ in found] == [quantity for quantity, _ in expected]
    assert [value for _, value, *_ in found] == pytest.approx([value for _, value in expected])
    assert {at_ms for *_, at_ms in found} == {AT_MS}


def test_the_second_channel_is_a_sensor_of_its_own() -> None:
    assert read("20CEC79AFA6444BDFFF600", "TS301") == [
        ("temperature", -6.7, "", 1_694_145_223_000),
        ("temperature", 24.6, "2", 1_694_145_223_000),
    ]
    assert read("0367F100 040001", "TS301") == [("temperature", 24.1, "", None), ("contact", 0.0, "2", None)]


@pytest.mark.parametrize(
    ("model", "payload", "expected"),
    [
        ("WS301", "017564 030001 040001", [("battery", 100), ("contact", 0)]),
        ("EM300-ZLD", "050001", [("water_leak", 1)]),
        ("EM300-TH", "050001", []),
        ("AM307", "050001 06CB02 077DA803 087D2500 09736627", [("occupancy", 1), ("co2", 936), ("pressure", 1008.6)]),
        ("AM107", "056A4900 06651C0079001400 077DE704", [("illuminance", 28), ("co2", 1255)]),
        ("EM500-SMTC", "036701FF 0468C8", [("soil_temperature", -25.5), ("soil_moisture", 100)]),
        ("EM500-PP", "037B0A00", [("pressure", 100)]),
        ("EM500-LGT", "039450000000", [("illuminance", 80)]),
        ("EM400-TLD", "8367e80001 8482410601", [("temperature", 23.2), ("distance", 1.601)]),
        ("EM300-DI", "05C810000000 05E1000000000000803F 017564", [("battery", 100)]),
        (
            "TS201",
            "8367340101 93673401640002 94684E0802",
            [("temperature", 30.8), ("temperature", 30.8), ("humidity", 39)],
        ),
        ("", "FE02B004 FE06CA000000000000000000 FF6A000A00 017564", None),
    ],
)
def test_a_channel_means_what_the_model_means(
    model: str, payload: str, expected: list[tuple[str, float]] | None
) -> None:
    if expected is None:
        _, problems = milesight.values(bytes.fromhex(payload), model)
        assert problems  # a setting's answer of another length
        return
    found = read(payload, model)
    assert [quantity for quantity, *_ in found] == [quantity for quantity, _ in expected]
    assert [value for _, value, *_ in found] == pytest.approx([value for _, value in expected])


def test_a_gateway_of_milesights_sends_on_any_topic() -> None:
    message = {"devEUI": "24e124136b502217", "deviceName": "Door EM300-MCS", "fCnt": 3, "time": "2026-01-15T10:12:28Z"}
    raw = base64.b64encode(bytes.fromhex("03670A00 060001")).decode()
    decoded = decoders.decode("/mqtttest", json.dumps(message | {"data": raw}).encode(), NOW_MS)
    assert [(one.quantity, one.value, one.recorded_at_ms) for one in decoded.measurements] == [
        ("temperature", 1.0, NOW_MS - 2000),
        ("contact", 0.0, NOW_MS - 2000),
    ]
    assert decoded.identity == "lorawan:24e124136b502217#3@2026-01-15T10:12:28Z"
    (plain,) = decoders.decode("uplink", json.dumps(message | {"temperature": 4.5}).encode(), NOW_MS).measurements
    assert (plain.sensor, plain.value) == ("lorawan:24e124136b502217", 4.5)
    with pytest.raises(DecodeError, match="which device"):
        decoders.decode("uplink", b'{"devEUI": 3, "data": ""}', NOW_MS)


def test_a_codecs_history_keeps_its_time() -> None:
    history = [
        {"timestamp": 1665561758, "temperature": 27.2},
        {"timestamp": "2022-10-12T08:02:38Z", "humidity": 46.5},
        {},
    ]
    message = {"object": {"temperature": 4, "history": history}, "time": "2026-01-15T10:12:28Z"}
    topic = "application/a/device/24e124136b502217/event/up"
    decoded = decoders.decode(topic, json.dumps(message).encode(), NOW_MS)
    assert [(one.quantity, one.value, one.recorded_at_ms) for one in decoded.measurements] == [
        ("temperature", 4.0, NOW_MS - 2000),
        ("temperature", 27.2, AT_MS),
        ("humidity", 46.5, AT_MS),
    ]
    assert decoded.problems == ("history: {} has no timestamp",)
