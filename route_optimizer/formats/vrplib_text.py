"""The text of a VRPLIB file, cut into its parts: `KEY : value` lines and sections of numbered lines."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from route_optimizer.formats.source import FormatError, text_of

#: sections with a line for each node, and how many numbers follow the node's; None is one or more
NODES = {
    "NODE_COORD_SECTION": 2,
    "DEMAND_SECTION": None,
    "LINEHAUL_SECTION": None,
    "BACKHAUL_SECTION": None,
    "TIME_WINDOW_SECTION": 2,
    "SERVICE_TIME_SECTION": 1,
    "RELEASE_TIME_SECTION": 1,
    "PRIZE_SECTION": 1,
    "PICKUP_AND_DELIVERY_SECTION": 6,
}
#: the same of vehicles. Those of one number may be a key instead, which then holds for every vehicle
VEHICLES = {
    "CAPACITY_SECTION": None,
    "VEHICLES_DEPOT_SECTION": 1,
    "VEHICLES_MAX_DISTANCE_SECTION": 1,
    "VEHICLES_MAX_DURATION_SECTION": 1,
    "VEHICLES_MAX_RELOADS_SECTION": 1,
    "VEHICLES_FIXED_COST_SECTION": 1,
    "VEHICLES_UNIT_DISTANCE_COST_SECTION": 1,
    "VEHICLES_RELOAD_DEPOT_SECTION": None,
    "VEHICLES_ALLOWED_CLIENTS_SECTION": None,
}
#: sections that are lists of numbers
LISTS = ("DEPOT_SECTION", "EDGE_WEIGHT_SECTION")
#: keys that mean something, and those that merely tell
KEYS = {"TYPE", "DIMENSION", "EDGE_WEIGHT_TYPE", "EDGE_WEIGHT_FORMAT", "VEHICLES", "DISTANCE", "SERVICE_TIME"} | {
    key.removesuffix("_SECTION") for key, columns in VEHICLES.items() if columns == 1 or key == "CAPACITY_SECTION"
}
REMARKS = {"NAME", "COMMENT", "NODE_COORD_TYPE", "DISPLAY_DATA_TYPE"}
#: rules that a problem of ours cannot state
UNKNOWN_RULES = {
    "MUTUALLY_EXCLUSIVE_GROUP_SECTION": "one client of a group in place of the others",
    "STANDTIME_SECTION": "times to stand",
    "DRAFT_LIMIT_SECTION": "draft limits",
    "FIXED_EDGES_SECTION": "legs that must be driven",
}

Line = tuple[int, list[float]]


@dataclass
class Text:
    """The parts, each with the line it stands on."""

    path: Path
    keys: dict[str, tuple[int, str]] = field(default_factory=dict)
    #: by section, then by the number of the node or vehicle
    sections: dict[str, dict[int, Line]] = field(default_factory=dict)
    #: by section: each number
    lists: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    last: int = 0
    #: it says EOF, so that nothing can be cut off
    complete: bool = False

    def error(self, line: int | None, wrong: str, remedy: str) -> FormatError:
        """What is wrong with it."""
        return FormatError(self.path, line, wrong, remedy)

    def number(self, line: int, word: str) -> float:
        """A finite number.

        Raises:
            FormatError: when the word is none.
        """
        try:
            value = float(word)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise self.error(line, f"`{word}` is no number", "give a finite number")
        return value

    def key(self, name: str) -> float | None:
        """A key's number of 0 or more; None when the file has no such key.

        Raises:
            FormatError: when its value is anything else.
        """
        if name not in self.keys:
            return None
        line, text = self.keys[name]
        value = self.number(line, text)
        if value < 0:
            raise self.error(line, f"{name} is {text}", "give 0 or more")
        return value

    def whole(self, name: str) -> int | None:
        """A key's whole number.

        Raises:
            FormatError: when its value is anything else.
        """
        value = self.key(name)
        if value is None:
            return None
        if not value.is_integer():
            line, text = self.keys[name]
            raise self.error(line, f"{name} is {text}", "give a whole number of 0 or more")
        return int(value)

    def node(self, section: str, number: int) -> Line | None:
        """What a section of nodes says of one; None when the file has no such section."""
        return self.sections[section][number] if section in self.sections else None

    def vehicle(self, name: str, number: int) -> Line | None:
        """What a key, or a section of vehicles, says of one; None when the file has neither."""
        if f"{name}_SECTION" in self.sections:
            return self.sections[f"{name}_SECTION"][number]
        value = self.key(name) if name in KEYS else None
        return None if value is None else (self.keys[name][0], [value])

    def check_numbers(self, names: Iterable[str], numbers: Iterable[int], what: str) -> None:
        """That each of these sections, if it is there, has a line for each of these numbers and no others.

        Raises:
            FormatError: naming the line.
        """
        expected = set(numbers)
        for name in names:
            section = self.sections.get(name)
            if section is None:
                continue
            for number in section.keys() - expected:
                raise self.error(section[number][0], f"{what} {number} does not exist", "correct its number")
            for number in sorted(expected - section.keys()):
                after = max((line for line, _ in section.values()), default=self.last)
                raise self.error(after, f"{what} {number} has no line in {name}", "add it")


def looks_like(text: str) -> bool:
    """Whether this is such a file."""
    return any(line.split(":")[0].strip() in ("DIMENSION", *NODES) for line in text.splitlines())


def cut(path: Path) -> Text:
    """Cut a file into its parts.

    Raises:
        FormatError: naming the line.
    """
    file = Text(path)
    section = ""
    for line, text in enumerate(text_of(path).splitlines(), start=1):
        words = text.split()
        file.last = line
        if not words:
            continue
        if words[0] == "EOF":
            file.complete = True
            break
        if words[0][0].isalpha():
            section = _heading(file, line, text)
        elif section in LISTS:
            file.lists[section] += [(line, file.number(line, word)) for word in words]
        elif section:
            _numbered(file, line, section, words)
        else:
            raise file.error(line, f"`{text.strip()}` stands outside any section", "put a section's name before it")
    return file


def _heading(file: Text, line: int, text: str) -> str:
    key, _, value = (part.strip() for part in text.partition(":"))
    if key in UNKNOWN_RULES:
        wrong = f"{key} states a rule that no problem here can state: {UNKNOWN_RULES[key]}"
        raise file.error(line, wrong, "leave the section out if the rule may be broken")
    if key.endswith("_SECTION"):
        if key not in NODES and key not in VEHICLES and key not in LISTS:
            known = ", ".join((*NODES, *VEHICLES, *LISTS))
            raise file.error(line, f"{key} states a rule that this reader does not know", f"use {known}")
        if key in file.sections or key in file.lists:
            raise file.error(line, f"{key} begins a second time", "join the two")
        if key in LISTS:
            file.lists[key] = []
        else:
            file.sections[key] = {}
        return key
    if key not in KEYS | REMARKS:
        wrong = f"`{text.strip()[:40]}` states something that this reader does not know"
        raise file.error(line, wrong, "leave the line out if it states no rule")
    file.keys[key] = line, value.strip('"').strip()
    return ""


def _numbered(file: Text, line: int, section: str, words: Sequence[str]) -> None:
    first, *values = (file.number(line, word) for word in words)
    columns = NODES[section] if section in NODES else VEHICLES[section]
    what = "node" if section in NODES else "vehicle"
    if columns is not None and len(values) != columns:
        wrong = f"{len(words)} {'number' if len(words) == 1 else 'numbers'} where {1 + columns} belong"
        raise file.error(line, wrong, f"{section} takes the {what} and {columns} more")
    if not first.is_integer():
        raise file.error(line, f"the {what} {words[0]} is not whole", "number them 1, 2, 3 ...")
    lines = file.sections[section]
    if int(first) in lines:
        wrong = f"{what} {int(first)} stands on line {lines[int(first)][0]} already"
        raise file.error(line, wrong, f"state each {what} once in a section")
    lines[int(first)] = line, values
