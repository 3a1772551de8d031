import itertools
import json
from datetime import datetime

import pytest

from device_sims.climate_sensor import ClimateSensor, Faults, SensorSpec
from device_sims.cold_room import Ambient, ColdRoom, ColdRoomSpec
from device_sims.ledger import Ledger, Outgoing
from device_sims.zigbee2mqtt import Device, bridge_state, iso_8601

NOON_MS = 1_768_471_950_000
HOT = ColdRoomSpec(ambient=Ambient(mean_c=35.0))


def device(spec: SensorSpec, *, seed: int) -> ClimateSensor:
    return ClimateSensor(spec, Device(spec.friendly_name), Ledger(), seed=seed)


def messages(spec: SensorSpec, *, steps: int = 360, seed: int = 3) -> tuple[list[Outgoing], Ledger]:
    """What a sensor sends in `steps` steps of ten seconds."""
    room = ColdRoom(HOT, seed=seed, started_at_ms=NOON_MS)
    sensor = device(spec, seed=seed)
    sent = []
    for _ in range(steps):
        room.step(10)
        sent += sensor.step(room, 10)
    return sent, sensor.ledger


def decimals(value: float) -> int:
    return len(str(value).partition(".")[2])


def test_a_state_has_the_keys_and_the_rounding_of_the_real_device() -> None:
    sent, _ = messages(SensorSpec("freezer_1", has_pressure=True))
    for message in sent:
        state = json.loads(message.payload)
        assert list(state) == ["battery", "humidity", "last_seen", "linkquality", "pressure", "temperature", "voltage"]
        assert decimals(state["temperature"]) <= 2
        assert decimals(state["humidity"]) <= 2
        assert decimals(state["pressure"]) <= 1
        assert isinstance(state["battery"], int)
        assert isinstance(state["voltage"], int)
        assert 2500 <= state["voltage"] <= 3000
        assert 0 <= state["linkquality"] <= 255
        assert message.topic == "zigbee2mqtt/freezer_1"
        assert not message.retain


def test_a_whole_number_is_written_without_a_decimal_point() -> None:
    sent, _ = messages(SensorSpec("a", noise_k=0.0, response_s=1e12, interval_s=600))
    first = sent[0].payload
    state = json.loads(first)
    assert b".0," not in first
    assert b".0}" not in first
    assert 3 < state["temperature"] < 6


def test_last_seen_is_the_rooms_time_in_utc() -> None:
    sent, _ = messages(SensorSpec("a"))
    seen = json.loads(sent[0].payload)["last_seen"]
    assert seen == iso_8601(NOON_MS + 10_000)
    assert seen.endswith("Z")
    assert datetime.fromisoformat(seen).timestamp() * 1000 == NOON_MS + 10_000


def test_each_message_says_what_a_gateway_should_make_of_it() -> None:
    air, _ = messages(SensorSpec("a", has_pressure=True))
    core, _ = messages(SensorSpec("b", spot="product_core"))
    assert sorted(air[0].quantities) == [
        "battery", "battery_voltage", "humidity", "linkquality", "pressure", "temperature",
    ]  # fmt: skip
    assert sorted(core[0].quantities) == ["battery", "battery_voltage", "linkquality", "temperature"]
    assert "humidity" not in json.loads(core[0].payload)


def test_a_quiet_sensor_reports_on_its_interval() -> None:
    sent, _ = messages(SensorSpec("b", spot="product_core", interval_s=300), steps=360)
    assert len(sent) == 12


def test_a_changing_value_is_reported_before_the_interval_is_over() -> None:
    room = ColdRoom(HOT, seed=1)
    sensor = device(SensorSpec("a", interval_s=3600), seed=1)
    room.step(10)
    assert len(sensor.step(room, 10)) == 1
    room.door_open = True
    early = []
    for _ in range(30):
        room.step(10)
        early += sensor.step(room, 10)
    assert len(early) > 5


def test_the_same_seed_sends_the_same_bytes() -> None:
    spec = SensorSpec("a", faults=Faults(dropout=0.1, duplicate=0.1, stuck=0.05, malformed=0.1))
    first, again = messages(spec), messages(spec)
    assert [item.payload for item in first[0]] == [item.payload for item in again[0]]
    assert first[1] == again[1]
    assert [item.payload for item in messages(spec, seed=4)[0]] != [item.payload for item in first[0]]


def test_a_dropped_message_is_counted_and_never_sent() -> None:
    whole, _ = messages(SensorSpec("a"))
    sent, ledger = messages(SensorSpec("a", faults=Faults(dropout=0.3)))
    assert ledger.dropped > 5
    assert len(sent) + ledger.dropped == len(whole)
    assert {item.payload for item in sent} < {item.payload for item in whole}


def test_a_duplicate_is_the_same_payload_right_after_itself() -> None:
    sent, ledger = messages(SensorSpec("a", faults=Faults(duplicate=0.3)))
    repeats = sum(one.payload == other.payload for one, other in itertools.pairwise(sent))
    assert repeats == ledger.duplicated > 5


def test_a_stuck_sensor_repeats_its_values_at_new_times() -> None:
    sent, ledger = messages(SensorSpec("a", faults=Faults(stuck=1.0, stuck_for_s=1e6)))
    states = [json.loads(item.payload) for item in sent]
    seen = {state.pop("last_seen") for state in states}
    assert len(seen) == len(states)
    assert all(state == states[0] for state in states)
    assert ledger.stuck == len(sent) - 1


def test_a_stuck_sensor_comes_loose_again() -> None:
    sent, ledger = messages(SensorSpec("a", faults=Faults(stuck=0.1, stuck_for_s=300)))
    values = {json.loads(item.payload)["temperature"] for item in sent}
    assert 0 < ledger.stuck < len(sent)
    assert len(values) > 3


def test_a_malformed_message_is_no_json_and_promises_no_reading() -> None:
    sent, ledger = messages(SensorSpec("a", faults=Faults(malformed=1.0)), steps=3600)
    assert ledger.malformed == len(sent) > 50
    for message in sent:
        assert message.payload
        assert message.malformed
        assert message.quantities == ()
        with pytest.raises(ValueError):  # noqa: PT011 - json's or Unicode's, both are of no use to a reader
            json.loads(message.payload)


def test_availability_and_the_bridges_state_are_retained() -> None:
    online = Device("site/a").availability(Ledger())
    assert (online.topic, online.payload) == ("zigbee2mqtt/site/a/availability", b'{"state":"online"}')
    assert online.retain
    assert online.quantities == ("online",)
    bridge = bridge_state(Ledger())
    assert (bridge.topic, bridge.payload, bridge.retain) == ("zigbee2mqtt/bridge/state", b'{"state":"online"}', True)
    assert bridge.quantities == ()
