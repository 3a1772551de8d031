"""The script that makes a gateway of a Raspberry Pi: what it lays out, and that it leaves alone what is there."""

import os
import subprocess
import tomllib
from pathlib import Path

import pytest

from gateway.config import load
from tests.gateway.running import ROOT

SCRIPT = ROOT / "deploy/pi/install.sh"
SETTINGS = "etc/coldfleet/gateway.toml"


def install(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(SCRIPT), *arguments], capture_output=True, text=True, check=False)


def files(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Content and time of change by name."""
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_script_has_no_known_mistake() -> None:
    done = subprocess.run([ROOT / ".venv/bin/shellcheck", SCRIPT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_it_lays_out_a_gateway(tmp_path: Path) -> None:
    done = install("--root", str(tmp_path), "--url", "https://cold.example.net", "--claim-code", "ABCD-1234")
    assert done.returncode == 0, done.stderr
    assert sorted(files(tmp_path)) == [
        SETTINGS,
        "etc/systemd/journald.conf.d/coldfleet.conf",
        "etc/systemd/system.conf.d/coldfleet.conf",
        *(name for name in files(tmp_path) if name.endswith("restart-steps.conf")),
        "etc/systemd/system/coldfleet-gateway.service",
        "etc/udev/rules.d/99-coldfleet.rules",
    ]
    assert oct((tmp_path / SETTINGS).stat().st_mode & 0o777) == "0o600"
    settings = load(tmp_path / SETTINGS, {})
    assert settings.cloud.url == "https://cold.example.net"
    assert settings.cloud.claim_code == "ABCD-1234"


def test_the_sensors_password_is_drawn_for_each_box_and_told_to_nobody(tmp_path: Path) -> None:
    passwords = set()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        done = install("--root", str(tmp_path / name))
        text = (tmp_path / name / SETTINGS).read_text()
        users = tomllib.loads(text)["listener"]["users"]
        (password,) = [user if isinstance(user, str) else user["password"] for user in users.values()]
        assert len(password) >= 24
        assert password not in done.stdout + done.stderr
        passwords.add(password)
    assert len(passwords) == 2


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    install("--root", str(tmp_path))
    before = files(tmp_path)
    done = install("--root", str(tmp_path), "--url", "https://other.example.net")
    assert done.returncode == 0, done.stderr
    assert files(tmp_path) == before
    assert f"/{SETTINGS} stays as it is" in done.stdout


def test_an_update_brings_a_new_unit_and_keeps_the_settings(tmp_path: Path) -> None:
    install("--root", str(tmp_path))
    unit = tmp_path / "etc/systemd/system/coldfleet-gateway.service"
    before, settings = unit.read_bytes(), (tmp_path / SETTINGS).read_bytes()
    unit.write_text("[Unit]\nDescription=an older one\n")
    assert "coldfleet-gateway.service written" in install("--root", str(tmp_path)).stdout
    assert (unit.read_bytes(), (tmp_path / SETTINGS).read_bytes()) == (before, settings)


def test_a_dry_run_does_nothing_and_says_what_it_would(tmp_path: Path) -> None:
    done = install("--root", str(tmp_path), "--dry-run")
    assert done.returncode == 0, done.stderr
    assert files(tmp_path) == {}
    assert "would write: /etc/systemd/system/coldfleet-gateway.service" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["--url", 'https://x"\n[bridge]'],
        ["--url", "cold.example.net"],
        ["--claim-code", 'A"'],
        ["--root", "/nowhere/at/all"],
        ["--claim-code"],
        ["--what"],
    ],
)
def test_what_it_does_not_understand_it_does_not_write(tmp_path: Path, arguments: list[str]) -> None:
    done = install("--root", str(tmp_path), *arguments)
    assert done.returncode != 0
    assert done.stderr
    assert files(tmp_path) == {}


def test_it_may_be_run_as_it_is() -> None:
    assert os.access(SCRIPT, os.X_OK)
