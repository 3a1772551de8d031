"""The demonstration as a newcomer runs it; and that it fails, by name, when a link of the chain is broken."""

import subprocess
import sys
from pathlib import Path

import pytest

from coldfleet.cli import main

LINKS = ("sensor", "spool", "uplink", "judge", "hold", "push", "reserve", "plan", "drive", "proof")
RECORDED = Path(__file__).parents[1] / "payloads"


def demo(*arguments: str, speed: int = 300) -> subprocess.CompletedProcess[str]:
    """Run `coldfleet demo --once` in a process of its own."""
    command = [sys.executable, "-m", "coldfleet", "demo", "--once", "--speed", str(speed), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


def rows(output: str) -> dict[str, bool]:
    """link -> whether the table says that it holds."""
    found = {}
    for line in output.splitlines():
        cells = [cell.strip() for cell in line.split("│")]
        if len(cells) > 2 and cells[1] in LINKS:
            found[cells[1]] = cells[2] == "yes"
    return found


def test_the_story_is_told_to_its_end_and_every_link_holds(tmp_path: Path) -> None:
    told = demo("--keep", str(tmp_path / "kept"))

    assert told.returncode == 0, told.stdout + told.stderr
    assert rows(told.stdout) == dict.fromkeys(LINKS, True)
    assert (tmp_path / "kept" / "cloud.db").exists()


#: a break in the middle of the chain, for every run; each of the others takes as long again, and shows less
FOR_EVERY_RUN = {"hold"}


@pytest.mark.parametrize(
    "link", [pytest.param(link, marks=() if link in FOR_EVERY_RUN else pytest.mark.long) for link in LINKS[1:]]
)
def test_a_broken_link_is_found_and_named(link: str) -> None:
    told = demo("--break", link)

    assert told.returncode == 1, told.stdout + told.stderr
    assert f"the chain breaks at: {link}" in told.stdout
    before = LINKS[: LINKS.index(link)]
    assert all(rows(told.stdout)[name] for name in before), told.stdout


@pytest.mark.long
def test_recorded_messages_of_real_devices_go_through_gateway_and_cloud() -> None:
    command = [sys.executable, "-m", "coldfleet", "demo", "--replay", str(RECORDED)]
    told = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)

    assert told.returncode == 0, told.stdout + told.stderr
    said = " ".join(told.stdout.split())
    assert "51 of 57 messages became rows, 1 were refused, whole or in part, 5 say nothing to keep." in said
    assert "In the cloud: 79 readings, 8 tags, 8 weights." in said


def test_a_folder_without_messages_is_refused_in_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["demo", "--replay", str(tmp_path)])

    assert ended.value.code == 1
    assert "no message in" in capsys.readouterr().err


def test_a_break_without_once_is_refused_in_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["demo", "--break", "push"])

    assert ended.value.code == 2
    assert "--break goes with --once" in capsys.readouterr().err


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1, 6))
def test_every_link_holds_whatever_the_rooms_do(seed: int) -> None:
    told = demo("--seed", str(seed), speed=200)

    assert told.returncode == 0, told.stdout + told.stderr
