"""The pictures of state machines in the documentation."""

from pathlib import Path

_PAGES = Path(__file__).parents[2] / "docs" / "states"


def picture_of(name: str) -> str:
    """The Mermaid picture on the page `docs/states/<name>.md`."""
    page = (_PAGES / f"{name}.md").read_text(encoding="utf-8")
    return page.split("```mermaid\n")[1].split("\n```")[0]
