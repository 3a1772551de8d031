"""The exemption list, and the rule that it may only shrink."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import cast

EXEMPTIONS = Path(__file__).with_name("exemptions.toml")


def exempted_sizes(section: str) -> dict[str, int]:
    """`[modules]` or `[functions]`: name -> lines."""
    return cast(dict[str, int], tomllib.loads(EXEMPTIONS.read_text(encoding="utf-8"))[section])


def exempted_broad_excepts() -> dict[str, str]:
    """`[broad_excepts]`: function -> reason."""
    return cast(dict[str, str], tomllib.loads(EXEMPTIONS.read_text(encoding="utf-8"))["broad_excepts"])


def size_complaints(sizes: Mapping[str, int], exempted: Mapping[str, int], *, limit: int) -> list[str]:
    """What to mend, one sentence each: in the code, or in the list."""
    complaints = [
        f"{name} has {lines} lines; {exempted.get(name, limit)} are allowed: split it"
        for name, lines in sizes.items()
        if lines > exempted.get(name, limit)
    ]
    for name, allowed in exempted.items():
        lines = sizes.get(name, 0)
        if lines <= limit:
            complaints.append(f"{name} needs its exemption no longer: delete it from exemptions.toml")
        elif lines < allowed:
            complaints.append(f"{name} has shrunk: lower its number in exemptions.toml to {lines}")
    return complaints
