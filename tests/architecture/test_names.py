"""A module's name says what is in it, and shadows nothing of Python's."""

from collections.abc import Iterable
from pathlib import Path

from tests.architecture.source import python_files

SAY_NOTHING = frozenset(
    {"utils", "util", "helpers", "helper", "common", "misc", "base", "manager", "handler", "handlers"}
)
#: `import platform` would find the folder instead of the standard library
SHADOWING = frozenset({"platform"})


def bad_names(paths: Iterable[Path]) -> list[str]:
    refused = SAY_NOTHING | SHADOWING
    return [str(path) for path in paths if refused & {*path.parent.parts, path.stem}]


def test_every_module_says_what_is_in_it() -> None:
    assert bad_names(python_files()) == []


def test_a_name_that_says_nothing_is_found_as_file_and_as_folder() -> None:
    good = Path("cloud_api/kernel/money.py")
    bad = [Path("gateway/utils.py"), Path("cloud_api/common/__init__.py"), Path("cloud_api/platform/db.py")]
    assert bad_names([good, *bad]) == [str(path) for path in bad]
