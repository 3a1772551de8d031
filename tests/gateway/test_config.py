from pathlib import Path

import msgspec
import pytest

from gateway import config
from gateway.config import BridgeSettings, CloudSettings, ListenerSettings, Settings
from gateway.errors import ConfigError
from tests.gateway.running import ROOT

MINIMAL = """
data_dir = "/var/lib/coldfleet"
[cloud]
url = "https://cold.example.com"
[listener.users]
zigbee2mqtt = "secret"
"""


def load(tmp_path: Path, text: str, **environment: str) -> Settings:
    path = tmp_path / "gateway.toml"
    path.write_text(text)
    return config.load(path, {"PATH": "/bin", **{f"COLDFLEET_GATEWAY_{name}": it for name, it in environment.items()}})


def test_little_must_be_said(tmp_path: Path) -> None:
    assert load(tmp_path, MINIMAL) == Settings(
        Path("/var/lib/coldfleet"),
        CloudSettings("https://cold.example.com"),
        ListenerSettings(users={"zigbee2mqtt": "secret"}),
    )


def test_the_environment_overrides_the_file(tmp_path: Path) -> None:
    told = load(
        tmp_path,
        MINIMAL,
        DATA_DIR=str(tmp_path),
        LISTENER_PORT="2883",
        CLOCK_SPEED="600",
        CLOUD_CLAIM_CODE="42",
        LISTENER_ANONYMOUS="true",
    )
    assert told.listener is not None
    assert (told.data_dir, told.listener.port, told.clock.speed) == (tmp_path, 2883, 600.0)
    assert (told.cloud.claim_code, told.listener.anonymous) == ("42", True)


def test_the_example_is_complete_and_shows_the_defaults(tmp_path: Path) -> None:
    before, _, rest = (ROOT / "deploy" / "gateway.example.toml").read_text().partition("# [bridge]\n")
    example = before + rest.partition("# (end of [bridge])\n")[2]
    lines = [line.removeprefix("# ") if " = " in line else line for line in example.splitlines()]
    uncommented = [line for line in lines if not line.startswith("user name") and not line.startswith("For demon")]
    told = load(tmp_path, "\n".join(uncommented))
    plain = load(tmp_path, example)
    assert told == plain
    assert told.listener is not None
    named = {line.partition(" = ")[0] for line in uncommented}
    sections = [told.cloud, told.listener, told.spool, told.clock]
    assert {field for section in sections for field in section.__struct_fields__} - named == {"users"}


def test_the_example_of_a_bridge_is_complete_and_shows_the_defaults(tmp_path: Path) -> None:
    example = (ROOT / "deploy" / "gateway.example.toml").read_text()
    bridge = example.partition("# [bridge]\n")[2].partition("# (end of [bridge])\n")[0]
    lines = [line.removeprefix("# ") for line in bridge.splitlines()]
    written = "\n".join(line for line in lines if " = " in line)
    told = load(tmp_path, MINIMAL + "[bridge]\n" + written).bridge
    assert told is not None
    assert {line.partition(" = ")[0] for line in lines if " = " in line} == set(BridgeSettings.__struct_fields__)
    chosen = msgspec.structs.replace(told, username=None, password=None, ca_file=None)
    assert chosen == BridgeSettings("127.0.0.1", told.topics)


BRIDGE = """
data_dir = "/var/lib/coldfleet"
[cloud]
url = "https://cold.example.com"
[bridge]
host = "broker"
topics = ["zigbee2mqtt/#"]
"""


def test_a_gateway_listens_or_bridges_or_does_both(tmp_path: Path) -> None:
    bridge = BridgeSettings("broker", ["zigbee2mqtt/#"])
    alone = load(tmp_path, BRIDGE, CLOCK_SPEED="2")
    assert (alone.listener, alone.bridge) == (None, bridge)
    both = load(tmp_path, BRIDGE + '[listener.users]\nroom = "secret"', BRIDGE_PASSWORD="x", BRIDGE_PORT="2883")
    assert both.listener == ListenerSettings(users={"room": "secret"})
    assert both.bridge == msgspec.structs.replace(bridge, password="x", port=2883)
    assert load(tmp_path, BRIDGE, LISTENER_ANONYMOUS="true").listener == ListenerSettings(anonymous=True)
    assert load(tmp_path, MINIMAL).bridge is None


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (('host = "broker"', ""), "bridge: .*`host`"),
        (('topics = ["zigbee2mqtt/#"]', "topics = []"), r"bridge.topics: expected `array` of length >= 1"),
        (('topics = ["zigbee2mqtt/#"]', "topics = ['']"), "bridge.topics"),
        (("[bridge]", "[bridge]\ntls = 'x'"), "bridge.tls: expected `bool`"),
        (("[bridge]", "[bridge]\nlast_will = 'x'"), "`last_will`"),
        (("[bridge]", "[listener]\n[bridge]"), "listener.users is empty"),
    ],
)
def test_a_mistake_in_a_bridge_is_named(tmp_path: Path, change: tuple[str, str], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        load(tmp_path, BRIDGE.replace(*change))


@pytest.mark.parametrize(
    ("change", "key", "remedy"),
    [
        (("https://cold", "ftp://cold"), "cloud.url", "correct it"),
        (("url =", "uri ="), "cloud", "`uri`"),
        (("[listener.users]", "[listener]\nport = 70000\n[listener.users]"), "listener.port", "65535"),
        (("[listener.users]", "[listener]\nport = 'x'\n[listener.users]"), "listener.port", "int"),
        (("[cloud]", "[clock]\nspeed = 0\n[cloud]"), "clock.speed", "> 0"),
        (('zigbee2mqtt = "secret"', ""), "listener.users", "anonymous = true"),
        (("data_dir", "datadir"), "datadir", "correct it"),
        (("[cloud]", "[cloud"), "TOML", "correct that line"),
        (("[cloud]\nurl", "cloud"), "cloud", "object"),
    ],
)
def test_a_mistake_names_its_key_and_the_remedy(tmp_path: Path, change: tuple[str, str], key: str, remedy: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, MINIMAL.replace(*change))
    assert key in str(caught.value)
    assert remedy in str(caught.value)


def test_an_unknown_variable_is_not_passed_over(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="COLDFLEET_GATEWAY_LISTENER_PROT is unknown"):
        load(tmp_path, MINIMAL, LISTENER_PROT="1")


def test_a_missing_file_and_a_folder_are_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist: copy deploy/gateway"):
        config.load(tmp_path / "nowhere.toml", {})
    with pytest.raises(ConfigError, match="cannot be read"):
        config.load(tmp_path, {})
