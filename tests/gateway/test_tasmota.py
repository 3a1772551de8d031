import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import decoders
from gateway.decoders.decoded import Decoded, DecodeError, Measurement
from tests.gateway.arbitrary import ANY_JSON, changed, objects_of, survives, told
from tests.gateway.running import NOW_MS


def said(message: object, topic: str = "tele/room/SENSOR") -> Decoded:
    payload = message if isinstance(message, bytes) else json.dumps(message).encode()
    return decoders.decode(topic, payload, NOW_MS)


def test_a_message_in_fahrenheit_is_read_in_celsius() -> None:
    decoded = said({"SI7021": {"Temperature": -0.4, "Humidity": 94.6, "DewPoint": -1.7}, "TempUnit": "F"})
    assert told(decoded) == [
        ("tasmota:room/SI7021", "temperature", -18.0, "Cel"),
        ("tasmota:room/SI7021", "humidity", 94.6, "%"),
    ]


def test_pressure_comes_in_the_unit_that_the_message_names() -> None:
    message = {"BME280": {"Temperature": 4, "Pressure": 750.0, "SeaPressure": 760.0}, "PressureUnit": "mmHg"}
    pressure = said(message).measurements[1]
    assert (pressure.quantity, pressure.unit) == ("pressure", "hPa")
    assert pressure.value == pytest.approx(999.917, abs=0.001)


@pytest.mark.parametrize(
    ("time", "recorded_at_ms", "source"),
    [
        ({"Time": "2026-01-15T10:12:20"}, NOW_MS, "gateway"),
        ({"Time": "2026-01-15T12:12:20+02:00"}, NOW_MS - 10_000, "device"),
        ({"Time": "2026-01-15T12:12:20", "Epoch": NOW_MS // 1000 - 10}, NOW_MS - 10_000, "device"),
        ({"Time": NOW_MS // 1000 - 10}, NOW_MS - 10_000, "device"),
        ({"Time": "1970-01-01T00:00:12"}, NOW_MS, "gateway"),
        ({"Time": 12}, NOW_MS, "gateway"),
        ({}, NOW_MS, "gateway"),
    ],
)
def test_a_time_without_its_offset_is_no_time(time: dict[str, object], recorded_at_ms: int, source: str) -> None:
    (one,) = said({**time, "AHT2X": {"Temperature": 4.1}}).measurements
    assert (one.recorded_at_ms, one.time_source, one.quality) == (recorded_at_ms, source, "good")


def test_a_chip_that_reports_an_error_gives_bad_values() -> None:
    decoded = said({"MAX31855": {"ProbeTemperature": 0.0, "ReferenceTemperature": 22.7, "Error": 1}})
    assert decoded.problems == ()
    assert [(one.value, one.quality) for one in decoded.measurements] == [(0.0, "bad")]


def test_an_error_without_a_value_is_a_problem() -> None:
    decoded = said({"MAX31865": {"Temperature": None, "Error": 4}, "AM2301": {"Temperature": 3}})
    assert decoded.problems == ("MAX31865: reports error 4",)
    assert told(decoded) == [("tasmota:room/AM2301", "temperature", 3.0, "Cel")]


def test_a_chip_that_has_not_answered_says_nothing() -> None:
    assert said({"AM2301": {"Temperature": None, "Humidity": None, "DewPoint": None}}) == Decoded()


def test_a_probe_keeps_its_name_when_another_is_replaced() -> None:
    before = said({"DS18B20-1": {"Id": "00000566CC39", "Temperature": 1.3}})
    after = said({"DS18B20-2": {"Id": "00000566CC39", "Temperature": 1.3}})
    assert told(before) == told(after) == [("tasmota:00000566CC39", "temperature", 1.3, "Cel")]


def test_a_broken_value_spares_its_neighbours() -> None:
    decoded = said(
        {"AM2301": {"Temperature": "nan", "Humidity": 61}, "SHT3X": {"Temperature": [True], "Humidity": "9"}}
    )
    assert told(decoded) == [
        ("tasmota:room/AM2301", "humidity", 61.0, "%"),
        ("tasmota:room/SHT3X", "humidity", 9.0, "%"),
    ]
    assert len(decoded.problems) == 2


def test_power_is_measured_phase_by_phase() -> None:
    energy = {"Total": 3.185, "Yesterday": 0.01, "Power": 84, "Factor": 0.6, "Voltage": [226, 230], "Current": 0.639}
    assert told(said({"ENERGY": energy})) == [
        ("tasmota:room/ENERGY", "energy", 3.185, "kW.h"),
        ("tasmota:room/ENERGY", "power", 84.0, "W"),
        ("tasmota:room/ENERGY/1", "voltage", 226.0, "V"),
        ("tasmota:room/ENERGY/2", "voltage", 230.0, "V"),
        ("tasmota:room/ENERGY", "current", 0.639, "A"),
    ]


def test_analogue_inputs_are_told_apart() -> None:
    analog = {"Temperature1": 21.5, "Temperature2": 3.5, "Illuminance": 8, "A0": 977, "CTEnergy": {"Power": 12}}
    assert told(said({"ANALOG": analog})) == [
        ("tasmota:room/ANALOG/1", "temperature", 21.5, "Cel"),
        ("tasmota:room/ANALOG/2", "temperature", 3.5, "Cel"),
        ("tasmota:room/ANALOG", "illuminance", 8.0, "lx"),
        ("tasmota:room/ANALOG", "analog", 977.0, "1"),
        ("tasmota:room/ANALOG/CTEnergy", "power", 12.0, "W"),
    ]


def test_a_switch_that_is_on_is_a_closed_contact() -> None:
    assert told(said({"Switch1": "ON", "Switch2": "OFF", "POWER": "ON"})) == [
        ("tasmota:room/Switch1", "contact", 1.0, "bool"),
        ("tasmota:room/Switch2", "contact", 0.0, "bool"),
    ]
    changed_just_now = said({"Switch1": {"Action": "OFF"}, "POWER": "ON"}, "stat/room/RESULT")
    assert told(changed_just_now) == [("tasmota:room/Switch1", "contact", 0.0, "bool")]
    assert said({"Switch1": {"Action": "TOGGLE"}}, "stat/room/RESULT") == Decoded()


@pytest.mark.parametrize(
    ("reader", "uid", "epc"),
    [
        ("RDM6300", "04302B29", "04302B29"),
        ("RC522", "ba839d07", "BA839D07"),
        ("Wiegand", 4302741608, "010076A068"),
        ("PN532", "4D8FC5F", "04D8FC5F"),
    ],
)
def test_a_card_is_a_tag(reader: str, uid: object, epc: str) -> None:
    decoded = said({"Time": "2021-01-01T00:00:00", reader: {"UID": uid, "Data": "x", "Type": "MIFARE 1KB"}})
    (seen,) = decoded.sightings
    assert (seen.read.reader, seen.read.epc, seen.read.recorded_at_ms) == (f"tasmota:room/{reader}", epc, NOW_MS)


def test_a_card_without_a_number_is_a_problem() -> None:
    assert said({"PN532": {"UID": "ILOVETASMOTA"}}).problems[0].startswith("PN532: ")


def test_a_zigbee_bridge_tells_its_devices_apart() -> None:
    message = {
        "ZbReceived": {
            "0xEC8F": {"Device": "0xEC8F", "Temperature": 4.25, "Humidity": 61.3, "Endpoint": 1, "LinkQuality": 34},
            "0x2B68": {
                "Device": "0x2B68",
                "Name": "Door",
                "Contact": 1,
                "BatteryPercentage": 88,
                "BatteryVoltage": 2.9,
            },
        }
    }
    assert told(said(message, "tele/bridge/SENSOR")) == [
        ("tasmota:bridge/0xEC8F", "temperature", 4.25, "Cel"),
        ("tasmota:bridge/0xEC8F", "humidity", 61.3, "%"),
        ("tasmota:bridge/0xEC8F", "linkquality", 34.0, "1"),
        ("tasmota:bridge/Door", "contact", 0.0, "bool"),
        ("tasmota:bridge/Door", "battery", 88.0, "%"),
        ("tasmota:bridge/Door", "battery_voltage", 2.9, "V"),
    ]


def test_the_state_tells_how_well_the_device_is_heard() -> None:
    state = {"Time": "2026-01-15T10:12:29", "Vcc": 3.423, "POWER": "OFF", "Wifi": {"RSSI": 64, "Signal": -68}}
    expected = [("tasmota:room", "rssi", -68.0, "dBm"), ("tasmota:room", "voltage", 3.423, "V")]
    assert told(said(state, "tele/room/STATE")) == expected
    assert told(said({"StatusSTS": state}, "stat/room/STATUS11")) == expected


@pytest.mark.parametrize("topic", ["stat/room/STATUS8", "stat/room/STATUS10"])
def test_an_answer_to_a_command_is_read_like_the_message(topic: str) -> None:
    message = {"AM2301": {"Temperature": 3.5}, "TempUnit": "C"}
    assert said({"StatusSNS": message}, topic) == said(message)


@pytest.mark.parametrize("topic", ["tele/hall/2/room/SENSOR", "hall/tele/2/room/SENSOR", "hall/2/room/tele/SENSOR"])
def test_the_device_is_what_the_user_left_of_the_topic(topic: str) -> None:
    assert said({"AM2301": {"Temperature": 3}}, topic).measurements[0].sensor == "tasmota:hall/2/room/AM2301"


def test_the_last_will_tells_whether_the_device_is_there() -> None:
    assert said(b"Online", "tele/room/LWT").measurements == (
        Measurement("tasmota:room", "online", 1.0, "bool", NOW_MS),
    )
    assert said(b"Offline", "tele/room/LWT").measurements[0].value == 0
    with pytest.raises(DecodeError, match="Online or Offline"):
        said(b"gone", "tele/room/LWT")


@pytest.mark.parametrize(
    "topic",
    ["tele/room/INFO1", "stat/room/POWER", "tele/room/UPTIME", "tasmota/discovery/00AABBCCDDEE/config"],
)
def test_what_is_no_measurement_says_nothing(topic: str) -> None:
    assert said({"Temperature": 4}, topic) == Decoded()


@pytest.mark.parametrize("payload", [b'{"AM2301": {"Temperature": 4', b"[]", b"21.5", b"\xff", b"[" * 9999])
def test_a_message_that_is_no_object_is_refused(payload: bytes) -> None:
    with pytest.raises(DecodeError, match="JSON"):
        said(payload)


def test_a_topic_without_a_device_is_refused() -> None:
    with pytest.raises(DecodeError, match="names no device"):
        said({}, "tele/SENSOR")


REAL = [
    b'{"Time":"2021-01-02T09:09:44","DS18B20-1":{"Id":"00000566CC39","Temperature":13.3},"TempUnit":"C"}',
    b'{"Time":"2019-01-10T18:31:39","PN532":{"UID":"94D8FC5F","DATA":"ILOVETASMOTA"}}',
    b'{"ENERGY":{"Total":3.1,"Voltage":[226,230]},"ANALOG":{"A0":3},"Switch1":"ON"}',
]
KEYS = ["Temperature", "Temperature1", "Id", "UID", "Error", "ENERGY", "ANALOG", "ZbReceived", "Contact", "Switch1"]
KEYS += ["TempUnit", "PressureUnit", "Pressure", "Time", "Epoch", "Wifi", "Signal", "StatusSNS", "Voltage"]


@given(
    st.sampled_from(["tele/a/SENSOR", "tele/a/STATE", "tele/a/LWT", "stat/a/STATUS8", "stat/a/RESULT"]),
    st.binary(max_size=60) | changed(REAL) | objects_of(KEYS) | ANY_JSON.map(lambda it: json.dumps(it).encode()),
)
def test_any_payload_is_decoded_or_refused(topic: str, payload: bytes) -> None:
    survives(decoders.decode, topic, payload, {})
