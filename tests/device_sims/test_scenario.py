from pathlib import Path

import pytest

import device_sims
from device_sims.scenario import ScenarioError, load

EXAMPLE = Path(device_sims.__file__).parent / "scenarios" / "cold_room.toml"

SMALLEST = """
[[rooms]]
name = "Cold room 1"
[[rooms.sensors]]
name = "cold-room-1"
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "scenario.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_example_says_what_its_comments_say() -> None:
    scenario = load(EXAMPLE)
    assert (scenario.name, scenario.seed, scenario.speed, scenario.duration_s) == ("cold_room", 7, 60.0, None)
    (room,) = scenario.rooms
    assert room.spec.ambient.mean_c == 35.0
    assert [sensor.friendly_name for sensor in room.sensors] == ["cold-room-1", "cold-room-1-core"]
    assert room.sensors[0].faults.dropout == 0.01
    assert room.sensors[1].spot == "product_core"
    (door,) = room.events
    assert (door.kind, door.at_s, door.for_s) == ("door_open", 1200, 1800)
    assert [door.active(at_s) for at_s in (1199.9, 1200, 2999.9, 3000)] == [False, True, True, False]


def test_the_example_of_many_makers_says_what_its_comments_say() -> None:
    scenario = load(EXAMPLE.with_name("many_makers.toml"))
    (room,) = scenario.rooms
    assert [sensor.kind for sensor in room.sensors] == ["zigbee2mqtt", "shelly_plus_ht", "ruuvi", "em300_th"]
    ((gate,), (scale,)) = scenario.gates, scenario.scales
    assert (gate.name, gate.crates, gate.every_s, gate.antennas) == ("fx9600-dock-1", 12, 600, 2)
    assert (scale.name, scale.mean_kg, scale.overload) == ("dock-1", 240, 0.02)


def test_a_room_and_a_sensor_are_enough(tmp_path: Path) -> None:
    scenario = load(write(tmp_path, SMALLEST))
    assert (scenario.broker.host, scenario.broker.port, scenario.broker.user) == ("127.0.0.1", 1883, None)
    assert (scenario.speed, scenario.origin_ms) == (1.0, None)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", r"rooms is missing: write at least one table headed \[\[rooms\]\]"),
        ("rooms = 3", r"rooms is 3: write one or more tables headed \[\[rooms\]\]"),
        ('[[rooms]]\nname = "a"', r"rooms\[0\].sensors is missing: .* \[\[rooms.sensors\]\]"),
        (SMALLEST.replace('name = "cold-room-1"', ""), r"rooms\[0\].sensors\[0\].name is missing: write a text"),
        (SMALLEST.replace("cold-room-1", "cold/+/1"), r"'cold/\+/1': write a name without '\+', '#'"),
        (SMALLEST.replace("cold-room-1", "a/availability"), r"'a/availability': write a name"),
        (SMALLEST.replace("cold-room-1", "bridge/state"), r"'bridge/state': write a name"),
        (SMALLEST + 'interval_s = "often"', r"interval_s is 'often': write a number from 1 to 86400"),
        (SMALLEST + "interval_s = nan", r"interval_s is nan: write a number"),
        (SMALLEST + "interval_s = true", r"interval_s is True: write a number"),
        (SMALLEST + "pressure = 1", r"pressure is 1: write true or false"),
        (SMALLEST + 'spot = "floor"', r'spot is \'floor\': write one of "air", "product_core"'),
        (SMALLEST + "faults = 3", r"faults is 3: write a table"),
        (SMALLEST + "faults = {dropout = 1.5}", r"faults.dropout is 1.5: write a number from 0 to 1"),
        (SMALLEST + "faults = {drop = 0.5}", r"faults.drop is not known here: .* dropout, duplicate"),
        (SMALLEST + "[[rooms.sensors]]\nname = 'cold-room-1'", r"two sensors are called 'cold-room-1'"),
        (SMALLEST + 'kind = "thermometer"', r"kind is 'thermometer': write one of \"zigbee2mqtt\", \"shelly_plus_ht\""),
        (SMALLEST + 'kind = "ruuvi"', r"name is 'cold-room-1': write the tag's address: F4"),
        (SMALLEST + 'kind = "em300_th"', r"name is 'cold-room-1': write the device's EUI: 24e124"),
        (SMALLEST + 'kind = "shelly_plus_ht"', r"name is 'cold-room-1': write the device's id: shellyplusht-"),
        (
            SMALLEST + "[[gates]]\nname = 'a'\nevery_s = 10\npassage_s = 10",
            r"gates\[0\].passage_s is 10.0: write less than",
        ),
        (SMALLEST + "[[gates]]\nname = 'a'\n[[gates]]\nname = 'a'", r"two gates are called 'a'"),
        (SMALLEST + "[[gates]]\nname = 'a'\nmaker = 'x'", r"gates\[0\].maker is not known here"),
        (SMALLEST + "[[scales]]\nmean_kg = 3", r"scales\[0\].name is missing"),
        (SMALLEST + "[[scales]]\nname = 'a'\nmean_kg = 0", r"scales\[0\].mean_kg is 0: write a number from 0.1"),
        ("seed = 1.5" + SMALLEST, r"seed is 1.5: write a whole number"),
        ("sed = 1" + SMALLEST, r"sed is not known here: remove it, or write one of"),
        ("[clock]\nspeed = 0\n" + SMALLEST, r"clock.speed is 0: write a number from 0.001"),
        ("[mqtt]\nport = 70000\n" + SMALLEST, r"mqtt.port is 70000: write a whole number from 1 to 65535"),
        ("[mqtt]\nuser = ''\n" + SMALLEST, r"mqtt.user is '': write a text"),
        (
            SMALLEST + "[[rooms.events]]\nkind = 'flood'\nat_s = 1\nfor_s = 1",
            r"events\[0\].kind is 'flood': write one of",
        ),
        (SMALLEST + "[[rooms.events]]\nkind = 'door_open'\nat_s = 1", r"events\[0\].for_s is missing: write a number"),
        ("seed = = 1", r"is not valid TOML: .*line 1.*; correct that line"),
    ],
)
def test_a_mistake_is_named_with_its_remedy(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(ScenarioError, match=sentence) as refused:
        load(write(tmp_path, text))
    assert "scenario.toml" in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="No such file"):
        load(tmp_path / "none.toml")


def test_a_picture_is_no_scenario(tmp_path: Path) -> None:
    path = tmp_path / "room.png"
    path.write_bytes(b"\x89PNG\r\n\xff\xfe")
    with pytest.raises(ScenarioError, match="not a text file"):
        load(path)
