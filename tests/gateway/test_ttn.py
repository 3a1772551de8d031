import base64
import json

import pytest

from gateway import decoders
from gateway.decoders.decoded import Decoded, DecodeError
from tests.gateway.instants import NOW_MS

EUI, MILESIGHT = "0004A30B001C0530", "24E124136B502217"


def message(uplink: object, *, eui: str = EUI, topic: str = "v3/app@tenant/devices/dev1/up") -> Decoded:
    ids = {"device_id": "dev1", "application_ids": {"application_id": "app"}, "dev_eui": eui}
    told = {"end_device_ids": ids, "received_at": "2026-01-15T10:12:29.5Z", "uplink_message": uplink}
    return decoders.decode(topic, json.dumps(told).encode(), NOW_MS)


def up(**fields: object) -> Decoded:
    return message({"received_at": "2026-01-15T10:12:28.500123456Z", **fields})


def values(decoded: Decoded) -> list[tuple[str, str, float]]:
    return [(one.sensor.removeprefix(f"lorawan:{EUI}"), one.quantity, one.value) for one in decoded.measurements]


def test_what_the_formatter_said_is_read_by_name() -> None:
    decoded = up(decoded_payload={"temperature": 0, "relative_humidity": 61.5, "light": 1152, "event": "setup"})
    assert values(decoded) == [("", "temperature", 0.0), ("", "humidity", 61.5)]
    assert {(one.recorded_at_ms, one.time_source) for one in decoded.measurements} == {(NOW_MS - 1500, "device")}


def test_no_battery_has_three_thousand_per_cent() -> None:
    assert values(up(decoded_payload={"battery": 3250})) == [("", "battery_voltage", 3.25)]
    assert values(up(decoded_payload={"battery": 88})) == [("", "battery", 88.0)]


def test_each_cayenne_channel_is_a_sensor_of_its_own() -> None:
    decoded = up(
        decoded_payload={"temperature_1": -18.5, "temperature_2": 4, "relative_humidity_3": 55, "luminosity_4": 7}
    )
    assert sorted(values(decoded)) == [
        ("/1", "temperature", -18.5),
        ("/2", "temperature", 4.0),
        ("/3", "humidity", 55.0),
        ("/4", "illuminance", 7.0),
    ]


def test_the_normalised_form_wins_over_the_makers() -> None:
    normalized = [
        {"air": {"temperature": -18.5, "relativeHumidity": 61}, "battery": 3.1, "action": {"contactState": "open"}}
    ]
    decoded = up(normalized_payload=normalized, decoded_payload={"temperature": -18.47, "co2": 640})
    assert values(decoded) == [
        ("", "temperature", -18.5),
        ("", "humidity", 61.0),
        ("", "contact", 0.0),
        ("", "battery_voltage", 3.1),
        ("", "co2", 640.0),
    ]


def test_a_measurement_out_of_the_devices_memory_keeps_its_time() -> None:
    normalized = [{"time": "2026-01-10T00:00:00Z", "air": {"temperature": 4}}, {"air": {"temperature": 5}}]
    old, new = up(normalized_payload=normalized).measurements
    assert (old.value, old.recorded_at_ms) == (4.0, NOW_MS - 468_750_000)
    assert (new.value, new.recorded_at_ms) == (5.0, NOW_MS - 1500)


def test_bytes_of_milesight_are_read_here_and_fields_that_are_zero_are_left_out() -> None:
    raw = base64.b64encode(bytes.fromhex("01755C03670000046865")).decode()
    decoded = message({"received_at": "2026-01-15T10:12:28Z", "frm_payload": raw}, eui=MILESIGHT)
    assert [(one.quantity, one.value) for one in decoded.measurements] == [
        ("battery", 92.0),
        ("temperature", 0.0),
        ("humidity", 50.5),
    ]
    assert decoded.identity == f"lorawan:{MILESIGHT}#0@2026-01-15T10:12:28Z"
    assert up(frm_payload=raw, f_cnt=3).measurements == ()


def test_a_frame_is_known_by_session_and_counter() -> None:
    assert up(session_key_id="s", f_cnt=7).identity == f"lorawan:{EUI}#s/7"
    assert up(session_key_id="t", f_cnt=7).identity != up(session_key_id="s", f_cnt=7).identity


def test_the_signal_is_that_of_the_best_gateway() -> None:
    assert values(up(rx_metadata=[{"rssi": -101}, {"rssi": -35}, {"gateway_ids": {}}])) == [("", "rssi", -35.0)]


def test_other_messages_say_nothing_and_other_json_is_refused() -> None:
    assert message(None) == Decoded()
    for payload in (b"{}", b"[]", b"{", b'{"end_device_ids": {"device_id": 3}}'):
        with pytest.raises(DecodeError):
            decoders.decode("v3/app/devices/dev1/up", payload, NOW_MS)


def test_the_topic_may_be_anybodys() -> None:
    elsewhere = message({"decoded_payload": {"temperature": 4}}, topic="lorawan/all")
    assert values(elsewhere) == [("", "temperature", 4.0)]
