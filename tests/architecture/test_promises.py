"""What we promise a newcomer, an outsider and each other, where no linter holds it."""

import ast
import codecs
import re
from collections.abc import Callable

import pytest

from tests.architecture.exemptions import exempted_broad_excepts
from tests.architecture.source import PACKAGES, ROOT, calls, dotted, naming, parsed, python_files, read, tracked_files
from tests.architecture.test_sizes import functions

#: written by ROT13, and the paths in two halves, so that this file is clean of them itself
REGISTRY_HOSTS = tuple(
    codecs.decode(name, "rot13") for name in ("clcv.bet", "clgubaubfgrq.bet", "aczwf.", "qro.qrovna.bet", "pengrf.vb")
)
MACHINE_PATHS = ("/wor" + "k/", "/roo" + "t/", "/far" + "m/")
FOREIGN = re.compile(
    "|".join(rf"(?<![\w.-]){re.escape(word)}" for word in REGISTRY_HOSTS + MACHINE_PATHS), re.IGNORECASE
)


def commands_of(script: str) -> list[str]:
    """The lines of a shell script that do something, but for its preamble."""
    lines = (line.strip() for line in script.splitlines())
    return [line for line in lines if line and not line.startswith(("#", "set ", "cd "))]


def test_the_readme_needs_two_commands_and_ci_runs_the_second() -> None:
    fenced = re.findall(
        r"^```(?:sh|bash|shell|console)\n(.*?)^```", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE
    )
    promised = [command for block in fenced for command in commands_of(block)]
    assert promised == ["make demo", "make test"]
    assert commands_of((ROOT / ".ci/run").read_text()) == ["make test"]


def test_the_hosted_ci_runs_what_ci_runs() -> None:
    workflow = (ROOT / ".github/workflows/ci.yml").read_text()
    assert re.findall(r"^ *- run: (.*)$", workflow, re.MULTILINE) == ["make test"]


def test_no_file_names_a_registry_or_a_machine_of_ours() -> None:
    found = []
    for path in tracked_files():
        try:
            text = read(path)
        except UnicodeDecodeError:
            continue
        found += [
            f"{path}:{number}: {line.strip()[:100]}"
            for number, line in enumerate(text.splitlines(), 1)
            if FOREIGN.search(line)
        ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("word", REGISTRY_HOSTS + MACHINE_PATHS)
def test_a_registry_or_a_machine_of_ours_is_found(word: str) -> None:
    assert FOREIGN.search(f"see https://{word}simple" if word in REGISTRY_HOSTS else f"open('{word}main')")


def stand_ins(tree: ast.AST) -> list[str]:
    """Mocks, and attributes replaced under a test: what runs for real is not tested by them."""
    imported = [
        f"{node.lineno}: {name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in _imported(node)
        if name.startswith(("unittest.mock", "mock", "pytest_mock"))
    ]
    return imported + [f"{call.lineno}: {called}" for call, called in calls(tree) if called == "monkeypatch.setattr"]


def _imported(node: ast.Import | ast.ImportFrom) -> list[str]:
    module = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
    return [f"{module}{alias.name}" for alias in node.names]


def evasions(tree: ast.AST) -> list[str]:
    """Tests that may not run, or may fail."""
    names = {"skip", "skipif", "skipIf", "xfail", "importorskip", "SkipTest"}
    return [
        f"{node.lineno}: {dotted(node)}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in names and dotted(node).startswith(("pytest.", "unittest."))
    ]


def foreign_errors(tree: ast.AST) -> list[str]:
    """HTTPException: an error of ours is an AppError, and one handler gives it its envelope."""
    return [
        f"{node.lineno}: HTTPException"
        for node in ast.walk(tree)
        if (isinstance(node, ast.ImportFrom) and "HTTPException" in {alias.name for alias in node.names})
        or (
            isinstance(node, ast.Attribute)
            and node.attr == "HTTPException"
            and dotted(node) != "http.client.HTTPException"  # the standard library's client raises it
        )
    ]


@pytest.mark.parametrize(
    ("refused", "words"), [(stand_ins, ("mock", "setattr")), (evasions, ("skip", "xfail", "Skip"))]
)
def test_tests_run_what_is_real_and_run_always(refused: Callable[[ast.AST], list[str]], words: tuple[str, ...]) -> None:
    suspects = naming(python_files("tests"), *words)
    found = [f"{path}:{place}" for path in suspects for place in refused(parsed(path))]
    assert not found, "\n".join(found)


def test_errors_of_ours_are_never_the_frameworks() -> None:
    elsewhere = [path for path in python_files(*PACKAGES) if not path.as_posix().startswith("cloud_api/kernel/")]
    found = [f"{path}:{place}" for path in naming(elsewhere, "HTTPException") for place in foreign_errors(parsed(path))]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("refused", "source"),
    [
        (stand_ins, "import unittest.mock"),
        (stand_ins, "from unittest.mock import Mock"),
        (stand_ins, "from unittest import mock"),
        (stand_ins, "monkeypatch.setattr(clock, 'now', None)"),
        (evasions, "pytest.skip('later')"),
        (evasions, "@pytest.mark.xfail\ndef test(): ..."),
        (evasions, "redis = pytest.importorskip('redis')"),
        (foreign_errors, "from fastapi import HTTPException"),
        (foreign_errors, "raise fastapi.HTTPException(404)"),
    ],
)
def test_a_broken_promise_is_found(refused: Callable[[ast.AST], list[str]], source: str) -> None:
    assert len(refused(ast.parse(source))) == 1


def catches_everything(node: ast.AST) -> bool:
    """An `except` or `suppress` for whatever may come, unless it goes on its way again afterwards."""
    if isinstance(node, ast.ExceptHandler):
        caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
        broad = any(kind is None or dotted(kind) in {"Exception", "BaseException"} for kind in caught)
        return broad and not any(isinstance(inner, ast.Raise) and inner.exc is None for inner in ast.walk(node))
    if isinstance(node, ast.Call):
        return dotted(node.func).endswith("suppress") and "Exception" in {dotted(kind) for kind in node.args}
    return False


def broad_excepts(tree: ast.AST) -> set[str]:
    """The innermost functions that catch everything; `<module>` for what stands outside of all."""
    inside = {id(node): name for name, function in functions(tree) for node in ast.walk(function)}
    return {inside.get(id(node), "<module>") for node in ast.walk(tree) if catches_everything(node)}


def test_nothing_catches_everything_without_a_reason() -> None:
    suspects = naming(python_files(), "Exception", "except:")
    found = {f"{path}::{name}" for path in suspects for name in broad_excepts(parsed(path))}
    exempted = set(exempted_broad_excepts())
    assert not found - exempted, "these catch everything: " + ", ".join(sorted(found - exempted))
    assert not exempted - found, "needed no longer in exemptions.toml: " + ", ".join(sorted(exempted - found))


@pytest.mark.parametrize(
    ("caught", "names"),
    [
        ("except Exception: pass", {"Relay.drain"}),
        ("except: pass", {"Relay.drain"}),
        ("except (OSError, BaseException) as problem: log(problem)", {"Relay.drain"}),
        ("except BaseException:\n            undo()\n            raise", set()),
        ("except OSError: pass", set()),
    ],
)
def test_catching_everything_is_found_unless_it_goes_on(caught: str, names: set[str]) -> None:
    source = f"class Relay:\n    def drain(self):\n        try: send()\n        {caught}\n"
    assert broad_excepts(ast.parse(source)) == names
