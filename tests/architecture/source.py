"""The tree as the architecture tests read it: what git tracks, and what it would on the next `git add`."""

import ast
import subprocess
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

#: what is shipped
PACKAGES = ("gateway", "cloud_api", "route_optimizer", "device_sims", "coldfleet")

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def tracked_files() -> tuple[Path, ...]:
    """Paths below the root, such as `gateway/spool/writer.py`."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = sorted({Path(name) for name in listed.split("\0") if name})
    return tuple(path for path in paths if (ROOT / path).is_file())


def python_files(*folders: str) -> tuple[Path, ...]:
    """The tracked modules, of all folders or of some top-level ones."""
    return tuple(path for path in tracked_files() if path.suffix == ".py" and (not folders or path.parts[0] in folders))


def read(path: Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def naming(paths: Iterable[Path], *words: str) -> Iterator[Path]:
    """Those that hold one of the words at all: only they need be parsed for it."""
    for path in paths:
        text = read(path)
        if any(word in text for word in words):
            yield path


def parsed(path: Path) -> ast.Module:
    return ast.parse(read(path), filename=str(path))


def calls(tree: ast.AST) -> Iterator[tuple[ast.Call, str]]:
    """Each call with what is called, as written: `db.session.commit`; a call on a call is `().commit`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node, dotted(node.func)


def dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return "()"
