"""Values that have brought other servers down: each is put where a good value stood, one at a time."""

from collections.abc import Iterator
from typing import Any

#: JSON of every kind, at the edges of what programs and databases can hold
POISONS: tuple[Any, ...] = (
    None,
    False,
    0,
    -1,
    2**31,
    2**63,
    10**400,
    1.5,
    1e308,
    "",
    "0",
    "\0",
    "a\0b",
    "\ud800",
    "\u202e\u2066",
    "x" * 70_000,
    "0001-01-01",
    "9999-12-31T23:59:59.999999Z",
    "0001-01-01T00:00:00+14:00",
    "1e400",
    "NaN",
    "' OR 1=1 --",
    "00000000-0000-0000-0000-000000000000",
    float("inf"),
    float("nan"),
    [],
    [None],
    ["a\0b"],
    {},
    {"": {"": {}}},
    {"\0": "\0"},
)
#: what a query can say; a lone surrogate has no bytes
TEXTS = tuple(poison[:5_000] for poison in POISONS if isinstance(poison, str) and poison != "\ud800")


def spoilt(good: object) -> Iterator[tuple[str, object]]:
    """(which field and by what, the body): every field of a good body poisoned, and at its top one too many."""
    for poison in POISONS:
        yield f"the body itself: {poison!r:.40}", poison
        for path, body in _poisoned(good, poison):
            yield f"{path}: {poison!r:.40}", body


def _poisoned(good: object, poison: object) -> Iterator[tuple[str, object]]:
    if isinstance(good, dict):
        for name, value in good.items():
            yield name, {**good, name: poison}
            for inner, body in _poisoned(value, poison):
                yield f"{name}.{inner}", {**good, name: body}
    elif isinstance(good, list) and good:
        yield "0", [poison, *good[1:]]
        for inner, body in _poisoned(good[0], poison):
            yield f"0.{inner}", [body, *good[1:]]
