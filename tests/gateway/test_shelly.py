import json
from collections.abc import Mapping

import pytest

from gateway import decoders
from gateway.decoders.decoded import Decoded, DecodeError, Measurement
from tests.gateway.instants import NOW_MS

SOURCE = "shellyplusht-08b61fce63c4"
TOPIC = f"{SOURCE}/events/rpc"


def notify(params: Mapping[str, object], method: str = "NotifyStatus") -> Decoded:
    message = {"src": SOURCE, "dst": f"{SOURCE}/events", "method": method, "params": params}
    return decoders.decode(TOPIC, json.dumps(message).encode(), NOW_MS)


def told(decoded: Decoded) -> list[tuple[str, str, float]]:
    return [(one.sensor.removeprefix(f"shelly:{SOURCE}"), one.quantity, one.value) for one in decoded.measurements]


def test_a_device_that_does_not_know_the_time_yet_gets_the_receipts() -> None:
    (measurement,) = notify({"ts": 1.33, "temperature:0": {"id": 0, "tC": 4.0}}).measurements
    assert measurement == Measurement(f"shelly:{SOURCE}", "temperature", 4.0, "Cel", NOW_MS, "gateway", "good")


@pytest.mark.parametrize("ts", ["soon", True, [], 1e300])
def test_a_time_that_cannot_be_read_is_suspect(ts: object) -> None:
    (measurement,) = notify({"ts": ts, "temperature:0": {"tC": 4.0}}).measurements
    assert (measurement.recorded_at_ms, measurement.quality) == (NOW_MS, "suspect")


def test_a_battery_is_read_only_where_there_is_one() -> None:
    power = {"battery": {"V": 5.4, "percent": 0}}
    without = {"devicepower:0": {**power, "external": {"present": True}}}
    assert told(notify({"devicepower:0": power})) == [("", "battery", 0.0), ("", "battery_voltage", 5.4)]
    assert told(notify(without)) == []


def test_each_probe_of_an_add_on_is_a_sensor_of_its_own() -> None:
    probes = {"temperature:101": {"tC": -18.0}, "temperature:100": {"tC": 3.5}, "flood:0": {"alarm": True}}
    assert told(notify(probes)) == [("/101", "temperature", -18.0), ("/100", "temperature", 3.5), ("", "water_leak", 1)]


def test_a_probe_that_fails_says_so_and_has_no_reading() -> None:
    decoded = notify({"temperature:100": {"tC": None, "errors": ["read"]}, "humidity:0": {"rh": "wet"}})
    assert decoded.measurements == ()
    assert decoded.problems == ("temperature:100 reports ['read']", "humidity: 'wet' is no value in %")


def test_a_button_and_somebody_elses_answer_say_nothing() -> None:
    assert notify({"events": [{"event": "btn_down"}]}, method="NotifyEvent") == Decoded()
    assert decoders.decode(TOPIC, b'{"src": "x", "id": 1, "result": {"temperature:0": {"tC": 4}}}', NOW_MS) == Decoded()


@pytest.mark.parametrize("payload", [b"{", b"[]", b"{}", b'{"src": "x", "method": "NotifyStatus", "params": 3}'])
def test_what_is_no_notification_is_refused(payload: bytes) -> None:
    with pytest.raises(DecodeError):
        decoders.decode(TOPIC, payload, NOW_MS)


@pytest.mark.parametrize(
    ("topic", "payload", "sensor", "quantity", "value"),
    [
        ("shellyht-1/sensor/humidity", b"61.5", "shelly:shellyht-1", "humidity", 61.5),
        ("shellyht-1/sensor/battery", b"88", "shelly:shellyht-1", "battery", 88),
        ("shellydw-1/sensor/state", b"open", "shelly:shellydw-1", "contact", 0),
        ("shellydw-1/sensor/state", b"close", "shelly:shellydw-1", "contact", 1),
        ("shellyflood-1/sensor/flood", b"true", "shelly:shellyflood-1", "water_leak", 1),
        ("shelly1-1/ext_temperature/2", b"-18.25", "shelly:shelly1-1/2", "temperature", -18.25),
        ("shelly1-1/online", b"false", "shelly:shelly1-1", "online", 0),
        ("shelly1-1/temperature", b"48.5", "shelly:shelly1-1", "device_temperature", 48.5),
        ("shellymotion-1/sensor/motion", b"true", "shelly:shellymotion-1", "occupancy", 1),
    ],
)
def test_the_first_generation_speaks_a_value_a_topic(
    topic: str, payload: bytes, sensor: str, quantity: str, value: float
) -> None:
    (one,) = decoders.decode(f"shellies/{topic}", payload, NOW_MS).measurements
    assert (one.sensor, one.quantity, one.value, one.recorded_at_ms) == (sensor, quantity, value, NOW_MS)


def test_what_the_first_generation_says_about_itself_is_no_reading() -> None:
    for topic in (
        "announce",
        "shelly1-1/relay/0",
        "shelly1-1/temperature_status",
        "shelly1-1/command",
    ):
        assert decoders.decode(f"shellies/{topic}", b"on", NOW_MS) == Decoded()
    with pytest.raises(DecodeError, match="'999C' is no temperature"):
        decoders.decode("shellies/shellyht-1/sensor/temperature", b"999C", NOW_MS)
    with pytest.raises(DecodeError, match="could not measure"):
        decoders.decode("shellies/shelly1-1/ext_temperature/0", b"999", NOW_MS)


def test_a_device_that_was_set_to_fahrenheit_is_understood_once_it_has_said_so() -> None:
    topic = "shellies/shellyht-1/sensor/temperature"
    (before,) = decoders.decode(topic, b"5.0", NOW_MS).measurements
    told = decoders.decode("shellies/shellyht-1/info", b'{"tmp": {"value": 5.0, "units": "F"}}', NOW_MS)
    (after,) = decoders.decode(topic, b"5.0", NOW_MS, told.learned).measurements
    assert (before.value, after.value, after.unit) == (5.0, -15.0, "Cel")
    assert told.measurements == ()
    assert decoders.decode("shellies/shellyht-1/info", b'{"uptime": 3}', NOW_MS) == Decoded()


def test_a_component_may_have_a_topic_of_its_own() -> None:
    (one,) = decoders.decode(f"{SOURCE}/status/temperature:100", b'{"id": 100, "tC": -18.5}', NOW_MS).measurements
    assert one == Measurement(f"shelly:{SOURCE}/100", "temperature", -18.5, "Cel", NOW_MS)
    assert decoders.decode(f"{SOURCE}/status/script:1", b"{}", NOW_MS) == Decoded()


def test_a_plug_says_what_flows_through_it() -> None:
    switch = {"switch:0": {"apower": 120.5, "voltage": 230.1, "current": 0.6, "temperature": {"tC": 41.0, "tF": 105.8}}}
    assert told(notify(switch)) == [
        ("", "power", 120.5),
        ("", "voltage", 230.1),
        ("", "current", 0.6),
        ("", "device_temperature", 41.0),
    ]


def test_a_blu_device_that_a_script_has_heard_is_a_sensor_of_its_own() -> None:
    data = {"address": "b4:35:22:fe:56:e5", "battery": 100, "temperature": [-18.5, 4.0], "window": 1, "rssi": -63}
    event = {"component": "script:1", "event": "shelly-blu", "data": data, "ts": 1768471948.5}
    decoded = notify({"ts": 1768471948.5, "events": [event]}, method="NotifyEvent")
    assert [(one.sensor, one.quantity, one.value) for one in decoded.measurements] == [
        ("shelly:B4:35:22:FE:56:E5", "temperature", -18.5),
        ("shelly:B4:35:22:FE:56:E5/1", "temperature", 4.0),
        ("shelly:B4:35:22:FE:56:E5", "contact", 0.0),
        ("shelly:B4:35:22:FE:56:E5", "battery", 100.0),
        ("shelly:B4:35:22:FE:56:E5", "rssi", -63.0),
    ]
    assert {one.recorded_at_ms for one in decoded.measurements} == {NOW_MS - 1500}


def test_the_second_generation_is_there_or_not() -> None:
    (gone,) = decoders.decode(f"{SOURCE}/online", b"false", NOW_MS).measurements
    assert gone == Measurement(f"shelly:{SOURCE}", "online", 0.0, "bool", NOW_MS)
    with pytest.raises(DecodeError, match="true or false"):
        decoders.decode("somebody/else/online", b"yes", NOW_MS)
