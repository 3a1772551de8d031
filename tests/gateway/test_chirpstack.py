import base64
import json

import pytest

from gateway import decoders
from gateway.decoders.decoded import Decoded, DecodeError
from tests.gateway.instants import NOW_MS

EM300, OTHER = "24e124136b502217", "0101010101010101"


def event(kind: str, *, eui: str = EM300, **fields: object) -> Decoded:
    return decoders.decode(f"application/a1/device/{eui}/event/{kind}", json.dumps(fields).encode(), NOW_MS)


def values(decoded: Decoded) -> list[tuple[str, str, float]]:
    return [(one.sensor.rpartition(":")[2], one.quantity, one.value) for one in decoded.measurements]


def raw(text: str) -> str:
    return base64.b64encode(bytes.fromhex(text)).decode()


@pytest.mark.parametrize(
    ("payload", "expected", "problem"),
    [
        ("01755C 03673401 046865", {"battery": 92, "temperature": 30.8, "humidity": 50.5}, None),
        ("036748FF", {"temperature": -18.4}, None),
        ("060001", {"contact": 0}, None),
        ("030000 040001", {"contact": 1}, None),
        (
            "036772FF 04680A 057D9A01 06736A27",
            {"temperature": -14.2, "humidity": 5, "co2": 410, "pressure": 1009},
            None,
        ),
        ("FF0BFF FF0101 FF166136B50221700000 FF090310 FF0A0101 017564", {"battery": 100}, None),
        ("050001 036700 80", {"temperature": -3276.8}, None),
        ("0175 5C 0367 34", {"battery": 92}, "ends inside of Milesight channel 03 67"),
        ("01755C 03", {"battery": 92}, "ends inside of Milesight channel 03"),
        ("20CE 00000000 0000 00", {}, "its clock was never set"),
        ("20CE 9E744663 1001", {"temperature": 27.2}, None),
        ("20CE 9E744663", {}, "how long are this model's records"),
        ("B36700", {}, "sensor of temperature fails"),
        ("42FF00", {}, "channel 42 ff cannot be read"),
        ("05", {}, "ends inside of Milesight channel 05"),
    ],
)
def test_raw_bytes_of_milesight_are_read_here(payload: str, expected: dict[str, float], problem: str | None) -> None:
    decoded = event("up", data=raw(payload))
    assert {one.quantity: one.value for one in decoded.measurements} == pytest.approx(expected)
    assert bool(decoded.problems) == bool(problem)
    assert all(problem in found for found in decoded.problems if problem)


def test_bytes_of_another_maker_are_not_guessed_at() -> None:
    assert event("up", eui=OTHER, data=raw("036748FF")) == Decoded()
    assert event("up", data="?").problems


def test_what_the_codec_said_wins_over_the_bytes() -> None:
    decoded = event("up", data=raw("036748FF"), object={"temperature": 4.25, "magnet_status": "open", "moon": "full"})
    assert values(decoded) == [(EM300, "temperature", 4.25), (EM300, "contact", 0.0)]


def test_each_cayenne_channel_is_a_sensor_of_its_own() -> None:
    decoded = event("up", object={"temperatureSensor": {"1": -18.5, "2": 4}, "humiditySensor": {"3": "wet"}})
    assert values(decoded) == [(f"{EM300}/1", "temperature", -18.5), (f"{EM300}/2", "temperature", 4.0)]
    assert decoded.problems == ("humiditySensor: 'wet' is no value in %",)


def test_the_signal_is_that_of_the_best_gateway() -> None:
    assert values(event("up", rxInfo=[{"rssi": -101}, {"rssi": -36}, {"rssi": "?"}, 3])) == [(EM300, "rssi", -36.0)]


def test_a_repeat_is_known_by_the_servers_number_or_by_counter_and_time() -> None:
    time = "2026-01-15T10:12:28.775023242+00:00"
    assert event("up", deduplicationId="d1", time=time).identity == f"lorawan:{EM300}#d1"
    counted = [event("up", time=at, fCnt=count).identity for at in (time, "2026-01-16T00:00:00Z") for count in (1, 2)]
    assert len(set(counted)) == 4
    assert event("up", time=time).identity == event("up", time=time, fCnt=0).identity
    assert event("up", fCnt=1).identity is None


def test_history_keeps_its_time() -> None:
    (one,) = event("up", time="2026-01-10T00:00:00Z", object={"temperature": 4}).measurements
    assert (one.recorded_at_ms, one.time_source) == (NOW_MS - 468_750_000, "device")


@pytest.mark.parametrize("field", ["externalPowerSource", "batteryLevelUnavailable"])
def test_a_device_without_a_battery_has_none_to_report(field: str) -> None:
    topic = f"application/a1/device/{EM300}/event/status"
    assert decoders.decode(topic, json.dumps({"batteryLevel": 0, field: True}).encode(), NOW_MS) == Decoded()
    assert event("status", margin=10) == Decoded()


def test_other_events_say_nothing_and_other_topics_are_refused() -> None:
    for kind in ("join", "ack", "txack", "log", "location", "integration"):
        assert event(kind, object={"temperature": 4}) == Decoded()
    with pytest.raises(DecodeError, match="none of ChirpStack's"):
        decoders.decode("application/a1/device/up", b"{}", NOW_MS)
    with pytest.raises(DecodeError, match="batteryLevel"):
        event("status", batteryLevel="full")
