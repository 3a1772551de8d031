"""What a newcomer reads when their machine is not as it should be."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.architecture.source import ROOT


@pytest.fixture
def fresh_tree(tmp_path: Path) -> Path:
    """A tree in which nothing was installed yet."""
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def program(path: Path, script: str) -> Path:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def run(tree: Path, command: Sequence[str], **environment: str) -> subprocess.CompletedProcess[str]:
    path = f"{tree / 'bin'}:/usr/bin:/bin"
    return subprocess.run(
        command, cwd=tree, env={"PATH": path, **environment}, capture_output=True, text=True, check=False
    )


def test_an_old_python_is_named_with_its_version(fresh_tree: Path) -> None:
    old = program(fresh_tree / "python3.9", 'case "$*" in *print*) echo 3.9.2 ;; *) exit 1 ;; esac')
    installed = run(fresh_tree, ["scripts/install"], PYTHON=str(old))
    assert installed.returncode == 1
    assert f"Python 3.11 or newer is needed, and {old} is 3.9.2" in installed.stderr
    assert not (fresh_tree / ".venv").exists()


def test_a_python_without_pip_is_told_the_package_that_has_it(fresh_tree: Path) -> None:
    """As on a Debian that has `python3` and nothing more: the modules are there but for the two that install."""
    for module in ("pip", "ensurepip"):
        hidden = fresh_tree / "hidden" / module
        hidden.mkdir(parents=True)
        (hidden / "__init__.py").write_text("raise ImportError('not on this machine')\n")
    installed = run(fresh_tree, ["scripts/install"], PYTHONPATH=str(fresh_tree / "hidden"))
    assert installed.returncode == 1
    assert "sudo apt-get install python3-venv" in installed.stderr


def test_an_unknown_option_is_refused_by_name(fresh_tree: Path) -> None:
    installed = run(fresh_tree, ["scripts/install", "--prod"])
    assert (installed.returncode, installed.stdout) == (2, "")
    assert "unknown option --prod" in installed.stderr


def test_the_first_failing_step_ends_the_run_and_is_named(fresh_tree: Path) -> None:
    (fresh_tree / "Makefile").write_text("good:\n\t@echo fine\nbad:\n\t@exit 1\nnever:\n\t@echo never\n")
    made = run(fresh_tree, ["scripts/steps", "good", "bad", "never"])
    assert made.returncode != 0
    assert "== make never" not in made.stdout
    assert [line.split()[2:] for line in made.stdout.splitlines()[-3:]] == [["good"], ["bad"], ["in", "all"]]
    assert "Failed: make bad" in made.stderr


def test_a_step_beside_another_is_shown_and_timed_and_fails_the_run(fresh_tree: Path) -> None:
    lines = ("slow:", "\t@until [ -e checked ]; do sleep 0.01; done; echo tested", "beside:", "\t@touch checked")
    rules = [*lines, "\t@echo mistyped; exit 1", "good:", "\t@echo fine", "never:", "\t@echo never", ""]
    (fresh_tree / "Makefile").write_text("\n".join(rules))
    made = run(fresh_tree, ["scripts/steps", "good", "beside+slow", "never"])
    assert made.returncode != 0
    assert "tested\n\n== make beside, meanwhile\nmistyped\n" in made.stdout
    assert "== make never" not in made.stdout
    told = [line.split()[2:] for line in made.stdout.splitlines()[-4:]]
    assert told == [["good"], ["slow"], ["beside"], ["in", "all"]]
    assert "Failed: make beside" in made.stderr
