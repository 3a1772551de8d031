import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import decoders
from gateway.decoders.decoded import Decoded, DecodeError, Measurement
from tests.gateway.arbitrary import ANY_JSON, changed, objects_of, survives, told
from tests.gateway.running import NOW_MS

MAC = "A4:C1:38:01:02:03"
TOPIC = "home/OMG_ESP32_BLE/BTtoMQTT/A4C138010203"


def heard(topic: str = TOPIC, **properties: object) -> Decoded:
    return decoders.decode(topic, json.dumps({"id": MAC, **properties}).encode(), NOW_MS)


def test_fahrenheit_is_read_when_there_is_no_other() -> None:
    assert told(heard(tempf=0.5)) == [(f"ble:{MAC}", "temperature", -17.5, "Cel")]
    assert told(heard(tempf=1.4, tempc=-17)) == [(f"ble:{MAC}", "temperature", -17.0, "Cel")]


def test_each_probe_of_a_thermometer_is_a_sensor() -> None:
    decoded = heard(type="BBQ", tempc1=4, tempf1=39.2, tempc2=-18.5, tempf3=32, tempc4=None)
    assert told(decoded) == [
        (f"ble:{MAC}/1", "temperature", 4.0, "Cel"),
        (f"ble:{MAC}/2", "temperature", -18.5, "Cel"),
        (f"ble:{MAC}/3", "temperature", 0.0, "Cel"),
    ]


def test_all_that_a_sensor_measures_is_read_and_how_loud_it_is_comes_last() -> None:
    decoded = heard(rssi=-71, tempc=4, hum=61, pres=1000.44, lux=350, moi=13, fer=227, batt=90, volt=2.95, co2=640)
    assert [(quantity, value, unit) for _, quantity, value, unit in told(decoded)] == [
        ("temperature", 4.0, "Cel"),
        ("humidity", 61.0, "%"),
        ("pressure", 1000.44, "hPa"),
        ("illuminance", 350.0, "lx"),
        ("moisture", 13.0, "%"),
        ("conductivity", 227.0, "uS/cm"),
        ("battery", 90.0, "%"),
        ("battery_voltage", 2.95, "V"),
        ("co2", 640.0, "ppm"),
        ("rssi", -71.0, "dBm"),
    ]


def test_doors_leaks_and_movement_are_yes_or_no() -> None:
    assert told(heard(open=True, leak=False, motion=True)) == [
        (f"ble:{MAC}", "contact", 0.0, "bool"),
        (f"ble:{MAC}", "water_leak", 0.0, "bool"),
        (f"ble:{MAC}", "occupancy", 1.0, "bool"),
    ]
    assert told(heard(contact="open")) == [(f"ble:{MAC}", "contact", 0.0, "bool")]


def test_the_same_property_is_something_else_on_other_devices() -> None:
    assert told(heard(type="BATT", volt=12.7))[0][1:] == ("voltage", 12.7, "V")
    assert told(heard(type="TIRE", pres=240))[0][1:] == ("pressure", 2400.0, "hPa")
    assert told(heard(type="SCALE", weight=10, unit="lb"))[0][1:] == ("mass", 4.5359237, "kg")


@pytest.mark.parametrize(
    "properties",
    [
        {"rssi": -60, "name": "phone"},
        {"rssi": -60, "model_id": "IBEACON", "type": "BCON", "mfid": "4c00", "volt": 2.9, "txpower": -59},
        {"rssi": -60, "type": "RMAC", "batt": 80},
        {"rssi": -60, "servicedata": "0201", "track": True},
    ],
)
def test_what_measures_nothing_says_nothing(properties: dict[str, object]) -> None:
    message = json.dumps({"id": MAC, **properties}).encode()
    assert decoders.decode(TOPIC, message, NOW_MS) == Decoded()


def test_a_sensor_is_known_by_its_own_address() -> None:
    uuid = "61de6a2d-8a58-4b7f-9d0c-5f1a7d5f3f10"
    assert told(heard(id=uuid, mac=MAC.lower(), tempc=4))[0][0] == f"ble:{MAC}"
    assert told(heard(id=uuid, tempc=4))[0][0] == f"ble:{MAC}"
    assert told(heard("home/TheengsGateway/BTtoMQTT", id=uuid, tempc=4))[0][0] == f"ble:{uuid}"
    with pytest.raises(DecodeError, match="which device"):
        heard("home/TheengsGateway/BTtoMQTT", id=None, tempc=4)


def test_the_gateways_time_is_told_when_it_gives_one() -> None:
    (one,) = heard(tempc=4, UTCtime="2026-01-15T10:12:20Z").measurements
    assert (one.recorded_at_ms, one.time_source) == (NOW_MS - 10_000, "device")
    (one,) = heard(tempc=4, unixtime=NOW_MS // 1000 - 10).measurements
    assert (one.recorded_at_ms, one.time_source) == (NOW_MS - 10_000, "device")


def test_a_broken_value_spares_its_neighbours() -> None:
    decoded = heard(tempc="nan", hum=61, batt={})
    assert told(decoded) == [(f"ble:{MAC}", "humidity", 61.0, "%")]
    assert len(decoded.problems) == 2


def test_the_last_will_tells_whether_the_gateway_is_there() -> None:
    online = decoders.decode("home/OMG_ESP32_BLE/LWT", b"online", NOW_MS)
    assert online.measurements == (Measurement("theengs:OMG_ESP32_BLE", "online", 1.0, "bool", NOW_MS),)
    assert decoders.decode("home/OMG_ESP32_BLE/LWT", b"offline", NOW_MS).measurements[0].value == 0
    with pytest.raises(DecodeError, match="online or offline"):
        decoders.decode("home/OMG_ESP32_BLE/LWT", b"{}", NOW_MS)


REAL = [
    b'{"id":"AA:BB:CC:DD:EE:FF","rssi":-71,"type":"THBX","tempc":-2.6,"tempf":27.2,"hum":63.5,"lux":350,"batt":100}',
    b'{"id":"A4:C1:38:01:02:03","type":"BBQ","tempc1":4,"tempc2":-18.5,"open":true,"weight":3,"unit":"kg"}',
]
KEYS = ["id", "mac", "type", "tempc", "tempf", "tempc1", "tempf12", "hum", "open", "weight", "unit", "rssi", "UTCtime"]


@given(
    st.sampled_from([TOPIC, "home/a/BTtoMQTT", "home/a/LWT"]),
    st.binary(max_size=60) | changed(REAL) | objects_of(KEYS) | ANY_JSON.map(lambda it: json.dumps(it).encode()),
)
def test_any_payload_is_decoded_or_refused(topic: str, payload: bytes) -> None:
    survives(decoders.decode, topic, payload, {})
