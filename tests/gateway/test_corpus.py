"""Every message of `tests/payloads` gives the readings that stand beside it."""

import json
from pathlib import Path

import msgspec
import pytest

from gateway import case_files, decoders
from gateway.decoders.decoded import Known

PAYLOADS = Path(__file__).parents[1] / "payloads"
#: sorted: a birth or a description stands before what it explains
CORPUS = sorted(PAYLOADS.glob("*/*.json"))
MAKERS = {
    "chirpstack",
    "esphome",
    "generic",
    "homie",
    "impinj",
    "milesight",
    "ruuvi",
    "scale",
    "shelly",
    "sparkplug",
    "tasmota",
    "theengs",
    "ttn",
    "zebra",
    "zigbee2mqtt",
}
#: kept as dead letters
UNREADABLE = {"generic/bad_json.json"}


def told(path: Path) -> dict[str, object]:
    return msgspec.json.decode(path.read_bytes(), type=dict[str, object])


def known_before(path: Path) -> Known:
    """What the maker's messages before this one have taught."""
    known = decoders.NOTHING
    for before in CORPUS:
        if before.parent == path.parent and before < path:
            _, _, known = case_files.decode(case_files.read(before), decoders.decode, known)
    return known


def test_the_corpus_is_there_and_says_where_it_comes_from() -> None:
    assert {path.parent.name for path in CORPUS} == MAKERS
    assert len(CORPUS) >= 57
    named = (PAYLOADS / "README.md").read_text()
    for path in CORPUS:
        assert told(path)["source"]
        assert f"`{path.parent.name}/{path.stem}`" in named


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_message_of_the_corpus_gives_its_readings(path: Path) -> None:
    readings, problem, _ = case_files.decode(case_files.read(path), decoders.decode, known_before(path))
    assert readings == told(path)["expected"]
    assert bool(problem) == (f"{path.parent.name}/{path.name}" in UNREADABLE)


def test_a_case_is_its_bytes() -> None:
    """The payload is handed on as it stands in the file: no number is written anew."""
    path = PAYLOADS / "zigbee2mqtt" / "full_last_seen.json"
    assert json.loads(case_files.read(path).bytes()) == told(path)["payload"]
    assert b"3000" in case_files.read(path).bytes()
