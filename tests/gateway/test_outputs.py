"""What the gateway does about alarms by itself: pins by gpiozero's own stand-in for a Raspberry Pi, topics."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from gpiozero import Device
from gpiozero.pins.mock import MockFactory

from gateway.alarms.judging import ActiveAlarm
from gateway.alarms.outputs import Outputs
from gateway.contract import OutputConfig

TOPIC = "site/alarms"
WARM = ActiveAlarm("z2m:room", "temperature", "too-warm", 1_768_471_950_000, 9.0, "high")
OPEN = ActiveAlarm("z2m:door", "contact", "door-open", 1_768_471_960_000, 1.0, "high")


class Site:
    """Who reads the gateway's topics: keeps the last message of each, as a broker does."""

    def __init__(self) -> None:
        self.readers = 1
        self.messages: list[tuple[str, Any]] = []

    def publish(self, topic: str, payload: bytes) -> int:
        self.messages.append((topic, json.loads(payload)))
        return self.readers


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def pins() -> Iterator[MockFactory]:
    before, Device.pin_factory = Device.pin_factory, MockFactory()
    yield Device.pin_factory
    Device.pin_factory.close()
    Device.pin_factory = before


@pytest.fixture(params=["", "lgpio"])
def no_pins(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine that is no Raspberry Pi, as gpiozero finds out by itself, or when it is told how to reach the pins."""
    before, Device.pin_factory = Device.pin_factory, None
    monkeypatch.delenv("GPIOZERO_PIN_FACTORY", raising=False)
    if request.param:
        monkeypatch.setenv("GPIOZERO_PIN_FACTORY", request.param)
    yield
    Device.pin_factory = before


def topic(*rules: str, cloud_silent_s: float | None = None) -> OutputConfig:
    return OutputConfig("mqtt", TOPIC, list(rules), cloud_silent_s)


def test_a_topic_is_told_of_every_change_and_once_only(site: Site) -> None:
    outputs = Outputs([topic()], site.publish)
    for active in ([], [], [WARM], [WARM], [WARM, OPEN], []):
        outputs.show(active)
    outputs.tick(1.0)
    warm = {
        "sensor": "z2m:room",
        "quantity": "temperature",
        "rule": "too-warm",
        "kind": "high",
        "started_at_ms": 1_768_471_950_000,
    }
    assert [message["alarms"][:1] for _, message in site.messages] == [[], [warm], [warm], []]
    assert site.messages[1] == (TOPIC, {"active": True, "cloud_silent": False, "alarms": [warm]})
    assert [message["active"] for _, message in site.messages] == [False, True, True, False]


def test_an_output_is_for_the_rules_it_names(site: Site) -> None:
    outputs = Outputs([topic("door-open")], site.publish)
    outputs.show([WARM])
    outputs.show([WARM, OPEN])
    assert [[alarm["rule"] for alarm in message["alarms"]] for _, message in site.messages] == [[], ["door-open"]]


def test_what_nobody_has_taken_is_told_again(site: Site) -> None:
    outputs = Outputs([topic()], site.publish)
    site.readers = 0
    outputs.show([WARM])
    outputs.tick(1.0)
    site.readers = 1
    outputs.tick(2.0)
    outputs.tick(3.0)
    assert len(site.messages) == 3


def test_the_clouds_silence_is_an_alarm_of_its_own(site: Site) -> None:
    outputs = Outputs([topic(cloud_silent_s=600.0)], site.publish)
    outputs.tick(1000.0)
    outputs.note_cloud(1100.0)
    outputs.tick(1699.0)
    outputs.tick(1700.0)
    outputs.tick(1701.0)
    outputs.note_cloud(1702.0)
    told = [(message["active"], message["cloud_silent"]) for _, message in site.messages]
    assert told == [(False, False), (True, True), (False, False)]


def test_a_cloud_that_was_never_heard_is_silent_since_the_start(site: Site) -> None:
    outputs = Outputs([topic(cloud_silent_s=600.0)], site.publish)
    outputs.tick(50_000.0)
    outputs.tick(50_600.0)
    assert [message["cloud_silent"] for _, message in site.messages] == [False, True]


def test_an_output_that_is_not_asked_to_says_nothing_of_the_cloud(site: Site) -> None:
    outputs = Outputs([topic()], site.publish)
    for now_s in (0.0, 1e9):
        outputs.tick(now_s)
    assert [message["active"] for _, message in site.messages] == [False]


def test_an_output_that_goes_is_switched_off_and_one_that_stays_is_not_touched(site: Site) -> None:
    other = OutputConfig("mqtt", "site/office")
    outputs = Outputs([topic(), other], site.publish)
    outputs.show([WARM])
    site.messages.clear()
    outputs.apply([other])
    outputs.show([WARM])
    assert site.messages == [(TOPIC, {"active": False, "cloud_silent": False, "alarms": []})]


@pytest.mark.parametrize(
    ("configs", "complaint"),
    [
        ([topic(), topic("too-warm")], "output site/alarms is there twice"),
        ([OutputConfig("mqtt", "site/#")], "output 'site/#' is no topic"),
        ([OutputConfig("mqtt", "")], "output '' is no topic"),
    ],
)
def test_outputs_that_contradict_each_other_are_refused_and_those_before_stay(
    site: Site, configs: list[OutputConfig], complaint: str
) -> None:
    outputs = Outputs([topic()], site.publish)
    with pytest.raises(ValueError, match=complaint):
        outputs.apply(configs)
    outputs.show([WARM])
    assert len(site.messages) == 1


def test_a_pin_is_high_while_an_alarm_is_active(site: Site, pins: MockFactory) -> None:
    outputs = Outputs([OutputConfig("gpio", "GPIO17")], site.publish)
    pin = pins.pin("GPIO17")
    levels = []
    for active in ([], [WARM], [WARM, OPEN], [OPEN], []):
        outputs.show(active)
        levels.append(pin.state)
    assert levels == [False, True, True, True, False]
    assert (site.messages, outputs.warnings) == ([], [])


def test_a_pin_stays_high_through_a_new_configuration_and_goes_quiet_when_it_is_let_go(
    site: Site, pins: MockFactory
) -> None:
    outputs = Outputs([OutputConfig("gpio", "GPIO17")], site.publish)
    pin = pins.pin("GPIO17")
    outputs.show([WARM])
    pin.clear_states()
    outputs.apply([OutputConfig("gpio", "GPIO17", ["too-warm"]), OutputConfig("gpio", "GPIO27")])
    outputs.show([WARM])
    assert [state.state for state in pin.states] == [True], "it was never low"
    assert pins.pin("GPIO27").state
    outputs.close()
    assert (pin.function, pins.pin("GPIO27").function) == ("input", "input")


@pytest.mark.parametrize("name", ["GPIO99", "buzzer"])
def test_a_pin_that_does_not_exist_is_told_once_and_the_others_work(
    site: Site, pins: MockFactory, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    with caplog.at_level(logging.WARNING):
        outputs = Outputs([OutputConfig("gpio", name), OutputConfig("gpio", "GPIO17")], site.publish)
        for now_s in range(3):
            outputs.show([WARM])
            outputs.tick(float(now_s))
    assert pins.pin("GPIO17").state
    assert [f"output {name} does nothing: " in record.message for record in caplog.records] == [True]
    (warning,) = outputs.warnings
    assert warning.startswith(f"output {name} does nothing: ")


def test_a_pin_of_somebody_else_is_told(site: Site, pins: MockFactory) -> None:
    first = Outputs([OutputConfig("gpio", "GPIO17")], site.publish)
    second = Outputs([OutputConfig("gpio", "GPIO17")], site.publish)
    assert first.warnings == []
    assert "already in use" in second.warnings[0]


@pytest.mark.usefixtures("no_pins")
def test_a_machine_without_pins_works_on_with_its_topics(site: Site) -> None:
    outputs = Outputs([OutputConfig("gpio", "GPIO17"), topic()], site.publish)
    outputs.show([WARM])
    assert outputs.warnings[0].startswith("output GPIO17 does nothing: ")
    assert len(site.messages) == 1
    outputs.close()


async def test_a_box_that_is_looked_for_blinks_and_then_shows_its_alarms_again() -> None:
    said: list[bool] = []

    def publish(topic: str, payload: bytes) -> int:
        said.append(bool(json.loads(payload)["active"]))
        return 1

    outputs = Outputs([OutputConfig("mqtt", "cold-room/alarm")], publish)
    outputs.show([])
    await outputs.blink(2.0)
    assert said == [False, True, False, True, False]
