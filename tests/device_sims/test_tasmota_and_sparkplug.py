"""What the simulated devices say is read back exactly by the gateway's decoders."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_sims import sparkplug, tasmota
from device_sims.climate_sensor import Sample
from device_sims.ledger import Ledger
from gateway import decoders

NOON_MS = 1_768_471_950_000
SAMPLE = Sample(NOON_MS, 7, -18.437, 61.26, 1013.21, 96.6, 0.5)
CORE = Sample(NOON_MS, 7, 3.5, None, None, 50.0, 0.0)

celsius = st.floats(-60, 60)
samples = st.builds(
    Sample,
    at_ms=st.integers(NOON_MS, NOON_MS + 10**9),
    number=st.just(1),
    temperature_c=celsius,
    humidity_pct=st.floats(0, 100) | st.none(),
    pressure_hpa=st.floats(900, 1100) | st.none(),
    battery_pct=st.floats(0, 100),
    signal=st.floats(-3, 3),
)


@given(samples, st.booleans())
def test_what_tasmota_says_is_read_back(sample: Sample, fahrenheit: bool) -> None:
    device = tasmota.Device("hall/room", fahrenheit=fahrenheit)
    topic, payload, quantities = device.message(sample)
    decoded = decoders.decode(topic, payload, sample.at_ms + 500)
    assert decoded.problems == ()
    assert tuple(one.quantity for one in decoded.measurements) == quantities
    values = {one.quantity: one.value for one in decoded.measurements}
    assert values["temperature"] == pytest.approx(sample.temperature_c, abs=0.0501)
    assert {(one.sensor, one.recorded_at_ms, one.time_source) for one in decoded.measurements} == {
        (device.sensor, sample.at_ms + 500, "gateway")
    }


def test_a_probe_on_the_bus_is_known_by_its_own_number() -> None:
    device = tasmota.Device("room", probe_id="00000566CC39")
    topic, payload, quantities = device.message(CORE)
    (one,) = decoders.decode(topic, payload, NOON_MS).measurements
    assert (one.sensor, one.value, quantities) == ("tasmota:00000566CC39", 3.5, ("temperature",))


def test_tasmota_tells_of_itself_too() -> None:
    device, ledger = tasmota.Device("room"), Ledger()
    for message, value in ((device.state(SAMPLE, ledger), -58.0), (device.last_will(ledger, is_online=False), 0.0)):
        (one,) = decoders.decode(message.topic, message.payload, NOON_MS).measurements
        assert (one.sensor, (one.quantity,), one.value) == ("tasmota:room", message.quantities, value)


@given(samples)
def test_what_an_edge_node_says_by_alias_is_read_back(sample: Sample) -> None:
    node = sparkplug.EdgeNode("site", "edge", "room")
    known: dict[str, str] = {}
    for topic, payload in node.births(sample):
        known |= decoders.decode(topic, payload, sample.at_ms, known).learned
    topic, payload, quantities = node.message(sample)
    decoded = decoders.decode(topic, payload, sample.at_ms + 500, known)
    expected = {"temperature": round(sample.temperature_c, 2), "battery": round(sample.battery_pct)}
    if sample.humidity_pct is not None:
        expected["humidity"] = round(sample.humidity_pct, 2)
    assert {one.quantity: one.value for one in decoded.measurements} == expected
    assert tuple(one.quantity for one in decoded.measurements) == quantities
    assert {one.recorded_at_ms for one in decoded.measurements} == {sample.at_ms}
    assert all(one.sensor.startswith(f"{node.sensor}/") for one in decoded.measurements)
    assert (decoded.identity is not None) == node.is_numbered
    assert (decoded.problems, decoded.requests, decoded.learned) == ((), (), {})


def test_a_gateway_that_missed_the_births_asks_for_them_and_is_answered() -> None:
    node = sparkplug.EdgeNode("site", "edge", "room")
    node.births(SAMPLE)
    topic, payload, _ = node.message(SAMPLE)
    missed = decoders.decode(topic, payload, NOON_MS)
    assert missed.measurements == ()
    assert missed.requests[0].topic == "spBv1.0/site/NCMD/edge"
    known = dict(missed.learned)
    for topic, payload in node.births(SAMPLE):
        known |= decoders.decode(topic, payload, NOON_MS, known).learned
    topic, payload, quantities = node.message(SAMPLE)
    assert len(decoders.decode(topic, payload, NOON_MS, known).measurements) == len(quantities)


def test_an_edge_node_dies_and_is_born_again() -> None:
    node = sparkplug.EdgeNode("site", "edge", "room")
    known: dict[str, str] = {}
    online = []
    for topic, payload in [*node.births(SAMPLE), node.death(), *node.births(SAMPLE)]:
        decoded = decoders.decode(topic, payload, NOON_MS, known)
        known |= decoded.learned
        online += [(one.sensor, one.value) for one in decoded.measurements if one.quantity == "online"]
    assert online == [("sparkplug:site/edge", 0.0), ("sparkplug:site/edge", 1.0)]
