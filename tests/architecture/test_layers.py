"""Imports go down the house: the contracts hold, and they bite."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source import PACKAGES, ROOT


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """`make layers`, in any copy of the tree: import-linter reads the packages of the folder it runs in."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_imports_go_down_the_house_and_every_room_has_its_storey() -> None:
    linted = lint_imports(ROOT)
    assert linted.returncode == 0, linted.stdout + linted.stderr


@pytest.mark.parametrize(
    ("module", "source", "complaint"),
    [
        ("cloud_api/kernel/planted.py", "import cloud_api.main\n", "cloud_api.kernel.planted -> cloud_api.main"),
        ("gateway/planted.py", "import cloud_api.kernel\n", "gateway.planted -> cloud_api.kernel"),
        ("cloud_api/homeless.py", '"""A room that nobody gave a storey."""\n', "- cloud_api.homeless"),
    ],
    ids=["upward", "edge to cloud", "no storey"],
)
def test_the_contracts_refuse_what_they_are_there_for(tmp_path: Path, module: str, source: str, complaint: str) -> None:
    for package in PACKAGES:
        if (ROOT / package).is_dir():
            shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / module).write_text(source)
    linted = lint_imports(tmp_path)
    assert linted.returncode != 0
    assert complaint in linted.stdout, linted.stdout
